#include "app/logging.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <thread>
#include <vector>

#include "agentcom/core/log_fields.hpp"
#include "support/socket_client.hpp"

namespace agentcom::app {
namespace {

using Clock = std::chrono::steady_clock;

std::string escaped(std::string_view text) {
    std::string out;
    append_escaped(out, text);
    return out;
}

/// A pipe; the smallest takes a line or a page of log, then its writer would wait.
class Pipe {
public:
    explicit Pipe(int bytes = 4'096) {
        EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0);
        EXPECT_GT(::fcntl(ends_[1], F_SETPIPE_SZ, bytes), 0);
    }
    ~Pipe() {
        ::close(ends_[0]);
        ::close(ends_[1]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    [[nodiscard]] int write_end() const { return ends_[1]; }
    /// The next line without its end; empty when nothing comes for as long as tests wait.
    std::string line() {
        std::size_t end = 0;
        while ((end = buffer_.find('\n')) == std::string::npos) {
            pollfd waiting{.fd = ends_[0], .events = POLLIN, .revents = 0};
            const auto ms = std::chrono::milliseconds(test::kPatience).count();
            if (::poll(&waiting, 1, static_cast<int>(ms)) <= 0) return {};
            std::array<char, 4'096> some{};
            const auto got = ::read(ends_[0], some.data(), some.size());
            buffer_.append(some.data(), static_cast<std::size_t>(got));
        }
        std::string found = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        return found;
    }

private:
    std::array<int, 2> ends_{};
    std::string buffer_;
};

TEST(LogText, StaysOnItsLine) {
    EXPECT_EQ(escaped("a\nb\r\tc"), "a\\nb\\u000d\\u0009c");
    EXPECT_EQ(escaped("say \"hi\" \\"), "say \\\"hi\\\" \\\\");
    EXPECT_EQ(escaped("plain, Zo\xc3\xab"), "plain, Zo\xc3\xab");
    EXPECT_EQ(escaped(std::string_view("\0\x1b[1m", 5)), "\\u0000\\u001b[1m");
}

TEST(LogText, IsUtf8ThatATerminalShowsAsItIs) {
    EXPECT_EQ(escaped("/\xff\xfe!"), "/\\ufffd\\ufffd!");
    EXPECT_EQ(escaped("/\xed\xa0\x80"), "/\\ufffd\\ufffd\\ufffd") << "a surrogate";
    EXPECT_EQ(escaped("\xc2\x9b"
                      "2J"),
              "\\u009b2J")
        << "a control sequence of eight bits";
    EXPECT_EQ(escaped("a\xe2\x80\xae"
                      "b"),
              "a\\u202eb")
        << "right to left";
    EXPECT_EQ(escaped("\xf0\x9f\x90\x9d"), "\xf0\x9f\x90\x9d");
}

TEST(Logging, LinesComeOutInOrderWhileItRuns) {
    Pipe pipe;
    const Logging logging(LogLevel::info, LogFormat::text, pipe.write_end());
    for (int i = 0; i < 500; ++i) {
        spdlog::info("line {}", i);
        spdlog::debug("not this one");
        const std::string line = pipe.line();
        EXPECT_TRUE(line.ends_with(" info line " + std::to_string(i))) << line;
    }
    EXPECT_EQ(logging.dropped(), 0U);
}

/// The next line without its time.
std::string text_of(const std::string& line) {
    return line.substr(std::min(line.find(' '), line.size()));
}

TEST(Logging, FieldsOfALineStandBehindItOrBesideItsMessage) {
    const std::array fields{core::LogField{"request_id", "r-1"},
                            core::LogField{"trace_id", "say \"hi\""}};
    Pipe pipe;
    {
        const Logging logging(LogLevel::info, LogFormat::text, pipe.write_end());
        spdlog::warn(core::with_fields(fields, "it {} failed"));
        EXPECT_EQ(text_of(pipe.line()),
                  R"( warning it {} failed request_id=r-1 trace_id=say \"hi\")");
    }
    const Logging logging(LogLevel::info, LogFormat::json, pipe.write_end());
    spdlog::warn(core::with_fields(fields, "it failed"));
    const auto line = nlohmann::json::parse(pipe.line());
    EXPECT_EQ(line.at("level"), "warning");
    EXPECT_EQ(line.at("message"), "it failed");
    EXPECT_EQ(line.at("request_id"), "r-1");
    EXPECT_EQ(line.at("trace_id"), "say \"hi\"");
    EXPECT_TRUE(line.contains("time"));
}

TEST(Logging, TheJournalIsKnownByItsDeviceAndInode) {
    const Pipe pipe;
    struct stat status {};
    ASSERT_EQ(::fstat(pipe.write_end(), &status), 0);
    const std::string own = std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino);
    EXPECT_TRUE(is_journal(pipe.write_end(), own.c_str()));
    EXPECT_FALSE(is_journal(pipe.write_end(), nullptr));
    for (const std::string& other :
         {std::string(), std::string(":"), own + "1", own + " ", std::to_string(status.st_dev),
          std::to_string(status.st_dev) + ':', ':' + std::to_string(status.st_ino)}) {
        EXPECT_FALSE(is_journal(pipe.write_end(), other.c_str())) << other;
    }
    EXPECT_FALSE(is_journal(-1, own.c_str()));
}

TEST(Logging, LinesForTheJournalHaveAPriorityAndNoTime) {
    Pipe pipe;
    struct stat status {};
    ASSERT_EQ(::fstat(pipe.write_end(), &status), 0);
    const std::string own = std::to_string(status.st_dev) + ':' + std::to_string(status.st_ino);
    ::setenv("JOURNAL_STREAM", own.c_str(), 1);
    {
        const Logging logging(LogLevel::debug, LogFormat::text, pipe.write_end());
        spdlog::debug("one");
        spdlog::info("two");
        spdlog::warn("three");
        spdlog::error("four");
        spdlog::critical("five");
        for (const char* line : {"<7>one", "<6>two", "<4>three", "<3>four", "<2>five"}) {
            EXPECT_EQ(pipe.line(), line);
        }
    }
    {
        const Logging logging(LogLevel::info, LogFormat::json, pipe.write_end());
        spdlog::info("two");
        EXPECT_EQ(pipe.line(), R"(<6>{"message":"two"})");
    }
    ::unsetenv("JOURNAL_STREAM");
}

TEST(Logging, WhatWasLoggedJustBeforeTheEndIsWritten) {
    Pipe pipe(64 * 1'024);
    {
        const Logging logging(LogLevel::info, LogFormat::json, pipe.write_end());
        for (int i = 0; i < 20; ++i) spdlog::warn("line {}", i);
    }
    for (int i = 0; i < 20; ++i) {
        EXPECT_NE(pipe.line().find(R"("level":"warning","message":"line )" + std::to_string(i)),
                  std::string::npos);
    }
}

TEST(Logging, WhoLogsNeverWaitsAndTheOldestLinesGiveWayWhenNobodyReads) {
    static constexpr int kLines = 20'000;
    static constexpr int kThreads = 4;
    Pipe pipe;
    const Logging logging(LogLevel::info, LogFormat::text, pipe.write_end());
    // These end only if none of them waits for the pipe, which takes fewer than a hundred lines.
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([] {
            for (int i = 0; i < kLines; ++i) spdlog::info("one of many lines");
        });
    }
    for (std::thread& thread : threads) thread.join();
    spdlog::info("the last line");
    EXPECT_GT(logging.dropped(), static_cast<std::uint64_t>(kLines));

    std::uint64_t told = 0;
    std::uint64_t written = 0;
    static const std::regex kNotice(R"(warning (\d+) log lines were dropped)");
    for (std::string line = pipe.line(); !line.empty(); line = pipe.line()) {
        std::smatch match;
        if (std::regex_search(line, match, kNotice)) {
            told += std::stoull(match[1]);
        } else {
            ++written;
        }
        if (line.ends_with("the last line")) break;
    }
    EXPECT_EQ(told, logging.dropped());
    EXPECT_EQ(told + written, std::uint64_t{kThreads} * kLines + 1);
}

TEST(Logging, EndsThoughNobodyReads) {
    Pipe pipe;
    Clock::time_point began;
    {
        const Logging logging(LogLevel::info, LogFormat::text, pipe.write_end());
        for (int i = 0; i < 5'000; ++i) spdlog::info("one of many lines");
        began = Clock::now();
    }
    EXPECT_LT(Clock::now() - began, std::chrono::seconds(5));
    spdlog::info("after the end");  // goes nowhere, and waits for nothing
}

TEST(Logging, AReaderThatIsGoneCostsTheLinesOnly) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    ::signal(SIGPIPE, SIG_IGN);
    ::close(ends[0]);
    std::uint64_t dropped = 0;
    {
        const Logging logging(LogLevel::info, LogFormat::text, ends[1]);
        spdlog::info("nobody will see this");
        const auto deadline = Clock::now() + test::kPatience;
        while ((dropped = logging.dropped()) == 0 && Clock::now() < deadline) {
            std::this_thread::yield();
        }
    }
    EXPECT_EQ(dropped, 1U);
    ::close(ends[1]);
}

}  // namespace
}  // namespace agentcom::app

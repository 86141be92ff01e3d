#include "app/logging.hpp"

#include <poll.h>
#include <pthread.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <future>
#include <thread>
#include <utility>

#include "agentcom/core/log_fields.hpp"
#include "agentcom/core/utf8.hpp"

namespace agentcom::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Some 400 KiB, and a burst of a thousand lines.
constexpr std::size_t kQueuedLines = 1'024;
/// How long the end waits for a standard error that does not take what is left.
constexpr std::chrono::milliseconds kFlushTimeout{1'000};
/// How often a writer that standard error keeps waiting looks whether the end has come.
constexpr std::chrono::milliseconds kBlockedStep{100};

/// The pattern flag %* : the message, escaped, and its fields.
class Message final : public spdlog::custom_flag_formatter {
public:
    explicit Message(LogFormat format) : format_(format) {}
    void format(const spdlog::details::log_msg& entry, const std::tm& /*time*/,
                spdlog::memory_buf_t& dest) override {
        const auto line =
            core::read_log_line(std::string_view(entry.payload.data(), entry.payload.size()));
        const bool json = format_ == LogFormat::json;
        std::string text = json ? "\"message\":\"" : "";
        append_escaped(text, line.text);
        if (json) text += '"';
        for (const core::LogField& field : line.fields) {
            text += json ? ",\"" : " ";
            text += field.name;
            text += json ? "\":\"" : "=";
            append_escaped(text, field.value);
            if (json) text += '"';
        }
        dest.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<Message>(format_);
    }

private:
    LogFormat format_;
};

/// The pattern flag %& : the level as the journal and syslog count it (sd-daemon(3)).
class Priority final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& entry, const std::tm& /*time*/,
                spdlog::memory_buf_t& dest) override {
        dest.push_back(digit(entry.level));
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<Priority>();
    }

private:
    static char digit(spdlog::level::level_enum level) noexcept {
        switch (level) {
            case spdlog::level::critical:
                return '2';
            case spdlog::level::err:
                return '3';
            case spdlog::level::warn:
                return '4';
            case spdlog::level::info:
                return '6';
            default:
                return '7';
        }
    }
};

const char* pattern(LogFormat format, bool to_journal) noexcept {
    // The journal has a time and a level of its own for each line.
    if (to_journal) return format == LogFormat::json ? "<%&>{%*}" : "<%&>%*";
    return format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%*})"
                                     : "%Y-%m-%dT%H:%M:%S.%eZ %l %*";
}

std::unique_ptr<spdlog::formatter> make_formatter(LogFormat format, bool to_journal) {
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
    formatter->add_flag<Message>('*', format)
        .add_flag<Priority>('&')
        .set_pattern(pattern(format, to_journal));
    return formatter;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
    switch (level) {
        case LogLevel::debug:
            return spdlog::level::debug;
        case LogLevel::info:
            return spdlog::level::info;
        case LogLevel::warning:
            return spdlog::level::warn;
        case LogLevel::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

void install(std::shared_ptr<spdlog::logger> logger, LogLevel level) {
    logger->set_level(spdlog_level(level));
    // spdlog's own handler writes to standard error, and waits for it.
    logger->set_error_handler([](const std::string&) {});
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace

bool is_journal(int descriptor, const char* journal_stream) noexcept {
    struct stat status {};
    if (journal_stream == nullptr || ::fstat(descriptor, &status) != 0) return false;
    const std::string_view text(journal_stream);
    dev_t device = 0;
    ino_t inode = 0;
    const auto colon = std::from_chars(text.data(), text.data() + text.size(), device);
    if (colon.ec != std::errc() || colon.ptr == text.data() + text.size() || *colon.ptr != ':') {
        return false;
    }
    const auto end = std::from_chars(colon.ptr + 1, text.data() + text.size(), inode);
    return end.ec == std::errc() && end.ptr == text.data() + text.size() &&
           device == status.st_dev && inode == status.st_ino;
}

void append_escaped(std::string& out, std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    const auto escape = [&out](std::uint32_t unit) {
        out += "\\u";
        for (int shift = 12; shift >= 0; shift -= 4) out += kHex[(unit >> shift) & 15];
    };
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = core::utf8_sequence_length(text, at);
        if (length == 0) {
            escape(0xfffd);
            ++at;
            continue;
        }
        const std::string_view sequence = text.substr(at, length);
        const std::uint32_t point = core::code_point(sequence);
        at += length;
        if (point == '"' || point == '\\') {
            out += '\\';
            out += sequence;
        } else if (point == '\n') {
            out += "\\n";
        } else if (point <= 0xffff && (core::is_control(point) || core::deceives(point))) {
            escape(point);
        } else {
            out += sequence;
        }
    }
}

/// Writes lines on the logger's thread, and waits for the descriptor there. The descriptor is never
/// made non-blocking, since it may be shared with other processes: a piece that fits what `poll`
/// promises does not block.
class Logging::Sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit Sink(int descriptor) : descriptor_(descriptor) {}

    /// The pool whose queue drops lines. Before the first line.
    void watch(spdlog::details::thread_pool& pool) noexcept { pool_ = &pool; }
    /// Any thread: what cannot be written until then is lost.
    void give_up_at(SteadyClock::time_point deadline) noexcept { deadline_.store(deadline); }
    [[nodiscard]] std::uint64_t lost() const noexcept { return lost_.load(); }

protected:
    void sink_it_(const spdlog::details::log_msg& entry) override {
        // What was dropped is older than any line that is taken from the queue after it.
        const std::uint64_t dropped = pool_->overrun_counter();
        if (dropped != told_) {
            const std::string text = std::to_string(dropped - told_) +
                                     " log lines were dropped: standard error was not read";
            const spdlog::details::log_msg notice("", spdlog::level::warn, text);
            if (write_line(notice)) told_ = dropped;
        }
        if (!write_line(entry)) ++lost_;
    }
    void flush_() override {}  // nothing is held back

private:
    bool write_line(const spdlog::details::log_msg& entry) {
        spdlog::memory_buf_t line;
        formatter_->format(entry, line);
        std::string_view bytes(line.data(), line.size());
        while (!bytes.empty()) {
            if (!wait_for_room()) return false;
            const ::ssize_t written =
                ::write(descriptor_, bytes.data(), std::min<std::size_t>(bytes.size(), PIPE_BUF));
            if (written < 0 && errno != EINTR && errno != EAGAIN) return false;
            if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return true;
    }
    [[nodiscard]] bool wait_for_room() const {
        pollfd room{.fd = descriptor_, .events = POLLOUT, .revents = 0};
        while (true) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline_.load() - SteadyClock::now());
            // One look even after the deadline: a descriptor that takes everything loses nothing.
            const auto step = std::clamp(left, std::chrono::milliseconds(0), kBlockedStep);
            if (::poll(&room, 1, static_cast<int>(step.count())) > 0) return true;
            if (left.count() <= 0) return false;
        }
    }

    const int descriptor_;
    spdlog::details::thread_pool* pool_ = nullptr;
    std::uint64_t told_ = 0;
    std::atomic<std::uint64_t> lost_{0};
    std::atomic<SteadyClock::time_point> deadline_{SteadyClock::time_point::max()};
};

Logging::Logging(LogLevel level, LogFormat format, int descriptor)
    : sink_(std::make_shared<Sink>(descriptor)),
      pool_(std::make_shared<spdlog::details::thread_pool>(
          kQueuedLines, 1, [] { ::pthread_setname_np(::pthread_self(), "log"); })) {
    sink_->set_formatter(
        make_formatter(format, is_journal(descriptor, std::getenv("JOURNAL_STREAM"))));
    sink_->watch(*pool_);
    install(std::make_shared<spdlog::async_logger>("agentcom", sink_, pool_,
                                                   spdlog::async_overflow_policy::overrun_oldest),
            level);
}

Logging::~Logging() {
    // Lines that wait hold their logger: without this the log's thread would be the one to free it,
    // in a library in which ThreadSanitizer does not see that it may.
    const auto until_the_thread_has_ended = spdlog::default_logger();
    install(std::make_shared<spdlog::logger>("agentcom"), LogLevel::error);
    sink_->give_up_at(SteadyClock::now() + kFlushTimeout);
    // The pool's end joins its thread. A write may hold that in spite of `poll`, when others fill
    // the same pipe, and the process must end all the same.
    std::promise<void> ended;
    const std::future<void> end = ended.get_future();
    std::thread closer([pool = std::move(pool_), ended = std::move(ended)]() mutable {
        pool.reset();
        ended.set_value();
    });
    if (end.wait_for(2 * kFlushTimeout) == std::future_status::ready) {
        closer.join();
    } else {
        closer.detach();
    }
}

void log_as_command() {
    auto logger = std::make_shared<spdlog::logger>(
        "agentcom", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("agentcom: %v");
    install(std::move(logger), LogLevel::info);
}

void Logging::set_level(LogLevel level) {
    spdlog::default_logger()->set_level(spdlog_level(level));
}

void Logging::announce(LogLevel as, std::string_view line) {
    // Made once for each logger that is installed, and kept: a line that waits holds its logger, so
    // one that is given up here would be freed by the log's thread.
    static std::weak_ptr<spdlog::logger> made_for;
    static std::shared_ptr<spdlog::logger> announcer;
    const auto installed = spdlog::default_logger();
    if (made_for.lock() != installed) {
        announcer = installed->clone("announcements");
        made_for = installed;
    }
    announcer->set_level(spdlog_level(as));
    announcer->log(spdlog_level(as), line);
}

std::uint64_t Logging::dropped() const { return pool_->overrun_counter() + sink_->lost(); }

}  // namespace agentcom::app

// A long run with everything that comes and goes: short retention, clients that connect, read and
// leave, backups and reloads. What the hub uses at the end is what it used after the first part.
// AGENTCOM_SOAK_SECONDS says how long; without it there is no such run.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "support/hub_process.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using SoakClock = std::chrono::steady_clock;

/// What a hub uses while nobody but the measurer is connected.
struct Usage {
    double memory_mib = 0;  // of its own; the store's map is the system's cache
    std::size_t descriptors = 0;
    double disk_mib = 0;
    double median_ms = 0;  // of one send after the other, until its answer
    double worst_ms = 0;   // of 99 in 100
};

void show(const char* when, const Usage& usage) {
    std::printf(
        "[ figures  ] %s: %.1f MiB of memory, %zu descriptors, %.1f MiB on disk, "
        "a send %.2f ms (median), %.2f ms (99 of 100)\n",
        when, usage.memory_mib, usage.descriptors, usage.disk_mib, usage.median_ms, usage.worst_ms);
}

class Soak : public testing::Test {
protected:
    static constexpr int kReaders = 4;
    static constexpr int kWriters = 2;

    void start() {
        hub_ = std::make_unique<HubProcess>(
            dir_.path() / "data", std::vector<std::string>{},
            std::vector<std::string>{
                "AGENTCOM_MAILBOX_TTL=20s", "AGENTCOM_MAILBOX_CAP=500",
                "AGENTCOM_MAILBOX_EVICT_INTERVAL=1s", "AGENTCOM_HISTORY_MESSAGES=1000",
                "AGENTCOM_HISTORY_CHANNEL_MESSAGES=100", "AGENTCOM_RETENTION_MESSAGES=10000",
                "AGENTCOM_RETENTION_AGE=30s", "AGENTCOM_STORE_IDEMPOTENCY_WINDOW=5s",
                "AGENTCOM_SERVER_THREADS=2"});
        for (int i = 0; i < kReaders; ++i) readers_.push_back(hub_->create_token(reader(i)));
        for (int i = 0; i < kWriters; ++i) writers_.push_back(hub_->create_token(writer(i)));
        prober_ = hub_->create_token("prober");
        HttpClient http(hub_->port(), prober_);
        ASSERT_EQ(http.post("/api/channels", {{"name", "soak"}}).status, 201);
        for (int i = 0; i < kReaders; i += 2) {
            HttpClient each(hub_->port(), readers_[static_cast<std::size_t>(i)]);
            ASSERT_EQ(each.post("/api/channels/soak/subscribe", nlohmann::json::object()).status,
                      200);
        }
    }
    static std::string reader(int i) { return "reader-" + std::to_string(i); }
    static std::string writer(int i) { return "writer-" + std::to_string(i); }

    /// Sends of every kind, some at a time, over connections that last for a while.
    void write(int number, SoakClock::time_point until) {
        fuzz::Random random(static_cast<std::uint64_t>(number) + 1);
        const std::string& token = writers_[static_cast<std::size_t>(number)];
        while (SoakClock::now() < until) {
            WsClient socket(hub_->port());
            socket.identify(writer(number), token, {{"presence", false}, {"echo", false}});
            for (int burst = 0; burst < 50 && SoakClock::now() < until; ++burst) {
                for (int i = 0; i < 10; ++i) {
                    const std::string text(random.below(600), 'x');
                    if (random.one_in(4)) {
                        socket.send({{"type", "channel_publish"},
                                     {"channel", "soak"},
                                     {"payload", {{"text", text}}}});
                    } else {
                        const bool all = random.one_in(8);
                        socket.send(
                            {{"type", "message"},
                             {"to", all ? "broadcast" : reader(static_cast<int>(random.below(4)))},
                             {"payload", text},
                             {"idempotency_key", "k" + std::to_string(random.next())}});
                    }
                }
                for (int answers = 0; answers < 10;) {
                    const std::string type = socket.receive().at("type");
                    if (type == "error") throw std::runtime_error("a send was refused");
                    if (type == "message_sent" || type == "channel_published") ++answers;
                }
                sent_ += 10;
            }
            socket.close();
        }
    }
    /// Connects, reads, acknowledges now and then, and leaves in one way or the other.
    void read(int number, SoakClock::time_point until) {
        fuzz::Random random(static_cast<std::uint64_t>(number) + 100);
        const std::string& token = readers_[static_cast<std::size_t>(number)];
        while (SoakClock::now() < until) {
            WsClient socket(hub_->port());
            socket.identify(reader(number), token, {{"acks", random.one_in(2)}});
            std::uint64_t seen = 0;
            for (std::size_t left = 20 + random.below(200); left > 0 && SoakClock::now() < until;
                 --left) {
                socket.send({{"type", "ping"}});
                const auto frame = socket.receive();
                seen = std::max(seen, frame.value("seq", std::uint64_t{0}));
                if (seen > 0 && random.one_in(16)) socket.send({{"type", "ack"}, {"seq", seen}});
            }
            ++connections_;
            if (random.one_in(2)) {
                socket.cut();
            } else {
                socket.close();
            }
            HttpClient http(hub_->port(), token);
            (void)http.get("/api/mailbox/" + reader(number) + "?limit=50");
        }
    }
    /// Reloads and backups, one after the other, as long as the others work.
    void operate(SoakClock::time_point until) {
        HttpClient http(hub_->port(), prober_);
        while (SoakClock::now() < until) {
            for (int i = 0; i < 200 && SoakClock::now() < until; ++i) {
                ASSERT_EQ(http.post("/api/message", {{"to", "prober"}, {"payload", i}}).status,
                          200);
            }
            ::kill(hub_->pid(), SIGHUP);
            const auto copy = dir_.path() / ("copy-" + std::to_string(backups_++));
            Program backup(
                {"backup", copy.string(), "--data-dir", (dir_.path() / "data").string()});
            ASSERT_EQ(backup.wait(), 0) << backup.output() << backup.errors();
            std::filesystem::remove_all(copy);
        }
    }
    void work(std::chrono::seconds time) {
        const auto until = SoakClock::now() + time;
        std::vector<std::thread> threads;
        const auto run = [&](auto function) {
            threads.emplace_back([function, until] {
                try {
                    function(until);
                } catch (const std::exception& error) {
                    ADD_FAILURE() << error.what();
                }
            });
        };
        for (int i = 0; i < kWriters; ++i) run([this, i](auto end) { write(i, end); });
        for (int i = 0; i < kReaders; ++i) run([this, i](auto end) { read(i, end); });
        run([this](auto end) { operate(end); });
        for (std::thread& thread : threads) thread.join();
    }
    [[nodiscard]] Usage measure() {
        Usage usage;
        HttpClient http(hub_->port(), prober_);
        std::vector<double> times;
        for (int i = 0; i < 500; ++i) {
            const auto begin = SoakClock::now();
            EXPECT_EQ(http.post("/api/message", {{"to", "prober"}, {"payload", i}}).status, 200);
            times.push_back(
                std::chrono::duration<double, std::milli>(SoakClock::now() - begin).count());
        }
        std::ranges::sort(times);
        usage.median_ms = times[times.size() / 2];
        usage.worst_ms = times[times.size() * 99 / 100];
        const std::filesystem::path process = "/proc/" + std::to_string(hub_->pid());
        std::ifstream status(process / "status");
        for (std::string line; std::getline(status, line);) {
            if (line.starts_with("RssAnon:")) usage.memory_mib = std::stod(line.substr(8)) / 1024;
        }
        usage.descriptors = static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator(process / "fd"), {}));
        const auto bytes = std::filesystem::file_size(dir_.path() / "data" / "data.mdb");
        usage.disk_mib = static_cast<double>(bytes) / (1 << 20);
        return usage;
    }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
    std::vector<std::string> readers_;
    std::vector<std::string> writers_;
    std::string prober_;
    std::atomic<std::size_t> sent_{0};
    std::atomic<std::size_t> connections_{0};
    std::size_t backups_ = 0;
};

TEST_F(Soak, WhatTheHubUsesEndsWhereItBegan) {
    const char* given = std::getenv("AGENTCOM_SOAK_SECONDS");
    if (given == nullptr) GTEST_SKIP() << "AGENTCOM_SOAK_SECONDS is not set";
    const std::chrono::seconds all{std::strtoll(given, nullptr, 10)};
    ASSERT_NO_FATAL_FAILURE(start());
    // Until retention has removed as much as comes in.
    const auto warm_up = std::min(all / 4, std::chrono::seconds(60));
    work(warm_up);
    const Usage first = measure();
    show("after the first part", first);
    work(all - warm_up);
    const Usage last = measure();
    show("at the end", last);
    std::printf("[ figures  ] %zu sends, %zu connections, %zu backups and reloads in %lld s\n",
                sent_.load(), connections_.load(), backups_, static_cast<long long>(all.count()));
    EXPECT_LE(last.memory_mib, first.memory_mib + 4);
    EXPECT_LE(last.descriptors, first.descriptors + 8);
    EXPECT_LE(last.disk_mib, first.disk_mib * 1.25 + 2);
    EXPECT_LE(last.median_ms, first.median_ms * 3 + 2);
    EXPECT_EQ(hub_->terminate(), 0);
}

}  // namespace
}  // namespace agentcom::test

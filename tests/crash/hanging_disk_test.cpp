// Senders fill all that may be filled before a disk that hangs for ten seconds: nobody else
// notices, and afterwards everything that was acknowledged is there, once and in order.

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "crash/support/flooder.hpp"
#include "crash/support/party.hpp"
#include "crash/support/preloaded_disk.hpp"
#include "crash/support/stored.hpp"
#include "crash/support/traffic.hpp"
#include "support/bystander.hpp"
#include "support/hub_process.hpp"
#include "support/memory_watch.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kQueuedBytes = std::size_t{4} << 20;
constexpr std::size_t kFlooders = 8;
/// What they would have in flight if only limits.max_requests_in_flight stopped them: four times
/// what the queue holds.
constexpr std::size_t kInFlight = kFlooders * 256;
/// What the hub may take of memory in addition while all this happens: what waits, once more in the
/// batch and once in LMDB's dirty pages, what the sockets were read ahead, and what the allocator
/// keeps of it.
constexpr std::size_t kMoreMemory = std::size_t{96} << 20;
constexpr double kUsual = 100;      // milliseconds, half of the answers
constexpr double kLongest = 1'000;  // each of them

nlohmann::json expect_ok(const HttpClient::Response& answer, const std::string& what) {
    if (answer.status / 100 != 2) {
        throw std::runtime_error(what + ": " + std::to_string(answer.status) + " " + answer.body);
    }
    return answer.json();
}

void expect(bool holds, const std::string& what) {
    if (!holds) throw std::runtime_error(what);
}

std::vector<std::string> ids_of(const std::vector<nlohmann::json>& messages) {
    std::vector<std::string> ids;
    for (const auto& message : messages) ids.push_back(message.at("id"));
    return ids;
}

class HangingDiskTest : public testing::Test {
protected:
    void SetUp() override {
        if (!PreloadedDisk::is_possible()) GTEST_SKIP() << "a sanitizer's runtime is preloaded";
        auto settings = roomy_settings();
        settings.push_back("AGENTCOM_STORE_MAX_QUEUED_BYTES=" + std::to_string(kQueuedBytes));
        settings.emplace_back("AGENTCOM_STORE_JOURNAL_SEGMENT_BYTES=2MiB");
        disk_ = std::make_unique<PreloadedDisk>(dir_.path());
        hub_ = std::make_unique<HubProcess>(dir_.path(), std::vector<std::string>{},
                                            disk_->environment(std::move(settings)));
        admin_token_ = hub_->admin_token();
        for (const char* agent : {"poller", "pinger", "newcomer", "courier"}) {
            tokens_.emplace_back(hub_->create_token(agent));
        }
        for (std::size_t i = 0; i < kFlooders; ++i) {
            flooder_tokens_.push_back(hub_->create_token("flooder-" + std::to_string(i)));
        }
        courier_ = std::make_unique<HttpClient>(hub_->port(), tokens_[3]);
        HttpClient admin(hub_->port(), admin_token_);
        expect_ok(admin.post("/api/channels", {{"name", "news"}}), "a channel");
        for (int i = 0; i < 5; ++i) {
            expect_ok(admin.post("/api/channels/news/publish", {{"payload", {{"n", i}}}}), "news");
        }
        for (int i = 0; i < 5; ++i) send_to_poller();
        // What pings and floods is there before.
        pinger_ = std::make_unique<WsClient>(hub_->port());
        ASSERT_EQ(pinger_->identify("pinger", tokens_[1], {{"presence", false}}).at("type"),
                  "identified");
        memory_ = std::make_unique<MemoryWatch>(hub_->pid());
        memory_before_ = memory_->now();
    }
    void TearDown() override {
        // Whoever waits for the hub must be able to end.
        if (disk_) disk_->levers().hang.set(0);
        bystanders_.clear();
        flooders_.clear();
    }

    /// One message to the poller, acknowledged.
    void send_to_poller() {
        const auto answer = expect_ok(
            courier_->post("/api/message", {{"to", "poller"}, {"payload", {{"n", 0}}}}), "a send");
        acknowledged_.push_back(answer.at("id"));
    }
    /// One more, whose answer is not waited for.
    static void begin_send_to_poller(HttpClient& http, const std::string& token) {
        http.send_raw("POST /api/message HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
                      token + "\r\nContent-Type: application/json\r\nContent-Length: 35\r\n\r\n" +
                      R"({"to":"poller","payload":{"n":"m"}})");
    }
    /// And then its answer.
    void end_send_to_poller(HttpClient& http) {
        acknowledged_.push_back(expect_ok(http.read_response(), "a send").at("id"));
    }
    void begin_flood() {
        for (std::size_t i = 0; i < kFlooders; ++i) {
            flooders_.push_back(std::make_unique<Flooder>(
                hub_->port(), "flooder-" + std::to_string(i), flooder_tokens_[i], "sink"));
        }
    }
    void begin_bystanders();
    void add(const std::string& name, std::chrono::milliseconds interval,
             std::function<void()> ask) {
        bystanders_.push_back(std::make_unique<Bystander>(name, interval, std::move(ask)));
    }
    /// The disk hangs; returns when all that may wait does, and ten seconds have passed.
    void watch_while_it_hangs(steady_clock::time_point begin);
    /// The disk goes on, and everybody with it.
    void recover(HttpClient& unanswered);
    /// What there is to be found, in this hub or in another on the same disk.
    void verify(std::uint16_t port) const;
    void verify_at_the_end();
    [[nodiscard]] std::size_t waiting_operations(HttpClient& probe) const {
        static const std::string kName = "\nagentcom_commit_queue_operations ";
        const std::string page = probe.get("/metrics").body;
        const std::size_t at = page.find(kName);
        if (at == std::string::npos) throw std::runtime_error("no queue in /metrics");
        return std::stoul(page.substr(at + kName.size()));
    }

    TempDir dir_;
    std::unique_ptr<PreloadedDisk> disk_;
    std::unique_ptr<HubProcess> hub_;
    std::unique_ptr<MemoryWatch> memory_;
    std::size_t memory_before_ = 0;
    std::string admin_token_;
    std::vector<std::string> tokens_;
    std::vector<std::string> flooder_tokens_;
    std::unique_ptr<HttpClient> courier_;
    std::unique_ptr<WsClient> pinger_;
    std::vector<std::string> acknowledged_;  // ids of what is in the poller's mailbox
    std::vector<std::unique_ptr<Flooder>> flooders_;
    std::vector<std::unique_ptr<Bystander>> bystanders_;
};

void HangingDiskTest::begin_bystanders() {
    const std::uint16_t port = hub_->port();
    add("polls", 50ms, [this, http = std::make_shared<HttpClient>(port, tokens_[0])] {
        expect(ids_of(read_mailbox(*http, "poller")) == acknowledged_,
               "the mailbox is not what was acknowledged");
    });
    add("pings", 50ms, [this] {
        const auto answer = pinger_->ask({{"type", "ping"}});
        expect(answer.at("type") == "pong", answer.dump());
    });
    add("reads", 50ms, [http = std::make_shared<HttpClient>(port, tokens_[0])] {
        expect_ok(http->get("/api/messages?limit=10"), "messages");
        expect(expect_ok(http->get("/api/channels"), "channels").at("channels").size() == 1,
               "a channel is missing");
        const auto news = expect_ok(http->get("/api/channels/news/history?limit=5"), "history");
        expect(news.at("messages").size() == 5, "history is not whole");
    });
    add("newcomers", 100ms, [port, token = tokens_[2]] {
        WsClient newcomer(port);
        const auto answer = newcomer.identify("newcomer", token, {{"presence", false}});
        expect(answer.at("type") == "identified", answer.dump());
    });
    add("livez", 50ms,
        [http = std::make_shared<HttpClient>(port)] { expect_ok(http->get("/livez"), "/livez"); });
}

void HangingDiskTest::watch_while_it_hangs(steady_clock::time_point begin) {
    HttpClient probe(hub_->port(), admin_token_);
    const std::size_t full = kQueuedBytes / Flooder::kPayloadBytes;
    std::size_t most = 0;
    const auto pass_until = [&](std::chrono::seconds since) {
        while (steady_clock::now() < begin + since) {
            most = std::max(most, waiting_operations(probe));
            for (const auto& bystander : bystanders_) {
                ASSERT_TRUE(bystander->wait_for(1)) << bystander->name() << " are held up";
            }
        }
    };
    ASSERT_NO_FATAL_FAILURE(pass_until(5s));
    // Another writer, who waits for room as those who flood do.
    begin_send_to_poller(*courier_, tokens_[3]);
    ASSERT_NO_FATAL_FAILURE(pass_until(10s));
    EXPECT_GE(most, full * 9 / 10) << "the queue is not full";
    EXPECT_LT(most, kInFlight / 2) << "a full queue does not stop those who flood";
    EXPECT_GE(disk_->levers().waiting.get(), 1U) << "the disk does not hang";
    std::printf("[ figures  ] %zu operations waited\n", most);
    for (const auto& bystander : bystanders_) bystander->judge(kUsual, kLongest);
}

void HangingDiskTest::recover(HttpClient& unanswered) {
    std::vector<std::size_t> before;
    for (const auto& flooder : flooders_) before.push_back(flooder->acknowledged());
    disk_->levers().hang.set(0);
    // Both waited for room or for the disk, so either may be first.
    const auto one = expect_ok(unanswered.read_response(), "the send that hung");
    const auto other = expect_ok(courier_->read_response(), "the send without room");
    const bool in_order = one.at("seq") < other.at("seq");
    acknowledged_.push_back((in_order ? one : other).at("id"));
    acknowledged_.push_back((in_order ? other : one).at("id"));
    for (std::size_t i = 0; i < kFlooders; ++i) {
        EXPECT_TRUE(flooders_[i]->wait_for_acknowledged(before[i] + 100)) << "flooder " << i;
    }
    for (const auto& flooder : flooders_) flooder->finish();
    EXPECT_EQ(pinger_->ask({{"type", "ping"}}).at("type"), "pong");
    std::printf("[ figures  ] anonymous memory: %zu MiB before, %zu MiB most\n",
                memory_before_ >> 20, memory_->peak() >> 20);
    EXPECT_LT(memory_->peak(), memory_before_ + kMoreMemory);
}

void HangingDiskTest::verify(std::uint16_t port) const {
    const Stored stored(port, admin_token_);
    ASSERT_NO_FATAL_FAILURE(stored.verify({"news"}));
    for (const auto& flooder : flooders_) ASSERT_NO_FATAL_FAILURE(flooder->verify(stored));
    HttpClient http(port, tokens_[0]);
    EXPECT_EQ(ids_of(read_mailbox(http, "poller")), acknowledged_);
}

void HangingDiskTest::verify_at_the_end() {
    ASSERT_NO_FATAL_FAILURE(verify(hub_->port()));
    send_to_poller();  // over the connection that waited
    hub_->kill();
    const HubProcess another(dir_.path(), std::vector<std::string>{}, roomy_settings());
    ASSERT_NO_FATAL_FAILURE(verify(another.port()));
}

TEST_F(HangingDiskTest, WhileReadersAreThereNobodyIsHeldUpByThoseWhoFlood) {
    begin_bystanders();
    for (const auto& bystander : bystanders_) ASSERT_TRUE(bystander->wait_for(10));
    begin_flood();
    for (const auto& flooder : flooders_) ASSERT_TRUE(flooder->wait_for_acknowledged(100));
    // Between two readers commits may be deferred here, too, so this is the hang of the other case.
    disk_->levers().hang.set(kHangsInSyncs);
    HttpClient writer(hub_->port(), admin_token_);
    begin_send_to_poller(writer, admin_token_);
    ASSERT_TRUE(disk_->levers().waiting.wait_for_change(0, 60));
    ASSERT_NO_FATAL_FAILURE(watch_while_it_hangs(steady_clock::now()));
    ASSERT_NO_FATAL_FAILURE(recover(writer));
    ASSERT_NO_FATAL_FAILURE(verify_at_the_end());
}

TEST_F(HangingDiskTest, WhenCommitsAreDeferredNobodyIsHeldUpByThoseWhoFlood) {
    HttpClient writer(hub_->port(), admin_token_);
    // The disk begins to hang when a message has been announced whose commit is deferred: its
    // batch was written to the journal and nothing into LMDB's file, not even until the next.
    FaultyDisk& disk = disk_->levers();
    bool deferred = false;
    for (int i = 0; i < 5'000 && !deferred; ++i) {
        const std::uint64_t writes = disk.writes;
        send_to_poller();
        if (disk.writes != writes + 1) continue;
        disk.hang.set(kHangsInSyncs);
        begin_send_to_poller(writer, admin_token_);
        ASSERT_TRUE(disk.waiting.wait_for_change(0, 60));
        deferred = disk.writes == writes + 2;
        if (deferred) break;
        disk.hang.set(0);
        end_send_to_poller(writer);
    }
    ASSERT_TRUE(deferred) << "commits are not deferred";
    const auto begin = steady_clock::now();
    begin_bystanders();
    begin_flood();
    ASSERT_NO_FATAL_FAILURE(watch_while_it_hangs(begin));
    ASSERT_NO_FATAL_FAILURE(recover(writer));
    ASSERT_NO_FATAL_FAILURE(verify_at_the_end());
}

}  // namespace
}  // namespace agentcom::test

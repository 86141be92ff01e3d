// Disks that are full, fail or hang while mixed traffic runs: nothing acknowledged is lost, reads
// go on, writes recover or are refused with a code that says why.

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crash/support/preloaded_disk.hpp"
#include "crash/support/seeds.hpp"
#include "crash/support/traffic.hpp"
#include "support/hub_process.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using std::chrono::steady_clock;

/// A hub on a preloaded disk, with traffic.
class FaultyDiskTest : public testing::Test {
protected:
    void SetUp() override {
        if (!PreloadedDisk::is_possible()) GTEST_SKIP() << "a sanitizer's runtime is preloaded";
    }
    void start(std::uint64_t seed) {
        traffic_.reset();
        hub_.reset();
        dir_ = std::make_unique<TempDir>();
        disk_ = std::make_unique<PreloadedDisk>(dir_->path());
        hub_ = std::make_unique<HubProcess>(dir_->path(), std::vector<std::string>{},
                                            disk_->environment(roomy_settings()));
        admin_token_ = hub_->admin_token();
        traffic_ = std::make_unique<Traffic>(seed, hub_->port(), admin_token_);
        traffic_->without_resets();
        traffic_->connect(hub_->port());
    }
    /// Kills the hub and looks at what another one finds on a sound disk.
    void verify_after_restart() {
        hub_->kill();
        traffic_->drain();
        disk_->restore();
        hub_ = std::make_unique<HubProcess>(dir_->path(), std::vector<std::string>{},
                                            roomy_settings());
        ASSERT_NO_FATAL_FAILURE(traffic_->verify(hub_->port()));
        traffic_->connect(hub_->port());
        ASSERT_TRUE(traffic_->run(50));
        traffic_->finish();
        ASSERT_NO_FATAL_FAILURE(traffic_->verify(hub_->port()));
    }
    /// The answer to one more message.
    [[nodiscard]] HttpClient::Response send_one() const {
        HttpClient http(hub_->port(), admin_token_);
        return http.post("/api/message", {{"to", "somebody"}, {"payload", {{"n", 0}}}});
    }
    [[nodiscard]] nlohmann::json health() const {
        return HttpClient(hub_->port()).get("/health").json();
    }
    /// After a disk has failed: every kind of read is answered, and writes say what is wrong.
    void expect_reads_only() {
        HttpClient http(hub_->port(), admin_token_);
        for (const char* path :
             {"/api/messages?limit=5", "/api/channels", "/api/channels/c0", "/api/agents",
              "/api/channels/c0/history?limit=5", "/api/mailbox/admin", "/admin/tokens?limit=5",
              "/api/config/mailbox-retention", "/api/analytics/summary",
              "/api/agents/reader-0/subscriptions"}) {
            EXPECT_EQ(http.get(path).status, 200) << path;
        }
        const auto refused = send_one();
        EXPECT_EQ(refused.status, 503) << refused.body;
        EXPECT_EQ(refused.json().value("error", ""), "storage_failed") << refused.body;
        EXPECT_EQ(health().value("reason", ""), "storage_failed");
    }

    std::unique_ptr<TempDir> dir_;
    std::unique_ptr<PreloadedDisk> disk_;
    std::unique_ptr<HubProcess> hub_;
    std::unique_ptr<Traffic> traffic_;
    std::string admin_token_;
};

TEST_F(FaultyDiskTest, ADiskThatIsFullAtAnyWriteLosesNothingAndRecovers) {
    std::size_t refused = 0;
    for (const std::uint64_t seed : seeds(6, 60)) {
        SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(start(seed));
        Random random(seed);
        ASSERT_TRUE(traffic_->run(20 + random.below(100)));
        disk_->levers().write_error = ENOSPC;
        disk_->levers().fail_writes = UINT64_MAX;
        ASSERT_TRUE(traffic_->run(20 + random.below(100)));
        // What fits into the pages and the journal that there are is taken.
        auto answer = send_one();
        for (int i = 0; i < 100 && answer.status == 200; ++i) {
            answer = HttpClient(hub_->port(), admin_token_)
                         .post("/api/message",
                               {{"to", "somebody"}, {"payload", std::string(300'000, 'x')}});
        }
        EXPECT_EQ(answer.status, 507) << answer.body << hub_->log();
        EXPECT_EQ(answer.json().value("error", ""), "storage_full") << answer.body;
        EXPECT_EQ(health().value("reason", ""), "storage_full");
        ++refused;
        // Room for some writes, and for no more, wherever in a commit that is.
        disk_->levers().fail_writes = random.below(6);
        ASSERT_TRUE(traffic_->run(50));
        disk_->levers().fail_writes = 0;
        EXPECT_EQ(send_one().status, 200) << "writes do not recover by themselves";
        EXPECT_EQ(health().value("status", ""), "ok");
        ASSERT_TRUE(traffic_->run(50));
        traffic_->finish();
        ASSERT_NO_FATAL_FAILURE(traffic_->verify(hub_->port()));
        ASSERT_NO_FATAL_FAILURE(verify_after_restart());
    }
    EXPECT_GT(refused, 0U);
}

TEST_F(FaultyDiskTest, AWriteThatIsCutShortOrFailsLosesNothing) {
    for (const std::uint64_t seed : seeds(4, 40)) {
        SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(start(seed));
        Random random(seed);
        ASSERT_TRUE(traffic_->run(20 + random.below(100)));
        const bool fails = random.one_in(2);
        disk_->levers().write_error = fails ? EIO : 0;
        disk_->levers().fail_writes = 1;
        ASSERT_TRUE(traffic_->run(60));
        traffic_->finish();
        ASSERT_EQ(disk_->levers().fail_writes, 0U) << "nothing was written";
        // The journal goes on where a write of its own was cut short; LMDB does not.
        if (fails || health().value("reason", "") == "storage_failed") {
            ASSERT_NO_FATAL_FAILURE(expect_reads_only());
        }
        ASSERT_NO_FATAL_FAILURE(verify_after_restart());
    }
}

TEST_F(FaultyDiskTest, AFailedWriteOfTheFirstPagesEndsWritesAndNotReads) {
    for (const std::uint64_t seed : seeds(2, 20)) {
        SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(start(seed));
        ASSERT_TRUE(traffic_->run(50));
        disk_->levers().fail_first = 1;
        ASSERT_TRUE(traffic_->run(60));
        traffic_->finish();
        ASSERT_EQ(disk_->levers().fail_first, 0U) << "nothing was committed";
        ASSERT_NO_FATAL_FAILURE(expect_reads_only());
        ASSERT_NO_FATAL_FAILURE(verify_after_restart());
    }
}

/// What a process has taken of the processors so far.
std::chrono::milliseconds processor_time(pid_t pid) {
    std::int64_t nanoseconds = 0;
    const std::filesystem::path tasks("/proc/" + std::to_string(pid) + "/task");
    for (const auto& task : std::filesystem::directory_iterator(tasks)) {
        std::int64_t of_task = 0;
        if (std::ifstream(task.path() / "schedstat") >> of_task) nanoseconds += of_task;
    }
    return std::chrono::milliseconds(nanoseconds / 1'000'000);
}

/// Commits are deferred while nobody reads; after such an error LMDB cannot begin another one, so
/// that readers lack what was announced meanwhile until the next start.
TEST_F(FaultyDiskTest, WhatWasAnnouncedAndCannotBeCommittedHoldsNobodyUpAndIsThereAtTheNextStart) {
    TempDir dir;
    PreloadedDisk disk(dir.path());
    HubProcess hub(dir.path(), std::vector<std::string>{}, disk.environment(roomy_settings()));
    const std::string token = hub.admin_token();
    HttpClient writer(hub.port(), token);
    const nlohmann::json message{{"to", "somebody"}, {"payload", "x"}};
    // Right after a commit, when the next batch was written to the journal alone.
    for (std::uint64_t earlier = 0, now = 0; now != 1 || earlier < 2;) {
        const std::uint64_t before = disk.levers().writes;
        ASSERT_EQ(writer.post("/api/message", message).status, 200);
        earlier = std::exchange(now, disk.levers().writes - before);
    }
    disk.levers().fail_first = 1;
    std::string last;
    for (;;) {
        const auto answer = writer.post("/api/message", message);
        if (answer.status != 200) break;
        last = answer.json().at("id");
    }
    ASSERT_NE(last, "") << "nothing was announced before its commit";
    HttpClient reader(hub.port(), token);
    EXPECT_EQ(reader.get("/api/messages?limit=5").status, 200);
    EXPECT_EQ(reader.get("/api/message/" + last).status, 404) << "it is there after all";
    // Who waits for mail waits, though more has been announced than there is to read.
    WsClient catching_up(hub.port());
    ASSERT_EQ(catching_up.identify("admin", token, {{"acks", true}}).at("type"), "identified");
    const auto before = processor_time(hub.pid());
    EXPECT_EQ(reader.get("/api/mailbox/admin?wait=2").status, 200) << hub.log();
    EXPECT_LT(processor_time(hub.pid()) - before, std::chrono::seconds(1));
    EXPECT_EQ(catching_up.ask({{"type", "ping"}}).at("type"), "pong");
    hub.kill();
    const HubProcess another(dir.path(), std::vector<std::string>{}, roomy_settings());
    EXPECT_EQ(HttpClient(another.port(), token).get("/api/message/" + last).status, 200);
}

TEST_F(FaultyDiskTest, ASyncThatFailsOnceOrForEverRefusesWritesAndLosesNothing) {
    for (const std::uint64_t seed : seeds(4, 40)) {
        SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(start(seed));
        Random random(seed);
        ASSERT_TRUE(traffic_->run(20 + random.below(100)));
        disk_->levers().fail_syncs = random.one_in(2) ? 1 : UINT64_MAX;
        ASSERT_TRUE(traffic_->run(60));
        traffic_->finish();
        ASSERT_NO_FATAL_FAILURE(expect_reads_only());
        ASSERT_NO_FATAL_FAILURE(verify_after_restart());
    }
}

TEST_F(FaultyDiskTest, APowerCutAfterAFailedSyncLosesNothingAcknowledged) {
    for (const std::uint64_t seed : seeds(4, 40)) {
        SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(start(seed));
        Random random(seed);
        ASSERT_TRUE(traffic_->run(20 + random.below(100)));
        disk_->levers().fail_syncs = 1;
        ASSERT_TRUE(traffic_->run(60));
        // What the failed sync left unsynced is gone for good when the power is.
        disk_->cut_power(1, random.next());
        (void)traffic_->run(200);
        ASSERT_NO_FATAL_FAILURE(verify_after_restart());
    }
}

TEST_F(FaultyDiskTest, WhileTheDiskHangsReadsAndPingsGoOnAndThenTheWritesAreThere) {
    ASSERT_NO_FATAL_FAILURE(start(1));
    ASSERT_TRUE(traffic_->run(100));
    traffic_->finish();
    WsClient innocent(hub_->port());
    ASSERT_EQ(innocent.identify("innocent", hub_->create_token("innocent")).at("type"),
              "identified");
    HttpClient reader(hub_->port(), admin_token_);
    HttpClient writer(hub_->port(), admin_token_);

    disk_->levers().hang.set(kHangs);
    writer.send_raw("POST /api/message HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
                    admin_token_ +
                    "\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n" +
                    R"({"to":"x","payload":"y"})");
    ASSERT_TRUE(disk_->levers().waiting.wait_for_change(0, 60));
    const auto begin = steady_clock::now();
    const auto until = begin + std::chrono::seconds(10);
    std::chrono::duration<double, std::milli> longest{};
    std::size_t rounds = 0;
    for (auto now = begin; now < until; ++rounds) {
        ASSERT_EQ(innocent.ask({{"type", "ping"}}).at("type"), "pong");
        ASSERT_EQ(reader.get("/api/messages?limit=10").status, 200);
        ASSERT_EQ(reader.get("/api/mailbox/admin").status, 200);
        ASSERT_EQ(reader.get("/health").status, 200);
        const auto then = steady_clock::now();
        longest = std::max<std::chrono::duration<double, std::milli>>(longest, then - now);
        now = then;
    }
    EXPECT_EQ(disk_->levers().waiting.get(), 1U);
    disk_->levers().hang.set(0);
    EXPECT_EQ(writer.read_response().status, 200);
    std::printf("[ figures  ] %zu rounds of a ping and three reads, longest %.1f ms\n", rounds,
                longest.count());
    EXPECT_LT(longest.count(), 2'000.0);
    ASSERT_TRUE(traffic_->run(100));
    traffic_->finish();
    ASSERT_NO_FATAL_FAILURE(verify_after_restart());
}

TEST_F(FaultyDiskTest, ACommitThatStandsStillShowsInProbesAndHealthWhileReadsGoOn) {
    TempDir dir;
    PreloadedDisk disk(dir.path());
    HubProcess hub(dir.path(), std::vector<std::string>{},
                   disk.environment({"AGENTCOM_HEALTH_STALLED_AFTER=2s"}));
    HttpClient probe(hub.port());
    HttpClient writer(hub.port(), hub.admin_token());
    ASSERT_EQ(probe.get("/readyz").status, 200);
    disk.levers().hang.set(kHangs);
    writer.send_raw("POST /api/message HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
                    hub.admin_token() +
                    "\r\nContent-Type: application/json\r\nContent-Length: 24\r\n\r\n" +
                    R"({"to":"x","payload":"y"})");
    ASSERT_TRUE(disk.levers().waiting.wait_for_change(0, 60));
    const auto until = steady_clock::now() + std::chrono::seconds(60);
    HttpClient::Response answer = probe.get("/readyz");
    EXPECT_EQ(answer.status, 200) << "a commit may take a while: " << answer.body;
    while (answer.status == 200 && steady_clock::now() < until) answer = probe.get("/readyz");
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.json().value("reason", ""), "commit_stalled");
    EXPECT_EQ(probe.get("/livez").status, 200);
    const auto health = probe.get("/health");
    EXPECT_EQ(health.status, 200);
    EXPECT_EQ(health.json().value("reason", ""), "commit_stalled");
    EXPECT_NE(probe.get("/metrics").body.find("\nagentcom_health{state=\"commit_stalled\"} 1\n"),
              std::string::npos);
    disk.levers().hang.set(0);
    EXPECT_EQ(writer.read_response().status, 200);
    while (answer.status != 200 && steady_clock::now() < until) answer = probe.get("/readyz");
    EXPECT_EQ(answer.status, 200) << answer.body;
}

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
}

TEST_F(FaultyDiskTest, AKilledHubComesUpWithoutRoomOnTheDiskAndReads) {
    for (const std::uint64_t seed : seeds(3, 30)) {
        SCOPED_TRACE("AGENTCOM_CRASH_SEED=" + std::to_string(seed));
        ASSERT_NO_FATAL_FAILURE(start(seed));
        ASSERT_TRUE(traffic_->run(100));
        hub_->kill();
        traffic_->drain();
        // What is there can be written over, and no file may grow or be made.
        disk_->levers().write_error = ENOSPC;
        disk_->levers().fail_writes = UINT64_MAX;
        Program hub({"serve", "--data-dir", dir_->path().string(), "--port", "0"},
                    disk_->environment(roomy_settings()));
        const std::string line = hub.wait_for_line("listening on ");
        const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
        HttpClient http(port, admin_token_);
        EXPECT_EQ(http.get("/api/messages?limit=5").json().at("messages").size(), 5U);
        for (int i = 0; i < 3; ++i) {
            EXPECT_EQ(
                http.post("/api/message", {{"to", "x"}, {"payload", std::string(400'000, 'x')}})
                    .json()
                    .value("error", ""),
                "storage_full");
        }
        EXPECT_EQ(http.get("/health").json().value("reason", ""), "storage_full");
        hub.signal(SIGTERM);
        EXPECT_EQ(hub.wait(), 0) << hub.errors();
        EXPECT_EQ(count(hub.errors(), "cannot write " + dir_->path().string() + "/agentcom.run"),
                  1U)
            << hub.errors();
        EXPECT_EQ(count(hub.errors(), "the store is full"), 1U) << hub.errors();
        disk_->levers().fail_writes = 0;
        hub_ = std::make_unique<HubProcess>(dir_->path(), std::vector<std::string>{},
                                            disk_->environment(roomy_settings()));
        ASSERT_NO_FATAL_FAILURE(verify_after_restart());
    }
}

TEST_F(FaultyDiskTest, WithoutRoomAnAdministratorsTokenIsMissedAndSaid) {
    const TempDir dir;
    PreloadedDisk disk(dir.path());
    const std::string data = dir.path().string();
    Program made({"token", "create", "alice", "--create", "--data-dir", data});
    ASSERT_EQ(made.wait(), 0) << made.errors();
    // Nobody's token may be put into the store either.
    for (const std::vector<std::string>& variables :
         {std::vector<std::string>{}, {"AGENTCOM_ADMIN_TOKEN=" + std::string(64, 'a')}}) {
        disk.levers().write_error = ENOSPC;
        disk.levers().fail_writes = UINT64_MAX;
        Program hub({"serve", "--data-dir", data, "--port", "0"}, disk.environment(variables));
        const std::string line = hub.wait_for_line("listening on ");
        const auto port = static_cast<std::uint16_t>(std::stoi(line.substr(line.rfind(':') + 1)));
        EXPECT_EQ(HttpClient(port).get("/health").status, 200);
        EXPECT_NE(hub.errors().find("administrator's token"), std::string::npos) << hub.errors();
    }
    disk.levers().fail_writes = 0;
    HubProcess hub(dir.path());
    EXPECT_EQ(HttpClient(hub.port(), hub.admin_token()).get("/admin/tokens").status, 200);
}

/// A small disk of its own where that can be mounted; otherwise the process's limit on files.
class SmallDisk {
public:
    static constexpr std::size_t kBytes = std::size_t{6} << 20;

    explicit SmallDisk(std::string path)
        : path_(std::move(path)),
          mounted_(::mount("tmpfs", path_.c_str(), "tmpfs", MS_NOSUID | MS_NODEV,
                           "size=6m,mode=0700") == 0) {}
    ~SmallDisk() {
        if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    void limit(pid_t hub) const {
        if (!mounted_) set(hub, kBytes);
    }
    /// More room.
    void grow(pid_t hub) const {
        if (mounted_) {
            EXPECT_EQ(::mount("tmpfs", path_.c_str(), "tmpfs", MS_REMOUNT, "size=32m"), 0);
        } else {
            set(hub, kBytes * 5);
        }
    }
    [[nodiscard]] const char* kind() const { return mounted_ ? "tmpfs" : "RLIMIT_FSIZE"; }

private:
    static void set(pid_t hub, std::size_t bytes) {
        rlimit limit{};
        ::prlimit(hub, RLIMIT_FSIZE, nullptr, &limit);
        limit.rlim_cur = bytes;
        EXPECT_EQ(::prlimit(hub, RLIMIT_FSIZE, &limit, nullptr), 0);
    }
    std::string path_;
    bool mounted_;
};

/// Sends until the hub is full; the ids of what it took.
std::vector<std::string> fill(HttpClient& http, std::size_t bytes_each) {
    std::vector<std::string> ids;
    const nlohmann::json body = {{"to", "sink"}, {"payload", std::string(bytes_each, 'x')}};
    for (int i = 0; i < 10'000; ++i) {
        const auto answer = http.post("/api/message", body);
        if (answer.status != 200) {
            EXPECT_EQ(answer.status, 507) << answer.body;
            return ids;
        }
        ids.push_back(answer.json().at("id"));
    }
    ADD_FAILURE() << "never full";
    return ids;
}

std::vector<std::string> stored_ids(std::uint16_t port, const std::string& admin_token) {
    std::vector<std::string> ids;
    const Stored stored(port, admin_token);
    for (const auto& message : stored.messages()) ids.push_back(message.at("id"));
    return ids;
}

TEST(SmallDisk, AFullDiskKeepsWhatWasAcknowledgedAndRecovers) {
    const TempDir dir;
    const SmallDisk disk(dir.path().string());
    HubProcess hub(dir.path());
    disk.limit(hub.pid());
    HttpClient http(hub.port(), hub.admin_token());
    auto ids = fill(http, 200'000);
    std::printf("[ figures  ] %s: %zu messages of 200 kB\n", disk.kind(), ids.size());
    EXPECT_EQ(stored_ids(hub.port(), hub.admin_token()), ids) << "reads do not go on";
    EXPECT_EQ(HttpClient(hub.port()).get("/health").json().value("reason", ""), "storage_full");
    disk.grow(hub.pid());
    for (int i = 0; i < 10; ++i) {
        const auto answer = http.post("/api/message", {{"to", "sink"}, {"payload", "more"}});
        ASSERT_EQ(answer.status, 200) << answer.body;
        ids.push_back(answer.json().at("id"));
    }
    EXPECT_EQ(HttpClient(hub.port()).get("/health").json().value("status", ""), "ok");
    EXPECT_EQ(stored_ids(hub.port(), hub.admin_token()), ids);
    EXPECT_EQ(hub.terminate(), 0) << hub.log();
}

TEST(SmallMap, AFullMapKeepsWhatWasAcknowledgedAcrossAKillAndALargerOneGoesOn) {
    const TempDir dir;
    auto hub =
        std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{},
                                     std::vector<std::string>{"AGENTCOM_STORE_MAP_SIZE=16MiB"});
    const std::string token = hub->admin_token();
    auto http = std::make_unique<HttpClient>(hub->port(), token);
    auto ids = fill(*http, 400'000);
    EXPECT_EQ(stored_ids(hub->port(), token), ids) << "reads do not go on";
    hub->kill();
    hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{},
                                       std::vector<std::string>{"AGENTCOM_STORE_MAP_SIZE=256MiB"});
    EXPECT_EQ(stored_ids(hub->port(), token), ids);
    http = std::make_unique<HttpClient>(hub->port(), token);
    const auto answer = http->post("/api/message", {{"to", "sink"}, {"payload", "more"}});
    ASSERT_EQ(answer.status, 200) << answer.body;
    ids.push_back(answer.json().at("id"));
    EXPECT_EQ(stored_ids(hub->port(), token), ids);
}

}  // namespace
}  // namespace agentcom::test

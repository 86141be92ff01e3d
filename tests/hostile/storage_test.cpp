// What fills the disk, or keeps it from being given back.

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

/// Another process that reads the store, as a backup does. It is forked before the test has
/// threads, and begins when told.
class OtherReader {
public:
    explicit OtherReader(const std::string& directory) {
        if (::pipe2(begin_.data(), O_CLOEXEC) != 0 || ::pipe2(begun_.data(), O_CLOEXEC) != 0) {
            throw std::runtime_error("pipe2 failed");
        }
        pid_ = ::fork();
        if (pid_ == 0) {
            char byte = 0;
            (void)!::read(begin_[0], &byte, 1);
            MDB_env* env = nullptr;
            MDB_txn* transaction = nullptr;
            const bool reads = ::mdb_env_create(&env) == 0 && ::mdb_env_set_maxdbs(env, 64) == 0 &&
                               ::mdb_env_open(env, directory.c_str(), 0, 0600) == 0 &&
                               ::mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction) == 0;
            byte = reads ? 'y' : 'n';
            (void)!::write(begun_[1], &byte, 1);
            while (true) ::pause();
        }
    }
    ~OtherReader() {
        if (pid_ > 0) kill();
        for (const int descriptor : {begin_[0], begin_[1], begun_[0], begun_[1]}) {
            ::close(descriptor);
        }
    }
    OtherReader(const OtherReader&) = delete;
    OtherReader& operator=(const OtherReader&) = delete;

    /// True once it reads.
    [[nodiscard]] bool begin() const {
        char byte = 'b';
        return ::write(begin_[1], &byte, 1) == 1 && ::read(begun_[0], &byte, 1) == 1 && byte == 'y';
    }
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    /// It dies in the middle of its read.
    void kill() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = -1;
    }

private:
    std::array<int, 2> begin_{};
    std::array<int, 2> begun_{};
    pid_t pid_ = -1;
};

class HostileStorage : public Arena {
protected:
    /// The directory of LMDB's files below the hub's.
    [[nodiscard]] std::filesystem::path store_file() const {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(data())) {
            if (entry.path().filename() == "data.mdb") return entry.path();
        }
        return {};
    }
    /// Bytes that the store takes on disk.
    [[nodiscard]] std::size_t bytes_on_disk() const {
        struct stat status {};
        if (::stat(store_file().c_str(), &status) != 0) return 0;
        return static_cast<std::size_t>(status.st_blocks) * 512;
    }
};

TEST_F(HostileStorage, WhatChannelsKeepCountsAgainstRetention) {
    static constexpr std::size_t kSize = 100'000;
    const std::size_t channels = sized(45, 12, 4);
    start_hub({"AGENTCOM_RETENTION_BYTES=10MiB", "AGENTCOM_MAILBOX_EVICT_INTERVAL=1s",
               "AGENTCOM_STORE_MAP_SIZE=1GiB", "AGENTCOM_HISTORY_MESSAGES=10"});
    HttpClient publisher(port(), hub().create_token("publisher"));
    begin();
    for (std::size_t c = 0; c < channels; ++c) {
        const std::string name = "loud-" + std::to_string(c);
        ASSERT_EQ(publisher.post("/api/channels", {{"name", name}}).status, 201);
        std::string early;  // one of the messages for which there is no room
        for (int i = 0; i < 200; ++i) {
            const auto answer = publisher.request("POST", "/api/channels/" + name + "/publish",
                                                  message_body({}, kSize));
            ASSERT_EQ(answer.status, 200) << answer.body;
            if (i == 50) early = answer.json().at("id").get<std::string>();
        }
        // However fast the machine writes: a round of maintenance for every channel.
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (publisher.get("/api/message/" + early).status != 404) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << name << " leaves every bound";
            observe(1);
        }
    }
    std::printf("[ figures  ] %zu MiB on disk\n", bytes_on_disk() >> 20);
    // What is kept and what one channel brings, twice over: pages are free a commit after next. And
    // what is written in about a second, until a checkpoint has freed its pages: so much in the
    // file, and the same in each segment of the journal.
    constexpr std::size_t kUntilCheckpoint = std::size_t{64} << 20;
    EXPECT_LT(bytes_on_disk(), 2 * (10'000'000 + 200 * kSize) + 20'000'000 + 2 * kUntilCheckpoint);
    end(mebibytes(96));
}

TEST_F(HostileStorage, AReaderThatDiedDoesNotKeepTheDiskFull) {
    OtherReader reader(data());
    start_hub({"AGENTCOM_RETENTION_BYTES=8MiB", "AGENTCOM_MAILBOX_EVICT_INTERVAL=1s",
               "AGENTCOM_MAILBOX_TTL=1s", "AGENTCOM_HISTORY_MESSAGES=10",
               "AGENTCOM_STORE_MAP_SIZE=128MiB"});
    HttpClient writer(port(), hub().create_token("writer"));
    ASSERT_TRUE(reader.begin());
    reader.kill();
    begin();
    // Several times what the map has room for, no faster than it can be given back.
    for (int i = 0; i < 40; ++i) {
        for (int j = 0; j < 10; ++j) {
            const auto answer =
                writer.request("POST", "/api/message", message_body("sink", 1'000'000));
            ASSERT_EQ(answer.status, 200) << "after " << i * 10 + j << " MB: " << answer.body;
        }
        observe(60);
    }
    end(mebibytes(96));
}

TEST_F(HostileStorage, AReaderThatGoesOnIsNamed) {
    OtherReader reader(data());
    start_hub();
    HttpClient writer(port(), hub().create_token("writer"));
    ASSERT_TRUE(reader.begin());
    begin();
    nlohmann::json health;
    for (int i = 0; i < 100'000 && !health.contains("reader_lag"); ++i) {
        ASSERT_EQ(writer.request("POST", "/api/message", message_body("sink", 10)).status, 200);
        if (i % 100 == 0) health = writer.get("/health").json();
    }
    EXPECT_GE(health.value("reader_lag", 0), 100) << health;
    EXPECT_TRUE(hub().has_logged("process " + std::to_string(reader.pid()) + " reads a snapshot"));
    end(mebibytes(96));
}

}  // namespace
}  // namespace agentcom::test

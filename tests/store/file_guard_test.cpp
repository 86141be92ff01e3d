// Files that are cut, deleted or replaced under the store.

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class FileGuardTest : public StoreTest {
protected:
    void SetUp() override {
        StoreTest::SetUp();
        create_agent("bob");
        for (int i = 0; i < 40; ++i) append(direct("alice", "bob", payload()));
    }
    static std::string payload() { return '"' + std::string(5'000, 'x') + '"'; }
    [[nodiscard]] std::filesystem::path file() const { return options_.directory / "data.mdb"; }

    /// Everything there is to read. None of it may end the process.
    void read_everything() {
        for (int i = 0; i < 3; ++i) {
            try {
                for (const auto& message : mailbox("bob").messages) {
                    EXPECT_EQ(message->draft.payload.text, payload());
                }
            } catch (const std::runtime_error&) {
            }
            try {
                for (const auto& message : history(HistoryQuery{}, 100)) {
                    EXPECT_EQ(message->draft.payload.text, payload());
                }
            } catch (const std::runtime_error&) {
            }
        }
    }
    void expect_failed() {
        EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_failed);
        EXPECT_EQ(store_->state(), StoreState::failed);
    }
    /// What nobody asked for shows within a second or two.
    void wait_until_failed() {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (store_->state() != StoreState::failed) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }
};

TEST_F(FileGuardTest, AFileThatWasCutIsRefusedInASentence) {
    store_.reset();
    const std::filesystem::path whole = dir_.path() / "whole.mdb";
    std::filesystem::copy_file(file(), whole);
    const std::uintmax_t size = std::filesystem::file_size(whole);
    std::size_t refused = 0;
    std::size_t lengths = 0;
    for (std::uintmax_t length = 0; length < size; length += 4'096 * 3 - 512) {
        std::filesystem::copy_file(whole, file(),
                                   std::filesystem::copy_options::overwrite_existing);
        std::filesystem::resize_file(file(), length);
        ++lengths;
        try {
            reopen();
            // Only pages that nothing is in are missing.
            EXPECT_EQ(unread("bob").size(), 40U) << length;
            EXPECT_FALSE(mailbox("bob").truncated) << length;
            append(direct("alice", "bob"));
        } catch (const StoreError& error) {
            ++refused;
            EXPECT_NE(std::string(error.what()).find("has been cut"), std::string::npos)
                << length << ": " << error.what();
            EXPECT_EQ(std::filesystem::file_size(file()), length);
        }
        store_.reset();
    }
    EXPECT_GT(refused, lengths * 8 / 10);
    std::filesystem::copy_file(whole, file(), std::filesystem::copy_options::overwrite_existing);
    reopen();
    EXPECT_EQ(unread("bob").size(), 40U);
}

TEST_F(FileGuardTest, AFileThatIsCutWhileTheHubRunsEndsWritingAndNotTheProcess) {
    const std::uintmax_t size = std::filesystem::file_size(file());
    for (const std::uintmax_t length : {size / 2, std::uintmax_t{8'192}, std::uintmax_t{0}}) {
        store_.reset();
        std::filesystem::remove_all(options_.directory);
        SetUp();
        std::filesystem::resize_file(file(), length);
        read_everything();
        expect_failed();
        read_everything();
    }
}

TEST_F(FileGuardTest, AFileThatIsDeletedIsNoticedWithoutAWrite) {
    std::filesystem::remove(file());
    wait_until_failed();
    expect_failed();
    EXPECT_EQ(unread("bob").size(), 40U);
}

TEST_F(FileGuardTest, AFileThatIsReplacedOrMovedAwayIsNoticed) {
    const std::filesystem::path copy = options_.directory / "copy";
    std::filesystem::copy_file(file(), copy);
    std::filesystem::rename(copy, file());
    expect_failed();
    EXPECT_EQ(unread("bob").size(), 40U);
    reopen();
    EXPECT_EQ(unread("bob").size(), 40U);
    std::filesystem::rename(file(), copy);
    expect_failed();
    EXPECT_EQ(unread("bob").size(), 40U);
}

TEST_F(FileGuardTest, AHubWhoseLockIsDeletedLeavesTheStoreToOthers) {
    const std::filesystem::path lock = options_.directory / "agentcom.lock";
    std::filesystem::remove(lock);
    wait_until_failed();
    expect_failed();
    EXPECT_EQ(unread("bob").size(), 40U);
    // Another may write now, and finds what was acknowledged.
    {
        const auto other = Store::open(options_, clock_);
        EXPECT_EQ(other->state(), StoreState::ok);
    }
    EXPECT_TRUE(std::filesystem::exists(lock)) << "the other's";
    expect_failed();
    reopen();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{41});
}

TEST_F(FileGuardTest, NothingIsAcknowledgedOnceTheLockIsAnotherFile) {
    const std::filesystem::path lock = options_.directory / "agentcom.lock";
    std::ofstream(options_.directory / "other") << "";
    std::filesystem::rename(options_.directory / "other", lock);
    expect_failed();
    EXPECT_EQ(unread("bob").size(), 40U);
}

/// No file of this process may be longer.
class ShortFiles {
public:
    explicit ShortFiles(rlim_t bytes) : handled_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        rlimit less = before_;
        less.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &less);
    }
    ~ShortFiles() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, handled_);
    }
    ShortFiles(const ShortFiles&) = delete;
    ShortFiles& operator=(const ShortFiles&) = delete;

private:
    rlimit before_{};
    void (*handled_)(int);
};

TEST_F(FileGuardTest, AFirstStartThatIsCutOffLeavesNoPartOfAStore) {
    for (const rlim_t bytes : {rlim_t{0}, rlim_t{4'096}, rlim_t{8'192}}) {
        store_.reset();
        std::filesystem::remove_all(options_.directory);
        {
            const ShortFiles limit(bytes);
            EXPECT_THROW((void)Store::open(options_, clock_), StoreError);
        }
        if (std::filesystem::exists(file())) {
            EXPECT_GE(std::filesystem::file_size(file()), 8'192U);
        }
        // As a power cut may leave what was being made.
        std::filesystem::create_directory(options_.directory / "making");
        std::ofstream(options_.directory / "making" / "data.mdb") << "a part";
        reopen();
        EXPECT_FALSE(std::filesystem::exists(options_.directory / "making"));
        EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{1});
    }
}

}  // namespace
}  // namespace agentcom::store

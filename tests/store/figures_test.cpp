// What the store tells of itself: commits, what the commit thread is at, room.

#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

using std::chrono::steady_clock;

class FiguresTest : public StoreTest {
protected:
    template <class Condition>
    static void wait_until(Condition condition) {
        const auto deadline = steady_clock::now() + std::chrono::seconds(30);
        while (!condition()) {
            ASSERT_LT(steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }
    static std::uint64_t count(const core::HistogramReading& reading) {
        std::uint64_t sum = 0;
        for (const std::uint64_t each : reading.counts) sum += each;
        return sum;
    }
};

TEST_F(FiguresTest, EachCommitIsCountedWithItsOperationsAndItsTime) {
    const CommitFigures before = store_->commit_figures();
    std::promise<void> done;
    std::vector<Submission> together;
    for (int i = 0; i < 10; ++i) together.push_back({direct("alice", "bob"), {}, kNoLoop});
    together.push_back(
        {direct("alice", "bob"), [&done](const WriteResult&) { done.set_value(); }, kNoLoop});
    store_->submit(std::move(together));
    done.get_future().wait();
    const CommitFigures after = store_->commit_figures();
    EXPECT_EQ(count(after.operations) - count(before.operations), 1U);
    EXPECT_EQ(after.operations.sum - before.operations.sum, 11U);
    EXPECT_EQ(count(after.duration) - count(before.duration), 1U);
    EXPECT_GT(after.duration.sum, before.duration.sum);
    EXPECT_EQ(after.failed_batches, 0U);
}

TEST_F(FiguresTest, AFailedCommitIsCounted) {
    std::filesystem::remove_all(options_.directory);
    EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_failed);
    EXPECT_EQ(store_->commit_figures().failed_batches, 1U);
}

TEST_F(FiguresTest, TheCommitThreadSaysSinceWhenItIsBusy) {
    wait_until([this] { return !store_->busy_since(); });
    const auto before = steady_clock::now();
    std::promise<void> begun;
    std::promise<void> release;
    store_->submit(Submission{direct("alice", "bob"),
                              [&, held = release.get_future().share()](const WriteResult&) {
                                  begun.set_value();
                                  held.wait();
                              },
                              kNoLoop});
    begun.get_future().wait();
    const auto since = store_->busy_since();
    ASSERT_TRUE(since);
    EXPECT_GE(*since, before);
    EXPECT_LE(*since, steady_clock::now());
    release.set_value();
    wait_until([this] { return !store_->busy_since(); });
}

TEST_F(FiguresTest, SizeAndRoomOfTheFileAreKnownFromTheOpening) {
    const std::filesystem::path file = options_.directory / "data.mdb";
    EXPECT_EQ(store_->stats().file_bytes, std::filesystem::file_size(file));
    EXPECT_GT(store_->stats().room_bytes, 0U);
    EXPECT_LE(store_->stats().room_bytes, options_.map_size);
    for (int i = 0; i < 50; ++i) append(direct("alice", "bob", std::string(9'000, '1')));
    EXPECT_EQ(store_->stats().file_bytes, std::filesystem::file_size(file));
}

TEST_F(FiguresTest, ADiskThatFillsUpOrIsCleanedShowsWithoutAWrite) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    rlimit little = before;
    little.rlim_cur = std::filesystem::file_size(options_.directory / "data.mdb");
    // As if others had filled the disk.
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
    clock_.advance(core::Millis(5'000));
    wait_until([this] { return store_->state() == StoreState::full; });
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
    clock_.advance(core::Millis(5'000));
    wait_until([this] { return store_->state() == StoreState::ok; });
    append(direct("alice", "bob"));
}

}  // namespace
}  // namespace agentcom::store

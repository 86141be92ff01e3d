#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <thread>

#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/rows.hpp"
#include "store/schema.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

TEST_F(StoreTest, FilesAreForTheirOwnerOnly) {
    struct stat info {};
    ASSERT_EQ(::stat(options_.directory.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700U);
    for (const auto& file : std::filesystem::recursive_directory_iterator(options_.directory)) {
        ASSERT_EQ(::stat(file.path().c_str(), &info), 0);
        EXPECT_EQ(info.st_mode & 0777, file.is_directory() ? 0700U : 0600U) << file.path();
    }
}

TEST_F(StoreTest, ASecondStoreOnTheDirectoryIsRefusedUntilTheFirstIsGone) {
    try {
        (void)Store::open(options_, clock_);
        FAIL() << "opened twice";
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("in use by another process"), std::string::npos);
    }
    store_.reset();
    EXPECT_NO_THROW((void)Store::open(options_, clock_));
}

TEST_F(StoreTest, ADirectoryThatCannotBeMadeIsRefused) {
    const auto file = dir_.path() / "file";
    std::ofstream(file) << "x";
    StoreOptions options = options_;
    options.directory = file / "data";
    EXPECT_THROW((void)Store::open(options, clock_), StoreError);
}

TEST_F(StoreTest, AStoreOfANewerProgramIsRefused) {
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        txn.put(txn.tables().meta, kMetaSchema, encode_number(kSchemaVersion + 1));
        std::move(txn).commit();
    }
    try {
        (void)Store::open(options_, clock_);
        FAIL() << "opened";
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("newer version"), std::string::npos);
    }
}

TEST_F(StoreTest, EveryStoreHasAnIdentityOfItsOwn) {
    StoreOptions other = options_;
    other.directory = dir_.path() / "other";
    EXPECT_NE(Store::open(other, clock_)->epoch(), store_->epoch());
}

TEST_F(StoreTest, WhatWaitsIsCommittedTogetherInTheOrderOfSubmission) {
    store_.reset();
    store_ = Store::open(options_, clock_);
    std::vector<std::uint64_t> order;
    const auto note = [&order](const WriteResult& result) {
        order.push_back(std::get<Appended>(*result).message->seq.value);
    };
    for (int i = 0; i < 50; ++i) store_->submit(Submission{direct("a", "b"), note, kNoLoop});
    std::vector<Submission> more;
    for (int i = 0; i < 50; ++i) more.push_back(Submission{direct("c", "b"), note, kNoLoop});
    store_->submit(std::move(more));
    EXPECT_TRUE(order.empty());
    EXPECT_EQ(store_->stats().queue_depth, 100U);
    store_->start(nullptr);
    store_->stop();
    ASSERT_EQ(order.size(), 100U);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
    EXPECT_EQ(order.back(), 100U);
    EXPECT_EQ(store_->stats().commits, 1U);
    EXPECT_EQ(store_->stats().queue_depth, 0U);
}

TEST_F(StoreTest, AnOperationFailsAlone) {
    store_.reset();
    store_ = Store::open(options_, clock_);
    std::vector<bool> outcomes;
    const auto note = [&outcomes](const WriteResult& result) {
        outcomes.push_back(result.has_value());
    };
    store_->submit(Submission{direct("a", "b"), note, kNoLoop});
    store_->submit(Submission{publication("a", "none"), note, kNoLoop});
    store_->submit(Submission{direct("a", "b"), note, kNoLoop});
    store_->stop();  // commits even what nobody has started it for
    EXPECT_EQ(outcomes, (std::vector{true, false, true}));
    EXPECT_EQ(unread("b"), (Seqs{1, 2}));
}

TEST_F(StoreTest, AfterStopOperationsAreRefusedAtOnce) {
    store_->stop();
    store_->stop();
    EXPECT_EQ(error_of(direct("a", "b")), core::ErrorCode::shutting_down);
    EXPECT_TRUE(unread("b").empty());
}

TEST_F(StoreTest, SaturationIsReportedAndPasses) {
    store_.reset();
    options_.max_queued_operations = 3;
    store_ = Store::open(options_, clock_);
    for (int i = 0; i < 3; ++i) store_->submit(Submission{direct("a", "b"), {}});
    EXPECT_FALSE(store_->saturated());
    store_->submit(Submission{direct("a", "b"), {}});
    EXPECT_TRUE(store_->saturated());
    store_->stop();
    EXPECT_FALSE(store_->saturated());
    EXPECT_EQ(store_->head(), core::Seq{4});
}

/// Keeps what it hears.
class Recorder : public CommitListener {
public:
    void on_committed(std::shared_ptr<CommittedBatch> batch) override {
        for (const Committed& committed : batch->operations) {
            if (committed.origin != kNoLoop) committed.completion(committed.result);
        }
        batches.push_back(std::move(batch));
    }
    std::vector<std::shared_ptr<CommittedBatch>> batches;
};

TEST_F(StoreTest, TheListenerHearsEveryBatchAndRunsTheCompletionsOfLoops) {
    store_.reset();
    store_ = Store::open(options_, clock_);
    Recorder recorder;
    std::vector<int> order;
    store_->submit(Submission{direct("a", "b"), [&](const WriteResult&) { order.push_back(1); },
                              LoopIndex{0}});
    store_->submit(
        Submission{direct("a", "b"), [&](const WriteResult&) { order.push_back(2); }, kNoLoop});
    store_->start(&recorder);
    store_->stop();
    EXPECT_EQ(order, (std::vector{2, 1}));
    ASSERT_EQ(recorder.batches.size(), 1U);
    const CommittedBatch& batch = *recorder.batches[0];
    EXPECT_EQ(batch.head, core::Seq{2});
    ASSERT_EQ(batch.operations.size(), 2U);
    EXPECT_EQ(std::get<Appended>(*batch.operations[1].result).message->seq, core::Seq{2});
}

/// Holds every batch, like a loop that does not get round to applying it.
class SlowListener : public CommitListener {
public:
    void on_committed(std::shared_ptr<CommittedBatch> batch) override {
        const std::lock_guard lock(mutex_);
        batches_.push_back(std::move(batch));
        changed_.notify_all();
    }
    void on_room() override { ++rooms; }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return batches_.size() >= count; });
    }
    void let_go() {
        const std::lock_guard lock(mutex_);
        batches_.clear();
    }
    std::atomic<int> rooms = 0;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::shared_ptr<CommittedBatch>> batches_;
};

TEST_F(StoreTest, WhatALoopHasNotAppliedCountsAsQueued) {
    store_.reset();
    options_.max_queued_operations = 3;
    store_ = Store::open(options_, clock_);
    SlowListener listener;
    store_->start(&listener);
    std::vector<Submission> five;
    for (int i = 0; i < 5; ++i) five.push_back(Submission{direct("a", "b"), {}, LoopIndex{0}});
    store_->submit(std::move(five));
    listener.wait_for(1);
    EXPECT_EQ(store_->head(), core::Seq{5});
    EXPECT_TRUE(store_->saturated());
    EXPECT_EQ(store_->stats().queue_depth, 5U);
    EXPECT_EQ(listener.rooms, 0);
    listener.let_go();
    EXPECT_FALSE(store_->saturated());
    EXPECT_EQ(store_->stats().queue_depth, 0U);
    EXPECT_EQ(listener.rooms, 1);

    store_->submit(Submission{direct("a", "b"), {}, LoopIndex{0}});
    listener.wait_for(1);
    listener.let_go();
    EXPECT_EQ(listener.rooms, 1);  // there was room all the time
    store_->stop();
}

TEST_F(StoreTest, ABatchThatOutlivesItsStoreIsHarmless) {
    store_.reset();
    options_.max_queued_operations = 1;
    store_ = Store::open(options_, clock_);
    SlowListener listener;
    store_->start(&listener);
    store_->submit(Submission{direct("a", "b"), {}, LoopIndex{0}});
    store_->submit(Submission{direct("a", "b"), {}, LoopIndex{0}});
    store_.reset();
    listener.let_go();
    EXPECT_EQ(listener.rooms, 0);
}

TEST_F(StoreTest, ABatchSaysWhenItsOperationsCount) {
    store_.reset();
    store_ = Store::open(options_, clock_);
    Recorder recorder;
    store_->start(&recorder);
    (void)store_->submit_and_wait(direct("a", "b"));
    clock_.advance(-core::Millis(1'000));
    (void)store_->submit_and_wait(direct("a", "b"));
    store_->stop();
    ASSERT_EQ(recorder.batches.size(), 2U);
    EXPECT_EQ(recorder.batches[0]->time.ms, clock_.now().ms + 1'000);
    EXPECT_EQ(recorder.batches[1]->time, recorder.batches[0]->time);
}

TEST_F(StoreTest, ManyThreadsReadAndWriteAtOnce) {
    constexpr int kThreads = 4;
    constexpr int kEach = 200;
    std::vector<std::thread> threads;
    std::atomic<int> wrong = 0;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            const std::string name = "agent-" + std::to_string(t);
            for (int i = 1; i <= kEach; ++i) {
                append(direct("a", name));
                Poll all = query(name);
                all.cap = all.limit = 1'000;
                if (read(all).messages.size() != static_cast<std::size_t>(i)) ++wrong;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(store_->head().value, static_cast<std::uint64_t>(kThreads * kEach));
}

TEST_F(StoreTest, RelaxedDurabilityKeepsEverythingOverAnOrderlyStop) {
    options_.durability = Durability::relaxed;
    reopen();
    append_all(std::vector<AppendMessage>(500, direct("a", "b")));
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{500});
    EXPECT_EQ(unread("b").size(), 100U);
}

/// Fills the disk as far as the process may, reads, then goes on when it may write more. Returns
/// the number of the line that was not as it should be; 0: all was.
int live_through_a_full_disk(const StoreOptions& options, const core::Clock& clock,
                             const AppendMessage& message) {
    ::signal(SIGXFSZ, SIG_IGN);
    const auto store = Store::open(options, clock);
    store->start(nullptr);
    struct rlimit limit {};
    ::getrlimit(RLIMIT_FSIZE, &limit);
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 3'000'000;
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return __LINE__;
    for (int round = 0; round < 3; ++round) {
        std::optional<core::ErrorCode> refused;
        for (int i = 0; i < 1'000 && !refused; ++i) {
            const auto result = store->submit_and_wait(message);
            if (!result) refused = result.error().code;
        }
        if (refused != core::ErrorCode::storage_full) return __LINE__;
        if (store->state() != StoreState::full) return __LINE__;
        const std::uint64_t head = store->head().value;
        if (head < 100 || !store->find_message(core::Seq{head})) return __LINE__;
        limit.rlim_cur += 1'000'003;
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return __LINE__;
    }
    limit.rlim_cur = before;
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return __LINE__;
    if (!store->submit_and_wait(message)) return __LINE__;
    return store->state() == StoreState::ok ? 0 : __LINE__;
}

TEST_F(StoreTest, AFullDiskIsAnErrorAndPasses) {
    store_.reset();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const int line =
            live_through_a_full_disk(options_, clock_, direct("a", "b", std::string(9'000, '1')));
        if (line != 0) std::fprintf(stderr, "line %d\n", line);
        ::_exit(line == 0 ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
    reopen();
    const std::uint64_t head = store_->head().value;
    EXPECT_EQ(store_->find_message(core::Seq{head})->draft.payload.text.size(), 9'000U);
}

TEST_F(StoreTest, WhatWasReportedCommittedSurvivesAKilledProcess) {
    store_.reset();
    int channel_ends[2];
    ASSERT_EQ(::pipe(channel_ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        ::close(channel_ends[0]);
        const auto store = Store::open(options_, clock_);
        store->start(nullptr);
        const auto report = [&](const WriteResult& result) {
            const std::uint64_t seq = std::get<Appended>(*result).message->seq.value;
            if (::write(channel_ends[1], &seq, sizeof seq) != sizeof seq) ::_exit(1);
        };
        for (;;) {
            std::vector<Submission> batch;
            for (int i = 0; i < 7; ++i) {
                batch.push_back(Submission{direct("a", "b"), report, kNoLoop});
            }
            store->submit(std::move(batch));
            (void)store->submit_and_wait(direct("a", "b", R"("last")"));
        }
    }
    ::close(channel_ends[1]);
    std::uint64_t reported = 0;
    std::uint64_t seq = 0;
    while (reported < 500 && ::read(channel_ends[0], &seq, sizeof seq) == sizeof seq) {
        reported = seq;
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(channel_ends[0], &seq, sizeof seq) == sizeof seq) reported = seq;
    ::close(channel_ends[0]);
    ASSERT_GE(reported, 500U);

    reopen();
    ASSERT_GE(store_->head().value, reported);
    for (std::uint64_t i = 1; i <= reported; ++i) {
        ASSERT_NE(store_->find_message(core::Seq{i}), nullptr) << i;
    }
    EXPECT_GT(append(direct("a", "b"))->seq.value, reported);
}

}  // namespace
}  // namespace agentcom::store

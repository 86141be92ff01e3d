// Commits that are deferred: what is announced before LMDB has committed it is read, survives, and
// comes to the same as if each batch had been committed by itself. The disk is held up, or fails,
// below the journal: its writes and syncs go through the functions here.

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agentcom/store/backup.hpp"
#include "store/checkpoint.hpp"
#include "store/environment.hpp"
#include "store/read_gate.hpp"
#include "store/store_fixture.hpp"
#include "store/support/file_limit.hpp"
#include "store/support/random_operations.hpp"
#include "store/support/table_dump.hpp"

namespace agentcom::store {
namespace {

/// The disk below the journals of this process.
class JournalDisk {
public:
    static JournalDisk& get() {
        static JournalDisk disk;
        return disk;
    }
    void hang() {
        const std::lock_guard lock(mutex_);
        hangs_ = true;
    }
    /// Not even the system's cache takes anything.
    void hang_in_writes() {
        const std::lock_guard lock(mutex_);
        hangs_ = takes_no_writes_ = true;
    }
    void go_on(int error = 0) {
        {
            const std::lock_guard lock(mutex_);
            hangs_ = takes_no_writes_ = false;
            error_ = error;
        }
        changed_.notify_all();
    }
    /// One that hangs does what it is to do; the next one hangs again.
    void let_one_through() {
        std::unique_lock lock(mutex_);
        lets_through_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !lets_through_; });
    }
    /// Returns when a sync or a write hangs.
    void await_hang() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return waiting_ > 0; });
    }
    [[nodiscard]] bool is_waited_for() {
        const std::lock_guard lock(mutex_);
        return waiting_ > 0;
    }
    void write() {
        std::unique_lock lock(mutex_);
        if (takes_no_writes_) (void)wait(lock);
    }
    /// 0, or the error of the sync that waited.
    int sync() {
        std::unique_lock lock(mutex_);
        return hangs_ ? wait(lock) : 0;
    }

private:
    int wait(std::unique_lock<std::mutex>& lock) {
        ++waiting_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !hangs_ || lets_through_; });
        --waiting_;
        lets_through_ = false;
        changed_.notify_all();
        return std::exchange(error_, 0);
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool hangs_ = false;
    bool takes_no_writes_ = false;
    int error_ = 0;
    int waiting_ = 0;
    bool lets_through_ = false;
};

bool is_segment(int file) {
    std::array<char, 512> path{};
    const std::string link = "/proc/self/fd/" + std::to_string(file);
    const ssize_t length = ::readlink(link.c_str(), path.data(), path.size());
    return length > 0 &&
           std::string_view(path.data(), static_cast<std::size_t>(length)).find("/segment-") !=
               std::string_view::npos;
}

}  // namespace
}  // namespace agentcom::store

extern "C" int fdatasync(int file) {
    using agentcom::store::JournalDisk;
    const int error = agentcom::store::is_segment(file) ? JournalDisk::get().sync() : 0;
    if (error != 0) {
        errno = error;
        return -1;
    }
    return static_cast<int>(::syscall(SYS_fdatasync, file));
}

extern "C" ssize_t pwritev(int file, const iovec* parts, int count, off_t offset) {
    if (agentcom::store::is_segment(file)) agentcom::store::JournalDisk::get().write();
    return static_cast<ssize_t>(::syscall(SYS_pwritev, file, parts, count, offset, 0));
}

namespace agentcom::store {
namespace {

class DeferredCommitsTest : public StoreTest {
protected:
    void SetUp() override {
        options_.reads_that_wait = core::kUnbounded;
        options_.checkpoint_interval = core::Millis(10'000'000);
        StoreTest::SetUp();
        create_agent("alice");
        create_agent("bob");
    }
    void TearDown() override {
        disk_.go_on();
        StoreTest::TearDown();
    }

    /// Hands them over at once and does not wait.
    std::vector<std::future<WriteResult>> send_all(std::vector<WriteOp> ops) {
        std::vector<Submission> submissions;
        std::vector<std::future<WriteResult>> sent;
        for (WriteOp& op : ops) {
            auto done = std::make_shared<std::promise<WriteResult>>();
            sent.push_back(done->get_future());
            submissions.push_back(Submission{
                std::move(op), [done](const WriteResult& result) { done->set_value(result); },
                kNoLoop});
        }
        store_->submit(std::move(submissions));
        return sent;
    }
    std::future<WriteResult> send(WriteOp op) {
        std::vector<WriteOp> one;
        one.push_back(std::move(op));
        return std::move(send_all(std::move(one)).front());
    }
    static bool is_told(const std::future<WriteResult>& sent) {
        return sent.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    }
    static core::Seq seq_of(std::future<WriteResult>& sent) {
        return std::get<Appended>(sent.get().value()).message->seq;
    }
    /// Two messages to bob are announced, whose commit is deferred, and a third one waits for a
    /// disk that hangs.
    std::future<WriteResult> announce_two_and_hang() {
        (void)unread("bob");
        append(direct("alice", "bob"));
        append(direct("alice", "bob"));
        disk_.hang();
        auto third = send(direct("alice", "bob"));
        disk_.await_hang();
        return third;
    }
    /// So many that they are applied while the disk works for others, and they are.
    std::vector<std::future<WriteResult>> put_many_behind() {
        const std::uint64_t before = store_->journal_figures().bytes;
        auto sent = send_all(std::vector<WriteOp>(kMany, direct("alice", "carol")));
        while (store_->journal_figures().bytes == before) std::this_thread::yield();
        return sent;
    }
    /// Number of the newest transaction that readers see, without asking for a later one.
    /// By LMDB's two first pages, not by opening the file: closing it would let go of what this
    /// process has pinned.
    [[nodiscard]] std::uint64_t last_transaction() const {
        constexpr std::size_t kPage = 4'096;
        constexpr std::size_t kTransactionAt = 144;
        std::ifstream file(options_.directory / kDataFile, std::ios::binary);
        std::uint64_t newest = 0;
        for (const std::size_t page : {std::size_t{0}, kPage}) {
            std::uint64_t transaction = 0;
            file.seekg(static_cast<std::streamoff>(page + kTransactionAt));
            file.read(reinterpret_cast<char*>(&transaction), sizeof transaction);
            newest = std::max(newest, transaction);
        }
        return newest;
    }

    static constexpr std::size_t kMany = 70;
    JournalDisk& disk_ = JournalDisk::get();
};

TEST_F(DeferredCommitsTest, ManyBatchesShareACommitAndEveryReadSeesAllThatWasAnnounced) {
    EXPECT_TRUE(unread("bob").empty());
    const std::uint64_t before = last_transaction();
    for (int i = 0; i < 50; ++i) append(direct("alice", "bob"));
    EXPECT_LT(last_transaction(), before + 40) << "every batch was committed by itself";
    EXPECT_EQ(unread("bob").size(), 50U);
    EXPECT_EQ(store_->stats().head_seq, core::Seq{50});
    // Then without a reader before it.
    const auto last = append(direct("alice", "bob"));
    EXPECT_EQ(store_->find_message(last->seq)->id, last->id);
}

TEST_F(DeferredCommitsTest, WhatIsAnnouncedIsThereForThreadsThatReadAtOnce) {
    constexpr int kThreads = 4;
    std::vector<std::thread> threads;
    std::atomic<int> missing = 0;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 300; ++i) {
                const auto message = append(direct("alice", "to-" + std::to_string(t)));
                if (i % 7 == 0 && !store_->find_message(message->seq)) ++missing;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(missing, 0);
}

/// Small batches and a small journal, checkpoints, operations that are not deferred, quotas and a
/// disk that hangs again and again: who was told of something finds it, also in the next store.
TEST_F(DeferredCommitsTest, WhateverHappensAtOnceWhatIsAnnouncedIsThere) {
    constexpr int kThreads = 3;
    constexpr int kEach = 250;
    options_.max_batch_operations = 3;
    options_.journal_bytes = std::size_t{256} << 10;
    options_.checkpoint_interval = core::Millis(1'000);
    reopen();
    std::atomic<int> missing = 0;
    std::atomic<int> writing = kThreads;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            const std::string to = "to-" + std::to_string(t);
            for (int i = 0; i < kEach; ++i) {
                AppendMessage keyed = direct("alice", to, '"' + std::string(1'000, 'x') + '"');
                keyed.idempotency_key = to + std::to_string(i);
                AppendMessage again = keyed;
                const auto message = append(std::move(keyed));
                if (i % 5 == 0 && append(std::move(again))->id != message->id) ++missing;
                if (i % 9 == 0 && !store_->find_message(message->seq)) ++missing;
                if (i % 30 == 0) write<Done>(PutSetting{"mailbox_ttl_ms", 60'000'000});
                if (i % 4 == 0) {
                    const Store::Burst burst(*store_);
                    auto first = send(direct("alice", to));
                    if (seq_of(first) >= append(direct("alice", to))->seq) ++missing;
                }
            }
            --writing;
        });
    }
    threads.emplace_back([&] {
        // Of others, whose moments have nothing to do with those who write.
        for (std::uint64_t last = 0; writing > 0;) {
            const std::uint64_t head = store_->head().value;
            if (head < last || (head > 0 && !store_->find_message(core::Seq{head}))) ++missing;
            last = head;
            for (int i = 0; i < 2'000 && writing > 0; ++i) std::this_thread::yield();
        }
    });
    while (writing > 0) {
        disk_.hang();
        clock_.advance(core::Millis(100));
        store_->set_quotas(options_.quotas);
        for (int i = 0; i < 500; ++i) std::this_thread::yield();
        disk_.go_on();
        for (int i = 0; i < 2'000; ++i) std::this_thread::yield();
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(missing, 0);
    EXPECT_EQ(store_->head(), core::Seq{kThreads * (kEach + 2 * ((kEach + 3) / 4))});
    EXPECT_GT(store_->journal_figures().checkpoints.sum, 0U);
    const auto last = append(direct("alice", "bob"));
    reopen();
    EXPECT_EQ(store_->head(), last->seq);
    EXPECT_EQ(store_->stats().damaged, 0U);
}

TEST_F(DeferredCommitsTest, ReadsGoOnWhileTheDiskHangsAndSeeWhatWasAnnouncedAndNothingElse) {
    auto third = announce_two_and_hang();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    EXPECT_EQ(store_->head(), core::Seq{2});
    auto fourth = send(direct("alice", "bob"));
    for (int i = 0; i < 20; ++i) {
        EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
        EXPECT_EQ(seqs(history({}, 10)), (Seqs{1, 2}));
    }
    EXPECT_EQ(store_->busy_since().has_value(), true);
    disk_.go_on();
    EXPECT_EQ(seq_of(third), core::Seq{3});
    EXPECT_EQ(seq_of(fourth), core::Seq{4});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4}));
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4}));
}

TEST_F(DeferredCommitsTest, WhatIsAppliedWhileTheDiskWorksForOthersIsAnnouncedAfterThem) {
    auto third = announce_two_and_hang();
    auto many = put_many_behind();
    // Neither is seen, whether or not somebody had to be shown what was announced before.
    EXPECT_EQ(store_->head(), core::Seq{2});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    EXPECT_TRUE(unread("carol").empty());
    auto fifth = send(direct("alice", "bob"));
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    disk_.go_on();
    EXPECT_EQ(seq_of(third), core::Seq{3});
    for (std::size_t i = 0; i < many.size(); ++i) EXPECT_EQ(seq_of(many[i]), core::Seq{4 + i});
    EXPECT_EQ(seq_of(fifth), core::Seq{4 + many.size()});
    EXPECT_EQ(unread("carol").size(), many.size());
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4 + many.size()}));
    EXPECT_EQ(unread("carol").size(), many.size());
}

TEST_F(DeferredCommitsTest, BothThatAreInFlightFailWhenTheDiskDoesNotTakeTheFirst) {
    auto third = announce_two_and_hang();
    auto many = put_many_behind();
    auto fifth = send(direct("alice", "bob"));
    disk_.go_on(EIO);
    EXPECT_EQ(third.get().error().code, core::ErrorCode::storage_failed);
    for (auto& each : many) EXPECT_EQ(each.get().error().code, core::ErrorCode::storage_failed);
    EXPECT_EQ(fifth.get().error().code, core::ErrorCode::storage_failed);
    EXPECT_EQ(store_->state(), StoreState::failed);
    EXPECT_EQ(store_->head(), core::Seq{2});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    EXPECT_TRUE(unread("carol").empty());
    // The commit thread may still be on its way back from who was told last.
    store_->stop();
    EXPECT_FALSE(store_->busy_since());
    reopen();
    EXPECT_GE(store_->head(), core::Seq{2});
    EXPECT_EQ(store_->stats().damaged, 0U);
}

/// The second of them says what the first has come to, so nobody hears of it before.
TEST_F(DeferredCommitsTest, ADuplicateOfWhatIsInFlightIsAcknowledgedWhenThatIs) {
    (void)unread("bob");
    append(direct("alice", "bob"));
    AppendMessage keyed = direct("alice", "carol");
    keyed.idempotency_key = "once";
    disk_.hang();
    auto first = send(keyed);
    disk_.await_hang();
    auto again = send_all(std::vector<WriteOp>(kMany, keyed));
    // Far longer than it takes to apply them.
    for (int i = 0; i < 20'000; ++i) {
        ASSERT_FALSE(is_told(again.front()));
        std::this_thread::yield();
    }
    disk_.go_on(EIO);
    EXPECT_EQ(first.get().error().code, core::ErrorCode::storage_failed);
    for (auto& each : again) EXPECT_FALSE(each.get());
}

/// As when the file system is frozen: nothing can be committed, also not for those who read.
TEST_F(DeferredCommitsTest, WhileEvenWritesHangReadersAreKeptOnceAndSeeWhatIsShown) {
    (void)unread("bob");
    append(direct("alice", "bob"));
    disk_.hang_in_writes();
    auto second = send(direct("alice", "bob"));
    disk_.await_hang();
    for (int i = 0; i < 50; ++i) EXPECT_LE(unread("bob").size(), 1U);
    EXPECT_TRUE(store_->lags());
    // What the hub has told of is no number of another store, although it is not shown.
    Poll known = query("bob");
    known.since = store_->head();
    EXPECT_EQ(known.since, core::Seq{1});
    EXPECT_FALSE(read(known).reset);
    disk_.go_on();
    EXPECT_EQ(seq_of(second), core::Seq{2});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    EXPECT_FALSE(store_->lags());
}

/// There was plenty of room when the transaction was opened, and there is none when it ends.
TEST_F(DeferredCommitsTest, WhatFindsNoRoomToBeCommittedIsCommittedWhenThereIsSome) {
    const std::string large = '"' + std::string(9'000, 'x') + '"';
    const auto file = options_.directory / "data.mdb";
    std::uint64_t announced = 0;
    const auto strand = [&] {
        for (bool stranded = false; !stranded;) {
            (void)unread("bob");
            const std::uint64_t before = last_transaction();
            announced =
                append_all(std::vector(30, direct("alice", "bob", large))).back()->seq.value;
            const FileLimit full(std::filesystem::file_size(file));
            stranded = last_transaction() == before;
            if (!stranded) continue;  // it took longer than a transaction is kept open
            EXPECT_LT(unread("bob").size(), announced);
            EXPECT_TRUE(store_->lags());
            EXPECT_EQ(store_->state(), StoreState::full);
            EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_full);
            EXPECT_EQ(store_->head(), core::Seq{announced});
        }
    };
    strand();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{announced + 1});
    EXPECT_FALSE(store_->lags());
    EXPECT_EQ(store_->find_message(core::Seq{announced})->draft.payload.text, large);
    EXPECT_EQ(store_->state(), StoreState::ok);
    // The end comes first: then the next start has it from the journal.
    strand();
    {
        const FileLimit full(std::filesystem::file_size(file));
        store_->stop();
    }
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{announced});
    EXPECT_EQ(store_->find_message(core::Seq{announced})->draft.payload.text, large);
    EXPECT_EQ(store_->stats().damaged, 0U);
}

TEST_F(DeferredCommitsTest, APollWaitsOnlyForWhatConcernsItsMailbox) {
    const auto poll = [&](std::string_view who, std::uint64_t since = 0) {
        Poll all = query(who);
        all.since = core::Seq{since};
        all.may_lag = true;
        return read(all);
    };
    EXPECT_TRUE(poll("bob").messages.empty());
    append(direct("alice", "carol"));
    const std::uint64_t before = last_transaction();
    append(direct("alice", "carol"));
    EXPECT_TRUE(poll("bob").messages.empty());
    EXPECT_EQ(last_transaction(), before) << "a commit was made for it";
    EXPECT_EQ(poll("carol").messages.size(), 2U);
    // Numbers that it has been told of are of this store, whoever they concern.
    const auto last = append(direct("bob", "carol"));
    EXPECT_FALSE(poll("bob", last->seq.value).reset);
    EXPECT_TRUE(poll("bob", last->seq.value + 1).reset);
    append(broadcast("alice"));
    EXPECT_EQ(seqs(poll("bob").messages), Seqs{last->seq.value + 1});
    ack("bob", last->seq.value + 1);
    EXPECT_TRUE(poll("bob").messages.empty());
}

TEST_F(DeferredCommitsTest, WhatWasAppliedAgainIsCommittedBeforeMoreGoesIntoItsTransaction) {
    (void)unread("bob");
    append(direct("alice", "bob"));
    disk_.hang();
    auto second = send(direct("alice", "bob"));
    disk_.await_hang();
    EXPECT_EQ(unread("bob"), Seqs{1});
    const std::uint64_t before = last_transaction();
    auto third = send(direct("alice", "bob"));
    disk_.go_on();
    EXPECT_EQ(seq_of(second), core::Seq{2});
    EXPECT_EQ(seq_of(third), core::Seq{3});
    EXPECT_GE(last_transaction(), before + 1);
}

/// Nobody reads; what was announced goes into the file all the same, for those who copy it.
TEST_F(DeferredCommitsTest, ACopyBesideAHubHasWhatWasAcknowledgedAlsoWhileTheDiskHangs) {
    auto third = announce_two_and_hang();
    const std::filesystem::path copy = dir_.path() / "copy";
    EXPECT_EQ(copy_store(options_.directory, copy).head, core::Seq{2});
    disk_.go_on();
    EXPECT_EQ(seq_of(third), core::Seq{3});
}

/// Both are in flight when the commit thread begins to wait for them, and everything before them is
/// committed.
TEST_F(DeferredCommitsTest, ACopyHasTheFirstOfTwoThatWereInFlightWhileTheDiskHangsForTheSecond) {
    auto third = announce_two_and_hang();
    const std::uint64_t before = last_transaction();
    auto many = put_many_behind();
    // What was announced is committed when it has waited for long enough, and then nothing is left
    // but to wait for both.
    while (last_transaction() == before) std::this_thread::yield();
    disk_.let_one_through();
    EXPECT_EQ(seq_of(third), core::Seq{3});
    EXPECT_EQ(copy_store(options_.directory, dir_.path() / "copy").head, core::Seq{3});
    disk_.go_on();
    EXPECT_EQ(seq_of(many.back()), core::Seq{3 + many.size()});
}

TEST_F(DeferredCommitsTest, AFailedSyncTakesBackNothingThatWasAnnounced) {
    auto third = announce_two_and_hang();
    auto fourth = send(direct("alice", "bob"));
    disk_.go_on(EIO);
    EXPECT_EQ(third.get().error().code, core::ErrorCode::storage_failed);
    EXPECT_EQ(fourth.get().error().code, core::ErrorCode::storage_failed);
    EXPECT_EQ(store_->state(), StoreState::failed);
    EXPECT_EQ(store_->head(), core::Seq{2});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    EXPECT_EQ(store_->commit_figures().failed_batches, 2U);
    reopen();
    EXPECT_GE(store_->head(), core::Seq{2});
    EXPECT_EQ(unread("bob").size(), store_->head().value);
    EXPECT_EQ(store_->stats().damaged, 0U);
}

/// Who hears of what failed would look for messages up to that, again and again.
TEST_F(DeferredCommitsTest, ABatchThatFailsHasTheHeadThatReadersSee) {
    class Heads final : public CommitListener {
    public:
        void on_committed(std::shared_ptr<CommittedBatch> batch) override {
            last_ = batch->head.value;
        }
        [[nodiscard]] core::Seq last() const { return core::Seq{last_}; }

    private:
        std::atomic<std::uint64_t> last_ = 0;
    };
    Heads heads;
    store_ = nullptr;
    store_ = Store::open(options_, clock_);
    store_->start(&heads);
    append(direct("alice", "bob"));
    disk_.hang();
    auto failed = send(direct("alice", "bob"));
    disk_.await_hang();
    disk_.go_on(EIO);
    EXPECT_EQ(failed.get().error().code, core::ErrorCode::storage_failed);
    store_->stop();
    EXPECT_EQ(heads.last(), core::Seq{1});
    store_ = nullptr;
}

TEST_F(DeferredCommitsTest, OperationsThatAreRareAreCommittedBeforeAnybodyIsTold) {
    append(direct("alice", "bob"));
    const std::uint64_t before = last_transaction();
    write<Done>(PutSetting{"mailbox_ttl_ms", 60'000});
    EXPECT_GE(last_transaction(), before + 1);
    EXPECT_EQ(unread("bob"), Seqs{1});
}

TEST_F(DeferredCommitsTest, WhatIsRefusedIsToldInItsTurnAndLeavesNoTrace) {
    (void)unread("bob");
    append(direct("alice", "bob"));
    EXPECT_EQ(error_of(publication("alice", "nowhere")), core::ErrorCode::channel_not_found);
    AppendMessage keyed = direct("alice", "bob");
    keyed.idempotency_key = "once";
    const auto first = append(keyed);
    EXPECT_EQ(first->seq, core::Seq{2});
    EXPECT_EQ(append(keyed)->id, first->id);
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{3});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));
}

/// The second thread is called for each of them while it is applied, and called off at any moment.
/// It takes many to meet it just when it has woken.
TEST_F(DeferredCommitsTest, WhoIsCalledForABatchOfWhichNothingComesWaitsOn) {
    constexpr int kTimes = 100'000;
    for (int i = 0; i < kTimes; ++i) {
        ASSERT_EQ(error_of(publication("alice", "nowhere")), core::ErrorCode::channel_not_found);
    }
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{1});
}

/// A batch waits for what follows in a burst, for ever if it has to.
class BurstTest : public DeferredCommitsTest {
protected:
    void SetUp() override {
        options_.longest_wait_for_burst = std::chrono::hours(1);
        DeferredCommitsTest::SetUp();
    }
    void TearDown() override {
        burst_.reset();
        DeferredCommitsTest::TearDown();
    }
    /// Of alice to bob, which is taken up, and waits for what follows if there is a burst.
    std::future<WriteResult> begin() {
        // It is busy for a moment after who waited for what came before has been told.
        while (store_->busy_since()) std::this_thread::yield();
        auto first = send(direct("alice", "bob"));
        while (!store_->busy_since()) std::this_thread::yield();
        return first;
    }
    std::optional<Store::Burst> burst_;
};

TEST_F(BurstTest, WhatABurstHandsOverInPartsIsCommittedTogether) {
    const std::uint64_t before = store_->stats().commits;
    burst_.emplace(*store_);
    auto first = begin();
    auto more = send_all(std::vector<WriteOp>(kMany, direct("alice", "carol")));
    auto last = send(direct("alice", "bob"));
    EXPECT_FALSE(is_told(first));
    EXPECT_EQ(store_->head(), core::Seq{});
    burst_.reset();
    EXPECT_EQ(seq_of(first), core::Seq{1});
    for (std::size_t i = 0; i < more.size(); ++i) EXPECT_EQ(seq_of(more[i]), core::Seq{2 + i});
    EXPECT_EQ(seq_of(last), core::Seq{2 + kMany});
    EXPECT_EQ(store_->stats().commits, before + 1);
    EXPECT_EQ(unread("bob"), (Seqs{1, 2 + kMany}));
    store_->stop();
    EXPECT_EQ(store_->stats().queue_depth, 0U);
    EXPECT_FALSE(store_->saturated());
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2 + kMany}));
}

TEST_F(BurstTest, EndsWhenTheLastWhoHandsOverInPartsHasEnded) {
    burst_.emplace(*store_);
    std::optional<Store::Burst> another(*store_);
    auto first = begin();
    burst_.reset();
    auto second = send(direct("alice", "bob"));
    EXPECT_FALSE(is_told(first));
    another.reset();
    EXPECT_EQ(seq_of(first), core::Seq{1});
    EXPECT_EQ(seq_of(second), core::Seq{2});
}

TEST_F(BurstTest, AReaderIsNotKeptWaiting) {
    append(direct("alice", "bob"));
    burst_.emplace(*store_);
    auto second = begin();
    const Seqs seen = unread("bob");
    EXPECT_TRUE(seen == Seqs{1} || seen == (Seqs{1, 2})) << seen.size();
    burst_.reset();
    EXPECT_EQ(seq_of(second), core::Seq{2});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
}

TEST_F(BurstTest, OperationsThatAreRareEndIt) {
    burst_.emplace(*store_);
    auto first = begin();
    auto rare = send(PutSetting{"mailbox_ttl_ms", 60'000});
    EXPECT_EQ(seq_of(first), core::Seq{1});
    EXPECT_TRUE(rare.get());
}

TEST_F(BurstTest, IsNoLargerThanAnyOtherBatch) {
    constexpr std::size_t kEach = 60;
    constexpr std::size_t kParts = 5;
    options_.max_batch_operations = 100;
    reopen();
    const std::uint64_t before = store_->stats().commits;
    burst_.emplace(*store_);
    auto first = begin();
    std::vector<std::future<WriteResult>> last;
    for (std::size_t i = 0; i < kParts; ++i) {
        last = send_all(std::vector<WriteOp>(kEach, direct("alice", "carol")));
    }
    EXPECT_EQ(seq_of(first), core::Seq{1});
    burst_.reset();
    EXPECT_EQ(seq_of(last.back()), core::Seq{1 + kParts * kEach});
    EXPECT_GE(store_->stats().commits, before + (1 + kParts * kEach) / 100 + 1);
}

TEST_F(BurstTest, HasRoomInTheJournal) {
    constexpr std::size_t kEach = 5;
    constexpr std::size_t kParts = 5;
    const auto large = direct("alice", "carol", '"' + std::string(8'000, 'x') + '"');
    options_.journal_bytes = std::size_t{256} << 10;
    reopen();
    // Less than half of it, so that no checkpoint comes of it.
    auto before = send_all(std::vector<WriteOp>(12, large));
    EXPECT_EQ(seq_of(before.back()), core::Seq{12});
    burst_.emplace(*store_);
    auto first = begin();
    std::vector<std::future<WriteResult>> last;
    for (std::size_t i = 0; i < kParts; ++i) {
        last = send_all(std::vector<WriteOp>(kEach, large));
        // Each is taken up before the next, if it may.
        for (int k = 0; k < 200; ++k) std::this_thread::yield();
    }
    EXPECT_EQ(seq_of(first), core::Seq{13}) << "it waits although no more has room";
    burst_.reset();
    EXPECT_EQ(seq_of(last.back()), core::Seq{13 + kEach * kParts});
    for (const char* segment : {"segment-0", "segment-1"}) {
        EXPECT_LE(std::filesystem::file_size(options_.directory / "journal" / segment),
                  options_.journal_bytes);
    }
}

TEST_F(BurstTest, DoesNotMakeOthersWaitForLongHoweverManyTheyAre) {
    options_.longest_wait_for_burst = std::chrono::milliseconds(2);
    reopen();
    burst_.emplace(*store_);
    auto first = begin();
    std::vector<std::future<WriteResult>> others;
    // Each before the wait for it is over.
    while (!is_told(first) && others.size() < 1'500) {
        others.push_back(send(direct("alice", "carol")));
        const auto next = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
        while (std::chrono::steady_clock::now() < next) std::this_thread::yield();
    }
    EXPECT_TRUE(is_told(first));
    EXPECT_EQ(seq_of(first), core::Seq{1});
    burst_.reset();
    if (!others.empty()) {
        EXPECT_EQ(seq_of(others.back()), core::Seq{1 + others.size()});
    }
}

TEST_F(BurstTest, QuotasHoldForWhatIsSubmittedAfterThem) {
    burst_.emplace(*store_);
    auto first = begin();
    Quotas quotas = options_.quotas;
    quotas.max_unclaimed_mailboxes = 0;
    store_->set_quotas(quotas);
    auto second = send(direct("alice", "nobody-has-claimed-it"));
    burst_.reset();
    EXPECT_EQ(seq_of(first), core::Seq{1});
    EXPECT_FALSE(second.get());
}

TEST_F(BurstTest, DoesNotKeepTheStoreFromStopping) {
    burst_.emplace(*store_);
    auto first = begin();
    store_->stop();
    EXPECT_EQ(seq_of(first), core::Seq{1});
    burst_.reset();
}

TEST_F(BurstTest, WaitsOnlyForAWhile) {
    options_.longest_wait_for_burst = std::chrono::milliseconds(1);
    reopen();
    burst_.emplace(*store_);
    auto first = begin();
    EXPECT_EQ(seq_of(first), core::Seq{1});
    auto second = send(direct("alice", "bob"));
    EXPECT_EQ(seq_of(second), core::Seq{2});
    burst_.reset();
}

TEST_F(BurstTest, FailsAsAWholeWhenTheDiskDoesNotTakeIt) {
    append(direct("alice", "bob"));
    disk_.hang();
    burst_.emplace(*store_);
    auto first = begin();
    auto second = send(direct("alice", "carol"));
    burst_.reset();
    disk_.await_hang();
    disk_.go_on(EIO);
    for (auto* sent : {&first, &second}) {
        const WriteResult result = sent->get();
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().code, core::ErrorCode::storage_failed);
    }
    EXPECT_EQ(store_->head(), core::Seq{1});
    store_->stop();
    EXPECT_EQ(store_->stats().queue_depth, 0U);
    EXPECT_FALSE(store_->saturated());
}

/// Leaps ahead when it is asked for the n-th time.
class LeapingClock final : public core::Clock {
public:
    void leap_at(int question, core::Millis by) {
        by_ = by;
        left_ = question;
    }
    [[nodiscard]] core::Timestamp now() const noexcept override { return clock_.now(); }
    [[nodiscard]] core::SteadyTime steady() const noexcept override {
        if (left_.fetch_sub(1) == 1) clock_.advance(by_);
        return clock_.steady();
    }

private:
    mutable core::ManualClock clock_;
    core::Millis by_{0};
    mutable std::atomic<int> left_{0};
};

/// A checkpoint covers what LMDB has committed, and the journal goes on behind it. So it must not
/// begin while something is deferred, at whichever look at the clock it becomes due.
TEST_F(DeferredCommitsTest, ACheckpointThatBecomesDueAtAnyMomentCoversWhatWasAnnounced) {
    LeapingClock clock;
    store_.reset();
    store_ = Store::open(options_, clock);
    store_->start(nullptr);
    const auto checkpoint = [this] {
        return find_checkpoint(options_.directory)->image.transaction;
    };
    for (int question = 1; question <= 24; ++question) {
        SCOPED_TRACE("question " + std::to_string(question));
        append(direct("alice", "bob"));
        const std::uint64_t before = checkpoint();
        clock.leap_at(question, options_.checkpoint_interval);
        for (int i = 0; i < 1'000'000 && checkpoint() == before; ++i)
            append(direct("alice", "bob"));
        ASSERT_GT(checkpoint(), before);
        const auto last = append(direct("alice", "bob"));
        ASSERT_TRUE(store_->find_message(last->seq));
        // As it is when the process is killed now.
        StoreOptions killed = options_;
        killed.directory = dir_.path() / ("killed-" + std::to_string(question));
        std::filesystem::copy(options_.directory, killed.directory,
                              std::filesystem::copy_options::recursive);
        std::filesystem::remove(killed.directory / "lock.mdb");
        ASSERT_NO_THROW(ASSERT_EQ(Store::open(killed, clock)->head(), last->seq));
        std::filesystem::remove_all(killed.directory);
    }
    store_.reset();
}

/// The same operations in the same batches, once committed one by one, and once deferred while the
/// disk hangs now and then and readers come at any moment, so that what is open is undone and
/// applied again.
TEST_F(DeferredCommitsTest, ComeToTheSameAsCommitsOneByOne) {
    options_.longest_wait_for_burst = std::chrono::hours(1);
    reopen();
    RandomOperations random(7, false);
    std::vector<WriteOp> all = random.beginning();
    for (const char* name : {"ops", "dev", "all"}) {
        all.emplace_back(CreateChannel{channel(name), "", agent("alice")});
    }
    for (WriteOp& op : all) (void)store_->submit_and_wait(std::move(op));
    // Both begin with the same bytes.
    store_.reset();
    StoreOptions plainly = options_;
    plainly.directory = dir_.path() / "plainly";
    plainly.defer_commits = false;
    std::filesystem::copy(options_.directory, plainly.directory,
                          std::filesystem::copy_options::recursive);
    reopen();
    auto other = Store::open(plainly, clock_);
    other->start(nullptr);
    const auto is_rare = [](const WriteOp& op) {
        return !std::holds_alternative<AppendMessage>(op) &&
               !std::holds_alternative<AckMailbox>(op) && !std::holds_alternative<MarkRead>(op) &&
               !std::holds_alternative<MarkShown>(op);
    };
    const auto batch_of = [&](std::uint64_t count) {
        std::vector<WriteOp> batch;
        for (std::uint64_t n = count; n > 0;) {
            WriteOp op = random.operation();
            if (is_rare(op) && !random.one_in(30)) continue;
            batch.push_back(std::move(op));
            --n;
        }
        return batch;
    };
    /// With `apart`, which is less than there are, so many of them come first.
    const auto submit = [](Store& store, std::vector<WriteOp> batch, std::vector<WriteResult>& to,
                           std::size_t apart = 0) {
        auto done = std::make_shared<std::promise<void>>();
        std::vector<Submission> submissions;
        for (WriteOp& op : batch) {
            submissions.push_back(
                Submission{std::move(op),
                           [&to, done, count = batch.size()](const WriteResult& result) {
                               to.push_back(result);
                               if (to.size() == count) done->set_value();
                           },
                           kNoLoop});
        }
        std::optional<Store::Burst> burst;
        if (apart > 0) {
            burst.emplace(store);
            const auto rest = submissions.begin() + static_cast<std::ptrdiff_t>(apart);
            std::vector<Submission> first(std::make_move_iterator(submissions.begin()),
                                          std::make_move_iterator(rest));
            submissions.erase(submissions.begin(), rest);
            store.submit(std::move(first));
            for (int i = 0; i < 20; ++i) std::this_thread::yield();
        }
        store.submit(std::move(submissions));
        return done->get_future();
    };
    const auto compare = [&](const WriteResult& found, const WriteResult& expected) {
        random.note(found);
        ASSERT_EQ(found.has_value(), expected.has_value());
        if (!found) {
            EXPECT_EQ(found.error().code, expected.error().code);
        } else if (const auto* appended = std::get_if<Appended>(&*found)) {
            EXPECT_EQ(appended->message->seq, std::get<Appended>(*expected).message->seq);
            EXPECT_EQ(appended->duplicate, std::get<Appended>(*expected).duplicate);
        }
    };
    for (int round = 0; round < 400; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        clock_.advance(core::Millis(static_cast<std::int64_t>(random.below(20))));
        random.set_now(clock_.now());
        std::vector<std::vector<WriteOp>> batches{batch_of(1 + random.below(8))};
        const bool hangs = random.one_in(4);
        // So large that it is applied while the first is in flight.
        if (hangs && random.one_in(2)) batches.push_back(batch_of(64 + random.below(8)));
        std::vector<std::vector<WriteResult>> expected(batches.size());
        std::vector<std::vector<WriteResult>> found(batches.size());
        std::vector<std::future<void>> done;
        for (std::size_t i = 0; i < batches.size(); ++i) {
            submit(*other, batches[i], expected[i]).wait();
        }
        if (hangs) disk_.hang();
        for (std::size_t i = 0; i < batches.size(); ++i) {
            // What is deferred, and no more than is taken up while nothing is in flight.
            const bool in_parts =
                !hangs && batches[i].size() > 1 && std::ranges::none_of(batches[i], is_rare);
            done.push_back(submit(*store_, batches[i], found[i],
                                  in_parts ? random.below(batches[i].size()) : 0));
            // Unless nothing came of any operation, it waits for the disk.
            const auto is_over = [&] {
                return done.front().wait_for(std::chrono::seconds(0)) == std::future_status::ready;
            };
            if (i == 0 && hangs && (batches.size() > 1 || random.one_in(2))) {
                (void)store_->find_message(core::Seq{1 + random.below(50)});
                while (!is_over() && !disk_.is_waited_for()) std::this_thread::yield();
            }
        }
        if (hangs) {
            (void)read_mailbox(*store_, query("alice"), {.count = 5});
            disk_.go_on();
        }
        for (std::size_t i = 0; i < batches.size(); ++i) {
            done[i].wait();
            ASSERT_EQ(found[i].size(), expected[i].size());
            for (std::size_t k = 0; k < found[i].size(); ++k) {
                compare(found[i][k], expected[i][k]);
            }
        }
        if (random.one_in(5)) (void)read_mailbox(*store_, query("bob"), {.count = 5});
    }
    other->stop();
    store_->stop();
    const TableDump expected = dump_file(plainly.directory / kDataFile);
    const TableDump found = dump_file(options_.directory / kDataFile);
    EXPECT_GT(found.size(), 200U);
    EXPECT_EQ(difference(expected, found), "");
}

}  // namespace
}  // namespace agentcom::store

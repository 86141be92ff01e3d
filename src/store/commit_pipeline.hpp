#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <thread>
#include <vector>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/log_limit.hpp"
#include "agentcom/store/operation_codec.hpp"
#include "agentcom/store/store.hpp"
#include "store/backlog.hpp"
#include "store/checkpointer.hpp"
#include "store/epochs.hpp"
#include "store/read_gate.hpp"
#include "store/reader_watch.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {

/// The one writer. Whoever wants something written puts operations into its queue; its thread takes
/// all that has gathered, applies it in one transaction, writes what came of it to the journal,
/// waits for the disk, commits, and only then says so: readers see nothing that the journal does
/// not have, and nobody who is told of something reads a state without it. Nobody waits for
/// company but that of a burst (Store::Burst): an idle pipeline commits a single operation at once,
/// a busy one gathers while the disk works.
///
/// While few read, the commit is *deferred*: the transaction is kept open for the next batches,
/// which are announced as soon as the journal has them. The disk is then waited for on a second
/// thread, and whoever begins to read waits at the gate until the first has committed, which it
/// does at once; if the disk hangs, without what the disk does not have. Thread-safe.
class CommitPipeline {
public:
    /// `next_number`: see Checkpointer. Throws JournalError and LmdbError.
    CommitPipeline(Environment& env, const StoreOptions& options, const core::Clock& clock,
                   Epochs epochs, StateRow state, std::optional<std::uint64_t> stored_ttl,
                   ReadNotes& notes, std::uint64_t next_number);
    ~CommitPipeline();
    CommitPipeline(const CommitPipeline&) = delete;
    CommitPipeline& operator=(const CommitPipeline&) = delete;

    void start(CommitListener* listener);
    void stop();
    void submit(std::vector<Submission>&& submissions);
    void submit(Submission&& submission);
    /// See Store::Burst.
    void begin_burst();
    void end_burst() noexcept;

    void set_quotas(const Quotas& quotas);

    /// For every reader, before its transaction begins: what has been announced is in it then.
    void show_announced() const { gate_.pass(); }
    /// For a reader of one mailbox, which may lack what does not concern it.
    void show_announced_to(const MailboxQuery& query) const {
        query.may_lag ? gate_.pass_to_mailbox(query.agent.str()) : gate_.pass();
    }

    [[nodiscard]] bool lags() const noexcept { return gate_.is_stuck(); }
    [[nodiscard]] bool saturated() const noexcept { return backlog_->saturated(); }
    [[nodiscard]] StoreState state() const noexcept { return store_state_.load(); }
    [[nodiscard]] core::Seq head() const noexcept { return core::Seq{head_.load()}; }
    [[nodiscard]] core::Timestamp time() const { return store_clock_.now(); }
    [[nodiscard]] core::Millis ttl() const noexcept { return core::Millis(ttl_ms_.load()); }
    [[nodiscard]] StoreStats stats() const;
    [[nodiscard]] CommitFigures figures() const;
    [[nodiscard]] JournalFigures journal_figures() const { return checkpoints_.figures(); }
    [[nodiscard]] std::optional<core::SteadyTime> busy_since() const noexcept;

private:
    /// While it lives, the thread is busy with one thing.
    class Busy {
    public:
        explicit Busy(std::atomic<core::SteadyTime::rep>& since) noexcept
            : since_(since), began_(std::chrono::steady_clock::now()) {
            since_.store(began_.time_since_epoch().count(), std::memory_order_relaxed);
        }
        [[nodiscard]] std::uint64_t nanoseconds() const noexcept {
            const auto time = std::chrono::steady_clock::now() - began_;
            return static_cast<std::uint64_t>(std::chrono::nanoseconds(time).count());
        }
        [[nodiscard]] core::SteadyTime began() const noexcept { return began_; }
        ~Busy() { since_.store(0, std::memory_order_relaxed); }
        Busy(const Busy&) = delete;
        Busy& operator=(const Busy&) = delete;

    private:
        std::atomic<core::SteadyTime::rep>& since_;
        const core::SteadyTime began_;
    };
    /// What is in the journal and not committed, as the journal has it. Its memory is used again.
    class DeferredBatches {
    public:
        void add(std::string_view batch, std::uint64_t operations);
        void drop_last();
        void drop_first(std::size_t batches);
        [[nodiscard]] std::size_t size() const noexcept { return begins_.size(); }
        [[nodiscard]] bool empty() const noexcept { return begins_.empty(); }
        [[nodiscard]] std::string_view operator[](std::size_t index) const;
        [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_.size(); }
        [[nodiscard]] std::uint64_t operations() const noexcept { return operations_; }
        /// How many were committed, since there is a pipeline.
        [[nodiscard]] std::uint64_t committed() const noexcept { return committed_; }

    private:
        std::string bytes_;
        std::vector<std::size_t> begins_;
        std::uint64_t operations_ = 0;  // at least those of the batches that are there
        std::uint64_t committed_ = 0;
    };
    /// What an operation counts for in the backlog and in a batch.
    [[nodiscard]] static std::uint64_t bytes_of(const WriteOp& op) noexcept;
    /// A transaction is closed when its payloads have this much, so that one batch neither holds
    /// the next back for long nor runs into LMDB's bound of dirty pages.
    static constexpr std::uint64_t kFullBatchBytes = std::uint64_t{16} << 20;
    struct Queue {
        std::vector<Submission> waiting;
        std::optional<Quotas> quotas;  // from now on, when there are new ones
        std::uint64_t bursts = 0;      // of those that will hand over more
        bool stopping = false;
        bool stopped = false;  // the thread has ended, or there never was one
    };

    /// A batch that is in the journal, and announced when the disk has it.
    struct Flight {
        core::SteadyTime began;
        std::uint64_t number = 0;  // of its record
        std::shared_ptr<CommittedBatch> batch;
        StoreStats figures;
        core::Millis ttl{0};
    };
    /// Of the batch that is being applied.
    struct Growth {
        std::uint64_t bytes = 0;
        bool in_burst = false;   // there was one when it was taken, or since
        core::SteadyTime until;  // waiting for more ends
    };
    /// What the commit thread waits for, so that it is woken for nothing else: while the disk works
    /// it does not have to hear of every operation.
    enum class Awaits : std::uint8_t { nothing, work, more, place, landing };
    /// What the second thread has to do. A batch may be put behind the one that flies.
    struct Flights {
        std::optional<Flight> flying;  // the disk works for it
        std::optional<Flight> next;
        bool landing = false;  // one that the disk has is being announced
        bool no_more = false;
        std::optional<std::string> failure;  // why the disk has not taken what flies
        [[nodiscard]] std::size_t count() const noexcept {
            return std::size_t{flying.has_value()} + std::size_t{next.has_value()};
        }
        [[nodiscard]] bool landed() const noexcept { return !flying && !landing; }
    };

    /// With the mutex: there is something that may be taken.
    [[nodiscard]] bool has_work() const noexcept;
    /// With the mutex: what the commit thread waits for is there.
    [[nodiscard]] bool has_come() const noexcept;
    /// With the mutex: the commit thread waits for what is submitted, and is to look at it.
    [[nodiscard]] bool is_awaited() const noexcept {
        return (awaits_ == Awaits::work || awaits_ == Awaits::more) && has_come();
    }
    void begin_threads();
    void run();
    /// Waits until there is something to do, or for a while.
    void await_work();
    /// Moves what waits into `taken`; false when there is nothing left and the end has come.
    bool take(std::vector<Submission>& taken);
    void process(std::vector<Submission>& taken);
    /// Applies operations from `begin` on; returns where the next batch begins.
    std::size_t process_batch(std::vector<Submission>& taken, std::size_t begin);
    void commit(std::span<Committed> operations);

    // Deferred commits (deferred_commits.cpp).
    /// Applies the batch and appends it to the journal, without a commit; it is announced when the
    /// disk has it. False when that cannot be: nothing of it has happened, and nothing is deferred
    /// any more.
    [[nodiscard]] bool defer(std::shared_ptr<CommittedBatch>& batch, std::uint64_t bytes,
                             core::SteadyTime began) noexcept;
    [[nodiscard]] bool may_defer(const CommittedBatch& batch, std::uint64_t bytes);
    /// So that it is better to commit everything before it is announced than to have them wait.
    [[nodiscard]] bool readers_are_many();
    void touch(const Committed& committed) noexcept;
    /// Whether a transaction may be opened for what is to be deferred.
    [[nodiscard]] bool may_open();
    /// Applies it, and what joins it meanwhile, and appends it to the journal; false when nothing
    /// came of it. Throws what WriteBatch and the journal do.
    [[nodiscard]] bool apply_deferred(CommittedBatch& batch, std::uint64_t bytes);
    /// In a burst: what has been submitted meanwhile, or is about to be, joins the batch; false
    /// when there is nothing, or nothing that may.
    [[nodiscard]] bool grow(CommittedBatch& batch, Growth& growth);
    /// A batch with so many operations does not grow.
    [[nodiscard]] std::size_t most_of_burst() const noexcept;
    /// With the mutex: all that waits may join the batch, and comes to so many bytes then.
    [[nodiscard]] std::optional<std::uint64_t> bytes_with_waiting(const CommittedBatch& batch,
                                                                  std::uint64_t bytes) const;
    /// After a failure on the way: the batch as it was before, and what is deferred committed.
    void undo_last(CommittedBatch& batch) noexcept;
    /// Wakes the second thread for a batch that is about to depart, so that it does so while the
    /// batch is being applied.
    void call();
    void call_off() noexcept;
    void depart(Flight&& flight);
    /// The second thread.
    void run_flights();
    void await_departure(std::unique_lock<std::mutex>& lock);
    void land(Flight&& flight);
    /// Waits until nothing is in flight.
    void await_landing() noexcept { await_flights(Awaits::landing); }
    /// Until another may depart, or all have landed. Readers are kept waiting for a moment only:
    /// then what has been announced is committed without what is in flight.
    void await_flights(Awaits what) noexcept;
    void refuse_flights(std::unique_lock<std::mutex> lock) noexcept;
    /// All that is deferred is committed when it returns, or the store has failed.
    void settle() noexcept;
    /// After the transaction was lost: applies what has been deferred again, the first `announced`
    /// batches in a transaction that is committed and the others in one that stays open.
    void recover_deferred(std::size_t announced) noexcept;
    void apply_deferred_again(std::size_t batches, bool commit);
    void show_deferred(std::size_t batches) noexcept;
    [[nodiscard]] bool is_overdue() const;
    /// What is deferred has found no room, and is in no transaction.
    [[nodiscard]] bool is_stranded() const noexcept {
        return !deferred_.empty() && !batch_.is_open();
    }

    /// What came of them is put into `encoder_`; false when nothing did.
    [[nodiscard]] bool encode(std::span<const Committed> operations);
    /// The transaction goes to the journal, and then to the store's file.
    void write();
    void make_checkpoint_if_due() noexcept;
    /// Frees pages that a checkpoint pins, so that the operations can be tried again; false when
    /// there are none.
    [[nodiscard]] bool make_room(std::span<Committed> operations) noexcept;
    /// What cannot be written or synced ends all writing; `what` is a sentence's end.
    void give_up(std::string_view what) noexcept;
    /// Applies them in a transaction of their own; those that cannot be done are left out.
    void apply(std::span<Committed> operations);
    /// As far as one that cannot be finished, and was not known to be one: its index. The
    /// transaction has been aborted then.
    [[nodiscard]] std::optional<std::size_t> apply_all_but(std::span<Committed> operations,
                                                           const std::vector<bool>& left_out);
    /// After damage that cannot be put down to one operation: each half for itself, so that what is
    /// damaged stops those who need it and nobody else.
    void commit_apart(std::span<Committed> operations, const char* why);
    /// After an abort: the operations as they were before they were applied. Throws std::bad_alloc,
    /// and can be called again then.
    static void take_back(std::span<Committed> operations);
    /// Nothing of them has happened, for a reason that is no fault of the disk.
    void fail(std::span<Committed> operations, const char* why);
    static void fail_all(std::span<Committed> operations, core::ErrorCode code);
    /// Why nothing may be written at present; nothing: it may.
    [[nodiscard]] std::optional<core::ErrorCode> refusal() const noexcept;
    /// The whole batch fails, and everybody is told. Who hears of it must not look for messages
    /// that nobody was told of, so it says the same newest message as the one before.
    void refuse(std::shared_ptr<CommittedBatch> batch, core::ErrorCode code);
    /// Sets the state, and says in the log when the store is full and when it has room again.
    /// `surprise`: the system's word for a lack of room that had not shown before.
    void enter(StoreState state, std::string_view surprise = {});
    [[nodiscard]] StoreStats gather_figures() const;
    void publish(const StoreStats& figures, core::Millis ttl);
    void publish_figures() { publish(gather_figures(), batch_.ttl()); }
    void announce(std::shared_ptr<CommittedBatch> batch);
    void sync_if_due();
    /// Looks whether the file is still there and whole; without it nothing is acknowledged.
    void look_at_file();
    /// Full or not, by what was measured last. What was full is so until there is ample room.
    void judge_room();
    /// Nobody has written for a while: whether there is room shows all the same.
    void look_at_room();
    void watch_readers();
    /// A batch with room for so many operations, which gives what is put into it back to the
    /// backlog when the last who holds it lets go. Waits for memory.
    [[nodiscard]] std::shared_ptr<CommittedBatch> make_batch(std::uint64_t operations);
    /// The batch was made by `make_batch` and has room for them.
    static void put_into(CommittedBatch& batch, std::span<Submission> submissions,
                         std::uint64_t bytes) noexcept;
    static void refuse(Submission& submission);

    Environment& env_;
    const StoreOptions& options_;
    const core::Clock& clock_;
    mutable StoreClock store_clock_;
    Checkpointer checkpoints_;  // this and what follows: the thread's own
    BatchEncoder encoder_;
    WriteBatch batch_;
    CommitListener* listener_ = nullptr;
    bool taken_in_burst_ = false;  // the thread's own: there was one when the queue was taken
    bool unsynced_ = false;        // the thread's own; relaxed durability only
    const std::uint64_t head_at_start_;
    std::uint64_t commits_ = 0;  // the thread's own
    struct Full {
        core::SteadyTime last;
        bool surprising = false;
    };
    std::optional<Full> full_;  // until the log says that it has room again
    // The thread's own: what fails again and again must not fill the log.
    core::LogLimit refusals_{1, core::Millis(10'000)};
    core::LogLimit failed_syncs_{1, core::Millis(10'000)};
    core::SteadyTime last_sync_;
    core::SteadyTime next_look_at_room_{core::SteadyTime::min()};
    ReaderWatch readers_;
    DeferredBatches deferred_;     // the thread's own, as what follows
    core::SteadyTime open_since_;  // of the transaction that is kept open
    // Readers who had to be shown everything, or would have had to: in the interval before this
    // one, and when this one began.
    std::uint64_t reads_before_ = 0;
    std::uint64_t reads_counted_ = 0;
    core::SteadyTime reads_counted_at_;
    mutable ReadGate gate_;

    std::mutex mutex_;
    std::condition_variable wake_;
    Awaits awaits_ = Awaits::nothing;    // guarded by mutex_
    std::condition_variable departure_;  // what the second thread waits for
    Queue queue_;                        // guarded by mutex_
    Flights flights_;                    // guarded by mutex_
    /// The second thread is to look for a batch that is not there yet. Changed with `mutex_`, and
    /// read without it by that thread while it looks.
    std::atomic<bool> called_{false};
    std::thread thread_;
    std::thread flight_thread_;

    // Counters that anybody may read; they trail the queue by a moment.
    const std::shared_ptr<Backlog> backlog_;
    std::atomic<StoreState> store_state_{StoreState::ok};
    std::atomic<std::uint64_t> head_;
    std::atomic<std::int64_t> ttl_ms_;
    std::atomic<core::SteadyTime::rep> busy_since_{0};    // 0: it is not
    std::atomic<core::SteadyTime::rep> flying_since_{0};  // 0: nothing is in flight
    core::Histogram<core::kBatchBounds> batch_operations_;
    core::Histogram<core::kLatencyBounds> batch_duration_;
    core::Counter failed_batches_;
    mutable std::mutex figures_mutex_;
    // Guarded by figures_mutex_.
    StoreStats figures_;  // but for the readers
    ReaderWatch::Finding oldest_reader_;
};

}  // namespace agentcom::store

#include "store/commit_pipeline.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <utility>

#include "agentcom/core/memory.hpp"

namespace agentcom::store {
namespace {

/// Without writes, how long it takes until it shows that the file is gone.
constexpr std::chrono::seconds kLookInterval{1};
/// And until it shows that there is no room, or room again.
constexpr std::chrono::seconds kRoomInterval{5};
/// Writes that are refused in spite of room that a look finds: it is believed when none was for so
/// long.
constexpr std::chrono::seconds kQuiet{10};
/// So many operations take about as long to be applied as a disk takes for a sync.
constexpr std::size_t kMany = 64;

bool is_new(const StateRow& state) {
    return state.head == core::Seq{} && state.clock.wall == core::Timestamp{};
}

/// What it holds counts in the backlog until it goes.
struct CountedBatch final : CommittedBatch {
    CountedBatch() = default;
    ~CountedBatch() {
        operations = {};
        if (backlog) backlog->give_back(count, bytes);
    }
    CountedBatch(const CountedBatch&) = delete;
    CountedBatch& operator=(const CountedBatch&) = delete;

    std::shared_ptr<Backlog> backlog;
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
};

void complete(const Completion& completion, const WriteResult& result) {
    if (!completion) return;
    try {
        completion(result);
    } catch (const std::exception& error) {
        spdlog::error("a completion of the commit pipeline threw: {}", error.what());
    }
}

}  // namespace

CommitPipeline::CommitPipeline(Environment& env, const StoreOptions& options,
                               const core::Clock& clock, Epochs epochs, StateRow state,
                               std::optional<std::uint64_t> stored_ttl, ReadNotes& notes,
                               std::uint64_t next_number)
    : env_(env),
      options_(options),
      clock_(clock),
      store_clock_(clock, is_new(state) ? std::nullopt : std::optional(state.clock),
                   options.max_time_away),
      checkpoints_(env, options, clock, next_number),
      batch_(env, options, std::move(epochs), state, stored_ttl, notes),
      head_at_start_(state.head.value),
      last_sync_(clock.steady()),
      readers_(env, clock),
      gate_([this] {
          { const std::lock_guard lock(mutex_); }  // it is not between a look and a wait
          wake_.notify_one();
      }),
      backlog_(std::make_shared<Backlog>(options.max_queued_operations, options.max_queued_bytes)),
      head_(state.head.value),
      ttl_ms_(batch_.ttl().count()) {
    batch_.on_no_room([this] {
        try {
            return checkpoints_.advance();
        } catch (const JournalError& error) {
            // Not even for that: what makes room by itself must not be refused.
            if (!error.is_full()) throw;
            return false;
        }
    });
    batch_.measure_room();
    // Nobody has been refused yet: whoever comes with a large message would be.
    const bool on_the_brink = batch_.room() < batch_.ample_room();
    enter(batch_.short_of_room() || on_the_brink ? StoreState::full : StoreState::ok);
    look_at_file();
    publish_figures();
}

CommitPipeline::~CommitPipeline() { stop(); }

void CommitPipeline::start(CommitListener* listener) {
    const std::lock_guard lock(mutex_);
    if (thread_.joinable() || queue_.stopping) return;
    listener_ = listener;
    backlog_->tell(listener);
    begin_threads();
}

void CommitPipeline::begin_threads() {
    // It is there already when the other could not be begun the last time.
    if (!flight_thread_.joinable()) flight_thread_ = std::thread([this] { run_flights(); });
    thread_ = std::thread([this] { run(); });
}

void CommitPipeline::stop() {
    {
        const std::lock_guard lock(mutex_);
        if (queue_.stopped) return;
        queue_.stopping = true;
        // Even if nobody started it, what was submitted is committed.
        if (!thread_.joinable()) begin_threads();
    }
    wake_.notify_one();
    thread_.join();
    {
        const std::lock_guard lock(mutex_);
        flights_.no_more = true;
    }
    departure_.notify_one();
    flight_thread_.join();
    backlog_->tell(nullptr);
    const std::lock_guard lock(mutex_);
    queue_.stopped = true;
}

std::uint64_t CommitPipeline::bytes_of(const WriteOp& op) noexcept {
    constexpr std::uint64_t kBesidesPayload = 256;
    const auto* append = std::get_if<AppendMessage>(&op);
    return kBesidesPayload + (append != nullptr ? append->draft.payload.text.size() : 0);
}

void CommitPipeline::refuse(Submission& submission) {
    complete(submission.completion, WriteResult(core::Error(core::ErrorCode::shutting_down)));
}

void CommitPipeline::submit(std::vector<Submission>&& submissions) {
    std::uint64_t bytes = 0;
    for (const Submission& submission : submissions) bytes += bytes_of(submission.op);
    bool awaited = false;
    {
        std::unique_lock lock(mutex_);
        if (queue_.stopping) {
            lock.unlock();
            for (Submission& submission : submissions) refuse(submission);
            return;
        }
        const std::size_t count = submissions.size();
        if (queue_.waiting.empty()) {
            queue_.waiting.swap(submissions);
        } else {
            queue_.waiting.insert(queue_.waiting.end(),
                                  std::make_move_iterator(submissions.begin()),
                                  std::make_move_iterator(submissions.end()));
        }
        backlog_->take(count, bytes);
        awaited = is_awaited();
    }
    submissions.clear();
    if (awaited) wake_.notify_one();
}

void CommitPipeline::submit(Submission&& submission) {
    const std::uint64_t bytes = bytes_of(submission.op);
    bool awaited = false;
    {
        std::unique_lock lock(mutex_);
        if (queue_.stopping) {
            lock.unlock();
            refuse(submission);
            return;
        }
        queue_.waiting.push_back(std::move(submission));
        backlog_->take(1, bytes);
        awaited = is_awaited();
    }
    if (awaited) wake_.notify_one();
}

void CommitPipeline::begin_burst() {
    const std::lock_guard lock(mutex_);
    ++queue_.bursts;
}

void CommitPipeline::end_burst() noexcept {
    bool awaited = false;
    {
        const std::lock_guard lock(mutex_);
        --queue_.bursts;
        awaited = is_awaited();
    }
    if (awaited) wake_.notify_one();
}

void CommitPipeline::set_quotas(const Quotas& quotas) {
    const std::lock_guard lock(mutex_);
    queue_.quotas = quotas;
}

StoreStats CommitPipeline::stats() const {
    StoreStats stats;
    {
        const std::lock_guard lock(figures_mutex_);
        stats = figures_;
        stats.reader_lag = oldest_reader_.oldest.lag;
        stats.reader_pid = oldest_reader_.oldest.pid;
        stats.reader_is_late = oldest_reader_.late;
    }
    stats.queue_depth = backlog_->operations();
    stats.damaged = env_.damage().count();
    return stats;
}

CommitFigures CommitPipeline::figures() const {
    return {.operations = batch_operations_.read(),
            .duration = batch_duration_.read(),
            .failed_batches = failed_batches_.value()};
}

std::optional<core::SteadyTime> CommitPipeline::busy_since() const noexcept {
    const auto busy = busy_since_.load(std::memory_order_relaxed);
    const auto flying = flying_since_.load(std::memory_order_relaxed);
    const auto ticks = busy == 0 || (flying != 0 && flying < busy) ? flying : busy;
    if (ticks == 0) return std::nullopt;
    return core::SteadyTime(core::SteadyTime::duration(ticks));
}

void CommitPipeline::run() {
    std::vector<Submission> taken;
    while (take(taken)) {
        // A batch looks at them itself.
        if (taken.empty()) {
            const Busy busy(busy_since_);
            look_at_file();
            if (is_stranded()) settle();
            look_at_room();
        }
        process(taken);
        taken.clear();
        sync_if_due();
        make_checkpoint_if_due();
    }
    settle();
    if (unsynced_) {
        last_sync_ = core::SteadyTime::min();
        sync_if_due();
    }
    // What could not be committed is applied from the journal by the next start.
    if (store_state_ == StoreState::failed || !deferred_.empty()) return;
    try {
        checkpoints_.close();
    } catch (const std::exception& error) {
        give_up(error.what());
    }
}

void CommitPipeline::await_work() {
    core::SteadyTime::duration longest = kLookInterval;
    if (unsynced_) longest = last_sync_ + options_.sync_interval - clock_.steady();
    if (batch_.is_open()) longest = std::min<core::SteadyTime::duration>(longest, kLongestOpen);
    if (longest.count() <= 0) return;
    std::unique_lock lock(mutex_);
    awaits_ = Awaits::work;
    wake_.wait_for(lock, longest, [this] {
        return queue_.stopping || has_come() || (batch_.is_open() && gate_.is_wanted());
    });
    awaits_ = Awaits::nothing;
}

bool CommitPipeline::has_work() const noexcept {
    // What comes while the disk works makes one batch. When that has become large, applying it
    // takes as long as the disk does, and need not wait for it.
    if (flights_.landed()) return !queue_.waiting.empty();
    return !flights_.next && queue_.waiting.size() >= kMany;
}

bool CommitPipeline::has_come() const noexcept {
    if (flights_.failure) return true;
    switch (awaits_) {
        case Awaits::nothing:
            return false;
        case Awaits::work:
            return has_work();
        case Awaits::more:
            return !queue_.waiting.empty() || queue_.bursts == 0;
        case Awaits::place:
            return !flights_.next;
        case Awaits::landing:
            return flights_.landed();
    }
    return false;
}

bool CommitPipeline::take(std::vector<Submission>& taken) {
    await_work();
    std::unique_lock lock(mutex_);
    if (flights_.failure || !has_work()) {
        lock.unlock();
        await_landing();
        lock.lock();
    }
    if (batch_.is_open() && (queue_.waiting.empty() || gate_.is_wanted())) {
        lock.unlock();
        settle();
        lock.lock();
    }
    taken.swap(queue_.waiting);
    taken_in_burst_ = queue_.bursts > 0;
    if (queue_.quotas) batch_.set_quotas(*std::exchange(queue_.quotas, std::nullopt));
    return !taken.empty() || !queue_.stopping;
}

void CommitPipeline::process(std::vector<Submission>& taken) {
    for (std::size_t begin = 0; begin < taken.size();) begin = process_batch(taken, begin);
}

std::size_t CommitPipeline::process_batch(std::vector<Submission>& taken, std::size_t begin) {
    const Busy busy(busy_since_);
    const std::uint64_t commits_before = commits_;
    std::uint64_t bytes = 0;
    std::size_t end = begin;
    while (end < taken.size() && end - begin < options_.max_batch_operations &&
           bytes < kFullBatchBytes) {
        bytes += bytes_of(taken[end++].op);
    }
    std::shared_ptr<CommittedBatch> batch = make_batch(end - begin);
    put_into(*batch, std::span(taken).subspan(begin, end - begin), bytes);
    await_flights(Awaits::place);
    look_at_file();
    if (defer(batch, bytes, busy.began())) return end;
    settle();
    if (!refusal()) {
        commit(batch->operations);
        look_at_file();
    }
    // Also what was committed into a file that is gone by now: that is on no disk.
    if (const auto code = refusal()) {
        refuse(std::move(batch), *code);
        return end;
    }
    batch->head = batch_.committed().head;
    batch->time = batch_.time();
    watch_readers();
    make_checkpoint_if_due();
    publish_figures();
    batch_operations_.observe(batch->operations.size());
    batch_duration_.observe(busy.nanoseconds());
    if (commits_ == commits_before) failed_batches_.add();
    announce(std::move(batch));
    return end;
}

std::shared_ptr<CommittedBatch> CommitPipeline::make_batch(std::uint64_t operations) {
    // Answers travel in it, so that without it nobody can be told of anything.
    return core::when_memory_allows([&]() -> std::shared_ptr<CommittedBatch> {
        auto batch = std::make_shared<CountedBatch>();
        batch->operations.reserve(operations);
        batch->backlog = backlog_;
        return batch;
    });
}

void CommitPipeline::put_into(CommittedBatch& batch, std::span<Submission> submissions,
                              std::uint64_t bytes) noexcept {
    for (Submission& submission : submissions) {
        batch.operations.push_back(Committed{std::move(submission.op), WriteValue(Done{}),
                                             std::move(submission.completion), submission.origin});
    }
    auto& counted = static_cast<CountedBatch&>(batch);
    counted.count += submissions.size();
    counted.bytes += bytes;
}

void CommitPipeline::watch_readers() {
    try {
        const ReaderWatch::Finding& found = readers_.look();
        const std::lock_guard lock(figures_mutex_);
        oldest_reader_ = found;
    } catch (const std::exception& error) {
        spdlog::error("the readers of the store cannot be looked at: {}", error.what());
    }
}

void CommitPipeline::enter(StoreState state, std::string_view surprise) {
    // Each is said once. Where a look at the disk finds room that writes do not get, it is over
    // when nothing was refused for a while.
    const core::SteadyTime now = clock_.steady();
    if (state == StoreState::full) {
        if (!full_) {
            spdlog::warn(
                "the store is full, sends are refused, reads go on: {}",
                surprise.empty() ? "the disk or store.map_size has no room for more" : surprise);
        }
        full_ = Full{now, !surprise.empty() || (full_ && full_->surprising)};
    } else if (state == StoreState::ok && full_ &&
               (!full_->surprising || now - full_->last >= kQuiet)) {
        spdlog::info("the store has room again, sends are taken");
        full_.reset();
    }
    store_state_ = state;
}

StoreStats CommitPipeline::gather_figures() const {
    const StateRow& state = batch_.committed();
    StoreStats figures;
    figures.log_puts = state.head.value - head_at_start_;
    figures.commits = commits_;
    figures.first_seq = state.first;
    figures.head_seq = state.head;
    figures.messages = state.head.value + 1 - state.first.value;
    figures.log_bytes = state.log_bytes;
    figures.kept_bytes = state.kept_bytes;
    figures.channels = state.channels;
    figures.unclaimed_mailboxes = state.unclaimed_mailboxes;
    figures.feed_entries = batch_.postings().entries_written();
    figures.feed_puts = batch_.postings().puts();
    figures.file_bytes = env_.file_bytes();
    figures.room_bytes = batch_.room();
    return figures;
}

void CommitPipeline::publish(const StoreStats& figures, core::Millis ttl) {
    head_ = figures.head_seq.value;
    ttl_ms_ = ttl.count();
    const std::lock_guard lock(figures_mutex_);
    figures_ = figures;
}

void CommitPipeline::announce(std::shared_ptr<CommittedBatch> batch) {
    for (const Committed& committed : batch->operations) {
        if (committed.origin == kNoLoop || listener_ == nullptr) {
            complete(committed.completion, committed.result);
        }
    }
    if (listener_ != nullptr) listener_->on_committed(std::move(batch));
}

void CommitPipeline::look_at_file() {
    if (store_state_ == StoreState::failed) return;
    core::say_if_possible([&] {
        const auto trouble = env_.trouble();
        if (!trouble) return;
        store_state_ = StoreState::failed;
        spdlog::critical(*trouble);
    });
}

void CommitPipeline::judge_room() {
    const bool still_full = store_state_ == StoreState::full && batch_.room() < batch_.ample_room();
    enter(batch_.short_of_room() || still_full ? StoreState::full : StoreState::ok);
}

void CommitPipeline::look_at_room() {
    const core::SteadyTime now = clock_.steady();
    if (store_state_ == StoreState::failed || is_stranded() || now < next_look_at_room_) return;
    next_look_at_room_ = now + kRoomInterval;
    // What the system refuses although there seems to be room is left to the next write.
    if (full_ && full_->surprising && now - full_->last < kQuiet) return;
    core::say_if_possible([&] {
        env_.ask_disk_anew();
        batch_.measure_room();
        judge_room();
        publish_figures();
    });
}

void CommitPipeline::sync_if_due() {
    // After the end `last_sync_` is the earliest time there is, so nothing is added to it.
    if (!unsynced_ || clock_.steady() - options_.sync_interval < last_sync_) return;
    settle();
    const Busy busy(busy_since_);
    try {
        checkpoints_.journal().sync();
    } catch (const JournalError& error) {
        core::say_if_possible([&] {
            if (const auto line = failed_syncs_.admit(clock_.steady())) {
                spdlog::critical("the disk does not take what was committed: {}{}", error.what(),
                                 line->note());
            }
        });
        store_state_ = StoreState::failed;
    }
    unsynced_ = false;
    last_sync_ = clock_.steady();
}

}  // namespace agentcom::store

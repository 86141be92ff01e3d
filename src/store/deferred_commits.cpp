// The part of CommitPipeline that defers commits: batches that nobody reads yet are in the journal
// and announced, and lie in LMDB's open transaction until somebody reads, or a few milliseconds
// have passed. What it saves is what LMDB does for each commit, above all new pages for those that
// the batch before has changed.

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <exception>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <variant>

#include "agentcom/core/memory.hpp"
#include "store/commit_pipeline.hpp"
#include "store/replay.hpp"

namespace agentcom::store {
namespace {

using std::chrono::steady_clock;

/// How long it is until readers are counted anew.
constexpr std::chrono::milliseconds kReadsInterval{100};
/// What is deferred is at most as much as can be applied again within some ten milliseconds.
constexpr std::uint64_t kMostOperations = 4'096;
constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 20;
/// A batch does not grow further than this, so that the first who sent it do not wait for ever.
constexpr std::size_t kMostOfBurst = 2'048;
/// Nor does it wait any longer than so many waits take, however many others there are who hand over
/// a little each time.
constexpr int kMostWaits = 10;
/// On the machines of docs/performance.md a batch of so few operations is applied before another
/// thread is awake.
constexpr std::size_t kLone = 4;
/// That thread waits so long for such a batch before it sleeps again.
constexpr std::chrono::microseconds kLongestCall{30};
/// A sync that takes longer is not waited for by readers.
constexpr std::chrono::milliseconds kSlowSync{5};
/// Far more than the largest transaction can take.
constexpr std::uint64_t kAmpleRoom = std::uint64_t{512} << 20;
/// What an operation takes in the journal besides its payload, generously.
constexpr std::uint64_t kMostBytesOfOperation = 2'048;

/// Operations that come by the thousand. All others are rare, and what they change is looked up by
/// reads that pass no gate (Store::Impl::read_settled).
bool is_deferrable(const WriteOp& op) noexcept {
    return std::holds_alternative<AppendMessage>(op) || std::holds_alternative<AckMailbox>(op) ||
           std::holds_alternative<MarkRead>(op) || std::holds_alternative<MarkShown>(op);
}

}  // namespace

bool CommitPipeline::may_defer(const CommittedBatch& batch, std::uint64_t bytes) {
    if (store_state_ != StoreState::ok) return false;
    if (!options_.defer_commits || gate_.is_wanted() || readers_are_many()) return false;
    const std::uint64_t longest = bytes + batch.operations.size() * kMostBytesOfOperation;
    if (!checkpoints_.has_room(longest)) return false;
    return std::ranges::all_of(
        batch.operations, [](const Committed& committed) { return is_deferrable(committed.op); });
}

bool CommitPipeline::readers_are_many() {
    const core::SteadyTime now = steady_clock::now();
    const std::uint64_t reads = gate_.passed();
    if (now - reads_counted_at_ >= kReadsInterval) {
        reads_before_ = reads - std::exchange(reads_counted_, reads);
        reads_counted_at_ = now;
    }
    return std::max(reads_before_, reads - reads_counted_) > options_.reads_that_wait;
}

bool CommitPipeline::may_open() {
    if (store_state_ != StoreState::ok) return false;
    // The room that it finds must last: LMDB could refuse to commit what has been announced.
    env_.ask_disk_anew();
    batch_.measure_room();
    open_since_ = steady_clock::now();
    return batch_.room() >= kAmpleRoom;
}

bool CommitPipeline::is_overdue() const {
    return deferred_.operations() >= kMostOperations || deferred_.bytes() >= kMostBytes ||
           steady_clock::now() - open_since_ >= kLongestOpen;
}

void CommitPipeline::touch(const Committed& committed) noexcept {
    if (!committed.result) return;
    if (const auto* ack = std::get_if<AckMailbox>(&committed.op)) {
        gate_.touch_mailbox(ack->agent.str());
    } else if (const auto* read = std::get_if<MarkRead>(&committed.op)) {
        gate_.touch_mailbox(read->agent.str());
    } else if (const auto* shown = std::get_if<MarkShown>(&committed.op)) {
        gate_.touch_mailbox(shown->agent.str());
    } else if (const auto* appended = std::get_if<Appended>(&*committed.result)) {
        const auto* to = std::get_if<core::ToAgent>(&appended->message->draft.to);
        // Who reads a broadcast or a channel is not known here.
        to != nullptr ? gate_.touch_mailbox(to->agent.str()) : gate_.touch_all();
    } else {
        gate_.touch_all();
    }
}

std::size_t CommitPipeline::most_of_burst() const noexcept {
    return std::min(kMostOfBurst, options_.max_batch_operations);
}

std::optional<std::uint64_t> CommitPipeline::bytes_with_waiting(const CommittedBatch& batch,
                                                                std::uint64_t bytes) const {
    const std::size_t operations = batch.operations.size() + queue_.waiting.size();
    // They wait for new quotas, which come into force with the next batch.
    if (operations > most_of_burst() || queue_.quotas) return {};
    for (const Submission& submission : queue_.waiting) {
        if (!is_deferrable(submission.op)) return {};
        bytes += bytes_of(submission.op);
    }
    if (bytes > kFullBatchBytes) return {};
    if (!checkpoints_.has_room(bytes + operations * kMostBytesOfOperation)) return {};
    return bytes;
}

bool CommitPipeline::grow(CommittedBatch& batch, Growth& growth) {
    // So large, too, is every batch behind which there is more of what was taken with it.
    if (batch.operations.size() >= most_of_burst() || growth.bytes >= kFullBatchBytes) return false;
    std::vector<Submission> joining;
    std::optional<std::uint64_t> bytes;
    {
        std::unique_lock lock(mutex_);
        // What comes by itself makes a batch of its own, which overlaps with this one.
        growth.in_burst = growth.in_burst || queue_.bursts > 0;
        if (!growth.in_burst) return false;
        awaits_ = Awaits::more;
        wake_.wait_until(
            lock, std::min(growth.until, steady_clock::now() + options_.longest_wait_for_burst),
            [this] { return has_come() || queue_.stopping || gate_.is_wanted(); });
        awaits_ = Awaits::nothing;
        for (;;) {
            if (queue_.waiting.empty() || gate_.is_wanted()) return false;
            bytes = bytes_with_waiting(batch, growth.bytes);
            if (!bytes) return false;
            const std::size_t needed = batch.operations.size() + queue_.waiting.size();
            if (needed <= batch.operations.capacity()) break;
            // Before they are taken, so that none is lost for lack of memory.
            lock.unlock();
            batch.operations.reserve(std::max(needed, 2 * batch.operations.capacity()));
            lock.lock();
        }
        joining.swap(queue_.waiting);
    }
    put_into(batch, joining, *bytes - growth.bytes);
    growth.bytes = *bytes;
    return true;
}

bool CommitPipeline::apply_deferred(CommittedBatch& batch, std::uint64_t bytes) {
    batch_.begin(store_clock_.read());
    Growth growth{bytes, taken_in_burst_,
                  steady_clock::now() + kMostWaits * options_.longest_wait_for_burst};
    std::size_t applied = 0;
    do {
        for (; applied < batch.operations.size(); ++applied) {
            Committed& committed = batch.operations[applied];
            committed.result = batch_.apply(committed.op);
        }
    } while (grow(batch, growth));
    if (!encode(batch.operations)) return false;
    for (const Committed& committed : batch.operations) touch(committed);
    batch_.complete();
    deferred_.add(encoder_.bytes(), batch.operations.size());
    try {
        checkpoints_.append_only(encoder_.bytes());
    } catch (...) {
        deferred_.drop_last();
        throw;
    }
    return true;
}

bool CommitPipeline::defer(std::shared_ptr<CommittedBatch>& batch, std::uint64_t bytes,
                           core::SteadyTime began) noexcept {
    bool changes = false;
    try {
        if (!may_defer(*batch, bytes)) return false;
        if (batch_.is_open() && is_overdue()) settle();
        if (!batch_.is_open() && !may_open()) return false;
        if (options_.durability == Durability::commit && batch->operations.size() <= kLone) call();
        changes = apply_deferred(*batch, bytes);
    } catch (const JournalError& error) {
        undo_last(*batch);
        if (!error.is_full()) give_up(error.what());
        return false;
    } catch (const std::exception&) {
        // Done by itself it comes to what it comes to.
        undo_last(*batch);
        return false;
    }
    if (changes) {
        batch_.keep_open();
    } else if (deferred_.empty()) {
        batch_.drop();
    }
    ++commits_;
    batch->head = batch_.committed().head;
    batch->time = batch_.time();
    watch_readers();
    if (!changes) {
        call_off();
        // It may say what came of one that flies, and is told of after it.
        await_landing();
        if (const auto code = refusal()) {
            refuse(std::move(batch), *code);
        } else {
            announce(std::move(batch));
        }
        return true;
    }
    Flight flight{began, checkpoints_.journal().next_number() - 1, std::move(batch),
                  gather_figures(), batch_.ttl()};
    if (options_.durability == Durability::relaxed) {
        unsynced_ = true;
        land(std::move(flight));
    } else {
        depart(std::move(flight));
    }
    return true;
}

void CommitPipeline::undo_last(CommittedBatch& batch) noexcept {
    call_off();
    await_landing();
    recover_deferred(deferred_.size());
    // Drafts are copied, and what has failed may have failed for lack of memory.
    core::when_memory_allows([&] { take_back(batch.operations); });
}

void CommitPipeline::call() {
    {
        const std::lock_guard lock(mutex_);
        if (!flights_.landed()) return;  // it looks when it is done
        called_ = true;
    }
    departure_.notify_one();
}

void CommitPipeline::call_off() noexcept {
    const std::lock_guard lock(mutex_);
    called_ = false;
}

void CommitPipeline::depart(Flight&& flight) {
    {
        const std::lock_guard lock(mutex_);
        if (!flights_.flying) {
            flying_since_.store(flight.began.time_since_epoch().count(), std::memory_order_relaxed);
        }
        (flights_.flying ? flights_.next : flights_.flying) = std::move(flight);
        called_ = false;
    }
    departure_.notify_one();
}

void CommitPipeline::land(Flight&& flight) {
    gate_.announce();
    publish(flight.figures, flight.ttl);
    batch_operations_.observe(flight.batch->operations.size());
    const auto time = std::chrono::nanoseconds(steady_clock::now() - flight.began);
    batch_duration_.observe(static_cast<std::uint64_t>(time.count()));
    announce(std::move(flight.batch));
}

void CommitPipeline::await_departure(std::unique_lock<std::mutex>& lock) {
    const auto departs = [this] {
        return (flights_.flying && !flights_.failure) || flights_.no_more;
    };
    for (;;) {
        departure_.wait(lock, [&] { return departs() || called_; });
        if (departs()) return;
        lock.unlock();
        const core::SteadyTime until = steady_clock::now() + kLongestCall;
        while (called_ && steady_clock::now() < until) std::this_thread::yield();
        lock.lock();
        called_ = false;
    }
}

void CommitPipeline::run_flights() {
    std::unique_lock lock(mutex_);
    for (;;) {
        await_departure(lock);
        if (flights_.no_more) return;
        const std::uint64_t number = flights_.flying->number;
        lock.unlock();
        std::optional<std::string> failure;
        try {
            checkpoints_.journal().sync(number);
        } catch (const std::exception& error) {
            failure.emplace();
            core::say_if_possible([&] { *failure = error.what(); });
        }
        lock.lock();
        if (failure) {
            flights_.failure = std::move(failure);
        } else {
            Flight landed = std::move(*flights_.flying);
            flights_.flying = std::exchange(flights_.next, std::nullopt);
            flights_.landing = true;
            if (has_come()) wake_.notify_one();
            lock.unlock();
            land(std::move(landed));
            lock.lock();
            flights_.landing = false;
            flying_since_.store(
                flights_.flying ? steady_clock::now().time_since_epoch().count() : 0,
                std::memory_order_relaxed);
        }
        // Who waits for another one to land must not keep the first from readers for so long.
        if (has_come() || awaits_ == Awaits::landing) wake_.notify_one();
    }
}

void CommitPipeline::await_flights(Awaits what) noexcept {
    std::unique_lock lock(mutex_);
    awaits_ = what;
    while (!has_come()) {
        // Those deferred last are in flight. When there are others, readers may wait for them; also
        // for one that the disk has and that is just being announced.
        const std::size_t in_flight = flights_.count();
        if (in_flight == 0 || deferred_.size() <= in_flight || is_stranded()) {
            wake_.wait(lock, [&] { return has_come() || flights_.count() != in_flight; });
            continue;
        }
        const bool wanted = gate_.is_wanted();
        const core::SteadyTime since{core::SteadyTime::duration(flying_since_.load())};
        const core::SteadyTime late = since + (wanted ? kSlowSync : kLongestOpen);
        if (steady_clock::now() < late) {
            wake_.wait_until(lock, late, [&] { return has_come() || gate_.is_wanted() != wanted; });
            continue;
        }
        lock.unlock();
        recover_deferred(deferred_.size() - in_flight);
        lock.lock();
    }
    awaits_ = Awaits::nothing;
    if (flights_.failure) refuse_flights(std::move(lock));
}

void CommitPipeline::refuse_flights(std::unique_lock<std::mutex> lock) noexcept {
    std::array<std::optional<Flight>, 2> failed{std::exchange(flights_.flying, std::nullopt),
                                                std::exchange(flights_.next, std::nullopt)};
    const std::string why = *std::exchange(flights_.failure, std::nullopt);
    flying_since_.store(0, std::memory_order_relaxed);
    lock.unlock();
    // It is unknown what of them the disk has. What came before it has.
    for (const auto& flight : failed) {
        if (flight && !deferred_.empty()) deferred_.drop_last();
    }
    recover_deferred(deferred_.size());
    give_up(why);
    for (auto& flight : failed) {
        if (flight) refuse(std::move(flight->batch), core::ErrorCode::storage_failed);
    }
}

void CommitPipeline::settle() noexcept {
    await_landing();
    if (is_stranded() && store_state_ != StoreState::failed) recover_deferred(deferred_.size());
    if (!batch_.is_open()) return;
    try {
        batch_.commit();
    } catch (const LmdbError& error) {
        // It has been announced, so it is tried once more, whatever the disk is worth.
        recover_deferred(deferred_.size());
        if (error.code() != ENOMEM && !env_.is_out_of_space(error)) give_up(error.what());
        return;
    }
    show_deferred(deferred_.size());
}

void CommitPipeline::apply_deferred_again(std::size_t batches, bool commit) {
    core::when_memory_allows([&] {
        batch_.abort();
        try {
            for (std::size_t i = 0; i < batches; ++i) {
                apply_again(batch_, decode_batch(deferred_[i]), env_.damage());
            }
            if (commit && batch_.is_open()) batch_.commit();
        } catch (const LmdbError& error) {
            if (error.code() == ENOMEM) throw std::bad_alloc();
            throw;
        }
    });
}

void CommitPipeline::recover_deferred(std::size_t announced) noexcept {
    const ApplyRules rules = batch_.rules();
    batch_.take_room_for_granted();
    try {
        apply_deferred_again(announced, true);
        show_deferred(announced);
        apply_deferred_again(deferred_.size(), false);
    } catch (const std::exception& error) {
        batch_.abort();
        const auto* refused = dynamic_cast<const LmdbError*>(&error);
        if (refused != nullptr && env_.is_out_of_space(*refused)) {
            // It is in the journal, and tried again.
            enter(StoreState::full, error.what());
        } else {
            give_up(error.what());
            deferred_.drop_first(deferred_.size());
        }
        // The next start applies it from the journal. Until then readers see what there is.
        gate_.open();
    }
    batch_.take_room_for_granted(false);
    batch_.set_rules(rules);
    // Its room was not measured, so the next batch does not go into it.
    open_since_ = steady_clock::now() - kLongestOpen;
}

void CommitPipeline::show_deferred(std::size_t batches) noexcept {
    deferred_.drop_first(batches);
    gate_.show(deferred_.committed());
    if (deferred_.empty()) gate_.forget_touched();
}

void CommitPipeline::DeferredBatches::add(std::string_view batch, std::uint64_t operations) {
    begins_.push_back(bytes_.size());
    try {
        bytes_.append(batch);
    } catch (...) {
        begins_.pop_back();
        throw;
    }
    operations_ += operations;
}

void CommitPipeline::DeferredBatches::drop_last() {
    bytes_.resize(begins_.back());
    begins_.pop_back();
}

void CommitPipeline::DeferredBatches::drop_first(std::size_t batches) {
    committed_ += batches;
    const std::size_t end = batches < size() ? begins_[batches] : bytes_.size();
    bytes_.erase(0, end);
    begins_.erase(begins_.begin(), begins_.begin() + static_cast<std::ptrdiff_t>(batches));
    for (std::size_t& begin : begins_) begin -= end;
    if (empty()) operations_ = 0;
    // A batch of large messages leaves no such buffer behind.
    if (bytes_.capacity() > 2 * kMostBytes && bytes_.size() < kMostBytes) bytes_.shrink_to_fit();
}

std::string_view CommitPipeline::DeferredBatches::operator[](std::size_t index) const {
    const std::size_t begin = begins_[index];
    const std::size_t end = index + 1 < size() ? begins_[index + 1] : bytes_.size();
    return std::string_view(bytes_).substr(begin, end - begin);
}

}  // namespace agentcom::store

#include "store/checkpointer.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <utility>

#include "agentcom/core/files.hpp"
#include "agentcom/core/token.hpp"

namespace agentcom::store {
namespace {

/// Pages that were freed since the last checkpoint cannot be used again until the next one: the
/// file grows by no more than about this much for that reason.
constexpr std::uint64_t kMostGrowthBytes = std::uint64_t{64} << 20;

StoreStamp new_stamp() {
    StoreStamp stamp;
    for (std::size_t half = 0; half < 2; ++half) {
        const std::uint64_t random = core::random_u64();
        std::memcpy(stamp.data() + half * sizeof random, &random, sizeof random);
    }
    return stamp;
}

core::SteadyTime machine_time() { return std::chrono::steady_clock::now(); }

}  // namespace

Checkpointer::Checkpointer(Environment& env, const StoreOptions& options, const core::Clock& clock,
                           std::uint64_t next_number)
    : env_(env),
      clock_(clock),
      interval_(options.checkpoint_interval),
      segment_bytes_(options.journal_bytes),
      file_(env.directory()),
      stamp_(stamp()),
      pin_([&] {
          // All of it, in the order in which a cut between two steps leaves what the next start
          // needs: the file, what tells of it, and only then the journal that goes on from there.
          env.sync();
          auto pin = std::make_unique<Pin>(env);
          file_.write(checkpoint_of(*pin, JournalStart{0, next_number}));
          core::sync_directory(env.directory() / kJournalDirectory);
          core::sync_directory(env.directory());
          env.let_go();
          return pin;
      }()),
      journal_(env.directory(), stamp_, JournalStart{0, next_number}, segment_bytes_),
      last_begun_(clock.steady()),
      used_at_last_(env.size().used()),
      last_made_(machine_time().time_since_epoch().count()) {
    core::sync_directory(env.directory() / kJournalDirectory);
    env.rely_on_journal();
    thread_ = std::thread([this] { run(); });
}

Checkpointer::~Checkpointer() { end_thread(); }

void Checkpointer::end_thread() {
    {
        const std::lock_guard lock(mutex_);
        shared_.stopping = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

StoreStamp Checkpointer::stamp() const {
    if (env_.began_from()) return env_.began_from()->stamp;
    const StoreStamp made = new_stamp();
    write_stamp(env_.file(), made);
    return made;
}

Checkpoint Checkpointer::checkpoint_of(const Pin& pin, JournalStart start) const {
    return {stamp_, PageImage::read(env_.file(), pin.transaction()), start, false};
}

void Checkpointer::append(std::string_view body) {
    const auto change_segment = [&] {
        if (is_under_way()) wait();
        begin();
    };
    if (!journal_.has_room(body.size())) change_segment();
    try {
        journal_.append(body);
    } catch (const JournalError& error) {
        // The other segment may have room that it does not have to ask the disk for.
        if (!error.is_full() || journal_.empty()) throw;
        change_segment();
        journal_.append(body);
    }
    count_bytes();
}

void Checkpointer::append_only(std::string_view body) {
    journal_.append(body);
    count_bytes();
}

void Checkpointer::count_bytes() noexcept {
    present_bytes_.store(journal_.bytes() - Journal::kSegmentStart, std::memory_order_relaxed);
}

JournalFigures Checkpointer::figures() const {
    const core::SteadyTime::duration last(last_made_.load(std::memory_order_relaxed));
    return {.bytes = present_bytes_.load(std::memory_order_relaxed) +
                     earlier_bytes_.load(std::memory_order_relaxed),
            .checkpoints = durations_.read(),
            .last_checkpoint = core::SteadyTime(last)};
}

bool Checkpointer::is_due() const {
    if (journal_.empty() || is_under_way()) return false;
    const bool long_ago = clock_.steady() - last_begun_ >= interval_;
    return long_ago || is_pressing();
}

bool Checkpointer::is_pressing() const {
    return env_.size().used() > used_at_last_ + kMostGrowthBytes ||
           journal_.bytes() > segment_bytes_ / 2;
}

void Checkpointer::begin_if_due() {
    count_bytes();
    if (is_due()) return begin();
    hasten();
}

void Checkpointer::hasten() {
    if (is_pressing()) press();
}

void Checkpointer::begin() {
    // Also when it cannot be begun: not every batch is to try again.
    last_begun_ = clock_.steady();
    const bool pressing = is_pressing();
    auto pin = std::make_unique<Pin>(env_);
    // Read before another commit can write it over.
    next_ = checkpoint_of(*pin, {});
    const std::uint64_t covered = journal_.bytes() - Journal::kSegmentStart;
    next_.journal = journal_.turn();
    next_pin_ = std::move(pin);
    earlier_bytes_.store(covered, std::memory_order_relaxed);
    count_bytes();
    used_at_last_ = env_.size().used();
    written_ = used_at_last_;
    {
        const std::lock_guard lock(mutex_);
        shared_.wanted = true;
        shared_.pressing = pressing;
    }
    changed_.notify_all();
}

bool Checkpointer::is_under_way() const {
    const std::lock_guard lock(mutex_);
    return shared_.wanted;
}

void Checkpointer::press() {
    {
        const std::lock_guard lock(mutex_);
        if (!shared_.wanted || shared_.pressing) return;
        shared_.pressing = true;
    }
    changed_.notify_all();
}

void Checkpointer::wait() {
    press();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !shared_.wanted || shared_.failure; });
    if (shared_.failure) {
        throw JournalError(EIO, shared_.failure->c_str(), JournalError::During::sync);
    }
}

bool Checkpointer::advance() {
    if (is_under_way()) wait();
    if (env_.size().last_transaction == pin_->transaction()) return false;
    begin();
    wait();
    return true;
}

void Checkpointer::close() {
    advance();
    end_thread();
    Checkpoint last = *file_.newest();
    last.closed = true;
    file_.write(last);
}

std::optional<std::string> Checkpointer::failure() const {
    const std::lock_guard lock(mutex_);
    return shared_.failure;
}

void Checkpointer::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return shared_.wanted || shared_.stopping; });
        if (!shared_.wanted) return;
        lock.unlock();
        std::optional<std::string> failure;
        try {
            make();
        } catch (const std::exception& error) {
            failure = error.what();
        }
        lock.lock();
        // What has failed stays under way for ever: nothing of the journal may be written over.
        shared_.wanted = failure.has_value();
        shared_.pressing = false;
        shared_.failure = std::move(failure);
        changed_.notify_all();
        if (shared_.failure) return;
    }
}

void Checkpointer::pause(core::SteadyTime::duration time) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, time, [this] { return shared_.pressing || shared_.stopping; });
}

void Checkpointer::write_out() {
    // A sync of everything at once would fill the disk's queue, and every commit would wait behind
    // it; so most of it is written before, a little at a time and with the disk left alone in
    // between. Not for long, since what commits write meanwhile the sync has to do after all.
    constexpr std::uint64_t kPiece = std::uint64_t{1} << 20;
    constexpr int kRest = 3;                           // times as long as a piece took
    constexpr std::chrono::microseconds kNothing{50};  // was written in less
    core::SteadyTime::duration patience = std::chrono::milliseconds(100);
    for (std::uint64_t begin = 0; begin < written_; begin += kPiece) {
        const core::SteadyTime began = machine_time();
        if (::sync_file_range(env_.file(), static_cast<off_t>(begin), static_cast<off_t>(kPiece),
                              SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                  SYNC_FILE_RANGE_WAIT_AFTER) != 0) {
            const int error = errno;
            // Not every file system can. But a failed write is told of once only, and so here.
            if (error == ENOSYS || error == EINVAL || error == ESPIPE || error == EOPNOTSUPP) {
                return;
            }
            throw JournalError(error, "write the store's file", JournalError::During::sync);
        }
        const core::SteadyTime::duration took = machine_time() - began;
        if (took <= kNothing || patience.count() <= 0) continue;
        pause(kRest * took);
        patience -= kRest * took;
    }
}

void Checkpointer::make() {
    const core::SteadyTime began = machine_time();
    write_out();
    if (::fdatasync(env_.file()) != 0) {
        throw JournalError(errno, "sync the store's file", JournalError::During::sync);
    }
    file_.write(next_);
    pin_ = std::exchange(next_pin_, nullptr);
    earlier_bytes_.store(0, std::memory_order_relaxed);
    const core::SteadyTime now = machine_time();
    last_made_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    durations_.observe(static_cast<std::uint64_t>(std::chrono::nanoseconds(now - began).count()));
}

}  // namespace agentcom::store

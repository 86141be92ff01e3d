#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/store/store.hpp"
#include "store/checkpoint.hpp"
#include "store/environment.hpp"
#include "store/journal.hpp"

namespace agentcom::store {

/// Keeps the journal short: now and then the store's file is synced by a thread of its own while
/// commits go on, and when all of one transaction is on disk a checkpoint says so. Members are for
/// the commit thread, but for `figures`.
class Checkpointer {
public:
    /// What the store's file holds becomes a checkpoint, and the journal begins behind it. Throws
    /// JournalError and LmdbError. `next_number`: no record that may be left in the journal has
    /// this number or a higher one.
    Checkpointer(Environment& env, const StoreOptions& options, const core::Clock& clock,
                 std::uint64_t next_number);
    ~Checkpointer();
    Checkpointer(const Checkpointer&) = delete;
    Checkpointer& operator=(const Checkpointer&) = delete;

    [[nodiscard]] Journal& journal() noexcept { return journal_; }
    /// Appends to the journal; waits for a checkpoint when that has no room. Throws JournalError.
    void append(std::string_view body);
    /// Whether a batch that is not longer can be appended without a checkpoint before it.
    [[nodiscard]] bool has_room(std::uint64_t bytes) const noexcept {
        return journal_.has_room(bytes);
    }
    /// As `append`, but without a checkpoint: what LMDB has not committed yet is in the journal
    /// only. Throws JournalError.
    void append_only(std::string_view body);
    /// Whether `begin_if_due` would begin one.
    [[nodiscard]] bool is_due() const;
    /// Begins a checkpoint when one is due and none is under way; all that is in the journal must
    /// have been committed. Throws JournalError and LmdbError.
    void begin_if_due();
    /// One that is under way does not rest when the journal may soon have to wait for it.
    void hasten();
    /// Makes one of the present state, so that pages of earlier ones are free; false when there is
    /// nothing to gain. Throws as `begin_if_due`.
    bool advance();
    /// The last one, after which the file says itself what is in it. Throws as `begin_if_due`.
    void close();
    /// Why none can be made any more; nothing: all is well. A sentence's end.
    [[nodiscard]] std::optional<std::string> failure() const;
    /// All but what was replayed. For any thread.
    [[nodiscard]] JournalFigures figures() const;

private:
    struct Shared {
        bool wanted = false;    // the thread has something to do, or does it
        bool pressing = false;  // somebody waits for it, or soon will
        bool stopping = false;
        std::optional<std::string> failure;
    };

    [[nodiscard]] StoreStamp stamp() const;
    [[nodiscard]] Checkpoint checkpoint_of(const Pin& pin, JournalStart start) const;
    void begin();
    [[nodiscard]] bool is_under_way() const;
    /// For the one that is under way. Throws JournalError when it fails.
    void wait();
    void run();
    void make();
    void write_out();
    /// So much has been written that the next one should not be long.
    [[nodiscard]] bool is_pressing() const;
    /// Leaves the disk to the journal for a while, unless the checkpoint is pressing.
    void pause(core::SteadyTime::duration time);
    void press();
    void end_thread();
    /// What the present segment holds is counted anew.
    void count_bytes() noexcept;

    Environment& env_;
    const core::Clock& clock_;
    const core::Millis interval_;
    const std::uint64_t segment_bytes_;
    CheckpointFile file_;
    const StoreStamp stamp_;
    std::unique_ptr<Pin> pin_;  // of the newest checkpoint
    Journal journal_;
    core::SteadyTime last_begun_;
    std::uint64_t used_at_last_ = 0;  // bytes of the store

    // Handed to the thread with `wanted`, and back.
    std::unique_ptr<Pin> next_pin_;
    Checkpoint next_;
    std::uint64_t written_ = 0;  // bytes of the store's file that it covers

    // For `figures`. No checkpoint covers what is in the present segment, and one that is under way
    // not yet what is in the earlier one.
    std::atomic<std::uint64_t> present_bytes_{0};
    std::atomic<std::uint64_t> earlier_bytes_{0};
    core::Histogram<core::kLatencyBounds> durations_;
    std::atomic<core::SteadyTime::rep> last_made_;

    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    Shared shared_;  // guarded by mutex_
    std::thread thread_;
};

}  // namespace agentcom::store

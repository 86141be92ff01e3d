#pragma once

#include <atomic>
#include <cstdint>

#include "agentcom/store/write_ops.hpp"

namespace agentcom::store {

/// What has been submitted and is not yet done with: it waits for its commit, or its batch for a
/// loop to apply it. Outlives the pipeline where somebody keeps a batch. Thread-safe.
class Backlog {
public:
    Backlog(std::uint64_t max_operations, std::uint64_t max_bytes)
        : max_operations_(max_operations), max_bytes_(max_bytes) {}

    void take(std::uint64_t operations, std::uint64_t bytes) noexcept {
        operations_ += operations;
        bytes_ += bytes;
    }
    void give_back(std::uint64_t operations, std::uint64_t bytes) {
        const bool fewer = passed(operations_.fetch_sub(operations), operations, max_operations_);
        const bool smaller = passed(bytes_.fetch_sub(bytes), bytes, max_bytes_);
        if (!fewer && !smaller) return;
        if (CommitListener* listener = listener_.load()) listener->on_room();
    }
    [[nodiscard]] bool saturated() const noexcept {
        return operations_.load(std::memory_order_relaxed) > max_operations_ ||
               bytes_.load(std::memory_order_relaxed) > max_bytes_;
    }
    [[nodiscard]] std::uint64_t operations() const noexcept { return operations_.load(); }

    /// Who hears that there is room again; null: nobody (any more). Batches are held by the
    /// listener's own threads, so none can let go of one when the listener is gone.
    void tell(CommitListener* listener) noexcept { listener_ = listener; }

private:
    static bool passed(std::uint64_t before, std::uint64_t less, std::uint64_t bound) noexcept {
        return before > bound && before - less <= bound;
    }

    const std::uint64_t max_operations_;
    const std::uint64_t max_bytes_;
    std::atomic<std::uint64_t> operations_{0};
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<CommitListener*> listener_{nullptr};
};

}  // namespace agentcom::store

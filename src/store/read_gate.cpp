#include "store/read_gate.hpp"

#include <algorithm>

namespace agentcom::store {

void ReadGate::show(std::uint64_t batches) {
    {
        const std::lock_guard lock(mutex_);
        const std::uint64_t before = shown_.load(std::memory_order_relaxed);
        shown_.store(std::max(before, batches), std::memory_order_release);
        stuck_.store(false, std::memory_order_release);
    }
    changed_.notify_all();
}

void ReadGate::open() {
    {
        const std::lock_guard lock(mutex_);
        stuck_.store(true, std::memory_order_release);
    }
    changed_.notify_all();
}

void ReadGate::forget_touched() noexcept {
    for (auto& word : touched_) word.store(0, std::memory_order_release);
    all_touched_.store(false, std::memory_order_release);
}

void ReadGate::wait_for(std::uint64_t wanted) {
    waiting_.fetch_add(1, std::memory_order_acq_rel);
    ask_();
    {
        std::unique_lock lock(mutex_);
        const auto is_shown = [&] {
            return is_stuck() || shown_.load(std::memory_order_acquire) >= wanted;
        };
        if (!changed_.wait_for(lock, patience_, is_shown)) {
            stuck_.store(true, std::memory_order_release);
        }
    }
    waiting_.fetch_sub(1, std::memory_order_acq_rel);
}

}  // namespace agentcom::store

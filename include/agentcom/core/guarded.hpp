#pragma once

#include <mutex>
#include <utility>

namespace agentcom::core {

/// State that can only be reached through its lock. The function given to `with` must not call
/// another service, the store or delivery, nor wait: these locks are leaves.
template <class State>
class Guarded {
public:
    Guarded() = default;
    template <class... Args>
    explicit Guarded(std::in_place_t, Args&&... args) : state_(std::forward<Args>(args)...) {}

    template <class Function>
    decltype(auto) with(Function&& function) {
        const std::lock_guard lock(mutex_);
        return std::forward<Function>(function)(state_);
    }
    template <class Function>
    decltype(auto) with(Function&& function) const {
        const std::lock_guard lock(mutex_);
        return std::forward<Function>(function)(state_);
    }

private:
    mutable std::mutex mutex_;
    State state_;
};

}  // namespace agentcom::core

#include "agentcom/services/rate_limiter.hpp"

#include <algorithm>
#include <chrono>

namespace agentcom::services {

double RateLimiter::level(const Bucket& bucket, core::SteadyTime now) const {
    const std::chrono::duration<double> elapsed = now - bucket.filled_at;
    return std::min(burst_, bucket.tokens + std::max(0.0, elapsed.count()) * per_second_);
}

bool RateLimiter::allow(const core::AgentId& agent, core::SteadyTime now) {
    if (per_second_ == 0) return true;
    return state_.with([&](State& state) {
        Bucket& bucket = state.try_emplace(agent, Bucket{burst_, now}).first->second;
        bucket.tokens = level(bucket, now);
        bucket.filled_at = now;
        if (bucket.tokens < 1) return false;
        bucket.tokens -= 1;
        return true;
    });
}

void RateLimiter::forget_idle(core::SteadyTime now) {
    state_.with([&](State& state) {
        std::erase_if(state, [&](const auto& entry) { return level(entry.second, now) >= burst_; });
    });
}

}  // namespace agentcom::services

#include "agentcom/services/rate_limiter.hpp"

#include <algorithm>
#include <chrono>

namespace agentcom::services {

void RateLimiter::set(std::uint64_t per_second, std::uint64_t burst) noexcept {
    per_second_.store(static_cast<double>(per_second), std::memory_order_relaxed);
    burst_.store(static_cast<double>(burst), std::memory_order_relaxed);
}

double RateLimiter::level(const Bucket& bucket, core::SteadyTime now) const {
    const std::chrono::duration<double> elapsed = now - bucket.filled_at;
    return std::min(burst(), bucket.tokens + std::max(0.0, elapsed.count()) * rate());
}

template <class Function>
auto RateLimiter::with_bucket(const core::AgentId& agent, core::SteadyTime now,
                              Function&& function) {
    return shards_[core::TextHash{}(agent) % kShards].with([&](Shard& shard) {
        auto found = shard.find(agent);
        if (found == shard.end()) found = shard.emplace(agent, Bucket{burst(), now}).first;
        Bucket& bucket = found->second;
        bucket.tokens = level(bucket, now);
        bucket.filled_at = now;
        return function(bucket);
    });
}

bool RateLimiter::allow(const core::AgentId& agent, core::SteadyTime now, std::uint64_t cost) {
    if (rate() == 0) return true;
    return with_bucket(agent, now, [&](Bucket& bucket) {
        if (bucket.tokens < std::min(static_cast<double>(cost), burst())) return false;
        bucket.tokens -= static_cast<double>(cost);
        return true;
    });
}

void RateLimiter::charge(const core::AgentId& agent, core::SteadyTime now, std::uint64_t cost) {
    if (rate() == 0 || cost == 0) return;
    with_bucket(agent, now, [&](Bucket& bucket) {
        bucket.tokens = std::max(-burst(), bucket.tokens - static_cast<double>(cost));
    });
}

void RateLimiter::forget_idle(core::SteadyTime now) {
    for (auto& guarded : shards_) {
        guarded.with([&](Shard& shard) {
            std::erase_if(shard,
                          [&](const auto& entry) { return level(entry.second, now) >= burst(); });
        });
    }
}

}  // namespace agentcom::services

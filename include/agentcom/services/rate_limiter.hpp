#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <unordered_map>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// A token bucket for each agent, over all its connections and transports. Thread-safe; agents are
/// spread over several locks. Buckets that are full again are forgotten, so agents that come and go
/// leave nothing behind.
class RateLimiter {
public:
    /// `per_second` 0: no limit. `burst`: how many may come at once after a rest.
    RateLimiter(std::uint64_t per_second, std::uint64_t burst)
        : per_second_(static_cast<double>(per_second)), burst_(static_cast<double>(burst)) {}

    /// From now on these; what an agent has left stays, up to the new burst.
    void set(std::uint64_t per_second, std::uint64_t burst) noexcept;
    [[nodiscard]] std::uint64_t per_second() const noexcept {
        return static_cast<std::uint64_t>(per_second_.load(std::memory_order_relaxed));
    }

    /// Takes `cost`; false, and nothing taken, when the agent is over its rate. What costs more
    /// than the burst needs a full bucket and leaves a debt.
    [[nodiscard]] bool allow(const core::AgentId& agent, core::SteadyTime now,
                             std::uint64_t cost = 1);
    /// Takes for something that has been done; the agent may get into debt, at most its burst.
    void charge(const core::AgentId& agent, core::SteadyTime now, std::uint64_t cost);
    /// Forgets buckets that have been full for a while; to be called now and then.
    void forget_idle(core::SteadyTime now);

private:
    struct Bucket {
        double tokens = 0;
        core::SteadyTime filled_at;
    };
    using Shard = std::unordered_map<core::AgentId, Bucket, core::TextHash, core::TextEqual>;
    static constexpr std::size_t kShards = 16;
    [[nodiscard]] double rate() const noexcept {
        return per_second_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] double burst() const noexcept { return burst_.load(std::memory_order_relaxed); }
    [[nodiscard]] double level(const Bucket& bucket, core::SteadyTime now) const;
    template <class Function>
    auto with_bucket(const core::AgentId& agent, core::SteadyTime now, Function&& function);

    std::atomic<double> per_second_;
    std::atomic<double> burst_;
    std::array<core::Guarded<Shard>, kShards> shards_;
};

}  // namespace agentcom::services

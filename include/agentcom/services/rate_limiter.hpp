#pragma once

#include <cstdint>
#include <unordered_map>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// A token bucket for each agent's sends, over all its connections and transports. Thread-safe.
/// Buckets that are full again are forgotten, so agents that come and go leave nothing behind.
class RateLimiter {
public:
    /// `per_second` 0: no limit. `burst`: how many may come at once after a rest.
    RateLimiter(std::uint64_t per_second, std::uint64_t burst)
        : per_second_(static_cast<double>(per_second)), burst_(static_cast<double>(burst)) {}

    /// Takes one; false when the agent is over its rate.
    [[nodiscard]] bool allow(const core::AgentId& agent, core::SteadyTime now);
    /// Forgets buckets that have been full for a while; to be called now and then.
    void forget_idle(core::SteadyTime now);

private:
    struct Bucket {
        double tokens = 0;
        core::SteadyTime filled_at;
    };
    using State = std::unordered_map<core::AgentId, Bucket, core::TextHash, core::TextEqual>;
    [[nodiscard]] double level(const Bucket& bucket, core::SteadyTime now) const;

    double per_second_;
    double burst_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::services

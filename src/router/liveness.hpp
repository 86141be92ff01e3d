#pragma once

#include <optional>
#include <span>

#include "agentcom/core/time.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::router {

/// When the hub's threads last did something, by the machine's clock, which goes on while the
/// injected one of a test stands still.
struct Turns {
    std::span<const std::optional<core::SteadyTime>> loops;  // nothing: not begun yet
    std::optional<core::SteadyTime> asking;                  // of them, the one that asks
    std::optional<core::SteadyTime> commit_busy_since;       // nothing: it waits for work
};

/// ok, or what has stood still for longer than `stalled_after`: a loop, before the commit thread.
[[nodiscard]] inline protocol::HealthState judge(const Turns& turns, core::SteadyTime now,
                                                 core::Millis stalled_after) noexcept {
    using protocol::HealthState;
    const core::SteadyTime stalled = now - stalled_after;
    // A process that was suspended finds all its threads late. The loop that asks turns, so the
    // others are judged when it has seen them for a while.
    if (turns.asking && *turns.asking < stalled) return HealthState::ok;
    for (const auto& turned : turns.loops) {
        if (!turned) return HealthState::starting;
        if (*turned < stalled) return HealthState::loop_stalled;
    }
    const auto busy = turns.commit_busy_since;
    return busy && *busy < stalled ? HealthState::commit_stalled : HealthState::ok;
}

}  // namespace agentcom::router

#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "agentcom/core/time.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::router {

struct LoopTurn {
    std::optional<core::SteadyTime> last;  // nothing: not begun yet
    /// Its thread is in the system and waits for a device, which nothing can end but the device.
    bool waits_for_disk = false;
};

/// When the hub's threads last did something, by the machine's clock, which goes on while the
/// injected one of a test stands still.
struct Turns {
    std::span<const LoopTurn> loops;
    std::optional<core::SteadyTime> asking;             // of them, the one that asks
    std::optional<core::SteadyTime> commit_busy_since;  // nothing: it waits for work
};

/// ok, or what has stood still for longer than `stalled_after`: a loop of its own doing, before one
/// that waits for the disk, before the commit thread.
[[nodiscard]] inline protocol::HealthState judge(const Turns& turns, core::SteadyTime now,
                                                 core::Millis stalled_after) noexcept {
    using protocol::HealthState;
    const core::SteadyTime stalled = now - stalled_after;
    // A process that was suspended finds all its threads late. The loop that asks turns, so the
    // others are judged when it has seen them for a while.
    if (turns.asking && *turns.asking < stalled) return HealthState::ok;
    const auto stands = [&](const LoopTurn& loop) { return loop.last && *loop.last < stalled; };
    const auto stands_by_itself = [&](const LoopTurn& loop) {
        return stands(loop) && !loop.waits_for_disk;
    };
    const auto has_not_begun = [](const LoopTurn& loop) { return !loop.last; };
    if (std::ranges::any_of(turns.loops, stands_by_itself)) return HealthState::loop_stalled;
    if (std::ranges::any_of(turns.loops, has_not_begun)) return HealthState::starting;
    if (std::ranges::any_of(turns.loops, stands)) return HealthState::disk_stalled;
    const auto busy = turns.commit_busy_since;
    return busy && *busy < stalled ? HealthState::commit_stalled : HealthState::ok;
}

}  // namespace agentcom::router

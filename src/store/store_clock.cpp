#include "store/store_clock.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace agentcom::store {
namespace {

std::string in_words(std::int64_t ms) {
    const std::int64_t seconds = (ms < 0 ? -ms : ms) / 1'000;
    if (seconds < 2 * 60) return std::to_string(seconds) + " seconds";
    if (seconds < 2 * 3'600) return std::to_string(seconds / 60) + " minutes";
    if (seconds < 2 * 86'400) return std::to_string(seconds / 3'600) + " hours";
    return std::to_string(seconds / 86'400) + " days";
}

}  // namespace

StoreClock::StoreClock(const core::Clock& clock, const std::optional<ClockAnchor>& anchor,
                       core::Millis max_away)
    : clock_(clock) {
    const core::Timestamp wall = clock.now();
    State state;
    state.at = ClockAnchor{wall, wall, clock.elapsed().count(), clock.boot()};
    if (anchor) {
        const bool same_boot = anchor->boot != 0 && anchor->boot == state.at.boot;
        const std::int64_t by_wall = wall.ms - anchor->wall.ms;
        const std::int64_t away = std::max<std::int64_t>(
            0, same_boot ? state.at.elapsed_ms - anchor->elapsed_ms : by_wall);
        const std::int64_t counted = std::min<std::int64_t>(away, max_away.count());
        state.at.stored.ms = anchor->stored.ms + counted;
        if (by_wall < -kStep.count()) {
            spdlog::warn(
                "the clock is {} behind what it was when the store was last written; ages go on "
                "from there, and new messages show no earlier time than the last one",
                in_words(by_wall));
        } else if (counted < away) {
            spdlog::warn(
                "by the clock the store was not in use for {}; what is stored ages by {} of them",
                in_words(away), in_words(counted));
        }
    }
    state_.with([&](State& mine) { mine = state; });
}

StoreClock::Reading StoreClock::read() {
    std::string line;
    Reading reading = state_.with([&](State& state) {
        line = advance(state);
        return Reading{state.at.wall, state.at};
    });
    if (!line.empty()) spdlog::warn("{}", line);
    return reading;
}

std::string StoreClock::advance(State& state) const {
    ClockAnchor& at = state.at;
    const std::int64_t elapsed = std::max(clock_.elapsed().count(), at.elapsed_ms);
    const std::int64_t passed = elapsed - at.elapsed_ms;
    const core::Timestamp wall = clock_.now();
    at.elapsed_ms = elapsed;
    at.stored.ms += passed;
    follow(state, passed, wall);

    at.wall.ms += passed;
    const std::int64_t off = wall.ms - at.wall.ms;
    if (off >= -kStep.count() && off <= kStep.count()) {
        at.wall = wall;
        state.doubt.reset();
        return {};
    }
    if (off < 0) {
        at.wall = wall;
        state.doubt.reset();
        return "the clock was set back by " + in_words(off) +
               "; ages of messages go on by the time that passes";
    }
    if (!state.doubt) {
        state.doubt = elapsed;
        return "the clock leapt forward by " + in_words(off) +
               "; ages of messages go on by the time that passes, and messages show its time when "
               "it has kept it for " +
               in_words(kDoubt.count());
    }
    if (elapsed - *state.doubt >= kDoubt.count()) {
        at.wall = wall;
        state.doubt.reset();
    }
    return {};
}

void StoreClock::follow(State& state, std::int64_t passed, core::Timestamp wall) {
    // Never more than has passed, so that the store's time does not fall.
    const std::int64_t most = (state.uncounted + passed) / kSlew;
    state.uncounted = (state.uncounted + passed) % kSlew;
    const std::int64_t off = wall.ms - state.at.stored.ms;
    state.at.stored.ms += std::clamp(off, -most, most);
}

}  // namespace agentcom::store

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "store/rows.hpp"

namespace agentcom::store {

/// The store's own time: it goes on by elapsed time, whatever the wall clock is set to, and never
/// falls. Ages and windows are counted by it, so a clock that is set ahead makes nothing old, and
/// one that is set right takes nothing away. It began as the wall clock's time and follows that by
/// a thousandth of what elapses at most, which is more than clocks drift and next to nothing when
/// one is wrong. While the hub is down it goes on by what has elapsed, a bounded time at most.
///
/// What clients are shown is the wall clock's time. One that leaps forward is believed after a
/// minute: a leap that is taken back soon leaves no message with a time of the future, which all
/// later ones would have to keep, because times never fall.
///
/// Thread-safe.
class StoreClock {
public:
    /// A wall clock that is off by more has been set.
    static constexpr core::Millis kStep{60'000};
    /// A leap forward is believed after this.
    static constexpr core::Millis kDoubt{60'000};
    static constexpr std::int64_t kSlew = 1'000;

    /// `anchor`: nothing for a store that is new. Logs what is odd about the time since then.
    StoreClock(const core::Clock& clock, const std::optional<ClockAnchor>& anchor,
               core::Millis max_away);

    struct Reading {
        core::Timestamp shown;
        ClockAnchor anchor;
    };
    /// Logs when the wall clock has been set, once for each time.
    [[nodiscard]] Reading read();
    /// The store's own time.
    [[nodiscard]] core::Timestamp now() { return read().anchor.stored; }

private:
    struct State {
        ClockAnchor at;
        std::int64_t uncounted = 0;  // elapsed, and not yet made use of for following the wall
        std::optional<std::int64_t> doubt;  // when the wall clock leapt forward
    };
    /// What there is to log; empty: nothing.
    [[nodiscard]] std::string advance(State& state) const;
    static void follow(State& state, std::int64_t passed, core::Timestamp wall);

    const core::Clock& clock_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::store

#pragma once

#include "agentcom/core/time.hpp"

namespace agentcom::net {

/// The time by which one event loop judges others: like the clock beneath, but without the times in
/// which the loop itself was held up, or the whole process was suspended. What arrived meanwhile
/// lies unread in the kernel, so those times say nothing about whoever sent it. For that loop's
/// thread; its `steady` is comparable with that of the same loop only.
class LoopClock final : public core::Clock {
public:
    /// What a tick may come late, and time go unlooked at, before it counts as being held up.
    static constexpr core::Millis kGrace{500};

    /// `tick`: the interval at which `tick()` is called.
    LoopClock(const core::Clock& base, core::Millis tick)
        : base_(base), tick_(tick), seen_(base.steady()), ticked_(seen_) {}

    [[nodiscard]] core::Timestamp now() const noexcept override { return base_.now(); }
    [[nodiscard]] core::SteadyTime steady() const noexcept override {
        const core::SteadyTime now = base_.steady();
        // Nobody looked at the time for longer than from one tick to the next.
        if (now - seen_ > tick_ + kGrace) skipped_ += now - seen_ - tick_;
        seen_ = now;
        return now - skipped_;
    }

    /// Once in a while, as the loop gets to it. When that is late although the time was looked at,
    /// the loop had more to do than it could: that time is left out, too.
    void tick() noexcept {
        const core::SteadyTime now = steady();
        if (now - ticked_ > tick_ + kGrace) skipped_ += now - ticked_ - tick_;
        ticked_ = base_.steady() - skipped_;
    }

private:
    const core::Clock& base_;
    const core::Millis tick_;
    mutable core::SteadyTime seen_;  // on the clock beneath
    core::SteadyTime ticked_;        // on this one
    mutable core::SteadyTime::duration skipped_{0};
};

}  // namespace agentcom::net

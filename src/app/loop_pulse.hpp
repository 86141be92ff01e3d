#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "agentcom/delivery/event_loop.hpp"

namespace agentcom::app {

/// Whether the event loops turn: each is given something to run, and asked later whether it has.
/// For one thread; the loops must outlive it.
class LoopPulse {
public:
    explicit LoopPulse(delivery::LoopGroup& loops) : loops_(loops) {}

    /// True when every loop has run what it was given at the call before, or was not given
    /// anything yet. Whoever has is given the next. To be called at intervals in which a loop that
    /// is well turns many times.
    [[nodiscard]] bool beats();

private:
    delivery::LoopGroup& loops_;
    /// Of each loop: whether it has run what it was given last.
    std::vector<std::shared_ptr<std::atomic<bool>>> answered_;
};

}  // namespace agentcom::app

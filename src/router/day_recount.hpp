#pragma once

#include <functional>

#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/services/analytics.hpp"
#include "agentcom/store/store.hpp"
#include "router/hub_watch.hpp"

namespace agentcom::router {

/// Counters are in memory, and the log is not: after a start what was sent in the 24 hours before
/// it is counted again, in slices among the other reads of a loop.
struct DayRecount {
    /// Up to `head`: what came later has been counted when it came. `done` is called on the loop,
    /// also when the log could not be read to its end.
    static void begin(delivery::EventLoop& loop, const store::Store& store,
                      const core::Clock& clock, core::Seq head, services::Analytics& analytics,
                      HubWatch& watch, std::function<void()> done);
};

}  // namespace agentcom::router

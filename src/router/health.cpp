// Whether the hub turns, and whether it can serve.

#include <chrono>
#include <optional>
#include <vector>

#include "router/impl.hpp"
#include "router/liveness.hpp"

namespace agentcom::router {

using protocol::HealthState;

HealthState Router::Impl::liveness(std::optional<core::SteadyTime> asking) const {
    const core::SteadyTime now = std::chrono::steady_clock::now();
    std::vector<LoopTurn> turns;
    turns.reserve(loops_.size());
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const auto last = loops_[i].last_turn();
        // The system is asked only about a loop that is late.
        const bool late = last && *last < now - options_.stalled_after;
        turns.push_back({.last = last, .waits_for_disk = late && loops_[i].waits_for_disk()});
    }
    return judge({.loops = turns, .asking = asking, .commit_busy_since = store.busy_since()}, now,
                 options_.stalled_after);
}

HealthState Router::Impl::readiness(const delivery::EventLoop& asking) const {
    if (shutting_down) return HealthState::shutting_down;
    if (store.state() == store::StoreState::failed) return HealthState::storage_failed;
    const HealthState alive = liveness(asking.last_turn());
    if (alive != HealthState::ok) return alive;
    return store.state() == store::StoreState::full ? HealthState::storage_full : HealthState::ok;
}

void Router::Impl::operate(Context context, protocol::Health) {
    protocol::HealthReport report{.state = readiness(context.loop),
                                  .agents_connected = presence_.count()};
    // Whoever is answered by one loop is served, although others have yet to begin.
    if (report.state == HealthState::starting) report.state = HealthState::ok;
    if (const store::StoreStats stats = store.stats(); stats.reader_is_late) {
        report.reader_lag = stats.reader_lag;
    }
    context.reply(protocol::ReplyValue(report));
}

void Router::Impl::operate(Context context, protocol::ProbeLive) {
    const HealthState state = liveness(context.loop.last_turn());
    // A disk that hangs is no better after a restart, which would not even begin before it is back,
    // and a start is no failure.
    const bool turns = state != HealthState::loop_stalled;
    context.reply(protocol::ReplyValue(protocol::ProbeReport{turns ? HealthState::ok : state}));
}

void Router::Impl::operate(Context context, protocol::ProbeReady) {
    context.reply(protocol::ReplyValue(protocol::ProbeReport{readiness(context.loop)}));
}

}  // namespace agentcom::router

// Whether the hub turns, and whether it can serve.

#include <chrono>

#include "router/impl.hpp"

namespace agentcom::router {

using protocol::HealthState;

HealthState Router::Impl::liveness(const delivery::EventLoop& asking) const {
    const core::SteadyTime now = std::chrono::steady_clock::now();
    const core::SteadyTime stalled = now - options_.stalled_after;
    const auto own = asking.last_turn();
    // A process that was stopped for a while finds all its loops late. The one that asks turns, so
    // the others are judged when it has seen them for a while.
    if (own && *own < stalled) return HealthState::ok;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const auto turned = loops_[i].last_turn();
        if (!turned) return HealthState::starting;
        if (*turned < stalled) return HealthState::loop_stalled;
    }
    const auto busy = store.busy_since();
    return busy && *busy < stalled ? HealthState::commit_stalled : HealthState::ok;
}

HealthState Router::Impl::readiness(const delivery::EventLoop& asking) const {
    if (shutting_down) return HealthState::shutting_down;
    if (store.state() == store::StoreState::failed) return HealthState::storage_failed;
    const HealthState alive = liveness(asking);
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
    const HealthState state = liveness(context.loop);
    // A disk that hangs is no better after a restart, and a start is no failure.
    const bool turns = state != HealthState::loop_stalled;
    context.reply(protocol::ReplyValue(protocol::ProbeReport{turns ? HealthState::ok : state}));
}

void Router::Impl::operate(Context context, protocol::ProbeReady) {
    context.reply(protocol::ReplyValue(protocol::ProbeReport{readiness(context.loop)}));
}

}  // namespace agentcom::router

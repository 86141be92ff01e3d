// Analytics: what the dashboard shows.

#include <algorithm>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

constexpr std::int64_t kHourMs = 3'600'000;

std::int64_t idle_ms(const services::AgentActivity& agent, core::Timestamp now) {
    return std::max<std::int64_t>(0, now.ms - agent.last_active.ms);
}

protocol::Activity activity(const services::AgentActivity& agent, core::Timestamp now) {
    if (!agent.connected) return protocol::Activity::offline;
    return idle_ms(agent, now) <= services::kIdleAfter.count() ? protocol::Activity::active
                                                               : protocol::Activity::idle;
}

}  // namespace

void Router::Impl::operate(Context context, protocol::AnalyticsSummary) {
    if (!require_reader(context)) return;
    const core::Timestamp now = clock_.now();
    protocol::AnalyticsTotals totals{.timestamp = now};
    for (const services::AgentActivity& agent : analytics_.agents(now)) {
        ++totals.total_agents;
        totals.agents_connected += agent.connected ? 1 : 0;
        totals.total_messages_24h += agent.sent_24h;
        switch (activity(agent, now)) {
            case protocol::Activity::active:
                ++totals.agents_active;
                break;
            case protocol::Activity::idle:
                ++totals.agents_idle;
                break;
            case protocol::Activity::offline:
                ++totals.agents_offline;
                break;
        }
    }
    context.reply(protocol::ReplyValue(totals));
}

void Router::Impl::operate(Context context, protocol::AnalyticsAgents) {
    if (!require_reader(context)) return;
    const core::Timestamp now = clock_.now();
    protocol::AgentAnalyticsList list;
    for (services::AgentActivity& agent : analytics_.agents(now)) {
        list.agents.push_back({.agent = agent.agent,
                               .connected = agent.connected,
                               .idle_ms = idle_ms(agent, now),
                               .status = activity(agent, now),
                               .messages_sent_24h = agent.sent_24h,
                               .messages_received_24h = agent.received_24h,
                               .messages_sent_this_hour = agent.sent_this_hour,
                               .connection_time_24h_ms = agent.connected_ms_24h,
                               .last_active = agent.last_active,
                               .last_seen = agent.last_seen,
                               .total_connections = agent.connections});
    }
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::AnalyticsHourly request) {
    if (!require_reader(context)) return;
    protocol::HourlyCounts counts{request.agent, {}};
    for (const services::HourlyActivity& hour : analytics_.hourly(request.agent, clock_.now())) {
        counts.hours.push_back({hour.bucket * kHourMs, hour.sent, hour.received});
    }
    context.reply(protocol::ReplyValue(std::move(counts)));
}

}  // namespace agentcom::router

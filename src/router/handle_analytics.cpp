// Analytics: what the dashboard shows.

#include <algorithm>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

constexpr std::int64_t kHourMs = 3'600'000;
constexpr core::Millis kSummaryAge{1'000};
constexpr std::uint64_t kManyAgents = 1'000;
constexpr std::uint64_t kBytesOfAgent = 320;  // of an answer, about

std::int64_t idle_ms(const services::AgentActivity& agent, core::Timestamp now) {
    return std::max<std::int64_t>(0, now.ms - agent.last_active.ms);
}

protocol::Activity activity(const services::AgentActivity& agent, core::Timestamp now) {
    if (!agent.connected) return protocol::Activity::offline;
    return idle_ms(agent, now) <= services::kIdleAfter.count() ? protocol::Activity::active
                                                               : protocol::Activity::idle;
}

protocol::AgentAnalyticsList to_list(std::vector<services::AgentActivity> agents,
                                     std::uint64_t limit, core::Timestamp now) {
    protocol::AgentAnalyticsList list;
    // One more than was wanted tells that there is more.
    if (agents.size() > limit) {
        agents.resize(limit);
        list.next_cursor = agents.back().agent;
    }
    for (services::AgentActivity& agent : agents) {
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
    return list;
}

}  // namespace

void Router::Impl::operate(Context context, protocol::AnalyticsSummary) {
    const core::SteadyTime now = clock_.steady();
    // Made part by part, once for all who ask meanwhile; of many agents once a second at most. Of
    // few it is made anew, so that who asks sees what it has just done.
    bool first = false;
    const auto known = summary_.with([&](Summary& summary) -> std::optional<protocol::ReplyValue> {
        if (summary.totals && summary.totals->total_agents > kManyAgents &&
            now - summary.made_at < kSummaryAge) {
            return *summary.totals;
        }
        summary.waiting.emplace_back(&context.loop, std::move(context.reply));
        first = !std::exchange(summary.being_made, true);
        return std::nullopt;
    });
    if (known) return context.reply(protocol::ReplyValue(*known));
    if (first) add_to_summary(context.loop, 0, {});
}

void Router::Impl::add_to_summary(delivery::EventLoop& loop, std::size_t part,
                                  services::ActivityTotals totals) {
    const core::Timestamp now = clock_.now();
    analytics_.add_totals(part, now, totals);
    if (++part < services::Analytics::parts()) {
        return loop.post([this, &loop, part, totals] { add_to_summary(loop, part, totals); });
    }
    const protocol::AnalyticsTotals made{.total_agents = totals.agents,
                                         .agents_connected = totals.connected,
                                         .agents_active = totals.active,
                                         .agents_idle = totals.idle,
                                         .agents_offline = totals.offline,
                                         .total_messages_24h = totals.messages_24h,
                                         .timestamp = now};
    auto waiting = summary_.with([&](Summary& summary) {
        summary.totals = made;
        summary.made_at = clock_.steady();
        summary.being_made = false;
        return std::exchange(summary.waiting, {});
    });
    for (auto& [asked_on, reply] : waiting) {
        asked_on->post([reply = std::move(reply), made] { reply(protocol::ReplyValue(made)); });
    }
}

void Router::Impl::operate(Context context, protocol::AnalyticsAgents request) {
    const core::Timestamp now = clock_.now();
    const protocol::ListRange& range = request.range;
    const auto make = [&] {
        return to_list(analytics_.agents(range.cursor, range.limit + 1, now), range.limit, now);
    };
    if (!is_usual(range)) {
        auto list = make();
        charge(context.caller, list.agents.size() * kBytesOfAgent);
        return context.reply(protocol::ReplyValue(std::move(list)));
    }
    auto shared = analytics_page_.get_or(
        clock_.steady(), make,
        [](const protocol::AgentAnalyticsList& list) { return list.next_cursor.has_value(); });
    charge(context.caller, shared->agents.size() * kBytesOfAgent);
    context.reply(protocol::ReplyValue(std::move(shared)));
}

void Router::Impl::operate(Context context, protocol::AnalyticsHourly request) {
    protocol::HourlyCounts counts{request.agent, {}};
    for (const services::HourlyActivity& hour : analytics_.hourly(request.agent, clock_.now())) {
        counts.hours.push_back({hour.bucket * kHourMs, hour.sent, hour.received});
    }
    context.reply(protocol::ReplyValue(std::move(counts)));
}

}  // namespace agentcom::router

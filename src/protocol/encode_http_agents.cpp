// Answers about agents: who they are, who is here, how much they send.

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/agent_card.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/encode_reply.hpp"

namespace agentcom::protocol {

namespace {

std::string_view to_string(Activity activity) noexcept {
    switch (activity) {
        case Activity::active:
            return "active";
        case Activity::idle:
            return "idle";
        case Activity::offline:
            return "offline";
    }
    return "";
}

std::string clock_time(std::int64_t bucket_ms) {
    const std::int64_t minutes = bucket_ms / 60'000 % 1'440;  // of the day
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(minutes / 60) + ":" + two(minutes % 60);
}

}  // namespace

void write_agent(JsonWriter& writer, const AgentInfo& agent) {
    writer.begin_object()
        .member("agent_id", agent.agent.str())
        .member_raw("name", agent.name.text)
        .member_raw("status", agent.status.text)
        .member_raw("capabilities", agent.capabilities.text)
        .member_integer("connected_at", agent.connected_at.ms)
        .end_object();
}

void BodyWriter::operator()(const Identified& reply) {
    writer_.member("agent_id", reply.agent.str());
}

void BodyWriter::operator()(const StatusUpdated&) { writer_.member("status", "updated"); }

void BodyWriter::operator()(const AgentList& reply) {
    writer_.key("agents").begin_array();
    for (const AgentInfo& agent : reply.agents) write_agent(writer_, agent);
    writer_.end_array();
    cursor(reply.next_cursor);
}

void BodyWriter::details(const AgentDetails& agent) {
    writer_.member("agent_id", agent.agent.str()).key("known").boolean(agent.known);
    if (agent.known) writer_.member("role", core::role_name(agent.role));
    writer_.key("connected").boolean(agent.connected);
    time("last_seen", agent.last_seen);
    writer_.member_raw("status", agent.status ? agent.status->text : "null")
        .member_raw("capabilities", agent.capabilities ? agent.capabilities->text : "[]")
        .member_integer("unread", agent.unread)
        .member_if("more_unread", agent.more_unread);
    if (!agent.similar.empty()) writer_.member_texts("similar", agent.similar);
}

void BodyWriter::operator()(const AgentDetails& reply) { details(reply); }

void BodyWriter::operator()(const AgentDirectory& reply) {
    writer_.key("agents").begin_array();
    for (const AgentDetails& agent : reply.agents) {
        writer_.begin_object();
        details(agent);
        writer_.end_object();
    }
    writer_.end_array();
    cursor(reply.next_cursor);
}

void BodyWriter::operator()(const AgentCard& reply) { write_card(writer_, reply); }

void BodyWriter::operator()(const AnalyticsTotals& reply) {
    writer_.member_integer("total_agents", reply.total_agents)
        .member_integer("agents_connected", reply.agents_connected)
        .member_integer("agents_active", reply.agents_active)
        .member_integer("agents_idle", reply.agents_idle)
        .member_integer("agents_offline", reply.agents_offline)
        .member_integer("total_messages_24h", reply.total_messages_24h)
        .member_integer("timestamp", reply.timestamp.ms);
}

void BodyWriter::analytics(const AgentAnalytics& agent) {
    writer_.begin_object()
        .member("agent_id", agent.agent)
        .key("connected")
        .boolean(agent.connected)
        .member_integer("idle_ms", agent.idle_ms)
        .member("status", to_string(agent.status))
        .member_integer("messages_sent_24h", agent.messages_sent_24h)
        .member_integer("messages_received_24h", agent.messages_received_24h)
        .member_integer("messages_sent_this_hour", agent.messages_sent_this_hour)
        .member_integer("connection_time_24h_ms", agent.connection_time_24h_ms)
        .member_integer("last_active", agent.last_active.ms);
    time("last_seen", agent.last_seen);
    writer_.member_integer("total_connections", agent.total_connections).end_object();
}

void BodyWriter::operator()(const AgentAnalyticsList& reply) {
    writer_.key("agents").begin_array();
    for (const AgentAnalytics& agent : reply.agents) analytics(agent);
    writer_.end_array();
    cursor(reply.next_cursor);
}

void BodyWriter::operator()(const HourlyCounts& reply) {
    writer_.member("agent_id", reply.agent).key("hourly").begin_array();
    for (const HourCount& hour : reply.hours) {
        writer_.begin_object()
            .member_integer("bucket", hour.bucket)
            .member("hour", clock_time(hour.bucket))
            .member_integer("sent", hour.sent)
            .member_integer("received", hour.received)
            .end_object();
    }
    writer_.end_array();
}

}  // namespace agentcom::protocol

// What observers are shown: rows of agents, the overview, and events put together of them.

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/core/version.hpp"
#include "agentcom/protocol/json_writer.hpp"
#include "agentcom/protocol/observation.hpp"
#include "protocol/body_writer.hpp"

namespace agentcom::protocol {

namespace {

std::string_view to_string(AgentState state) noexcept {
    switch (state) {
        case AgentState::working:
            return "working";
        case AgentState::idle:
            return "idle";
        case AgentState::polling:
            return "polling";
        case AgentState::offline:
            return "offline";
    }
    return "";
}

/// Nobody looks at more than three decimals.
double rounded(double value) { return std::round(value * 1'000) / 1'000; }

void number(JsonWriter& writer, const std::optional<double>& value) {
    if (value) {
        writer.integer(rounded(*value));
    } else {
        writer.null();
    }
}

void time(JsonWriter& writer, std::string_view key, const std::optional<core::Timestamp>& at) {
    writer.key(key);
    if (at) {
        writer.integer(at->ms);
    } else {
        writer.null();
    }
}

void count(JsonWriter& writer, std::string_view key, bool known, std::uint64_t value) {
    writer.key(key);
    if (known) {
        writer.integer(value);
    } else {
        writer.null();
    }
}

void percentiles(JsonWriter& writer, std::string_view key, const Percentiles& of) {
    writer.key(key).begin_object().key("p50");
    number(writer, of.p50);
    writer.key("p99");
    number(writer, of.p99);
    writer.end_object();
}

void point(JsonWriter& writer, const SeriesPoint& of) {
    writer.begin_array().integer(of.at.ms).integer(of.messages);
    for (const Percentiles& each : {of.commit, of.delivery}) {
        number(writer, each.p50);
        number(writer, each.p99);
    }
    writer.end_array();
}

void agent_members(JsonWriter& writer, const ObservedAgent& agent) {
    writer.member("id", agent.agent).member("name", agent.name);
    writer.key("known").boolean(agent.known).key("status");
    if (agent.status) {
        writer.string(*agent.status);
    } else {
        writer.null();
    }
    writer.member("state", to_string(agent.state)).member_texts("capabilities", agent.capabilities);
    time(writer, "connected_since", agent.connected_since);
    time(writer, "last_seen", agent.last_seen);
    time(writer, "last_read_at", agent.last_read);
    writer.member_integer("sent_24h", agent.sent_24h)
        .member_integer("received_24h", agent.received_24h)
        .key("unread");
    if (agent.unread) {
        writer.integer(*agent.unread);
    } else {
        writer.null();
    }
    writer.key("unread_more").boolean(agent.unread_more);
    time(writer, "oldest_unread_at", agent.oldest_unread);
    writer.member_integer("connections", agent.connections);
}

void alarm(JsonWriter& writer, const ObservedAlarm& of) {
    writer.begin_object()
        .member("code", of.code)
        .member("severity", of.critical ? "critical" : "warning")
        .member("text", of.text)
        .member_integer("since", of.since.ms);
    if (!of.agents.empty()) writer.member_texts("agents", of.agents);
    writer.end_object();
}

void rows_of(JsonWriter& writer, std::span<const std::string_view> rows) {
    writer.key("agents").begin_array();
    for (const std::string_view row : rows) writer.raw(row);
    writer.end_array();
}

}  // namespace

void encode_observed_agent(const ObservedAgent& agent, std::string& out) {
    JsonWriter writer(out);
    writer.begin_object();
    agent_members(writer, agent);
    writer.end_object();
}

void encode_overview(const HubOverview& of, std::string& out) {
    JsonWriter writer(out);
    writer.begin_object()
        .key("agents")
        .begin_object()
        .member_integer("total", of.agents.total)
        .member_integer("online", of.agents.working + of.agents.idle + of.agents.polling)
        .member_integer("working", of.agents.working)
        .member_integer("idle", of.agents.idle)
        .member_integer("polling", of.agents.polling)
        .member_integer("offline", of.agents.offline)
        .end_object();
    if (of.agents.left_out > 0) writer.member_integer("agents_left_out", of.agents.left_out);
    writer.member_if("counting", of.counting)
        .key("messages")
        .begin_object()
        .key("per_second")
        .integer(rounded(of.messages_per_second))
        .member_integer("total_24h", of.messages_24h)
        .end_object();
    writer.key("latency_ms").begin_object();
    percentiles(writer, "commit", of.commit);
    percentiles(writer, "delivery", of.delivery);
    writer.end_object().key("unread").begin_object();
    count(writer, "messages", of.unread.counted, of.unread.messages);
    count(writer, "agents", of.unread.counted, of.unread.agents);
    time(writer, "oldest_at", of.unread.oldest);
    writer.key("growing").begin_array();
    for (const GrowingMailbox& each : of.unread.growing) {
        writer.begin_object()
            .member("id", each.agent)
            .member_integer("unread", each.unread)
            .member_integer("grew", each.grew)
            .end_object();
    }
    writer.end_array().end_object();
    writer.key("connections")
        .begin_object()
        .member_integer("websocket", of.connections.websocket)
        .member_integer("http", of.connections.http)
        .member_integer("streams", of.connections.streams)
        .member_integer("long_polls", of.connections.long_polls)
        .member_integer("observers", of.connections.observers)
        .end_object();
    writer.key("store")
        .begin_object()
        .member("state", of.store.state)
        .member_integer("file_bytes", of.store.file_bytes)
        .member_integer("room_bytes", of.store.room_bytes)
        .member_integer("max_bytes", of.store.max_bytes)
        .member_integer("log_bytes", of.store.log_bytes)
        .member_integer("log_max_bytes", of.store.log_max_bytes)
        .member_integer("messages", of.store.messages)
        .member_integer("messages_max", of.store.messages_max)
        .member_integer("reader_lag", of.store.reader_lag)
        .end_object();
    writer.member_integer("head_seq", of.head_seq).key("alarms").begin_array();
    for (const ObservedAlarm& each : of.alarms) alarm(writer, each);
    writer.end_array().end_object();
}

void encode_point(const SeriesPoint& of, std::string& out) {
    JsonWriter writer(out);
    point(writer, of);
}

void encode_series(std::span<const SeriesPoint> minutes, std::span<const HourOfMessages> hours,
                   std::string& out) {
    JsonWriter writer(out);
    writer.begin_object().key("minutes").begin_array();
    for (const SeriesPoint& each : minutes) point(writer, each);
    writer.end_array().key("hours").begin_array();
    for (const HourOfMessages& each : hours) {
        writer.begin_array().integer(each.at.ms).integer(each.messages).end_array();
    }
    writer.end_array().end_object();
}

void encode_snapshot(const HubIdentity& hub, core::Timestamp at, std::string_view overview,
                     std::string_view series, std::span<const std::string_view> rows, bool complete,
                     std::string& out) {
    JsonWriter writer(out);
    writer.begin_object()
        .member_integer("at", at.ms)
        .key("hub")
        .begin_object()
        .member("version", core::kVersion)
        .member_integer("started_at", hub.started_at.ms)
        .member("epoch", hub.epoch.str())
        .end_object()
        .member_raw("overview", overview)
        .member_raw("series", series);
    rows_of(writer, rows);
    writer.key("complete").boolean(complete).end_object();
}

void encode_more_agents(core::Timestamp at, std::span<const std::string_view> rows, bool complete,
                        std::string& out) {
    JsonWriter writer(out);
    writer.begin_object().member_integer("at", at.ms);
    rows_of(writer, rows);
    writer.key("complete").boolean(complete).end_object();
}

void encode_change(core::Timestamp at, std::string_view overview, std::string_view point,
                   std::span<const std::string_view> rows, std::span<const std::string> gone,
                   std::string& out) {
    JsonWriter writer(out);
    writer.begin_object().member_integer("at", at.ms);
    if (!overview.empty()) writer.member_raw("overview", overview);
    if (!point.empty()) writer.member_raw("point", point);
    if (!rows.empty()) rows_of(writer, rows);
    if (!gone.empty()) writer.member_texts("gone", gone);
    writer.end_object();
}

void BodyWriter::operator()(const ObservedAgentPage& reply) {
    agent_members(writer_, reply.row);
    writer_.key("hours").begin_array();
    for (const ObservedHour& hour : reply.hours) {
        writer_.begin_array()
            .integer(hour.at.ms)
            .integer(hour.sent)
            .integer(hour.received)
            .end_array();
    }
    writer_.end_array()
        .member_texts("subscriptions", reply.subscriptions, &core::ChannelName::str)
        .member_if("more_subscriptions", reply.more_subscriptions);
}

void BodyWriter::operator()(const ObservedPairs& reply) {
    writer_.key("pairs").begin_array();
    for (const ObservedPair& pair : reply.pairs) {
        writer_.begin_object()
            .member("from", pair.from)
            .member("to", pair.to)
            .member_integer("messages", pair.messages)
            .member_integer("bytes", pair.bytes)
            .member_integer("last_at", pair.last_at.ms)
            .end_object();
    }
    writer_.end_array()
        .member_integer("scanned", reply.scanned)
        .key("truncated")
        .boolean(reply.truncated);
}

}  // namespace agentcom::protocol

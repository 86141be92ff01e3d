// Answers about the hub: its health, its settings, its tokens.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/body_writer.hpp"

namespace agentcom::protocol {

namespace {

/// "2026-01-31"
std::string date(std::uint32_t day) {
    const std::chrono::year_month_day parts{std::chrono::sys_days{std::chrono::days{day}}};
    const auto digits = [](auto number, std::size_t width) {
        std::string text = std::to_string(number);
        return text.insert(0, width - std::min(width, text.size()), '0');
    };
    return digits(static_cast<int>(parts.year()), 4) + '-' +
           digits(static_cast<unsigned>(parts.month()), 2) + '-' +
           digits(static_cast<unsigned>(parts.day()), 2);
}

}  // namespace

std::string_view health_state_name(HealthState state) noexcept {
    switch (state) {
        case HealthState::ok:
            return "ok";
        case HealthState::storage_full:
            return "storage_full";
        case HealthState::storage_failed:
            return "storage_failed";
        case HealthState::shutting_down:
            return "shutting_down";
        case HealthState::starting:
            return "starting";
        case HealthState::loop_stalled:
            return "loop_stalled";
        case HealthState::disk_stalled:
            return "disk_stalled";
        case HealthState::commit_stalled:
            return "commit_stalled";
    }
    return "";
}

void BodyWriter::operator()(const Pong& reply) {
    writer_.member_integer("timestamp", reply.timestamp.ms);
}

void BodyWriter::operator()(const HealthReport& reply) {
    writer_.member("status", reply.state == HealthState::ok ? "ok" : "degraded")
        .member("service", "agent_com")
        .member_integer("agents_connected", reply.agents_connected);
    // A healthy hub answers exactly as the original did.
    if (reply.state != HealthState::ok) writer_.member("reason", health_state_name(reply.state));
    if (reply.reader_lag > 0) writer_.member_integer("reader_lag", reply.reader_lag);
}

void BodyWriter::operator()(const ProbeReport& reply) {
    writer_.member("status", reply.state == HealthState::ok ? "ok" : "unavailable");
    if (reply.state != HealthState::ok) writer_.member("reason", health_state_name(reply.state));
}

void BodyWriter::operator()(const SettingValue& reply) {
    writer_.member_integer(
        reply.setting == Setting::mailbox_ttl_ms ? "mailbox_ttl_ms" : "heartbeat_interval_ms",
        reply.value);
    if (reply.updated) writer_.member("status", "updated");
}

void BodyWriter::operator()(const ResetScheduled& reply) {
    writer_.member("status", "reset_scheduled").member("triggered_by", reply.triggered_by.str());
}

void BodyWriter::operator()(const ConfigReloaded& reply) {
    writer_.member("status", "reloaded")
        .member_texts("changed", reply.changed)
        .member_texts("needs_restart", reply.needs_restart)
        .key("tls_read_again")
        .boolean(reply.tls_read_again);
}

void BodyWriter::times_of(const TokenSummary& token) {
    time("expires_at", token.expires_at);
    if (token.last_used_day != 0) {
        writer_.member("last_used_day", date(token.last_used_day));
    } else {
        writer_.key("last_used_day").null();
    }
}

void BodyWriter::operator()(const SelfInfo& reply) {
    writer_.member("agent_id", reply.agent.str())
        .member("role", core::role_name(reply.role))
        .member("token_prefix", reply.token.prefix + "...")
        .member_integer("created_at", reply.token.created_at.ms)
        .member("token_name", reply.token.name);
    times_of(reply.token);
    writer_.key("limits")
        .begin_object()
        .member_integer("max_frame_bytes", reply.max_frame_bytes)
        .member_integer("max_page_bytes", reply.max_page_bytes)
        .member_integer("messages_per_second", reply.messages_per_second)
        .member_integer("work_per_second", reply.work_per_second)
        .end_object();
}

void BodyWriter::operator()(const SessionInfo& reply) {
    writer_.member("agent_id", reply.agent.str())
        .member("role", core::role_name(reply.role))
        .member_integer("expires_at", reply.expires_at.ms);
}

void BodyWriter::operator()(const TokenCreated& reply) {
    writer_.member("agent_id", reply.agent.str())
        .member("token", reply.token.reveal())
        .member("role", core::role_name(reply.role))
        .member("name", reply.name);
    time("expires_at", reply.expires_at);
    if (reply.old_until) time("old_expire_at", reply.old_until);
}

void BodyWriter::operator()(const TokenList& reply) {
    writer_.key("tokens").begin_array();
    for (const TokenSummary& token : reply.tokens) {
        writer_.begin_object()
            .member("agent_id", token.agent.str())
            .member("token_prefix", token.prefix + "...")
            .member("role", core::role_name(token.role))
            .member_integer("created_at", token.created_at.ms)
            .member("name", token.name);
        times_of(token);
        writer_.end_object();
    }
    writer_.end_array();
    cursor(reply.next_cursor);
}

void BodyWriter::operator()(const TokensRevoked& reply) {
    writer_.member("status", "revoked").member("agent_id", reply.agent);
}

void BodyWriter::operator()(const AgentDisconnected& reply) {
    writer_.member("status", "disconnected")
        .member("agent_id", reply.agent)
        .member_integer("closed", reply.closed);
}

void BodyWriter::operator()(const AgentEnded& reply) {
    writer_.member("status", "deleted").member("agent_id", reply.agent);
}

}  // namespace agentcom::protocol

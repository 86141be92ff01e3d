// Replies to HTTP answers.

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "agentcom/protocol/codec.hpp"
#include "protocol/agent_card.hpp"
#include "protocol/encode_message.hpp"
#include "protocol/encode_reply.hpp"

namespace agentcom::protocol {

void write_agent(JsonWriter& writer, const AgentInfo& agent) {
    writer.begin_object()
        .member("agent_id", agent.agent.str())
        .member_raw("name", agent.name.text)
        .member_raw("status", agent.status.text)
        .member_raw("capabilities", agent.capabilities.text)
        .member_integer("connected_at", agent.connected_at.ms)
        .end_object();
}

void write_channel_list(JsonWriter& writer, const ChannelList& list) {
    writer.begin_array();
    for (const ChannelSummary& channel : list.channels) {
        writer.begin_object()
            .member("name", channel.name.str())
            .member("description", channel.description)
            .member_integer("subscriber_count", channel.subscriber_count)
            .member_integer("created_at", channel.created_at.ms);
        if (channel.is_private) writer.key("private").boolean(true);
        writer.end_object();
    }
    writer.end_array();
}

void write_channel_messages(JsonWriter& writer, const std::vector<core::MessagePtr>& messages) {
    writer.begin_array();
    for (const core::MessagePtr& message : messages) {
        writer.begin_object().member_integer("seq", message->channel_seq.value).key("message");
        write_message(writer, message, MessageView::plain);
        writer.member_integer("stored_at", message->timestamp.ms).end_object();
    }
    writer.end_array();
}

void write_channel_cursors(JsonWriter& writer, const ChannelHistoryPage& page) {
    if (page.next_cursor) writer.member_integer("cursor", page.next_cursor->value);
    if (page.before) writer.member_integer("before", page.before->value);
}

std::string_view to_string(DeliveryStatus status) noexcept {
    switch (status) {
        case DeliveryStatus::delivered:
            return "delivered";
        case DeliveryStatus::queued:
            return "queued";
        case DeliveryStatus::broadcast:
            return "broadcast";
    }
    return "";
}

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
        case HealthState::commit_stalled:
            return "commit_stalled";
    }
    return "";
}

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

void write_messages(JsonWriter& writer, const std::vector<core::MessagePtr>& messages,
                    MessageView view) {
    writer.begin_array();
    for (const core::MessagePtr& message : messages) write_message(writer, message, view);
    writer.end_array();
}

std::string clock_time(std::int64_t bucket_ms) {
    const std::int64_t minutes = bucket_ms / 60'000 % 1'440;  // of the day
    const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(minutes / 60) + ":" + two(minutes % 60);
}

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

/// One overload per reply: writes the members of the answer's object.
struct BodyWriter {
    JsonWriter& writer;

    template <class Page>
    void operator()(const Shared<Page>& reply) {
        (*this)(*reply);
    }
    void cursor(const std::optional<std::string>& next) {
        if (next) writer.member("cursor", *next);
    }
    void operator()(const Identified& reply) { writer.member("agent_id", reply.agent.str()); }
    void operator()(const Pong& reply) { writer.member_integer("timestamp", reply.timestamp.ms); }
    void operator()(const StatusUpdated&) { writer.member("status", "updated"); }
    void operator()(const MessageSent& reply) {
        writer.member("status", "sent")
            .member("id", reply.id)
            .member("delivery", protocol::to_string(reply.status))
            .member_integer("seq", reply.seq.value);
    }
    void operator()(const AgentList& reply) {
        writer.key("agents").begin_array();
        for (const AgentInfo& agent : reply.agents) write_agent(writer, agent);
        writer.end_array();
        cursor(reply.next_cursor);
    }
    void operator()(const AgentDetails& reply) { details(reply); }
    void operator()(const AgentDirectory& reply) {
        writer.key("agents").begin_array();
        for (const AgentDetails& agent : reply.agents) {
            writer.begin_object();
            details(agent);
            writer.end_object();
        }
        writer.end_array();
        cursor(reply.next_cursor);
    }
    void details(const AgentDetails& agent) {
        writer.member("agent_id", agent.agent.str()).key("known").boolean(agent.known);
        if (agent.known) writer.member("role", core::role_name(agent.role));
        writer.key("connected").boolean(agent.connected);
        time("last_seen", agent.last_seen);
        writer.member_raw("status", agent.status ? agent.status->text : "null")
            .member_raw("capabilities", agent.capabilities ? agent.capabilities->text : "[]")
            .member_integer("unread", agent.unread);
        if (agent.more_unread) writer.key("more_unread").boolean(true);
        if (agent.similar.empty()) return;
        writer.key("similar").begin_array();
        for (const std::string& name : agent.similar) writer.string(name);
        writer.end_array();
    }
    void operator()(const AgentCard& reply) { write_card(writer, reply); }
    void operator()(const OneMessage& reply) {
        writer.key("message");
        write_message(writer, reply.message, MessageView::history);
    }
    void operator()(const Acked& reply) {
        writer.member("status", "acked").member_integer("up_to", reply.up_to.value);
    }
    void operator()(const MailboxPage& reply) {
        writer.member("agent_id", reply.agent.str()).key("messages");
        write_messages(writer, reply.messages, MessageView::mailbox);
        writer.member_integer("last_seq", reply.last_seq.value)
            .member_integer("count", reply.messages.size())
            .member("epoch", reply.epoch.str());
        if (reply.truncated) writer.key("truncated").boolean(true);
        if (reply.more) writer.key("more").boolean(true);
        if (reply.reset) writer.key("reset").boolean(true);
    }
    void operator()(const StreamOpened& reply) {
        writer.member("epoch", reply.epoch.str()).member_integer("last_seq", reply.last_seq.value);
    }
    void operator()(const UnreadSummary& reply) {
        writer.member("agent_id", reply.agent.str())
            .member_integer("count", reply.count)
            .key("senders")
            .begin_array();
        for (const auto& [sender, count] : reply.senders) writer.string(sender.str());
        writer.end_array().key("by_sender").begin_array();
        for (const auto& [sender, count] : reply.senders) {
            writer.begin_object()
                .member("agent_id", sender.str())
                .member_integer("count", count)
                .end_object();
        }
        writer.end_array();
        time("oldest", reply.oldest);
        time("newest", reply.newest);
        writer.member_integer("last_seq", reply.last_seq.value).member("epoch", reply.epoch.str());
        if (reply.more) writer.key("more").boolean(true);
    }
    void operator()(const EvictionTriggered&) { writer.member("status", "eviction_triggered"); }
    void operator()(const ChannelCreated& reply) {
        writer.member("status", "created").member("channel", reply.channel_text);
    }
    void operator()(const ChannelList& reply) {
        writer.key("channels");
        write_channel_list(writer, reply);
        cursor(reply.next_cursor);
    }
    void operator()(const ChannelInfo& reply) {
        writer.member("name", reply.name.str())
            .member("description", reply.description)
            .key("subscribers")
            .begin_array();
        for (const core::AgentId& agent : reply.subscribers) writer.string(agent.str());
        writer.end_array()
            .member_integer("subscriber_count", reply.subscriber_count)
            .member_integer("created_at", reply.created_at.ms)
            .member("created_by", reply.created_by.str());
        if (reply.is_private || reply.members_publish) {
            writer.key("private").boolean(reply.is_private);
            // In a private channel it is always the members that publish.
            writer.member("publishers", "members");
        }
        if (!reply.members.empty()) {
            writer.key("members").begin_array();
            for (const core::ChannelMember& each : reply.members) {
                writer.begin_object();
                member(each);
                writer.end_object();
            }
            writer.end_array();
        }
        cursor(reply.next_cursor);
    }
    void member(const core::ChannelMember& each) {
        writer.member("agent_id", each.agent.str()).key("rights").begin_array();
        for (const auto& [right, name] : kMemberRightNames) {
            if ((each.rights & right) != 0) writer.string(name);
        }
        writer.end_array();
    }
    void operator()(const MemberSet& reply) {
        writer.member("status", reply.member.rights != 0 ? "updated" : "removed")
            .member("channel", reply.channel_text);
        member(reply.member);
    }
    void operator()(const Subscribed& reply) {
        writer.member("status", reply.already ? "already_subscribed" : "subscribed")
            .member("channel", reply.channel_text);
    }
    void operator()(const Unsubscribed& reply) {
        writer.member("status", "unsubscribed").member("channel", reply.channel_text);
    }
    void operator()(const ChannelDeleted& reply) {
        writer.member("status", "deleted").member("channel", reply.channel_text);
    }
    void operator()(const Published& reply) {
        writer.member("status", "published")
            .member_integer("seq", reply.seq.value)
            .member("id", reply.id);
    }
    void operator()(const ChannelHistoryPage& reply) {
        writer.member("channel", reply.channel_text).key("messages");
        write_channel_messages(writer, reply.messages);
        writer.member_integer("count", reply.messages.size());
        write_channel_cursors(writer, reply);
    }
    void operator()(const SubscriptionList& reply) {
        writer.member("agent_id", reply.agent).key("channels").begin_array();
        for (const core::ChannelName& channel : reply.channels) writer.string(channel.str());
        writer.end_array();
        cursor(reply.next_cursor);
    }
    void operator()(const HistoryPage& reply) {
        writer.key("messages");
        write_messages(writer, reply.messages, MessageView::history);
        writer.member_integer("cursor", reply.cursor.value)
            .member_integer("count", reply.messages.size());
        if (reply.more) writer.key("more").boolean(true);
    }
    void operator()(const Thread& reply) {
        writer.member("root", reply.root).key("messages");
        write_messages(writer, reply.messages, MessageView::history);
        writer.member_integer("count", reply.messages.size());
        if (reply.next_cursor) writer.member_integer("cursor", reply.next_cursor->value);
    }
    void operator()(const ReplyList& reply) {
        writer.member("parent", reply.parent).key("replies");
        write_messages(writer, reply.replies, MessageView::history);
        writer.member_integer("count", reply.replies.size());
        if (reply.next_cursor) writer.member_integer("cursor", reply.next_cursor->value);
    }
    void operator()(const ThreadRoot& reply) {
        writer.member("message_id", reply.message_id).member("root", reply.root);
    }
    void operator()(const SettingValue& reply) {
        writer.member_integer(
            reply.setting == Setting::mailbox_ttl_ms ? "mailbox_ttl_ms" : "heartbeat_interval_ms",
            reply.value);
        if (reply.updated) writer.member("status", "updated");
    }
    void operator()(const AnalyticsTotals& reply) {
        writer.member_integer("total_agents", reply.total_agents)
            .member_integer("agents_connected", reply.agents_connected)
            .member_integer("agents_active", reply.agents_active)
            .member_integer("agents_idle", reply.agents_idle)
            .member_integer("agents_offline", reply.agents_offline)
            .member_integer("total_messages_24h", reply.total_messages_24h)
            .member_integer("timestamp", reply.timestamp.ms);
    }
    void operator()(const AgentAnalyticsList& reply) {
        writer.key("agents").begin_array();
        for (const AgentAnalytics& agent : reply.agents) write(agent);
        writer.end_array();
        cursor(reply.next_cursor);
    }
    void operator()(const HourlyCounts& reply) {
        writer.member("agent_id", reply.agent).key("hourly").begin_array();
        for (const HourCount& hour : reply.hours) {
            writer.begin_object()
                .member_integer("bucket", hour.bucket)
                .member("hour", clock_time(hour.bucket))
                .member_integer("sent", hour.sent)
                .member_integer("received", hour.received)
                .end_object();
        }
        writer.end_array();
    }
    void operator()(const TokenCreated& reply) {
        writer.member("agent_id", reply.agent.str())
            .member("token", reply.token.reveal())
            .member("role", core::role_name(reply.role))
            .member("name", reply.name);
        time("expires_at", reply.expires_at);
        if (reply.old_until) time("old_expire_at", reply.old_until);
    }
    void operator()(const TokenList& reply) {
        writer.key("tokens").begin_array();
        for (const TokenSummary& token : reply.tokens) {
            writer.begin_object()
                .member("agent_id", token.agent.str())
                .member("token_prefix", token.prefix + "...")
                .member("role", core::role_name(token.role))
                .member_integer("created_at", token.created_at.ms);
            writer.member("name", token.name);
            times_of(token);
            writer.end_object();
        }
        writer.end_array();
        cursor(reply.next_cursor);
    }
    void operator()(const TokensRevoked& reply) {
        writer.member("status", "revoked").member("agent_id", reply.agent);
    }
    void operator()(const AgentEnded& reply) {
        writer.member("status", "deleted").member("agent_id", reply.agent);
    }
    void operator()(const ResetScheduled& reply) {
        writer.member("status", "reset_scheduled").member("triggered_by", reply.triggered_by.str());
    }
    void operator()(const ConfigReloaded& reply) {
        writer.member("status", "reloaded");
        texts("changed", reply.changed);
        texts("needs_restart", reply.needs_restart);
        writer.key("tls_read_again").boolean(reply.tls_read_again);
    }
    void operator()(const HealthReport& reply) {
        writer.member("status", reply.state == HealthState::ok ? "ok" : "degraded")
            .member("service", "agent_com")
            .member_integer("agents_connected", reply.agents_connected);
        // A healthy hub answers exactly as the original did.
        if (reply.state != HealthState::ok) writer.member("reason", health_state_name(reply.state));
        if (reply.reader_lag > 0) writer.member_integer("reader_lag", reply.reader_lag);
    }

    void operator()(const ProbeReport& reply) {
        writer.member("status", reply.state == HealthState::ok ? "ok" : "unavailable");
        if (reply.state != HealthState::ok) writer.member("reason", health_state_name(reply.state));
    }
    /// Not an object: see `encode_http`.
    void operator()(const MetricsReport&) {}

    void operator()(const SelfInfo& reply) {
        writer.member("agent_id", reply.agent.str())
            .member("role", core::role_name(reply.role))
            .member("token_prefix", reply.token.prefix + "...")
            .member_integer("created_at", reply.token.created_at.ms);
        writer.member("token_name", reply.token.name);
        times_of(reply.token);
        writer.key("limits")
            .begin_object()
            .member_integer("max_frame_bytes", reply.max_frame_bytes)
            .member_integer("max_page_bytes", reply.max_page_bytes)
            .member_integer("messages_per_second", reply.messages_per_second)
            .member_integer("work_per_second", reply.work_per_second)
            .end_object();
    }

    void texts(std::string_view key, const std::vector<std::string>& all) {
        writer.key(key).begin_array();
        for (const std::string& text : all) writer.string(text);
        writer.end_array();
    }
    void time(std::string_view key, const std::optional<core::Timestamp>& at) {
        if (at) {
            writer.member_integer(key, at->ms);
        } else {
            writer.key(key).null();
        }
    }
    void times_of(const TokenSummary& token) {
        time("expires_at", token.expires_at);
        if (token.last_used_day != 0) {
            writer.member("last_used_day", date(token.last_used_day));
        } else {
            writer.key("last_used_day").null();
        }
    }
    void write(const AgentAnalytics& agent) {
        writer.begin_object()
            .member("agent_id", agent.agent)
            .key("connected")
            .boolean(agent.connected)
            .member_integer("idle_ms", agent.idle_ms)
            .member("status", to_string(agent.status))
            .member_integer("messages_sent_24h", agent.messages_sent_24h)
            .member_integer("messages_received_24h", agent.messages_received_24h)
            .member_integer("messages_sent_this_hour", agent.messages_sent_this_hour)
            .member_integer("connection_time_24h_ms", agent.connection_time_24h_ms)
            .member_integer("last_active", agent.last_active.ms)
            .key("last_seen");
        if (agent.last_seen) {
            writer.integer(agent.last_seen->ms);
        } else {
            writer.null();
        }
        writer.member_integer("total_connections", agent.total_connections).end_object();
    }
};

std::uint16_t success_status(const ReplyValue& reply) {
    if (const auto* health = std::get_if<HealthReport>(&reply)) {
        // Whoever only reads is served.
        const bool serves = health->state == HealthState::ok ||
                            health->state == HealthState::storage_full ||
                            health->state == HealthState::commit_stalled;
        return serves ? 200 : 503;
    }
    if (const auto* probe = std::get_if<ProbeReport>(&reply)) {
        return probe->state == HealthState::ok ? 200 : 503;
    }
    const bool created = std::holds_alternative<ChannelCreated>(reply) ||
                         std::holds_alternative<TokenCreated>(reply);
    return created ? 201 : 200;
}

constexpr std::uint32_t kRetryAfterSeconds = 1;
/// Room for a body without messages.
constexpr std::size_t kUsualBody = 256;

}  // namespace

HttpOutput encode_http(const Reply& reply, bool writing_route) {
    HttpOutput output;
    if (const auto* metrics = reply ? std::get_if<Shared<MetricsReport>>(&*reply) : nullptr) {
        output.body.append(encode_metrics(**metrics));
        return output;
    }
    output.body.open().reserve(kUsualBody);
    JsonWriter writer(output.body);
    writer.begin_object();
    if (reply) {
        output.status = success_status(*reply);
        std::visit(BodyWriter{writer}, *reply);
    } else {
        const core::Error& error = reply.error();
        const core::ErrorInfo& info = core::error_info(error.code);
        output.status = info.http_status;
        writer.member("error", error.wire_name()).member("message", error.explanation());
        if (!error.field.empty()) writer.member("field", error.field);
        if (error.code == core::ErrorCode::unauthorized && writing_route) {
            writer.member("hint", "provide Authorization: Bearer <token>");
        }
        if (info.retry && (info.http_status == 429 || info.http_status == 503)) {
            output.retry_after_s = kRetryAfterSeconds;
        }
    }
    writer.end_object();
    return output;
}

}  // namespace agentcom::protocol

// Replies and events to WebSocket frames.

#include <concepts>

#include "agentcom/core/version.hpp"
#include "agentcom/protocol/codec.hpp"
#include "protocol/encode_message.hpp"
#include "protocol/encode_reply.hpp"

namespace agentcom::protocol {

namespace {

std::string hex16(std::uint64_t value) { return core::Epoch{value}.str(); }

JsonWriter& frame(JsonWriter& writer, std::string_view type) {
    return writer.begin_object().member("type", type);
}

/// Replies to what only HTTP can ask for. They are listed so that a new reply without a frame of
/// its own does not compile until somebody has decided.
template <class T, class... Listed>
concept OneOf = (std::same_as<T, Listed> || ...);
template <class T>
concept HttpOnly =
    OneOf<T, Acked, MailboxPage, EvictionTriggered, ChannelCreated, ChannelInfo, SubscriptionList,
          HistoryPage, Thread, ReplyList, ThreadRoot, SettingValue, AnalyticsTotals,
          AgentAnalyticsList, HourlyCounts, TokenCreated, TokenList, TokensRevoked, ResetScheduled,
          HealthReport, SelfInfo, MemberSet, AgentEnded, StreamOpened, UnreadSummary, AgentDetails,
          AgentDirectory, OneMessage, AgentCard, ProbeReport, MetricsReport, ConfigReloaded,
          SessionInfo, LoggedIn, LoggedOut, WaitingPage, AgentDisconnected, ObserverJoined,
          ObservedAgentPage, ObservedPairs, EncodedMailbox>;

/// One overload per reply that a frame can ask for.
struct FrameWriter {
    JsonWriter& writer;

    template <class Page>
    void operator()(const Shared<Page>& reply) {
        (*this)(*reply);
    }
    void operator()(const Identified& reply) {
        frame(writer, "identified")
            .member("agent_id", reply.agent.str())
            .member("epoch", reply.epoch.str())
            .member("session_id", hex16(reply.session_id))
            .member("server", "agentcom/" + std::string(core::kVersion))
            .key("limits")
            .begin_object()
            .member_integer("max_frame_bytes", reply.max_frame_bytes)
            .member_integer("messages_per_second", reply.messages_per_second)
            .end_object();
        if (reply.truncated) {
            writer.key("truncated").boolean(true).member_integer("last_seq", reply.last_seq.value);
        }
    }
    void operator()(const Pong& reply) {
        frame(writer, "pong").member_integer("timestamp", reply.timestamp.ms);
    }
    void operator()(const MessageSent& reply) {
        frame(writer, "message_sent")
            .member("id", reply.id)
            .member("status", to_string(reply.status))
            .member_integer("seq", reply.seq.value);
    }
    void operator()(const StatusUpdated&) { frame(writer, "status_updated"); }
    void operator()(const AgentList& reply) {
        frame(writer, "agents").key("agents").begin_array();
        for (const AgentInfo& agent : reply.agents) write_agent(writer, agent);
        writer.end_array();
        if (reply.next_cursor) writer.member("cursor", *reply.next_cursor);
    }
    void operator()(const Subscribed& reply) {
        frame(writer, "channel_subscribed").member("channel", reply.channel_text);
        if (reply.already) writer.member("note", "already_subscribed");
    }
    void operator()(const Unsubscribed& reply) {
        frame(writer, "channel_unsubscribed").member("channel", reply.channel_text);
    }
    void operator()(const ChannelDeleted& reply) {
        frame(writer, "channel_deleted").member("channel", reply.channel_text);
    }
    void operator()(const Published& reply) {
        frame(writer, "channel_published")
            .member("channel", reply.channel_text)
            .member_integer("seq", reply.seq.value)
            .member("id", reply.id);
    }
    void operator()(const ChannelHistoryPage& reply) {
        frame(writer, "channel_history").member("channel", reply.channel_text).key("messages");
        write_channel_messages(writer, reply.messages);
        write_channel_cursors(writer, reply);
    }
    void operator()(const ChannelList& reply) {
        frame(writer, "channels").key("channels");
        write_channel_list(writer, reply);
        if (reply.next_cursor) writer.member("cursor", *reply.next_cursor);
    }
    void operator()(const HttpOnly auto&) { frame(writer, "ok"); }
};

void write_error(JsonWriter& writer, const core::Error& error) {
    frame(writer, "error")
        .member("error", error.wire_name())
        .member("message", error.explanation());
    if (!error.field.empty()) writer.member("field", error.field);
}

}  // namespace

void encode_frame(const Reply& reply, const std::optional<core::JsonText>& ref, core::Pieces& out) {
    if (reply && std::holds_alternative<Acked>(*reply)) return;
    encode_frame_front(reply, out);
    encode_frame_end(ref, out);
}

void encode_frame_front(const Reply& reply, core::Pieces& out) {
    JsonWriter writer(out);
    if (reply) {
        std::visit(FrameWriter{writer}, *reply);
    } else {
        write_error(writer, reply.error());
    }
}

void encode_frame_end(const std::optional<core::JsonText>& ref, core::Pieces& out) {
    if (ref) {
        out.open().append(R"(,"ref":)");
        out.append(ref->text);
    }
    out.open().push_back('}');
}

void encode_agent_joined(const AgentInfo& agent, std::string& out) {
    JsonWriter writer(out);
    frame(writer, "agent_joined").key("agent");
    write_agent(writer, agent);
    writer.end_object();
}

void encode_agent_left(const core::AgentId& agent, std::string& out) {
    JsonWriter writer(out);
    frame(writer, "agent_left").member("agent_id", agent.str()).end_object();
}

void encode_status_changed(const AgentInfo& agent, std::string& out) {
    JsonWriter writer(out);
    frame(writer, "status_changed").key("agent");
    write_agent(writer, agent);
    writer.end_object();
}

void encode_agents_snapshot(const std::vector<AgentInfo>& agents, std::string_view cursor,
                            std::string& out) {
    JsonWriter writer(out);
    frame(writer, "agents").key("agents").begin_array();
    for (const AgentInfo& agent : agents) write_agent(writer, agent);
    writer.end_array().key("snapshot").boolean(true);
    if (!cursor.empty()) writer.key("more").boolean(true).member("cursor", cursor);
    writer.end_object();
}

void encode_channel_agent_joined(const core::ChannelName& channel, const core::AgentId& agent,
                                 std::string& out) {
    JsonWriter writer(out);
    frame(writer, "channel_agent_joined")
        .member("channel", channel.str())
        .member("agent_id", agent.str())
        .end_object();
}

void encode_stream_opened(const StreamOpened& opened, std::string& out) {
    JsonWriter writer(out);
    writer.begin_object()
        .member("epoch", opened.epoch.str())
        .member_integer("last_seq", opened.last_seq.value)
        .end_object();
}

void encode_stream_closed(CloseCode code, std::string& out) {
    JsonWriter writer(out);
    writer.begin_object()
        .member_integer("code", static_cast<std::uint16_t>(code))
        .member("reason", close_reason(code))
        .end_object();
}

core::JsonText json_string(std::string_view text) {
    core::JsonText json;
    append_json_string(json.text, text);
    return json;
}

}  // namespace agentcom::protocol

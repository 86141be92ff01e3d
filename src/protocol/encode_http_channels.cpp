// Answers about channels, and about who belongs to them.

#include <vector>

#include "protocol/body_writer.hpp"
#include "protocol/encode_message.hpp"
#include "protocol/encode_reply.hpp"

namespace agentcom::protocol {

void write_channel_list(JsonWriter& writer, const ChannelList& list) {
    writer.begin_array();
    for (const ChannelSummary& channel : list.channels) {
        writer.begin_object()
            .member("name", channel.name.str())
            .member("description", channel.description)
            .member_integer("subscriber_count", channel.subscriber_count)
            .member_integer("created_at", channel.created_at.ms)
            .member_if("private", channel.is_private)
            .end_object();
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

void BodyWriter::operator()(const ChannelCreated& reply) {
    writer_.member("status", "created").member("channel", reply.channel_text);
}

void BodyWriter::operator()(const ChannelList& reply) {
    writer_.key("channels");
    write_channel_list(writer_, reply);
    cursor(reply.next_cursor);
}

void BodyWriter::member(const core::ChannelMember& each) {
    writer_.member("agent_id", each.agent.str()).key("rights").begin_array();
    for (const auto& [right, name] : kMemberRightNames) {
        if ((each.rights & right) != 0) writer_.string(name);
    }
    writer_.end_array();
}

void BodyWriter::operator()(const ChannelInfo& reply) {
    writer_.member("name", reply.name.str())
        .member("description", reply.description)
        .member_texts("subscribers", reply.subscribers, &core::AgentId::str)
        .member_integer("subscriber_count", reply.subscriber_count)
        .member_integer("created_at", reply.created_at.ms)
        .member("created_by", reply.created_by.str());
    if (reply.is_private || reply.members_publish) {
        writer_.key("private").boolean(reply.is_private);
        // In a private channel it is always the members that publish.
        writer_.member("publishers", "members");
    }
    if (!reply.members.empty()) {
        writer_.key("members").begin_array();
        for (const core::ChannelMember& each : reply.members) {
            writer_.begin_object();
            member(each);
            writer_.end_object();
        }
        writer_.end_array();
    }
    cursor(reply.next_cursor);
}

void BodyWriter::operator()(const MemberSet& reply) {
    writer_.member("status", reply.member.rights != 0 ? "updated" : "removed")
        .member("channel", reply.channel_text);
    member(reply.member);
}

void BodyWriter::operator()(const Subscribed& reply) {
    writer_.member("status", reply.already ? "already_subscribed" : "subscribed")
        .member("channel", reply.channel_text);
}

void BodyWriter::operator()(const Unsubscribed& reply) {
    writer_.member("status", "unsubscribed").member("channel", reply.channel_text);
}

void BodyWriter::operator()(const ChannelDeleted& reply) {
    writer_.member("status", "deleted").member("channel", reply.channel_text);
}

void BodyWriter::operator()(const Published& reply) {
    writer_.member("status", "published")
        .member_integer("seq", reply.seq.value)
        .member("id", reply.id);
}

void BodyWriter::operator()(const ChannelHistoryPage& reply) {
    writer_.member("channel", reply.channel_text).key("messages");
    write_channel_messages(writer_, reply.messages);
    writer_.member_integer("count", reply.messages.size());
    write_channel_cursors(writer_, reply);
}

void BodyWriter::operator()(const SubscriptionList& reply) {
    writer_.member("agent_id", reply.agent)
        .member_texts("channels", reply.channels, &core::ChannelName::str);
    cursor(reply.next_cursor);
}

}  // namespace agentcom::protocol

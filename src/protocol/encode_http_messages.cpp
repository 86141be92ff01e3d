// Answers about messages: sending, mailboxes, history and threads.

#include <string_view>
#include <vector>

#include "protocol/body_writer.hpp"
#include "protocol/encode_message.hpp"
#include "protocol/encode_reply.hpp"

namespace agentcom::protocol {

namespace {

void write_messages(JsonWriter& writer, const std::vector<core::MessagePtr>& messages,
                    MessageView view) {
    writer.begin_array();
    for (const core::MessagePtr& message : messages) write_message(writer, message, view);
    writer.end_array();
}

}  // namespace

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

void write_mailbox_front(JsonWriter& writer, const core::AgentId& agent) {
    writer.member("agent_id", agent.str()).key("messages").begin_array();
}

void write_mailbox_end(JsonWriter& writer, const MailboxPage& page, std::uint64_t count) {
    writer.member_integer("last_seq", page.last_seq.value)
        .member_integer("count", count)
        .member("epoch", page.epoch.str())
        .member_if("truncated", page.truncated)
        .member_if("more", page.more)
        .member_if("reset", page.reset);
}

void BodyWriter::operator()(const MessageSent& reply) {
    writer_.member("status", "sent")
        .member("id", reply.id)
        .member("delivery", to_string(reply.status))
        .member_integer("seq", reply.seq.value);
}

void BodyWriter::operator()(const MailboxPage& reply) {
    write_mailbox_front(writer_, reply.agent);
    for (const core::MessagePtr& message : reply.messages) {
        write_message(writer_, message, MessageView::mailbox);
    }
    writer_.end_array();
    write_mailbox_end(writer_, reply, reply.messages.size());
}

void BodyWriter::operator()(const StreamOpened& reply) {
    writer_.member("epoch", reply.epoch.str()).member_integer("last_seq", reply.last_seq.value);
}

void BodyWriter::operator()(const UnreadSummary& reply) {
    writer_.member("agent_id", reply.agent.str())
        .member_integer("count", reply.count)
        .member_texts("senders", reply.senders,
                      [](const auto& each) -> std::string_view { return each.first.str(); })
        .key("by_sender")
        .begin_array();
    for (const auto& [sender, count] : reply.senders) {
        writer_.begin_object()
            .member("agent_id", sender.str())
            .member_integer("count", count)
            .end_object();
    }
    writer_.end_array();
    time("oldest", reply.oldest);
    time("newest", reply.newest);
    writer_.member_integer("last_seq", reply.last_seq.value)
        .member("epoch", reply.epoch.str())
        .member_if("more", reply.more);
}

void BodyWriter::operator()(const Acked& reply) {
    writer_.member("status", "acked").member_integer("up_to", reply.up_to.value);
}

void BodyWriter::operator()(const EvictionTriggered&) {
    writer_.member("status", "eviction_triggered");
}

void BodyWriter::operator()(const HistoryPage& reply) {
    writer_.key("messages");
    write_messages(writer_, reply.messages, MessageView::history);
    writer_.member_integer("cursor", reply.cursor.value)
        .member_integer("count", reply.messages.size())
        .member_if("more", reply.more);
}

void BodyWriter::operator()(const WaitingPage& reply) {
    writer_.member("agent_id", reply.agent.str()).key("messages");
    write_messages(writer_, reply.messages, MessageView::mailbox);
    writer_.member_integer("count", reply.messages.size());
    cursor(reply.next_cursor);
    writer_.member_if("truncated", reply.truncated);
}

void BodyWriter::operator()(const OneMessage& reply) {
    writer_.key("message");
    write_message(writer_, reply.message, MessageView::history);
}

void BodyWriter::operator()(const Thread& reply) {
    writer_.member("root", reply.root).key("messages");
    write_messages(writer_, reply.messages, MessageView::history);
    writer_.member_integer("count", reply.messages.size());
    cursor(reply.next_cursor);
}

void BodyWriter::operator()(const ReplyList& reply) {
    writer_.member("parent", reply.parent).key("replies");
    write_messages(writer_, reply.replies, MessageView::history);
    writer_.member_integer("count", reply.replies.size());
    cursor(reply.next_cursor);
}

void BodyWriter::operator()(const ThreadRoot& reply) {
    writer_.member("message_id", reply.message_id).member("root", reply.root);
}

}  // namespace agentcom::protocol

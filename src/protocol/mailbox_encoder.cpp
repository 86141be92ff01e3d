#include "agentcom/protocol/mailbox_encoder.hpp"

#include <utility>

#include "protocol/encode_message.hpp"
#include "protocol/encode_reply.hpp"

namespace agentcom::protocol {

namespace {

/// Room for a page without messages, and for what most pages with some take.
constexpr std::size_t kEmptyPage = 256;
constexpr std::size_t kUsualPage = std::size_t{4} << 10;

}  // namespace

MailboxEncoder::MailboxEncoder(const core::AgentId& agent) {
    body_.open().reserve(kEmptyPage);
    JsonWriter writer(body_);
    writer.begin_object();
    write_mailbox_front(writer, agent);
}

void MailboxEncoder::add(const core::MessageParts& message) {
    if (count_ == 0) body_.open().reserve(kUsualPage);
    if (count_ != 0) body_.open().push_back(',');
    JsonWriter writer(body_);
    write_message(writer, message, MessageView::mailbox);
    ++count_;
}

EncodedMailbox MailboxEncoder::finish(const MailboxPage& page) {
    JsonWriter writer(body_);
    writer.end_array();
    write_mailbox_end(writer, page, count_);
    writer.end_object();
    return {std::move(body_)};
}

}  // namespace agentcom::protocol

#pragma once

#include <string>

#include "agentcom/core/message.hpp"
#include "agentcom/protocol/json_writer.hpp"

namespace agentcom::protocol {

/// How a message is shown where it is read back.
enum class MessageView : std::uint8_t {
    mailbox,  // with "seq"; a channel's copy has the channel inside its payload, too
    history,  // with "seq"
    plain,    // without
};

/// Writes the message object {id, from, to, type, payload, reply_to, timestamp, ...}. A large
/// payload goes out by reference and keeps the message alive until then.
void write_message(JsonWriter& writer, const core::MessagePtr& message, MessageView view);
/// The same of a message that nobody keeps: all of it is copied.
void write_message(JsonWriter& writer, const core::MessageParts& message, MessageView view);

/// The payload object's text with the member "channel" set to the name: replaced where it stands,
/// otherwise added at the front. The original's mailbox copies look like that.
[[nodiscard]] std::string payload_with_channel(std::string_view payload, std::string_view channel);

}  // namespace agentcom::protocol

#include "agentcom/core/message.hpp"

namespace agentcom::core {

MessageParts parts_of(const Message& message) noexcept {
    const Draft& draft = message.draft;
    MessageParts parts{.seq = message.seq,
                       .id = message.id,
                       .channel_seq = message.channel_seq,
                       .timestamp = message.timestamp,
                       .from = draft.from.str(),
                       .destination = {},
                       .type = draft.type,
                       .payload = draft.payload.text,
                       .reply_to = draft.reply_to};
    if (const auto* agent = std::get_if<ToAgent>(&draft.to)) {
        parts.to = MessageParts::To::agent;
        parts.destination = agent->agent.str();
    } else if (const auto* channel = std::get_if<ToChannel>(&draft.to)) {
        parts.to = MessageParts::To::channel;
        parts.destination = channel->channel.str();
    } else if (std::get_if<ToEveryone>(&draft.to)->spelled) {
        parts.to = MessageParts::To::everyone_spelled;
    }
    return parts;
}

}  // namespace agentcom::core

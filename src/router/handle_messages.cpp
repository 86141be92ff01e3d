// Sending: direct messages, broadcasts and publications, by whichever transport.

#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

void Router::Impl::operate(Context context, protocol::SendMessage request) {
    if (!require_deliverable(context, request.payload)) return;
    const core::AgentId& sender = *context.caller.agent;
    store::AppendMessage append{
        core::Draft{sender, std::move(request.to), std::move(request.type),
                    std::move(request.payload), std::move(request.reply_to)},
        std::move(request.idempotency_key)};
    submit(std::move(context), std::move(append), [this](const store::WriteValue& value) {
        const auto& appended = std::get<store::Appended>(value);
        const core::Message& message = *appended.message;
        protocol::MessageSent sent{message.id, message.seq, protocol::DeliveryStatus::broadcast,
                                   appended.duplicate};
        const core::Timestamp now = message.timestamp;
        if (const auto* direct = std::get_if<core::ToAgent>(&message.draft.to)) {
            sent.status = presence_.is_online(direct->agent) ? protocol::DeliveryStatus::delivered
                                                             : protocol::DeliveryStatus::queued;
            if (!appended.duplicate) analytics_.received(direct->agent, now);
        }
        if (!appended.duplicate) {
            analytics_.sent(message.draft.from, now);
            if (std::holds_alternative<core::ToEveryone>(message.draft.to)) {
                analytics_.broadcast(message.draft.from, message.seq, now);
            }
        }
        return protocol::ReplyValue(sent);
    });
}

void Router::Impl::operate(Context context, protocol::Publish request) {
    if (!require_deliverable(context, request.payload)) return;
    const core::AgentId& sender = *context.caller.agent;
    store::AppendMessage append{
        core::Draft{sender, core::ToChannel{request.channel}, std::move(request.type),
                    std::move(request.payload), std::move(request.reply_to)},
        std::move(request.idempotency_key)};
    submit(std::move(context), std::move(append),
           [this, channel = std::move(request.channel),
            text = std::move(request.channel_text)](const store::WriteValue& value) {
               const auto& appended = std::get<store::Appended>(value);
               const core::Message& message = *appended.message;
               if (!appended.duplicate) {
                   analytics_.sent(message.draft.from, message.timestamp);
                   analytics_.published(message.draft.from, channel.str(), message.timestamp);
               }
               return protocol::ReplyValue(protocol::Published{
                   channel, message.channel_seq, message.id, text, appended.duplicate});
           });
}

}  // namespace agentcom::router

// Channels: create, list, subscribe, history.

#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

void Router::Impl::operate(Context context, protocol::CreateChannel request) {
    if (!require_agent(context) || !require_writable(context)) return;
    const core::AgentId creator = *context.caller.agent;
    submit(std::move(context),
           store::CreateChannel{request.name, std::move(request.description), creator},
           [name = request.name](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::ChannelCreated{name});
           });
}

void Router::Impl::operate(Context context, protocol::ListChannels) {
    if (!require_reader(context)) return;
    protocol::ChannelList list;
    for (store::ChannelRecord& channel : channels_.list()) {
        list.channels.push_back({std::move(channel.name), std::move(channel.description),
                                 channel.subscriber_count, channel.created_at});
    }
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::GetChannel request) {
    if (!require_reader(context)) return;
    auto info = channels_.info(request.channel);
    if (!info) return context.reply(core::Error(core::ErrorCode::channel_not_found));
    context.reply(protocol::ReplyValue(
        protocol::ChannelInfo{std::move(info->channel.name), std::move(info->channel.description),
                              std::move(info->subscribers), info->channel.created_at,
                              std::move(info->channel.created_by)}));
}

void Router::Impl::operate(Context context, protocol::Subscribe request) {
    if (!require_agent(context) || !require_writable(context)) return;
    const core::AgentId agent = *context.caller.agent;
    submit(std::move(context), store::Subscribe{request.channel, agent},
           [request](const store::WriteValue& value) {
               const bool changed = std::get<store::SubscriptionChanged>(value).changed;
               return protocol::ReplyValue(
                   protocol::Subscribed{request.channel, request.channel_text, !changed});
           });
}

void Router::Impl::operate(Context context, protocol::Unsubscribe request) {
    if (!require_agent(context) || !require_writable(context)) return;
    const core::AgentId agent = *context.caller.agent;
    submit(std::move(context), store::Unsubscribe{request.channel, agent},
           [request](const store::WriteValue&) {
               return protocol::ReplyValue(
                   protocol::Unsubscribed{request.channel, request.channel_text});
           });
}

void Router::Impl::operate(Context context, protocol::ChannelHistory request) {
    if (!require_reader(context)) return;
    auto messages = channels_.history(request.channel, request.since, request.limit);
    context.reply(protocol::ReplyValue(protocol::ChannelHistoryPage{
        std::move(request.channel), std::move(request.channel_text), std::move(messages)}));
}

void Router::Impl::operate(Context context, protocol::ListSubscriptions request) {
    if (!require_reader(context)) return;
    auto channels = channels_.subscriptions(request.agent);
    context.reply(protocol::ReplyValue(
        protocol::SubscriptionList{std::move(request.agent), std::move(channels)}));
}

}  // namespace agentcom::router

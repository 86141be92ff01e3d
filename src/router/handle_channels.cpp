// Channels: create, list, subscribe, delete, history.

#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

std::optional<store::Viewer> Router::Impl::channel_viewer(const Caller& caller) {
    if (caller.reads_everything()) return std::nullopt;
    return store::Viewer{caller.agent};
}

void Router::Impl::operate(Context context, protocol::CreateChannel request) {
    const core::AgentId creator = *context.caller.agent;
    const auto token = context.caller.token;
    submit(std::move(context),
           store::CreateChannel{request.name, std::move(request.description), creator,
                                request.is_private, request.members_publish,
                                std::move(request.members), token},
           [name = request.name, text = std::move(request.channel_text)](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::ChannelCreated{name, text});
           });
}

void Router::Impl::operate(Context context, protocol::ListChannels request) {
    core::Budget budget(page_limit(context, request.range.limit));
    auto page = channels_.list(request.range.cursor, budget, channel_viewer(context.caller));
    charge(context.caller, budget);
    protocol::ChannelList list;
    if (page.more) list.next_cursor = std::move(page.cursor);
    list.channels.reserve(page.entries.size());
    for (store::ChannelRecord& channel : page.entries) {
        list.channels.push_back({std::move(channel.name), std::move(channel.description),
                                 channel.subscriber_count, channel.created_at, channel.is_private});
    }
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::GetChannel request) {
    core::Budget budget(page_limit(context, request.subscribers.limit));
    auto info = channels_.info(request.channel, request.subscribers.cursor, budget,
                               channel_viewer(context.caller));
    charge(context.caller, budget);
    if (!info) return context.reply(core::Error(core::ErrorCode::channel_not_found));
    protocol::ChannelInfo answer{.name = std::move(info->channel.name),
                                 .description = std::move(info->channel.description),
                                 .subscribers = std::move(info->subscribers.entries),
                                 .created_at = info->channel.created_at,
                                 .created_by = std::move(info->channel.created_by),
                                 .subscriber_count = info->channel.subscriber_count};
    answer.is_private = info->channel.is_private;
    answer.members_publish = info->channel.members_publish;
    answer.members = std::move(info->members);
    if (info->subscribers.more)
        answer.next_cursor = answer.subscribers.empty() ? request.subscribers.cursor
                                                        : answer.subscribers.back().str();
    context.reply(protocol::ReplyValue(std::move(answer)));
}

void Router::Impl::operate(Context context, protocol::SetMember request) {
    store::SetMember op{.channel = request.channel,
                        .by = *context.caller.agent,
                        .by_admin = context.caller.is_admin(),
                        .agent = request.member.agent,
                        .rights = request.member.rights};
    submit(
        std::move(context), std::move(op),
        [request = std::move(request)](const store::WriteValue&) {
            return protocol::ReplyValue(protocol::MemberSet{request.channel_text, request.member});
        });
}

void Router::Impl::operate(Context context, protocol::Subscribe request) {
    const core::AgentId agent = *context.caller.agent;
    const bool reads_everything = context.caller.reads_everything();
    const auto token = context.caller.token;
    submit(std::move(context), store::Subscribe{request.channel, agent, reads_everything, token},
           [request](const store::WriteValue& value) {
               const bool changed = std::get<store::SubscriptionChanged>(value).changed;
               return protocol::ReplyValue(
                   protocol::Subscribed{request.channel, request.channel_text, !changed});
           });
}

void Router::Impl::operate(Context context, protocol::Unsubscribe request) {
    const core::AgentId agent = *context.caller.agent;
    submit(std::move(context), store::Unsubscribe{request.channel, agent},
           [request](const store::WriteValue&) {
               return protocol::ReplyValue(
                   protocol::Unsubscribed{request.channel, request.channel_text});
           });
}

void Router::Impl::operate(Context context, protocol::DeleteChannel request) {
    store::DeleteChannel op{request.channel, *context.caller.agent, context.caller.is_admin()};
    delivery::EventLoop& loop = context.loop;
    loop.submit(
        std::move(op), [this, &loop, request = std::move(request),
                        reply = std::move(context.reply)](const store::WriteResult& result) {
            if (result) {
                if (std::get<store::ChannelDeleted>(*result).more) remove_deleted_channels(loop);
                return reply(protocol::ReplyValue(
                    protocol::ChannelDeleted{request.channel, request.channel_text}));
            }
            // What is to be deleted is named by the path; the original knows nothing there.
            const bool missing = result.error().code == core::ErrorCode::channel_not_found;
            reply(missing ? core::Error(core::ErrorCode::not_found, {}, "there is no such channel")
                          : result.error());
        });
}

void Router::Impl::operate(Context context, protocol::ChannelHistory request) {
    // The name is repeated as it was sent, however long.
    const auto viewer = channel_viewer(context.caller);
    if (channels_.is_closed_to(request.channel, viewer)) {
        return context.reply(
            core::Error(core::ErrorCode::forbidden, {}, "you may not read this channel"));
    }
    core::Budget budget(page_limit(context, request.limit, 2 * request.channel_text.size()));
    auto page = channels_.history({request.channel, request.since, request.before, viewer}, budget);
    charge(context.caller, budget);
    protocol::ChannelHistoryPage answer{.channel = std::move(request.channel),
                                        .channel_text = std::move(request.channel_text),
                                        .messages = std::move(page.entries)};
    if (page.more) (request.since ? answer.next_cursor : answer.before) = page.cursor;
    context.reply(protocol::ReplyValue(std::move(answer)));
}

void Router::Impl::operate(Context context, protocol::ListSubscriptions request) {
    core::Budget budget(page_limit(context, request.range.limit));
    auto page = channels_.subscriptions(request.agent, request.range.cursor, budget,
                                        channel_viewer(context.caller));
    charge(context.caller, budget);
    protocol::SubscriptionList list{.agent = std::move(request.agent),
                                    .channels = std::move(page.entries)};
    if (page.more) list.next_cursor = std::move(page.cursor);
    context.reply(protocol::ReplyValue(std::move(list)));
}

}  // namespace agentcom::router

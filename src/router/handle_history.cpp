// Reading back: the message history and threads.

#include <algorithm>
#include <memory>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

void Router::Impl::operate(Context context, protocol::QueryHistory request) {
    store::HistoryQuery query{.from = std::move(request.from),
                              .to = std::move(request.to),
                              .channel = std::nullopt,
                              .start_time = request.start_time,
                              .end_time = request.end_time,
                              .cursor = request.cursor,
                              .limit = request.limit};
    if (request.channel) {
        auto channel = core::ChannelName::parse(*request.channel);
        if (!channel) {  // no channel can have such a name, so nothing matches
            return context.reply(protocol::ReplyValue(protocol::HistoryPage{{}, request.cursor}));
        }
        query.channel = std::move(*channel);
    }
    auto messages = history_.page(std::move(query));
    const core::Seq last = messages.empty() ? request.cursor : messages.back()->seq;
    context.reply(protocol::ReplyValue(protocol::HistoryPage{std::move(messages), last}));
}

void Router::Impl::operate(Context context, protocol::GetThread request) {
    auto thread = std::make_shared<protocol::Thread>();
    thread->root = threads_.root(request.message_id);
    const std::uint64_t limit =
        std::min(request.limit.value_or(services::kMaxThreadPage), services::kMaxThreadPage);
    collect_thread(context.loop, std::move(thread), limit, request.cursor,
                   std::move(context.reply));
}

void Router::Impl::collect_thread(delivery::EventLoop& loop,
                                  std::shared_ptr<protocol::Thread> thread, std::uint64_t limit,
                                  core::Seq cursor, ReplyHandler reply) {
    const std::uint64_t wanted = limit - thread->messages.size();
    const std::uint64_t asked = std::min(wanted, services::kThreadSlice);
    auto slice = threads_.slice(thread->root, cursor, asked);
    const bool more = !slice.empty() && slice.size() == asked;
    if (!slice.empty()) cursor = slice.back()->seq;
    thread->messages.insert(thread->messages.end(), std::make_move_iterator(slice.begin()),
                            std::make_move_iterator(slice.end()));
    if (!more) return reply(protocol::ReplyValue(std::move(*thread)));
    if (thread->messages.size() == limit) {
        if (!threads_.slice(thread->root, cursor, 1).empty()) thread->next_cursor = cursor;
        return reply(protocol::ReplyValue(std::move(*thread)));
    }
    // A long thread is read in slices, and others are served in between.
    loop.post([this, &loop, thread = std::move(thread), limit, cursor,
               reply = std::move(reply)]() mutable {
        collect_thread(loop, std::move(thread), limit, cursor, std::move(reply));
    });
}

void Router::Impl::operate(Context context, protocol::GetReplies request) {
    protocol::ReplyList list{std::move(request.message_id), {}};
    core::Seq cursor;
    while (list.replies.size() < services::kMaxThreadPage) {
        auto slice = threads_.replies_slice(list.parent, cursor, services::kThreadSlice);
        const bool last = slice.size() < services::kThreadSlice;
        if (!slice.empty()) cursor = slice.back()->seq;
        list.replies.insert(list.replies.end(), std::make_move_iterator(slice.begin()),
                            std::make_move_iterator(slice.end()));
        if (last) break;
    }
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::GetThreadRoot request) {
    auto root = threads_.root(request.message_id);
    context.reply(
        protocol::ReplyValue(protocol::ThreadRoot{std::move(request.message_id), std::move(root)}));
}

}  // namespace agentcom::router

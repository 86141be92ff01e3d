// Reading back: the message history and threads.

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

/// Reads pages into a list until it is complete or full, a turn of the loop for each, so that
/// others are served in between.
template <class List>
struct Collector {
    using Read = std::function<store::MessagePage(const List&, core::Seq, core::Budget&)>;

    delivery::EventLoop& loop;
    std::vector<core::MessagePtr> List::*messages;
    Read read;
    List list;
    core::Budget budget;
    core::Seq cursor;
    Router::ReplyHandler reply;

    static void run(std::shared_ptr<Collector> self) {
        self->budget.next_turn();
        auto page = self->read(self->list, self->cursor, self->budget);
        auto& all = self->list.*(self->messages);
        all.insert(all.end(), std::make_move_iterator(page.entries.begin()),
                   std::make_move_iterator(page.entries.end()));
        self->cursor = page.cursor;
        if (page.more && !self->budget.full()) {
            return self->loop.post([self] { run(self); });
        }
        if (page.more) self->list.next_cursor = page.cursor;
        self->reply(protocol::ReplyValue(std::move(self->list)));
    }
};

}  // namespace

void Router::Impl::operate(Context context, protocol::QueryHistory request) {
    store::HistoryQuery query{.from = std::move(request.from),
                              .to = std::move(request.to),
                              .channel = std::nullopt,
                              .start_time = request.start_time,
                              .end_time = request.end_time,
                              .cursor = request.cursor};
    if (request.channel) {
        auto channel = core::ChannelName::parse(*request.channel);
        if (!channel) {  // no channel can have such a name, so nothing matches
            return context.reply(protocol::ReplyValue(protocol::HistoryPage{{}, request.cursor}));
        }
        query.channel = std::move(*channel);
    }
    auto page = history_.page(query, page_limit(context, request.limit));
    context.reply(protocol::ReplyValue(
        protocol::HistoryPage{std::move(page.entries), page.cursor, page.more}));
}

void Router::Impl::operate(Context context, protocol::GetThread request) {
    const auto limit = page_limit(context, request.limit.value_or(protocol::kMaxThreadPage));
    protocol::Thread thread;
    thread.root = threads_.root(request.message_id);
    Collector<protocol::Thread>::run(
        std::make_shared<Collector<protocol::Thread>>(Collector<protocol::Thread>{
            context.loop, &protocol::Thread::messages,
            [this](const protocol::Thread& of, core::Seq cursor, core::Budget& budget) {
                return threads_.read(of.root, cursor, budget);
            },
            std::move(thread), core::Budget(limit), request.cursor, std::move(context.reply)}));
}

void Router::Impl::operate(Context context, protocol::GetReplies request) {
    const auto limit = page_limit(context, request.limit.value_or(protocol::kMaxThreadPage));
    protocol::ReplyList list;
    list.parent = std::move(request.message_id);
    Collector<protocol::ReplyList>::run(
        std::make_shared<Collector<protocol::ReplyList>>(Collector<protocol::ReplyList>{
            context.loop, &protocol::ReplyList::replies,
            [this](const protocol::ReplyList& of, core::Seq cursor, core::Budget& budget) {
                return threads_.read_replies(of.parent, cursor, budget);
            },
            std::move(list), core::Budget(limit), request.cursor, std::move(context.reply)}));
}

void Router::Impl::operate(Context context, protocol::GetThreadRoot request) {
    auto root = threads_.root(request.message_id);
    context.reply(
        protocol::ReplyValue(protocol::ThreadRoot{std::move(request.message_id), std::move(root)}));
}

}  // namespace agentcom::router

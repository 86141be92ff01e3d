// Reading back: the message history and threads.

#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

/// Reads pages into a list until it is complete or full, one in each turn of the loop, so that
/// others are served in between.
template <class List>
struct Collector : std::enable_shared_from_this<Collector<List>> {
    Collector(delivery::EventLoop& the_loop, const core::PageLimit& limit, core::Seq after)
        : loop(the_loop), budget(limit), cursor(after) {}

    void run() {
        budget.next_turn();
        store::MessagePage page = read(list, cursor, budget);
        (list.*messages)
            .insert((list.*messages).end(), std::make_move_iterator(page.entries.begin()),
                    std::make_move_iterator(page.entries.end()));
        cursor = page.cursor;
        if (page.more && !budget.full()) {
            return loop.post([self = this->shared_from_this()] { self->run(); });
        }
        if (page.more) list.next_cursor = cursor;
        done(std::move(list), budget);
    }

    delivery::EventLoop& loop;
    List list{};
    std::vector<core::MessagePtr> List::*messages = nullptr;
    std::function<store::MessagePage(const List&, core::Seq, core::Budget&)> read;
    std::function<void(List&&, const core::Budget&)> done;
    core::Budget budget;
    core::Seq cursor;
};

}  // namespace

std::optional<store::Viewer> Router::Impl::viewer(const Caller& caller) const {
    if (caller.reads_everything()) return std::nullopt;
    return store::Viewer{*caller.agent, options_.history_visibility == HistoryVisibility::all};
}

void Router::Impl::operate(Context context, protocol::QueryHistory request) {
    store::HistoryQuery query{.from = std::move(request.from),
                              .to = std::move(request.to),
                              .channel = std::nullopt,
                              .start_time = request.start_time,
                              .end_time = request.end_time,
                              .cursor = request.cursor,
                              .viewer = viewer(context.caller)};
    if (request.channel) {
        auto channel = core::ChannelName::parse(*request.channel);
        if (!channel) {  // no channel can have such a name, so nothing matches
            return context.reply(protocol::ReplyValue(protocol::HistoryPage{{}, request.cursor}));
        }
        query.channel = std::move(*channel);
    }
    if (request.limit == 0) {  // whoever wants nothing stays where it is
        return context.reply(protocol::ReplyValue(protocol::HistoryPage{{}, request.cursor}));
    }
    core::Budget budget(page_limit(context, request.limit));
    auto page = history_.page(query, budget);
    charge(context.caller, budget);
    // That a full page may have others behind it, clients of the original know by themselves.
    const bool cut_short = page.more && page.entries.size() < request.limit;
    context.reply(protocol::ReplyValue(
        protocol::HistoryPage{std::move(page.entries), page.cursor, cut_short}));
}

void Router::Impl::operate(Context context, protocol::GetThread request) {
    const auto limit = page_limit(context, request.limit.value_or(protocol::kMaxThreadPage));
    auto thread =
        std::make_shared<Collector<protocol::Thread>>(context.loop, limit, request.cursor);
    const auto eyes = viewer(context.caller);
    thread->list.root = threads_.root(request.message_id, eyes);
    thread->messages = &protocol::Thread::messages;
    thread->read = [this, eyes](const protocol::Thread& of, core::Seq cursor,
                                core::Budget& budget) {
        return threads_.read(of.root, cursor, budget, eyes);
    };
    thread->done = [this, caller = context.caller, reply = std::move(context.reply)](
                       protocol::Thread&& list, const core::Budget& budget) {
        charge(caller, budget);
        reply(protocol::ReplyValue(std::move(list)));
    };
    thread->run();
}

void Router::Impl::operate(Context context, protocol::GetReplies request) {
    const auto limit = page_limit(context, request.limit.value_or(protocol::kMaxThreadPage));
    auto replies =
        std::make_shared<Collector<protocol::ReplyList>>(context.loop, limit, request.cursor);
    replies->list.parent = std::move(request.message_id);
    replies->messages = &protocol::ReplyList::replies;
    replies->read = [this, eyes = viewer(context.caller)](const protocol::ReplyList& of,
                                                          core::Seq cursor, core::Budget& budget) {
        return threads_.read_replies(of.parent, cursor, budget, eyes);
    };
    replies->done = [this, caller = context.caller, reply = std::move(context.reply)](
                        protocol::ReplyList&& list, const core::Budget& budget) {
        charge(caller, budget);
        reply(protocol::ReplyValue(std::move(list)));
    };
    replies->run();
}

void Router::Impl::operate(Context context, protocol::GetThreadRoot request) {
    auto root = threads_.root(request.message_id, viewer(context.caller));
    context.reply(
        protocol::ReplyValue(protocol::ThreadRoot{std::move(request.message_id), std::move(root)}));
}

}  // namespace agentcom::router

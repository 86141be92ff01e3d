// Reading back: the message history and threads.

#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

/// Reads pages into a list until it is complete or full, one in each turn that reads have, so that
/// others are served in between.
template <class List>
struct Collector : std::enable_shared_from_this<Collector<List>> {
    Collector(Context&& context, const core::PageLimit& limit, core::Seq after)
        : loop(context.loop),
          caller(context.caller),
          reply(std::move(context.reply)),
          budget(limit),
          cursor(after) {}

    void run() {
        budget.next_turn();
        store::MessagePage page = read(list, cursor, budget);
        (list.*messages)
            .insert((list.*messages).end(), std::make_move_iterator(page.entries.begin()),
                    std::make_move_iterator(page.entries.end()));
        cursor = page.cursor;
        if (page.more && !budget.full()) {
            return loop.reads().go_on(
                owner, [self = this->shared_from_this()] { self->run(); },
                [self = this->shared_from_this()] {
                    self->reply(core::Error(core::ErrorCode::internal));
                });
        }
        if (page.more) list.next_cursor = cursor;
        charge(caller, budget);
        reply(protocol::ReplyValue(std::move(list)));
    }

    delivery::EventLoop& loop;
    Caller caller;
    std::string_view owner{};  // of `caller`
    Answer reply;
    List list{};
    std::vector<core::MessagePtr> List::*messages = nullptr;
    std::function<store::MessagePage(const List&, core::Seq, core::Budget&)> read;
    std::function<void(const Caller&, const core::Budget&)> charge;
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
                              .viewer = viewer(context.caller),
                              .type = std::move(request.type),
                              .text = std::move(request.text),
                              .newest_first = request.newest_first,
                              .before = request.before};
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

void Router::Impl::operate(Context context, protocol::GetMessage request) {
    auto message = store.find_message(request.message_id, viewer(context.caller));
    if (!message) {
        return context.reply(
            core::Error(core::ErrorCode::not_found, "message_id",
                        "there is no such message (any more), or it is none of yours"));
    }
    charge(context.caller, message->draft.payload.text.size());
    context.reply(protocol::ReplyValue(protocol::OneMessage{std::move(message)}));
}

template <class List>
void Router::Impl::collect(
    Context context, List list, std::vector<core::MessagePtr> List::*messages, std::uint64_t count,
    core::Seq cursor,
    std::function<store::MessagePage(const List&, core::Seq, core::Budget&)> read) {
    const core::PageLimit limit = page_limit(context, count);
    auto collector = std::make_shared<Collector<List>>(std::move(context), limit, cursor);
    collector->owner = owner_of(collector->caller);
    collector->list = std::move(list);
    collector->messages = messages;
    collector->read = std::move(read);
    collector->charge = [this](const Caller& caller, const core::Budget& budget) {
        charge(caller, budget);
    };
    collector->run();
}

void Router::Impl::operate(Context context, protocol::GetThread request) {
    const auto eyes = viewer(context.caller);
    protocol::Thread thread;
    thread.root = threads_.root(request.message_id, eyes);
    collect<protocol::Thread>(
        std::move(context), std::move(thread), &protocol::Thread::messages,
        request.limit.value_or(protocol::kMaxThreadPage), request.cursor,
        [this, eyes](const protocol::Thread& of, core::Seq cursor, core::Budget& budget) {
            return threads_.read(of.root, cursor, budget, eyes);
        });
}

void Router::Impl::operate(Context context, protocol::GetReplies request) {
    const auto eyes = viewer(context.caller);
    protocol::ReplyList replies;
    replies.parent = std::move(request.message_id);
    collect<protocol::ReplyList>(
        std::move(context), std::move(replies), &protocol::ReplyList::replies,
        request.limit.value_or(protocol::kMaxThreadPage), request.cursor,
        [this, eyes](const protocol::ReplyList& of, core::Seq cursor, core::Budget& budget) {
            return threads_.read_replies(of.parent, cursor, budget, eyes);
        });
}

void Router::Impl::operate(Context context, protocol::GetThreadRoot request) {
    auto root = threads_.root(request.message_id, viewer(context.caller));
    context.reply(
        protocol::ReplyValue(protocol::ThreadRoot{std::move(request.message_id), std::move(root)}));
}

}  // namespace agentcom::router

// Streams of a mailbox beside an agent's connection, and what waits in it without being shown.

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "agentcom/core/token.hpp"
#include "router/impl.hpp"

namespace agentcom::router {

bool Router::Impl::ready_to_stream(delivery::Session& session, const Caller& caller) {
    if (!caller.agent || session.backlog_start.complete()) return true;
    return find_backlog(session, *caller.agent, true, core::Seq{core::kMaxSeq});
}

std::optional<core::Error> Router::Impl::take_stream(delivery::Session& session,
                                                     const Caller& caller) {
    const core::AgentId& agent = *caller.agent;
    if (const auto taken = streams_->take(agent); taken != services::Quota::Taken::yes) {
        core::Error error(core::ErrorCode::too_many_connections);
        if (taken == services::Quota::Taken::share_gone) {
            error.message = "this agent has as many streams as one agent may";
        }
        return error;
    }
    auto looking = caller.is_present() ? nullptr : looking_;
    if (looking) (void)looking->take(agent);
    session.quota_place =
        std::shared_ptr<void>(nullptr, [streams = streams_, looking, agent](void*) {
            if (looking) looking->give_back(agent);
            streams->give_back(agent);
        });
    return std::nullopt;
}

void Router::Impl::operate(Context context, protocol::OpenStream request) {
    // There must be something to stream to.
    if (context.session == nullptr || context.session->identity()) {
        return context.reply(core::Error(core::ErrorCode::unknown_message_type));
    }
    delivery::Session& session = *context.session;
    const core::AgentId& agent = *context.caller.agent;
    const auto identity = context.caller.token
                              ? auth_.find(*context.caller.token, context.caller.web_session)
                              : std::nullopt;
    if (agent.str() != request.mailbox || !identity || identity->agent != agent) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    if (shutting_down) return context.reply(core::Error(core::ErrorCode::shutting_down));
    if (auto error = take_stream(session, context.caller)) return context.reply(std::move(*error));
    if (context.caller.is_present()) {
        analytics_.seen(agent, clock_.now());
        roster_.seen(agent, clock_.now());
    }
    roster_.read(agent, clock_.now());

    // One moment of the log, as for a connection: see `identify`.
    const store::ConnectionStart start = store.connection_start(agent);
    while (!find_backlog(session, agent, true, start.head)) {
    }
    const store::MailboxView& backlog = session.backlog_start;
    protocol::StreamOpened opened{.last_seq = backlog.position, .epoch = store.epoch()};
    opened.reset = request.since > start.head;
    // Whoever has got further on its own does not care what was lost before.
    const bool further = !opened.reset && request.since > backlog.position;
    opened.truncated = backlog.truncated && !further;
    if (further) opened.last_seq = request.since;
    session.set_identity({.agent = agent,
                          .role = context.caller.role,
                          .session_id = core::random_u64(),
                          .acks = true,
                          .presence = false,
                          .echo = false,
                          .stream = true,
                          .token = identity->token,
                          .expires_at = identity->expires_at,
                          .web_session = identity->web_session});
    session.begins_after = start.head;
    session.backlog_position = opened.last_seq;
    session.set_catching_up(true);
    session.set_read_position(
        mailbox_.begin_stream(agent, further ? core::Seq{} : backlog.position, opened.last_seq));
    context.loop.registry().add(session, start.subscriptions);
    watch_token(context.loop, session);
    context.reply(protocol::ReplyValue(opened));
}

/// A count that may take several turns of the loop.
struct Router::Impl::UnreadCount final : std::enable_shared_from_this<UnreadCount> {
    UnreadCount(Impl& the_router, Context&& context)
        : router(the_router),
          loop(context.loop),
          caller(context.caller),
          reply(std::move(context.reply)),
          summary{.agent = *caller.agent, .epoch = router.store.epoch()} {}

    void begin() {
        // It may have been revoked while what the agent had read was stored.
        if (!router.auth_.holds_token(*caller.agent, caller.token, caller.web_session)) {
            return reply(core::Error(core::ErrorCode::unauthorized));
        }
        // As large as the mailbox may be; of each turn's messages only the counts are kept.
        read.emplace(router.mailbox_.poll(*caller.agent, core::Seq{}, {}));
        go_on();
    }
    void go_on() {
        bool over = false;
        try {
            over = router.mailbox_.go_on(*read);
            for (const core::MessagePtr& message : read->view.messages) add(*message);
            read->view.messages.clear();
            if (!over) {
                return loop.reads().go_on(
                    owner_of(caller), [self = shared_from_this()] { self->go_on(); }, [] {});
            }
        } catch (const std::exception&) {
            loop.registry().faults().report("count of unread");
            return reply(core::Error(core::ErrorCode::internal));
        }
        router.charge(caller, read->budget);
        summary.more = summary.more || read->view.more || read->view.truncated;
        reply(protocol::ReplyValue(std::move(summary)));
    }
    void add(const core::Message& message) {
        ++summary.count;
        if (!summary.oldest) summary.oldest = message.timestamp;
        summary.newest = message.timestamp;
        summary.last_seq = message.seq;
        const core::AgentId& from = message.draft.from;
        const auto known = std::ranges::find(summary.senders, from,
                                             &std::pair<core::AgentId, std::uint64_t>::first);
        if (known != summary.senders.end()) {
            ++known->second;
        } else if (summary.senders.size() < protocol::UnreadSummary::kMostSenders) {
            summary.senders.emplace_back(from, 1);
        } else {
            summary.more = true;
        }
    }

    Impl& router;
    delivery::EventLoop& loop;
    Caller caller;
    Answer reply;
    protocol::UnreadSummary summary;
    std::optional<services::Mailbox::Read> read;
};

/// A list that may take several turns of the loop.
struct Router::Impl::WaitingList final : std::enable_shared_from_this<WaitingList> {
    WaitingList(Impl& the_router, Context&& context, const core::AgentId& of, core::Seq after,
                core::PageLimit wanted)
        : router(the_router),
          loop(context.loop),
          caller(context.caller),
          reply(std::move(context.reply)),
          cursor(after),
          limit(wanted),
          page{.agent = of} {}

    void begin() {
        // It may have been revoked while what the agent had read was stored.
        if (!router.auth_.holds_token(*caller.agent, caller.token, caller.web_session)) {
            return reply(core::Error(core::ErrorCode::unauthorized));
        }
        read.emplace(router.mailbox_.poll(page.agent, cursor, limit));
        go_on();
    }
    void go_on() {
        try {
            if (!router.mailbox_.go_on(*read)) {
                return loop.reads().go_on(
                    owner_of(caller), [self = shared_from_this()] { self->go_on(); }, [] {});
            }
        } catch (const std::exception&) {
            loop.registry().faults().report("list of what waits");
            return reply(core::Error(core::ErrorCode::internal));
        }
        router.charge(caller, read->budget);
        page.messages = std::move(read->view.messages);
        page.truncated = read->view.truncated;
        if (read->view.more && !page.messages.empty()) page.next_cursor = page.messages.back()->seq;
        reply(protocol::ReplyValue(std::move(page)));
    }

    Impl& router;
    delivery::EventLoop& loop;
    Caller caller;
    Answer reply;
    core::Seq cursor;
    core::PageLimit limit;
    protocol::WaitingPage page;
    std::optional<services::Mailbox::Read> read;
};

void Router::Impl::operate(Context context, protocol::ListWaiting request) {
    const auto agent = core::AgentId::parse_issued(request.mailbox);
    if (!agent) {
        return context.reply(core::Error(core::ErrorCode::not_found, {}, "there is no such agent"));
    }
    if (*agent != *context.caller.agent && !context.caller.reads_everything()) {
        return context.reply(core::Error(core::ErrorCode::forbidden, {},
                                         "what waits for another agent is for administrators and "
                                         "observers"));
    }
    const core::PageLimit limit = page_limit(context, std::max<std::uint64_t>(request.limit, 1));
    auto marks = mailbox_.must_store_first(*agent);
    delivery::EventLoop& loop = context.loop;
    const auto list =
        std::make_shared<WaitingList>(*this, std::move(context), *agent, request.cursor, limit);
    store_first(loop, std::move(marks), [list] { list->begin(); });
}

void Router::Impl::operate(Context context, protocol::GetUnread request) {
    const core::AgentId& agent = *context.caller.agent;
    if (agent.str() != request.mailbox) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    analytics_.seen(agent, clock_.now());
    auto marks = mailbox_.must_store_first(agent);
    delivery::EventLoop& loop = context.loop;
    const auto count = std::make_shared<UnreadCount>(*this, std::move(context));
    store_first(loop, std::move(marks), [count] { count->begin(); });
}

void Router::Impl::store_first(delivery::EventLoop& loop, std::vector<store::MarkRead> marks,
                               std::function<void()> then) {
    if (marks.empty()) return then();
    store::MarkRead last = std::move(marks.back());
    marks.pop_back();
    for (store::MarkRead& mark : marks) loop.submit(std::move(mark), nullptr);
    loop.submit(std::move(last), [then = std::move(then)](const store::WriteResult&) { then(); });
}

}  // namespace agentcom::router

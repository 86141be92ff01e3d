// Mailboxes: poll, long poll, acknowledge, evict; the backlog of connections with acks.

#include <algorithm>
#include <any>
#include <memory>
#include <utility>
#include <vector>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

/// Backlog messages read from the store in one go, and the fill of the outbox at which to pause.
constexpr std::uint64_t kBacklogStretch = 64;
constexpr std::size_t kBacklogHighWater = std::size_t{256} << 10;

}  // namespace

/// A poll that could not be answered at once: it waits for the commit of what its agent has read,
/// or for mail. Lives until it is answered or given up.
struct Router::Impl::Poll final : Pending::Cancellable, std::enable_shared_from_this<Poll> {
    Poll(Impl& the_router, Context&& context, protocol::PollMailbox asked,
         core::SteadyTime answer_by)
        : router(the_router),
          loop(context.loop),
          caller(context.caller),
          reply(std::move(context.reply)),
          request(std::move(asked)),
          deadline(answer_by) {}

    /// Answers, or waits for mail (again). `shared`: the answer of those who ask the same, or null.
    void go_on(std::any* shared);
    void wait_for_mail();
    void cancel() override {
        reply = nullptr;
        stop_waiting();
    }
    void stop_waiting() {
        if (!std::exchange(listed, false)) return;
        loop.registry().waiters().remove(waiter);
        loop.cancel(timer);
        router.waiting_polls_.give_back(*caller.agent);
    }

    Impl& router;
    delivery::EventLoop& loop;
    Caller caller;
    ReplyHandler reply;  // empty: given up
    protocol::PollMailbox request;
    core::SteadyTime deadline;
    delivery::Waiters::Id waiter = 0;
    delivery::EventLoop::TimerHandle timer{};
    bool listed = false;
};

void Router::Impl::Poll::go_on(std::any* shared) {
    if (!reply) return;
    if (auto answer = router.try_poll(caller, request, deadline, shared)) {
        return std::exchange(reply, nullptr)(std::move(*answer));
    }
    wait_for_mail();
}

void Router::Impl::Poll::wait_for_mail() {
    const core::AgentId& agent = *caller.agent;
    if (const auto taken = router.waiting_polls_.take(agent);
        taken != services::Quota::Taken::yes) {
        core::Error error(core::ErrorCode::overloaded);
        if (taken == services::Quota::Taken::share_gone) {
            error.message = "this agent has as many long polls waiting as one agent may";
        }
        return std::exchange(reply, nullptr)(std::move(error));
    }
    listed = true;
    delivery::Waiters& waiters = loop.registry().waiters();
    try {
        auto channels = waiters.is_waiting(agent) ? std::vector<core::ChannelName>()
                                                  : router.channels_.subscriptions(agent.str());
        waiter = waiters.add({agent, std::move(channels), request.since, request.limit,
                              [self = shared_from_this()](std::any& shared) {
                                  self->stop_waiting();
                                  self->go_on(&shared);
                              }});
        timer = loop.call_at(deadline, [self = shared_from_this()] {
            self->stop_waiting();
            self->go_on(nullptr);
        });
    } catch (...) {
        stop_waiting();
        throw;
    }
}

void Router::Impl::operate(Context context, protocol::PollMailbox request) {
    const core::AgentId& agent = *context.caller.agent;
    if (agent.str() != request.mailbox) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    analytics_.seen(agent, clock_.now());
    const core::SteadyTime deadline = clock_.steady() + request.wait;
    auto marks = mailbox_.must_store_first(agent);
    if (marks.empty()) {
        if (auto answer = try_poll(context.caller, request, deadline, nullptr)) {
            return context.reply(std::move(*answer));
        }
    }
    delivery::EventLoop& loop = context.loop;
    Pending& pending = context.pending;
    const auto poll =
        std::make_shared<Poll>(*this, std::move(context), std::move(request), deadline);
    pending = Pending(poll);
    if (marks.empty()) return poll->wait_for_mail();
    // What the agent read over a connection that has just ended is not stored yet.
    store::MarkRead last = std::move(marks.back());
    marks.pop_back();
    for (store::MarkRead& mark : marks) loop.submit(std::move(mark), nullptr);
    loop.submit(std::move(last), [poll](const store::WriteResult&) { poll->go_on(nullptr); });
}

std::optional<protocol::Reply> Router::Impl::try_poll(const Caller& caller,
                                                      const protocol::PollMailbox& request,
                                                      core::SteadyTime deadline, std::any* shared) {
    using Page = protocol::Shared<protocol::MailboxPage>;
    const core::AgentId& agent = *caller.agent;
    if (!auth_.holds_token(agent)) return core::Error(core::ErrorCode::unauthorized);
    if (shared != nullptr && shared->has_value()) {
        return protocol::Reply(protocol::ReplyValue(std::any_cast<const Page&>(*shared)));
    }
    auto view = mailbox_.view(agent, request.since, request.limit);
    if (view.messages.empty() && !view.truncated && !shutting_down && clock_.steady() < deadline) {
        return std::nullopt;
    }
    const core::Seq last = view.messages.empty() ? request.since : view.messages.back()->seq;
    protocol::MailboxPage page{agent, std::move(view.messages), last, store.epoch(),
                               view.truncated};
    if (shared == nullptr) return protocol::Reply(protocol::ReplyValue(std::move(page)));
    auto common = std::make_shared<const protocol::MailboxPage>(std::move(page));
    *shared = Page(common);
    return protocol::Reply(protocol::ReplyValue(Page(std::move(common))));
}

void Router::Impl::operate(Context context, protocol::Ack request) {
    if (request.mailbox && *request.mailbox != context.caller.agent->str()) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    const core::AgentId agent = *context.caller.agent;
    submit(std::move(context), store::AckMailbox{agent, request.up_to},
           [up_to = request.up_to](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::Acked{up_to});
           });
}

void Router::Impl::operate(Context context, protocol::EvictMailboxes) {
    submit(std::move(context), store::EvictMailboxes{settings_.mailbox_horizon(clock_.now())},
           [](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::EvictionTriggered{});
           });
}

void Router::Impl::continue_backlog(delivery::EventLoop& loop, delivery::Session& session) {
    // The first stretch is the mailbox as it stood at identify, so the newest `cap` of it; what
    // arrives while it is pushed follows without a cap, because nobody else will deliver it.
    while (session.catching_up() && !session.closing()) {
        if (session.outbox().bytes() > kBacklogHighWater) return;
        const bool first = session.backlog_position < session.backlog_first_end;
        const core::Seq end = first ? session.backlog_first_end : loop.registry().applied_head();
        if (session.backlog_position >= end) {
            session.set_catching_up(false);
            return;
        }
        const auto view = mailbox_.stretch(session.identity()->agent, session.backlog_position, end,
                                           kBacklogStretch, first);
        for (const core::MessagePtr& message : view.messages) {
            std::string text;
            protocol::encode_push(*message, text);
            std::string frame;
            delivery::append_text_frame(frame, text);
            session.reply(frame, message->seq);
        }
        session.backlog_position =
            view.messages.size() < kBacklogStretch ? end : view.messages.back()->seq;
    }
}

}  // namespace agentcom::router

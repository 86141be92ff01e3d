// Mailboxes: poll, long poll, acknowledge, evict; the backlog of connections with acks.

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

/// Backlog messages read from the store in one go, and the fill of the outbox at which to pause.
constexpr std::uint64_t kBacklogStretch = 64;
constexpr std::size_t kBacklogHighWater = std::size_t{256} << 10;

}  // namespace

void Router::Impl::operate(Context context, protocol::PollMailbox request) {
    if (!require_agent(context)) return;
    if (context.caller.agent->str() != request.mailbox) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    const core::AgentId& agent = *context.caller.agent;
    analytics_.seen(agent, clock_.now());
    const core::SteadyTime deadline = std::chrono::steady_clock::now() + request.wait;
    auto marks = mailbox_.must_store_first(agent);
    if (marks.empty()) return answer_poll(std::move(context), std::move(request), deadline);
    // What the agent read over a connection that has just ended is not stored yet.
    delivery::EventLoop& loop = context.loop;
    store::MarkRead last = std::move(marks.back());
    marks.pop_back();
    for (store::MarkRead& mark : marks) loop.submit(std::move(mark), nullptr);
    loop.submit(std::move(last), [this, &loop, caller = context.caller,
                                  reply = std::move(context.reply), request = std::move(request),
                                  deadline](const store::WriteResult&) mutable {
        answer_poll(Context{loop, caller, nullptr, std::move(reply)}, std::move(request), deadline);
    });
}

void Router::Impl::answer_poll(Context context, protocol::PollMailbox request,
                               core::SteadyTime deadline) {
    const core::AgentId& agent = *context.caller.agent;
    if (!auth_.holds_token(agent)) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    auto view = mailbox_.view(agent, request.since, request.limit);
    if (view.messages.empty() && !view.truncated && !shutting_down &&
        std::chrono::steady_clock::now() < deadline) {
        return wait_for_mail(std::move(context), std::move(request), deadline);
    }
    const core::Seq last = view.messages.empty() ? request.since : view.messages.back()->seq;
    context.reply(protocol::ReplyValue(protocol::MailboxPage{agent, std::move(view.messages), last,
                                                             store.epoch(), view.truncated}));
}

void Router::Impl::wait_for_mail(Context context, protocol::PollMailbox request,
                                 core::SteadyTime deadline) {
    if (waiting_polls_.load() >= options_.max_waiting_polls) {
        return context.reply(core::Error(core::ErrorCode::overloaded));
    }
    /// Lives until the waiter is woken or its time is up, whichever comes first.
    struct Wait {
        explicit Wait(delivery::EventLoop& the_loop) : loop(the_loop), timer(the_loop.context()) {}
        delivery::EventLoop& loop;
        boost::asio::steady_timer timer;
        Caller caller;
        ReplyHandler reply;
        protocol::PollMailbox request;
        delivery::Registry::WaiterHandle handle;
        bool listed = false;
    };
    auto wait = std::make_shared<Wait>(context.loop);
    wait->caller = context.caller;
    wait->reply = std::move(context.reply);
    wait->request = std::move(request);
    ++waiting_polls_;
    const auto finish = [this, wait, deadline] {
        if (!std::exchange(wait->listed, false)) return;
        wait->loop.registry().remove_waiter(wait->handle);
        --waiting_polls_;
        answer_poll(Context{wait->loop, wait->caller, nullptr, std::move(wait->reply)},
                    std::move(wait->request), deadline);
    };
    const core::AgentId& agent = *wait->caller.agent;
    wait->listed = true;
    wait->handle = wait->loop.registry().add_waiter(
        {agent, channels_.subscriptions(agent.str()), [wait] { wait->timer.cancel(); }});
    wait->timer.expires_at(deadline);
    wait->timer.async_wait([finish](const boost::system::error_code&) { finish(); });
}

void Router::Impl::operate(Context context, protocol::Ack request) {
    if (!require_agent(context)) return;
    if (request.mailbox && *request.mailbox != context.caller.agent->str()) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    if (!require_writable(context)) return;
    const core::AgentId agent = *context.caller.agent;
    submit(std::move(context), store::AckMailbox{agent, request.up_to},
           [up_to = request.up_to](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::Acked{up_to});
           });
}

void Router::Impl::operate(Context context, protocol::EvictMailboxes) {
    if (!require_admin(context) || !require_writable(context)) return;
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

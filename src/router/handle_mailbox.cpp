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
/// Proxies give up what has been silent for a minute, and their minute begins earlier.
constexpr core::Millis kLongestWait{55'000};
/// Beyond every message that there will be.
constexpr core::Seq kNoMessage{core::kMaxSeq};
/// What was announced and is not shown yet is looked for again after this.
constexpr core::Millis kWhileTheStoreLags{100};

}  // namespace

/// A poll that could not be answered at once: it reads on in the next turn of the loop, or waits
/// for the commit of what its agent has read, or for mail. Lives until it is answered or given up.
struct Router::Impl::Poll final : Pending::Cancellable, std::enable_shared_from_this<Poll> {
    Poll(Impl& the_router, Context&& context, protocol::PollMailbox asked,
         core::SteadyTime answer_by)
        : router(the_router),
          loop(context.loop),
          caller(context.caller),
          reply(std::move(context.reply)),
          request(std::move(asked)),
          deadline(answer_by) {}

    /// Reads the mailbox (again), and answers or waits for mail (again). `shared`: the answer of
    /// those who ask the same, or null.
    void go_on(std::any* shared);
    /// `shared` only in the turn in which the poll was woken.
    void read_on(PollRead read, std::any* shared);
    void read_later(PollRead read);
    void wait_for_mail();
    /// The deadline, or when the token or session expires if that is before; nothing when it is not
    /// good.
    [[nodiscard]] std::optional<core::SteadyTime> end_of_wait() const;
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
    Answer reply;  // empty: given up
    protocol::PollMailbox request;
    core::SteadyTime deadline;
    bool reset = false;  // its `since` was beyond the newest message when it was asked
    delivery::Waiters::Id waiter = 0;
    delivery::EventLoop::TimerHandle timer{};
    bool listed = false;
};

void Router::Impl::Poll::go_on(std::any* shared) {
    if (!reply) return;
    // It may have been revoked while the poll waited.
    if (!router.auth_.holds_token(*caller.agent, caller.token, caller.web_session)) {
        return std::exchange(reply, nullptr)(core::Error(core::ErrorCode::unauthorized));
    }
    if (shared != nullptr && shared->has_value()) {
        using Page = protocol::Shared<protocol::MailboxPage>;
        return std::exchange(reply,
                             nullptr)(protocol::ReplyValue(std::any_cast<const Page&>(*shared)));
    }
    // What is encoded is for one asker, and a page that is shared is encoded for all of them.
    read_on(router.begin_poll(caller, request, reset, request.encoded && shared == nullptr),
            shared);
}

void Router::Impl::Poll::read_on(PollRead read, std::any* shared) {
    if (!reply) return;
    if (!router.go_on(read)) return read_later(std::move(read));
    reset = read.mailbox.view.reset;
    if (auto answer = router.answer_poll(caller, request, read, deadline, shared)) {
        return std::exchange(reply, nullptr)(std::move(*answer));
    }
    // What was delivered while the read went on has woken nobody.
    if (loop.registry().applied_head() <= read.mailbox.view.up_to) return wait_for_mail();
    if (!router.store.lags()) return go_on(nullptr);
    loop.call_at(router.clock_.steady() + kWhileTheStoreLags,
                 [self = shared_from_this()] { self->go_on(nullptr); });
}

void Router::Impl::Poll::read_later(PollRead read) {
    loop.reads().go_on(
        owner_of(caller),
        [self = shared_from_this(), read = std::move(read)]() mutable {
            self->read_on(std::move(read), nullptr);
        },
        [self = shared_from_this()] {
            if (self->reply) {
                std::exchange(self->reply, nullptr)(core::Error(core::ErrorCode::internal));
            }
        });
}

std::optional<core::SteadyTime> Router::Impl::Poll::end_of_wait() const {
    if (!caller.token) return deadline;
    const auto token = router.auth_.find(*caller.token, caller.web_session);
    if (!token) return std::nullopt;
    if (!token->expires_at) return deadline;
    // By the wall clock, as everywhere; should that be set, the poll looks again.
    const core::Millis left{token->expires_at->ms - router.clock_.now().ms};
    return std::min(deadline, router.clock_.steady() + left);
}

void Router::Impl::Poll::wait_for_mail() {
    const core::AgentId& agent = *caller.agent;
    // Looked up after whatever took several turns: a change from now on wakes who is listed.
    const auto until = end_of_wait();
    if (!until) return std::exchange(reply, nullptr)(core::Error(core::ErrorCode::unauthorized));
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
        const core::Seq since = reset ? kNoMessage : request.since;
        waiter = waiters.add({agent, std::move(channels), since, request.limit,
                              [self = shared_from_this()](std::any& shared) {
                                  self->stop_waiting();
                                  self->go_on(&shared);
                              }});
        timer = loop.call_at(*until, [self = shared_from_this()] {
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
    roster_.read(agent, clock_.now());
    const core::SteadyTime deadline = clock_.steady() + std::min(request.wait, kLongestWait);
    auto marks = mailbox_.must_store_first(agent);
    std::optional<PollRead> unfinished;
    bool reset = false;
    if (marks.empty()) {
        auto read = begin_poll(context.caller, request, false, request.encoded);
        const bool complete = go_on(read);
        reset = read.mailbox.view.reset;
        if (!complete) {
            unfinished = std::move(read);
        } else if (auto answer = answer_poll(context.caller, request, read, deadline, nullptr)) {
            return context.reply(std::move(*answer));
        }
    }
    delivery::EventLoop& loop = context.loop;
    Pending& pending = context.pending;
    const auto poll =
        std::make_shared<Poll>(*this, std::move(context), std::move(request), deadline);
    poll->reset = reset;
    pending = Pending(poll);
    if (unfinished) return poll->read_later(std::move(*unfinished));
    if (marks.empty()) return poll->wait_for_mail();
    // What the agent read over a connection that has just ended is not stored yet.
    store_first(loop, std::move(marks), [poll] { poll->go_on(nullptr); });
}

Router::Impl::PollRead Router::Impl::begin_poll(const Caller& caller,
                                                const protocol::PollMailbox& request, bool reset,
                                                bool encoded) const {
    PollRead read{mailbox_.poll(*caller.agent, reset ? kNoMessage : request.since,
                                {.count = request.limit.value_or(services::Mailbox::kUsualPage),
                                 .bytes = options_.max_page_bytes})};
    // Who waits is listed with what the loop has applied, so nothing of that may be missing.
    read.mailbox.query.may_lag = request.wait == core::Millis(0);
    if (encoded) read.encoder.emplace(*caller.agent);
    return read;
}

bool Router::Impl::go_on(PollRead& read) const {
    if (!read.encoder) return mailbox_.go_on(read.mailbox);
    return mailbox_.go_on(
        read.mailbox, [&read](const core::MessageParts& message) { read.encoder->add(message); });
}

std::optional<protocol::Reply> Router::Impl::answer_poll(const Caller& caller,
                                                         const protocol::PollMailbox& request,
                                                         PollRead& read, core::SteadyTime deadline,
                                                         std::any* shared) {
    charge(caller, read.mailbox.budget);
    store::MailboxView& view = read.mailbox.view;
    const core::AgentId& agent = read.mailbox.query.agent;
    const bool empty = view.last_shown == core::Seq{};
    core::Seq last = empty ? request.since : view.last_shown;
    // Past what was lost, so that acknowledging it settles that, too.
    if (view.truncated && (empty || view.lost > last)) last = view.position;
    const bool something = !empty || view.more || view.truncated;
    // A loss is told at once, and after that with what comes, until it is acknowledged.
    const bool news = something && mailbox_.show(agent, {view.after, last}, view.shown);
    if (empty && !view.more && !news && !shutting_down && clock_.steady() < deadline) {
        return std::nullopt;
    }
    protocol::MailboxPage page{.agent = agent,
                               .messages = std::move(view.messages),
                               .last_seq = last,
                               .epoch = store.epoch(),
                               .truncated = view.truncated,
                               .more = view.more,
                               .reset = view.reset};
    if (read.encoder) return protocol::Reply(protocol::ReplyValue(read.encoder->finish(page)));
    if (shared == nullptr) return protocol::Reply(protocol::ReplyValue(std::move(page)));
    protocol::Shared<protocol::MailboxPage> common =
        std::make_shared<const protocol::MailboxPage>(std::move(page));
    *shared = common;
    return protocol::Reply(protocol::ReplyValue(std::move(common)));
}

void Router::Impl::operate(Context context, protocol::Ack request) {
    if (request.mailbox && *request.mailbox != context.caller.agent->str()) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    const core::AgentId agent = *context.caller.agent;
    roster_.read(agent, clock_.now());
    submit(std::move(context), mailbox_.acknowledge(agent, request.up_to),
           [up_to = request.up_to](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::Acked{up_to});
           });
}

void Router::Impl::operate(Context context, protocol::EvictMailboxes) {
    submit(std::move(context), store::EvictMailboxes{settings_.mailbox_horizon(store.time())},
           [](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::EvictionTriggered{});
           });
}

bool Router::Impl::find_backlog(delivery::Session& session, const core::AgentId& agent, bool acks,
                                core::Seq up_to) {
    auto read = acks ? mailbox_.backlog_start(agent, up_to) : mailbox_.first_unread(agent, up_to);
    read.view = std::move(session.backlog_start);
    const bool found = mailbox_.go_on(read);
    session.backlog_start = std::move(read.view);
    return found;
}

bool Router::Impl::ready_to_identify(delivery::Session& session,
                                     const protocol::Identify& request) {
    if (session.identity() || session.backlog_start.complete()) return true;
    const auto identity = auth_.verify(request.token);
    // What is wrong is said by `identify`.
    if (!identity || identity->agent.str() != request.agent_id) return true;
    return find_backlog(session, identity->agent, request.acks, core::Seq{core::kMaxSeq});
}

void Router::Impl::continue_backlog(delivery::EventLoop& loop, delivery::Session& session) {
    if (!session.catching_up() || session.closing() || session.backlog_due) return;
    // The connection says when there is room again.
    if (session.outbox().bytes() > kBacklogHighWater) return;
    const core::AgentId& agent = session.identity()->agent;
    // From where the cap lets it begin up to where the connection does, or further to what live
    // sessions have been offered; what comes meanwhile is left to this reader, because nobody else
    // will deliver it.
    const core::Seq up_to = std::max(session.begins_after, loop.registry().applied_head());
    const auto view = mailbox_.stretch(agent, session.backlog_position, up_to,
                                       {.count = kBacklogStretch, .bytes = kBacklogHighWater});
    for (const core::MessagePtr& message : view.messages) {
        std::string text;
        protocol::encode_push(*message, text);
        session.send_paced(text, message->seq);
    }
    const bool stuck = view.position == session.backlog_position;
    session.backlog_position = view.position;
    if (view.position >= up_to) return session.set_catching_up(false);
    // One stretch a turn, so that others are served in between.
    session.backlog_due = true;
    const auto go_on = [this, &loop, agent, id = session.identity()->session_id] {
        delivery::Session* again = loop.registry().find(agent, id);
        if (again == nullptr) return;
        again->backlog_due = false;
        continue_backlog(loop, *again);
    };
    if (stuck && store.lags()) {
        loop.call_at(clock_.steady() + kWhileTheStoreLags, go_on);
    } else {
        loop.post(go_on);
    }
}

}  // namespace agentcom::router

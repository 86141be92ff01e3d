#include "agentcom/router/router.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>
#include <variant>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {
// They have a place among the streams, too, which is what bounds them.
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();
}  // namespace

Router::Impl::Impl(RouterOptions options, store::Store& the_store, delivery::LoopGroup& loops,
                   const core::Clock& clock)
    : store(the_store),
      options_(std::move(options)),
      rate_warnings_(options_.rate_warnings),
      loops_(loops),
      clock_(clock),
      auth_(the_store, clock, options_.admin_agents),
      presence_(options_.takeovers_per_minute),
      roster_(options_.max_analytics_agents),
      mailbox_(the_store, {options_.mailbox_cap, options_.mailbox_max_bytes}),
      channels_(the_store),
      threads_(the_store),
      history_(the_store),
      settings_(the_store, options_.heartbeat_interval),
      analytics_(options_.max_analytics_agents),
      rates_(options_.messages_per_second, options_.message_burst),
      work_(options_.work_per_second, options_.work_burst),
      waiting_polls_(options_.max_waiting_polls, options_.max_waiting_polls_per_agent),
      streams_(
          std::make_shared<services::Quota>(options_.max_streams, options_.max_streams_per_agent)),
      looking_(std::make_shared<services::Quota>(kNoLimit, kNoLimit)),
      backlogs_(std::make_shared<BacklogSweep>(
          the_store, mailbox_, analytics_, clock,
          BacklogSweep::Limits{options_.metrics_backlog_interval, options_.max_analytics_agents})),
      started_at_(clock.now()),
      started_at_head_(the_store.head()),
      watch_(std::make_shared<HubWatch>(the_store, loops, options_.lost_log_lines, clock)),
      pairs_(std::make_shared<PairCount>(the_store, clock)),
      feed_(std::make_shared<ObserverFeed>(
          loops, clock, *backlogs_, *watch_, agent_sources(), options_.observed_agents,
          ObserverFeed::Hub{[this](const ObservedRows::Counts& counts) { return overview(counts); },
                            [this] {
                                return protocol::HubIdentity{started_at_, store.epoch()};
                            }})),
      expiring_sessions_(loops.size()) {
    feed_watchers();
}

void Router::Impl::set_limits(const RouterOptions& options) {
    rates_.set(options.messages_per_second, options.message_burst);
    work_.set(options.work_per_second, options.work_burst);
    rate_warnings_ = options.rate_warnings;
    presence_.set_takeovers(options.takeovers_per_minute);
    waiting_polls_.set(options.max_waiting_polls, options.max_waiting_polls_per_agent);
    streams_->set(options.max_streams, options.max_streams_per_agent);
}

Caller Router::Impl::authenticate(std::string_view token) {
    auto identity = auth_.verify(token);
    if (!identity) return {};
    return Caller{std::move(identity->agent), identity->role, identity->token};
}

Caller Router::Impl::authenticate_web_session(std::string_view cookie) {
    auto identity = auth_.verify_web_session(cookie);
    if (!identity) return {};
    return Caller{.agent = std::move(identity->agent),
                  .role = identity->role,
                  .token = identity->token,
                  .web_session = identity->web_session};
}

std::optional<core::Error> Router::Impl::refuse_caller(protocol::Right right, const Caller& caller,
                                                       const delivery::Session* session) const {
    using enum protocol::Right;
    if (right == reader && options_.anonymous_reads) return std::nullopt;
    if (right == watcher &&
        (options_.metrics_access == MetricsAccess::open ||
         (options_.metrics_access == MetricsAccess::loopback && caller.local))) {
        return std::nullopt;
    }
    if (const auto code = protocol::refusal(right, caller.standing())) {
        if (*code != core::ErrorCode::forbidden) return core::Error(*code);
        return core::Error(*code, {}, "this is for administrators and observers");
    }
    if (right == connection && (session == nullptr || !session->identity())) {
        return core::Error(core::ErrorCode::not_identified);
    }
    return std::nullopt;
}

bool Router::Impl::require_deliverable(Context& context, const core::JsonText& payload) const {
    if (payload.text.size() + kFrameOverheadBytes <= options_.max_frame_bytes) return true;
    context.reply(core::Error(core::ErrorCode::payload_too_large, "payload"));
    return false;
}

bool Router::Impl::within_rate(const protocol::Request& request, const protocol::Policy& policy,
                               const core::AgentId& agent, core::SteadyTime now) {
    const bool send = std::holds_alternative<protocol::SendMessage>(request) ||
                      std::holds_alternative<protocol::Publish>(request);
    return send ? rates_.allow(agent, now) : work_.allow(agent, now, policy.weight);
}

std::optional<core::Error> Router::Impl::refuse(const protocol::Request& request,
                                                const Caller& caller, delivery::Session* session,
                                                core::SteadyTime now) {
    const protocol::Policy& policy = protocol::policy_of(request);
    if (auto error = refuse_caller(policy.right, caller, session)) return error;
    if (policy.effect == protocol::Effect::write && shutting_down.load(std::memory_order_relaxed)) {
        return core::Error(core::ErrorCode::shutting_down);
    }
    if (!caller.agent || within_rate(request, policy, *caller.agent, now)) {
        if (session != nullptr) session->rate_warnings = 0;
        return std::nullopt;
    }
    return core::Error(core::ErrorCode::rate_limited);
}

void Router::Impl::charge(const Caller& caller, const core::Budget& budget) {
    charge(caller, budget.bytes() + budget.walked());
}

void Router::Impl::charge(const Caller& caller, std::uint64_t bytes) {
    // A kilobyte that is shown, or as many entries that were only looked at.
    constexpr std::uint64_t kOfUnit = 1'024;
    if (caller.agent) work_.charge(*caller.agent, clock_.steady(), bytes / kOfUnit);
}

/// A read that waits for its turn.
struct Router::Impl::Deferred final : Pending::Cancellable {
    Deferred(Impl& the_router, delivery::EventLoop& the_loop, const Caller& who,
             delivery::Session* the_session, protocol::Request&& what, ReplyHandler&& answer)
        : router(the_router),
          loop(the_loop),
          caller(who),
          session(the_session),
          request(std::move(what)),
          reply(std::move(answer)) {}

    void run(const std::shared_ptr<Deferred>& self) {
        if (!reply) return;  // given up
        rest = router.answer(loop, caller, session, std::move(request),
                             [self](protocol::Reply&& answer) { self->finish(std::move(answer)); });
    }
    void finish(protocol::Reply&& answer) {
        if (reply) std::exchange(reply, nullptr)(std::move(answer));
    }
    void cancel() override {
        reply = nullptr;
        rest.cancel();
    }

    Impl& router;
    delivery::EventLoop& loop;
    Caller caller;
    delivery::Session* session;  // kept alive by `reply`
    protocol::Request request;
    ReplyHandler reply;
    Pending rest;
};

Pending Router::Impl::handle(delivery::EventLoop& loop, const Caller& caller,
                             delivery::Session* session, protocol::Request&& request,
                             ReplyHandler reply) {
    const bool page = protocol::policy_of(request).answer == protocol::AnswerBound::page;
    if (!page) return answer(loop, caller, session, std::move(request), std::move(reply));
    if (loop.reads().may_run_now()) {
        Pending pending;
        loop.reads().run_now(
            [&] { pending = answer(loop, caller, session, std::move(request), std::move(reply)); });
        return pending;
    }
    auto deferred = std::make_shared<Deferred>(*this, loop, caller, session, std::move(request),
                                               std::move(reply));
    loop.reads().add(
        owner_of(caller), [deferred] { deferred->run(deferred); },
        [deferred] { deferred->finish(core::Error(core::ErrorCode::internal)); });
    return Pending(deferred);
}

Pending Router::Impl::answer(delivery::EventLoop& loop, const Caller& caller,
                             delivery::Session* session, protocol::Request&& request,
                             ReplyHandler reply) {
    Pending pending;
    const core::SteadyTime now = clock_.steady();
    Answer counting(std::move(reply), loop, protocol::operation_of(request), now);
    if (auto error = refuse(request, caller, session, now)) {
        const bool limited = error->code == core::ErrorCode::rate_limited;
        counting(std::move(*error));
        if (limited && session != nullptr && ++session->rate_warnings >= rate_warnings_) {
            session->close(protocol::CloseCode::rate_limited);
        }
        return pending;
    }
    // Whoever has a connection is seen by that.
    if (caller.web_session || std::holds_alternative<protocol::LogIn>(request)) {
        if (caller.agent) roster_.browsed(*caller.agent);
    } else if (session == nullptr && caller.is_present()) {
        roster_.seen(*caller.agent, clock_.now());
    }
    std::visit(
        [&](auto&& operation) {
            operate(Context{loop, caller, session, std::move(counting), pending},
                    std::forward<decltype(operation)>(operation));
        },
        std::move(request));
    return pending;
}

core::PageLimit Router::Impl::page_limit(const Context& context, std::uint64_t count,
                                         std::size_t other) const noexcept {
    constexpr std::uint64_t kRestOfFrame = 1'024;
    std::uint64_t bytes = options_.max_page_bytes;
    if (context.session != nullptr) bytes = std::min(bytes, options_.max_frame_bytes);
    const std::uint64_t rest = kRestOfFrame + other;
    return {.count = count, .bytes = bytes > rest ? bytes - rest : 1};
}

void Router::Impl::begin_shutdown() {
    shutting_down = true;
    loops_.post_all([](delivery::EventLoop& loop) { loop.registry().wake_all_waiters(); });
}

void Router::Impl::start_maintenance(delivery::EventLoop& loop) {
    next_eviction_ = clock_.steady() + options_.evict_interval;
    loop.on_tick([this, &loop] { maintain(loop); });
    recounting_ = true;
    watch_hub(loop);
    watch_tokens();
}

void Router::Impl::maintain(delivery::EventLoop& loop) {
    if (shutting_down) return;
    for (store::MarkRead& mark : mailbox_.take_unstored()) {
        loop.submit(std::move(mark), counted(Job::store_positions));
    }
    for (store::MarkShown& mark : mailbox_.take_shown()) {
        core::AgentId agent = mark.agent;
        loop.submit(std::move(mark), counted(Job::store_positions, [this, agent = std::move(agent)](
                                                                       const store::WriteResult&) {
                        mailbox_.stored_shown(agent);
                    }));
    }
    if (auto uses = auth_.take_uses()) {
        loop.submit(std::move(*uses), counted(Job::store_token_uses));
    }
    const core::SteadyTime now = clock_.steady();
    if (now < next_eviction_) return;
    next_eviction_ = now + options_.evict_interval;
    rates_.forget_idle(now);
    work_.forget_idle(now);
    loop.submit(store::EvictMailboxes{settings_.mailbox_horizon(store.time())},
                counted(Job::evict_mailboxes));
    if (options_.channel_idle_expiry.count() > 0) expire_channels(loop, {});
    drop_expired_tokens(loop);
    trim(loop);
}

void Router::Impl::expire_channels(delivery::EventLoop& loop, std::string after) {
    if (after.empty() && std::exchange(expiring_, true)) return;
    const core::Timestamp before{store.time().ms - options_.channel_idle_expiry.count()};
    loop.submit(store::ExpireChannels{std::move(after), before},
                counted(Job::expire_channels, [this, &loop](const store::WriteResult& result) {
                    const auto* expired =
                        result ? std::get_if<store::ChannelsExpired>(&*result) : nullptr;
                    if (expired != nullptr && expired->next && !shutting_down) {
                        expire_channels(loop, *expired->next);
                    } else {
                        expiring_ = false;
                    }
                }));
}

void Router::Impl::remove_deleted_channels(delivery::EventLoop& loop) {
    loop.submit(store::RemoveDeletedChannels{}, [this, &loop](const store::WriteResult& result) {
        const auto* removed = result ? std::get_if<store::ChannelsRemoved>(&*result) : nullptr;
        if (removed != nullptr && removed->more && !shutting_down) remove_deleted_channels(loop);
    });
}

void Router::Impl::trim(delivery::EventLoop& loop) {
    if (std::exchange(trimming_, true)) return;
    // One bounded piece per commit, so that senders' messages go in between.
    loop.submit(store::Trim{},
                counted(Job::trim_log, [this, &loop](const store::WriteResult& result) {
                    trimming_ = false;
                    if (!result) return;
                    const auto* trimmed = std::get_if<store::Trimmed>(&*result);
                    if (trimmed != nullptr && trimmed->more && !shutting_down) trim(loop);
                }));
}

Router::Router(RouterOptions options, store::Store& store, delivery::LoopGroup& loops,
               const core::Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), store, loops, clock)) {}

Router::~Router() = default;

Caller Router::authenticate(std::string_view token) const { return impl_->authenticate(token); }

Caller Router::authenticate_web_session(std::string_view cookie) const {
    return impl_->authenticate_web_session(cookie);
}

Pending Router::handle(delivery::EventLoop& loop, const Caller& caller, delivery::Session* session,
                       protocol::Request&& request, ReplyHandler reply) {
    return impl_->handle(loop, caller, session, std::move(request), std::move(reply));
}

protocol::Reply Router::identify(delivery::EventLoop& loop, delivery::Session& session,
                                 const protocol::Identify& request) {
    return impl_->identify(loop, session, request);
}

bool Router::ready_to_identify(delivery::Session& session, const protocol::Identify& request) {
    return impl_->ready_to_identify(session, request);
}

bool Router::ready_to_stream(delivery::Session& session, const Caller& caller) {
    return impl_->ready_to_stream(session, caller);
}

void Router::continue_backlog(delivery::EventLoop& loop, delivery::Session& session) {
    impl_->continue_backlog(loop, session);
}

void Router::disconnected(delivery::EventLoop& loop, delivery::Session& session) {
    impl_->disconnected(loop, session);
}

void Router::start_maintenance(delivery::EventLoop& loop) { impl_->start_maintenance(loop); }

void Router::set_limits(const RouterOptions& options) { impl_->set_limits(options); }

bool Router::turning() const {
    return impl_->liveness(std::nullopt) != protocol::HealthState::loop_stalled;
}

void Router::set_reloader(Reloader reloader) { impl_->set_reloader(std::move(reloader)); }

void Router::begin_shutdown() { impl_->begin_shutdown(); }

core::Epoch Router::epoch() const { return impl_->store.epoch(); }

bool Router::saturated() const noexcept { return impl_->store.saturated(); }

}  // namespace agentcom::router

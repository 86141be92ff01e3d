#include "agentcom/router/router.hpp"

#include <chrono>
#include <utility>
#include <variant>

#include "router/impl.hpp"

namespace agentcom::router {

Router::Impl::Impl(RouterOptions options, store::Store& the_store, delivery::LoopGroup& loops,
                   const core::Clock& clock)
    : store(the_store),
      options_(std::move(options)),
      loops_(loops),
      clock_(clock),
      auth_(the_store, options_.admin_agents),
      mailbox_(the_store, options_.mailbox_cap),
      channels_(the_store),
      threads_(the_store),
      history_(the_store),
      settings_(the_store, options_.heartbeat_interval, options_.mailbox_ttl),
      analytics_(options_.max_analytics_agents),
      rates_(options_.messages_per_second, options_.message_burst) {}

Caller Router::Impl::authenticate(std::string_view token) const {
    auto identity = auth_.verify(token);
    if (!identity) return {};
    return Caller{std::move(identity->agent), identity->role};
}

bool Router::Impl::require_agent(Context& context) const {
    if (context.caller.agent) return true;
    context.reply(core::Error(core::ErrorCode::unauthorized));
    return false;
}

bool Router::Impl::require_reader(Context& context) const {
    return options_.anonymous_reads || require_agent(context);
}

bool Router::Impl::require_admin(Context& context) const {
    if (!require_agent(context)) return false;
    if (context.caller.is_admin()) return true;
    context.reply(core::Error(core::ErrorCode::admin_only));
    return false;
}

bool Router::Impl::require_writable(Context& context) const {
    if (!shutting_down.load(std::memory_order_relaxed)) return true;
    context.reply(core::Error(core::ErrorCode::shutting_down));
    return false;
}

bool Router::Impl::require_rate(Context& context) {
    if (rates_.allow(*context.caller.agent, clock_.steady())) {
        if (context.session != nullptr) context.session->rate_warnings = 0;
        return true;
    }
    context.reply(core::Error(core::ErrorCode::rate_limited));
    if (context.session != nullptr && ++context.session->rate_warnings >= options_.rate_warnings) {
        context.session->close(protocol::CloseCode::rate_limited);
    }
    return false;
}

void Router::Impl::begin_shutdown() {
    shutting_down = true;
    loops_.post_all([](delivery::EventLoop& loop) { loop.registry().wake_all_waiters(); });
}

void Router::Impl::start_maintenance(delivery::EventLoop& loop) {
    next_eviction_ = clock_.steady() + options_.evict_interval;
    loop.on_tick([this, &loop] { maintain(loop); });
}

void Router::Impl::maintain(delivery::EventLoop& loop) {
    if (shutting_down) return;
    for (store::MarkRead& mark : mailbox_.take_unstored()) loop.submit(std::move(mark), nullptr);
    const core::SteadyTime now = clock_.steady();
    if (now < next_eviction_) return;
    next_eviction_ = now + options_.evict_interval;
    rates_.forget_idle(now);
    loop.submit(store::EvictMailboxes{settings_.mailbox_horizon(clock_.now())}, nullptr);
    trim(loop);
}

void Router::Impl::trim(delivery::EventLoop& loop) {
    if (std::exchange(trimming_, true)) return;
    // One bounded piece per commit, so that senders' messages go in between.
    loop.submit(store::Trim{}, [this, &loop](const store::WriteResult& result) {
        trimming_ = false;
        if (!result) return;
        const auto* trimmed = std::get_if<store::Trimmed>(&*result);
        if (trimmed != nullptr && trimmed->more && !shutting_down) trim(loop);
    });
}

Router::Router(RouterOptions options, store::Store& store, delivery::LoopGroup& loops,
               const core::Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), store, loops, clock)) {}

Router::~Router() = default;

Caller Router::authenticate(std::string_view token) const { return impl_->authenticate(token); }

void Router::handle(delivery::EventLoop& loop, const Caller& caller, delivery::Session* session,
                    protocol::Request request, ReplyHandler reply) {
    std::visit(
        [&](auto&& operation) {
            impl_->operate(Context{loop, caller, session, std::move(reply)},
                           std::forward<decltype(operation)>(operation));
        },
        std::move(request));
}

namespace {

template <class... Types>
bool is_any_of(const protocol::Request& request) {
    return (std::holds_alternative<Types>(request) || ...);
}

}  // namespace

bool Router::is_write(const protocol::Request& request) noexcept {
    return is_any_of<protocol::SendMessage, protocol::Ack, protocol::EvictMailboxes,
                     protocol::CreateChannel, protocol::Subscribe, protocol::Unsubscribe,
                     protocol::Publish, protocol::PutSetting, protocol::CreateToken,
                     protocol::RevokeTokens>(request);
}

bool Router::depends_on_writes(const protocol::Request& request) noexcept {
    // Presence is in memory and changed at once, so it never has to wait for a commit.
    return !is_write(request) && !is_any_of<protocol::Identify, protocol::Ping, protocol::SetStatus,
                                            protocol::ListAgents, protocol::Health>(request);
}

protocol::Reply Router::identify(delivery::EventLoop& loop, delivery::Session& session,
                                 const protocol::Identify& request) {
    return impl_->identify(loop, session, request);
}

void Router::continue_backlog(delivery::EventLoop& loop, delivery::Session& session) {
    impl_->continue_backlog(loop, session);
}

void Router::disconnected(delivery::EventLoop& loop, delivery::Session& session) {
    impl_->disconnected(loop, session);
}

void Router::start_maintenance(delivery::EventLoop& loop) { impl_->start_maintenance(loop); }

void Router::begin_shutdown() { impl_->begin_shutdown(); }

bool Router::saturated() const noexcept { return impl_->store.saturated(); }

}  // namespace agentcom::router

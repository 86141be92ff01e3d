// A live connection is good for as long as the token it has identified itself with. Most tokens do
// not expire; connections of those that do stand, by time, in a list of their loop.

#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

/// Refused from their time on, but kept a while longer: a clock that was set may be set back.
constexpr std::int64_t kKeepExpiredMs = 3'600'000;

}  // namespace

void Router::Impl::watch_tokens() {
    loops_.post_all([this](delivery::EventLoop& loop) {
        loop.on_tick([this, &loop] { end_expired_sessions(loop); });
    });
}

void Router::Impl::watch_token(delivery::EventLoop& loop, const delivery::Session& session) {
    const delivery::SessionIdentity& self = *session.identity();
    if (!self.expires_at) return;
    expiring_sessions_[loop.index()].insert({*self.expires_at, self.session_id, self.agent});
}

void Router::Impl::forget_token(delivery::EventLoop& loop, const delivery::Session& session) {
    const delivery::SessionIdentity& self = *session.identity();
    if (!self.expires_at) return;
    expiring_sessions_[loop.index()].erase({*self.expires_at, self.session_id, self.agent});
}

void Router::Impl::end_expired_sessions(delivery::EventLoop& loop) {
    auto& expiring = expiring_sessions_[loop.index()];
    const core::Timestamp now = clock_.now();
    while (!expiring.empty() && expiring.begin()->at <= now) {
        const ExpiringSession expired = std::move(expiring.extract(expiring.begin()).value());
        loop.registry().close(expired.agent, expired.session_id,
                              protocol::CloseCode::token_revoked);
    }
}

void Router::Impl::recheck_sessions(const core::AgentId& agent) {
    loops_.post_all([this, agent](delivery::EventLoop& loop) { recheck_session(loop, agent); });
}

void Router::Impl::recheck_session(delivery::EventLoop& loop, const core::AgentId& agent) {
    // Polls that wait look at their tokens when they are woken.
    loop.registry().waiters().ready_agent(agent.str());
    for (delivery::Session* session : loop.registry().of_agent(agent)) {
        if (!session->closing()) recheck_token(loop, *session);
    }
}

void Router::Impl::recheck_token(delivery::EventLoop& loop, delivery::Session& session) {
    const auto identity = auth_.find(session.identity()->token, session.identity()->web_session);
    if (!identity || identity->agent != session.identity()->agent) {
        return session.close(protocol::CloseCode::token_revoked);
    }
    if (identity->expires_at == session.identity()->expires_at) return;
    forget_token(loop, session);
    delivery::SessionIdentity self = *session.identity();
    self.expires_at = identity->expires_at;
    session.set_identity(std::move(self));
    watch_token(loop, session);
}

void Router::Impl::drop_expired_tokens(delivery::EventLoop& loop) {
    const core::Timestamp before{clock_.now().ms - kKeepExpiredMs};
    const auto go_on = [this, &loop](const store::WriteResult& result) {
        const auto* dropped = result ? std::get_if<store::Trimmed>(&*result) : nullptr;
        if (dropped != nullptr && dropped->more && !shutting_down) drop_expired_tokens(loop);
    };
    loop.submit(store::DropExpiredTokens{before}, counted(Job::drop_expired_tokens, go_on));
}

}  // namespace agentcom::router

// People's sessions in browsers: a cookie that stands for a token, which the page need not keep.

#include <algorithm>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

void Router::Impl::operate(Context context, protocol::LogIn) {
    const auto token = context.caller.token ? auth_.find(*context.caller.token) : std::nullopt;
    // A session begins with a token, not with another session, or it would never end.
    if (!token || context.caller.web_session) {
        return context.reply(core::Error(core::ErrorCode::unauthorized));
    }
    const core::Timestamp now = clock_.now();
    core::Timestamp end{now.ms + options_.session_lifetime.count()};
    if (token->expires_at) end = std::min(end, *token->expires_at);
    const core::Token cookie = core::Token::generate();
    protocol::LoggedIn answer{
        .session = {.agent = token->agent, .role = token->role, .expires_at = end},
        .cookie = cookie,
        .now = now};
    if (const auto old = context.caller.old_web_session) end_session(context.loop, *old);
    submit(std::move(context), store::CreateWebSession{cookie.digest(), token->token, end},
           [this, answer = std::move(answer)](const store::WriteValue&) {
               // The token's oldest session may have ended for this one.
               recheck_sessions(answer.session.agent);
               return protocol::ReplyValue(answer);
           });
}

void Router::Impl::end_session(delivery::EventLoop& loop, const core::TokenDigest& session) {
    const auto found = store.find_web_session(session);
    const auto whose = found ? auth_.find(found->token, session) : std::nullopt;
    if (!whose) return;
    loop.submit(
        store::EndWebSession{session},
        [this, agent = whose->agent](const store::WriteResult&) { recheck_sessions(agent); });
}

void Router::Impl::operate(Context context, protocol::GetSession) {
    const Caller& caller = context.caller;
    if (!caller.web_session) {
        return context.reply(
            core::Error(core::ErrorCode::not_found, {}, "the token was shown, and no session"));
    }
    const auto session = auth_.find(*caller.token, caller.web_session);
    if (!session) return context.reply(core::Error(core::ErrorCode::unauthorized));
    context.reply(protocol::ReplyValue(
        protocol::SessionInfo{session->agent, session->role, *session->expires_at}));
}

void Router::Impl::operate(Context context, protocol::LogOut) {
    const auto session = context.caller.web_session;
    if (!session) return context.reply(protocol::ReplyValue(protocol::LoggedOut{}));
    submit(std::move(context), store::EndWebSession{*session},
           [this, agent = *context.caller.agent](const store::WriteValue&) {
               recheck_sessions(agent);
               return protocol::ReplyValue(protocol::LoggedOut{});
           });
}

}  // namespace agentcom::router

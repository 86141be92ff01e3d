// What administrators do: settings, tokens, reset.

#include <chrono>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

std::string_view setting_name(protocol::Setting setting) {
    return setting == protocol::Setting::mailbox_ttl_ms ? services::kMailboxTtl
                                                        : services::kHeartbeatInterval;
}

}  // namespace

void Router::Impl::operate(Context context, protocol::GetSetting request) {
    context.reply(protocol::ReplyValue(protocol::SettingValue{
        request.setting, settings_.get(setting_name(request.setting)), false}));
}

void Router::Impl::operate(Context context, protocol::PutSetting request) {
    submit(std::move(context),
           store::PutSetting{std::string(setting_name(request.setting)), request.value},
           [request](const store::WriteValue&) {
               return protocol::ReplyValue(
                   protocol::SettingValue{request.setting, request.value, true});
           });
}

void Router::Impl::operate(Context context, protocol::CreateToken request) {
    const core::Token token = core::Token::generate();
    submit(
        std::move(context),
        store::CreateToken{request.agent, token.digest(), token.prefix(), request.role},
        [request, token](const store::WriteValue&) {
            return protocol::ReplyValue(protocol::TokenCreated{request.agent, token, request.role});
        });
}

void Router::Impl::operate(Context context, protocol::ListTokens request) {
    core::Budget budget(page_limit(context, request.range.limit));
    auto page = auth_.list(request.range.cursor, budget);
    charge(context.caller, budget);
    if (!page) return context.reply(std::move(page.error()));
    protocol::TokenList list;
    if (page->more) list.next_cursor = std::move(page->cursor);
    list.tokens.reserve(page->entries.size());
    for (store::TokenRecord& token : page->entries) {
        list.tokens.push_back(
            {std::move(token.agent), std::move(token.prefix), token.role, token.created_at});
    }
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::RevokeTokens request) {
    // Live sessions of the agent are closed when the registries see the commit.
    submit(std::move(context), store::RevokeTokens{request.agent},
           [agent = request.agent](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::TokensRevoked{agent});
           });
}

void Router::Impl::operate(Context context, protocol::ResetHub) {
    const std::int64_t now =
        std::chrono::duration_cast<core::Millis>(clock_.steady().time_since_epoch()).count();
    std::int64_t last = last_reset_ms_.load();
    if ((last >= 0 && now - last < options_.reset_cooldown.count()) ||
        !last_reset_ms_.compare_exchange_strong(last, now)) {
        return context.reply(core::Error(core::ErrorCode::reset_cooldown));
    }
    context.reply(protocol::ReplyValue(protocol::ResetScheduled{*context.caller.agent}));
    analytics_.reset(clock_.now());
    analytics_page_.forget();
    summary_.with([](Summary& summary) { summary.totals.reset(); });
    loops_.post_all([](delivery::EventLoop& loop) {
        loop.registry().for_each(
            [](delivery::Session& session) { session.close(protocol::CloseCode::going_away); });
    });
}

}  // namespace agentcom::router

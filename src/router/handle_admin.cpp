// What administrators do: settings, tokens, reset.

#include <atomic>
#include <chrono>
#include <memory>
#include <utility>

#include "router/impl.hpp"

namespace agentcom::router {

namespace {

std::string_view setting_name(protocol::Setting setting) {
    return setting == protocol::Setting::mailbox_ttl_ms ? services::kMailboxTtl
                                                        : services::kHeartbeatInterval;
}

protocol::TokenSummary summary(store::TokenRecord& token) {
    return {std::move(token.agent), std::move(token.prefix), token.role,         token.created_at,
            std::move(token.name),  token.expires_at,        token.last_used_day};
}

/// When a token that is made now ends.
core::result<std::optional<core::Timestamp>> end_of(const protocol::Expiry& expiry,
                                                    core::Timestamp now) {
    if (expiry.in) return std::optional(core::Timestamp{now.ms + expiry.in->count()});
    if (expiry.at && *expiry.at <= now) {
        return core::Error(core::ErrorCode::invalid_field, "expires_at",
                           "expires_at must be a time to come, in Unix milliseconds");
    }
    return expiry.at;
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
    const auto expires_at = end_of(request.expiry, clock_.now());
    if (!expires_at) return context.reply(expires_at.error());
    submit(std::move(context),
           store::CreateToken{request.agent, token.digest(), token.prefix(), request.role,
                              request.name, *expires_at},
           [request, token, expires_at = *expires_at](const store::WriteValue&) {
               return protocol::ReplyValue(protocol::TokenCreated{
                   request.agent, token, request.role, request.name, expires_at});
           });
}

void Router::Impl::operate(Context context, protocol::RotateToken request) {
    const core::Token token = core::Token::generate();
    const core::Timestamp now = clock_.now();
    const auto expires_at = end_of(request.expiry, now);
    if (!expires_at) return context.reply(expires_at.error());
    const core::Timestamp old_until{now.ms + request.grace.count()};
    submit(std::move(context),
           store::RotateToken{request.agent, token.digest(), token.prefix(), now, old_until,
                              std::move(request.name), *expires_at},
           [this, agent = request.agent, token, old_until](const store::WriteValue& value) {
               recheck_sessions(agent);
               const auto& made = std::get<store::TokenRotated>(value);
               return protocol::ReplyValue(protocol::TokenCreated{
                   agent, token, made.role, made.name, made.expires_at, old_until});
           });
}

void Router::Impl::operate(Context context, protocol::ListTokens request) {
    core::Budget budget(page_limit(context, request.range.limit));
    auto page = auth_.list(request.range.cursor, request.agent, budget);
    charge(context.caller, budget);
    if (!page) return context.reply(std::move(page.error()));
    protocol::TokenList list;
    if (page->more) list.next_cursor = std::move(page->cursor);
    list.tokens.reserve(page->entries.size());
    for (store::TokenRecord& token : page->entries) list.tokens.push_back(summary(token));
    context.reply(protocol::ReplyValue(std::move(list)));
}

void Router::Impl::operate(Context context, protocol::RevokeTokens request) {
    // Live sessions of the agent are closed when the registries see the commit; those of one token
    // when it is looked at again.
    const bool one = !request.prefix.empty();
    store::RevokeTokens op{request.agent, std::move(request.prefix)};
    submit(std::move(context), std::move(op),
           [this, one,
            agent = std::move(request.agent)](const store::WriteValue& value) -> protocol::Reply {
               if (!one) return protocol::ReplyValue(protocol::TokensRevoked{agent});
               if (std::get<store::TokensRevoked>(value).count == 0) {
                   return core::Error(core::ErrorCode::not_found, {},
                                      "the agent has no token that begins so");
               }
               if (const auto id = core::AgentId::parse_issued(agent)) recheck_sessions(*id);
               return protocol::ReplyValue(protocol::TokensRevoked{agent});
           });
}

void Router::Impl::operate(Context context, protocol::EndAgent request) {
    // Its connections are closed when the registries see the commit.
    protocol::AgentEnded answer{request.agent};
    end_agent(context.loop, store::EndAgent{std::move(request.agent)}, std::move(context.reply),
              std::move(answer));
}

void Router::Impl::operate(Context context, protocol::DisconnectAgent request) {
    const auto agent = core::AgentId::parse_issued(request.agent);
    const bool known = agent && (auth_.holder(agent->str()) || presence_.find(*agent) ||
                                 roster_.find(agent->str()));
    if (!known) {
        return context.reply(core::Error(core::ErrorCode::not_found, {}, "there is no such agent"));
    }
    /// What the loops have closed; the last one has it answered.
    struct Tally {
        std::atomic<std::uint64_t> closed{0};
        std::atomic<std::size_t> loops_left;
        Answer reply;
    };
    const auto tally = std::make_shared<Tally>();
    tally->loops_left = loops_.size();
    tally->reply = std::move(context.reply);
    loops_.post_all([tally, agent = *agent, &asking = context.loop](delivery::EventLoop& loop) {
        for (delivery::Session* session : loop.registry().of_agent(agent)) {
            if (session->closing()) continue;
            session->close(protocol::CloseCode::disconnected);
            ++tally->closed;
        }
        if (--tally->loops_left > 0) return;
        asking.post([tally, agent] {
            tally->reply(protocol::ReplyValue(
                protocol::AgentDisconnected{std::string(agent.str()), tally->closed}));
        });
    });
}

void Router::Impl::end_agent(delivery::EventLoop& loop, store::WriteOp op, Answer reply,
                             protocol::AgentEnded answer) {
    const bool begins = std::holds_alternative<store::EndAgent>(op);
    loop.submit(std::move(op), [this, &loop, begins, answer = std::move(answer),
                                reply = std::move(reply)](const store::WriteResult& result) {
        if (!result) return reply(result.error());
        // Not later: the name may have been given to another agent meanwhile.
        if (begins) {
            analytics_.forget(answer.agent);
            roster_.forget(answer.agent);
        }
        if (std::get<store::AgentEnded>(*result).more) {
            return end_agent(loop, store::RemoveEndedAgents{}, reply, answer);
        }
        reply(protocol::ReplyValue(answer));
    });
}

void Router::Impl::operate(Context context, protocol::WhoAmI) {
    const Caller& caller = context.caller;
    auto token = caller.token ? auth_.record(*caller.token) : std::nullopt;
    if (!token) return context.reply(core::Error(core::ErrorCode::unauthorized));
    context.reply(
        protocol::ReplyValue(protocol::SelfInfo{.agent = *caller.agent,
                                                .role = caller.role,
                                                .token = summary(*token),
                                                .max_frame_bytes = options_.max_frame_bytes,
                                                .max_page_bytes = options_.max_page_bytes,
                                                .messages_per_second = rates_.per_second(),
                                                .work_per_second = work_.per_second()}));
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

void Router::Impl::operate(Context context, protocol::ReloadConfig) {
    if (!reloader_) {
        return context.reply(core::Error(core::ErrorCode::not_found, {},
                                         "this hub was started without a configuration"));
    }
    reloader_([&loop = context.loop, reply = std::make_shared<ReplyHandler>(
                                         std::move(context.reply))](const ReloadResult& result) {
        loop.post([reply, result] {
            if (result) {
                (*reply)(protocol::ReplyValue(*result));
            } else {
                (*reply)(result.error());
            }
        });
    });
}

}  // namespace agentcom::router

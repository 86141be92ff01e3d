#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/services/analytics.hpp"
#include "agentcom/services/auth.hpp"
#include "agentcom/services/channels.hpp"
#include "agentcom/services/history.hpp"
#include "agentcom/services/mailbox.hpp"
#include "agentcom/services/presence.hpp"
#include "agentcom/services/rate_limiter.hpp"
#include "agentcom/services/settings.hpp"
#include "agentcom/services/threads.hpp"

namespace agentcom::router {

/// What an operation is given: who asks, where, and whom to answer.
struct Context {
    delivery::EventLoop& loop;
    const Caller& caller;
    delivery::Session* session;  // null over HTTP
    Router::ReplyHandler reply;
};

/// The operations, one overload of `operate` per request, grouped by area in handle_*.cpp.
class Router::Impl {
public:
    Impl(RouterOptions options, store::Store& store, delivery::LoopGroup& loops,
         const core::Clock& clock);

    void operate(Context context, protocol::Identify request);
    void operate(Context context, protocol::Ping request);
    void operate(Context context, protocol::SetStatus request);
    void operate(Context context, protocol::ListAgents request);
    void operate(Context context, protocol::Health request);

    void operate(Context context, protocol::SendMessage request);
    void operate(Context context, protocol::Publish request);

    void operate(Context context, protocol::PollMailbox request);
    void operate(Context context, protocol::Ack request);
    void operate(Context context, protocol::EvictMailboxes request);

    void operate(Context context, protocol::CreateChannel request);
    void operate(Context context, protocol::ListChannels request);
    void operate(Context context, protocol::GetChannel request);
    void operate(Context context, protocol::Subscribe request);
    void operate(Context context, protocol::Unsubscribe request);
    void operate(Context context, protocol::ChannelHistory request);
    void operate(Context context, protocol::ListSubscriptions request);

    void operate(Context context, protocol::QueryHistory request);
    void operate(Context context, protocol::GetThread request);
    void operate(Context context, protocol::GetReplies request);
    void operate(Context context, protocol::GetThreadRoot request);

    void operate(Context context, protocol::AnalyticsSummary request);
    void operate(Context context, protocol::AnalyticsAgents request);
    void operate(Context context, protocol::AnalyticsHourly request);

    void operate(Context context, protocol::GetSetting request);
    void operate(Context context, protocol::PutSetting request);
    void operate(Context context, protocol::CreateToken request);
    void operate(Context context, protocol::ListTokens request);
    void operate(Context context, protocol::RevokeTokens request);
    void operate(Context context, protocol::ResetHub request);

    [[nodiscard]] protocol::Reply identify(delivery::EventLoop& loop, delivery::Session& session,
                                           const protocol::Identify& request);
    void continue_backlog(delivery::EventLoop& loop, delivery::Session& session);
    void disconnected(delivery::EventLoop& loop, delivery::Session& session);
    void begin_shutdown();
    void start_maintenance(delivery::EventLoop& loop);
    [[nodiscard]] Caller authenticate(std::string_view token) const;

    std::atomic<bool> shutting_down{false};
    store::Store& store;

private:
    /// Answers unauthorized and returns false unless somebody asks.
    bool require_agent(Context& context) const;
    /// Like require_agent, but nobody may ask too where reads are anonymous.
    bool require_reader(Context& context) const;
    bool require_admin(Context& context) const;
    /// Refuses what would write while the hub shuts down.
    bool require_writable(Context& context) const;
    /// Takes one from the sender's rate; answers rate_limited (and in the end closes) past it.
    bool require_rate(Context& context);

    /// Submits and answers with what `convert` makes of the stored value.
    template <class Convert>
    void submit(Context context, store::WriteOp op, Convert convert);

    void announce(const core::AgentId& agent, std::string_view frame);
    void replace_session(const core::AgentId& agent, services::SessionPlace place);
    void answer_poll(Context context, protocol::PollMailbox request, core::SteadyTime deadline);
    void wait_for_mail(Context context, protocol::PollMailbox request, core::SteadyTime deadline);
    void collect_thread(delivery::EventLoop& loop, std::shared_ptr<protocol::Thread> thread,
                        std::uint64_t limit, core::Seq cursor, ReplyHandler reply);
    void trim(delivery::EventLoop& loop);
    void maintain(delivery::EventLoop& loop);

    RouterOptions options_;
    delivery::LoopGroup& loops_;
    const core::Clock& clock_;
    services::Auth auth_;
    services::Presence presence_;
    services::Mailbox mailbox_;
    services::Channels channels_;
    services::Threads threads_;
    services::History history_;
    services::Settings settings_;
    services::Analytics analytics_;
    services::RateLimiter rates_;

    std::atomic<std::uint64_t> waiting_polls_{0};
    std::atomic<std::int64_t> last_reset_ms_{-1};  // steady milliseconds, -1: never
    core::SteadyTime next_eviction_;               // maintenance loop only
    bool trimming_ = false;                        // maintenance loop only
};

template <class Convert>
void Router::Impl::submit(Context context, store::WriteOp op, Convert convert) {
    context.loop.submit(std::move(op),
                        [reply = std::move(context.reply),
                         convert = std::move(convert)](const store::WriteResult& result) {
                            if (!result) {
                                reply(result.error());
                            } else {
                                reply(convert(*result));
                            }
                        });
}

}  // namespace agentcom::router

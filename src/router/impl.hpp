#pragma once

#include <any>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/protocol/mailbox_encoder.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/services/alarms.hpp"
#include "agentcom/services/analytics.hpp"
#include "agentcom/services/auth.hpp"
#include "agentcom/services/channels.hpp"
#include "agentcom/services/history.hpp"
#include "agentcom/services/mailbox.hpp"
#include "agentcom/services/presence.hpp"
#include "agentcom/services/quota.hpp"
#include "agentcom/services/rate_limiter.hpp"
#include "agentcom/services/roster.hpp"
#include "agentcom/services/settings.hpp"
#include "agentcom/services/threads.hpp"
#include "router/answer.hpp"
#include "router/backlog_sweep.hpp"
#include "router/day_recount.hpp"
#include "router/hub_watch.hpp"
#include "router/jobs.hpp"
#include "router/observed_rows.hpp"
#include "router/observer_feed.hpp"
#include "router/page_cache.hpp"
#include "router/pair_count.hpp"

namespace agentcom::router {

/// What an operation is given: who asks, where, and whom to answer.
struct Context {
    delivery::EventLoop& loop;
    const Caller& caller;
    delivery::Session* session;  // null over HTTP
    Answer reply;
    Pending& pending;  // set by an operation that can be given up
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

    void operate(Context context, protocol::GetAgent request);
    void operate(Context context, protocol::ListDirectory request);
    void operate(Context context, protocol::GetHubCard request);
    void operate(Context context, protocol::GetAgentCard request);
    void operate(Context context, protocol::SetProfile request);

    void operate(Context context, protocol::SendMessage request);
    void operate(Context context, protocol::Publish request);

    void operate(Context context, protocol::PollMailbox request);
    void operate(Context context, protocol::OpenStream request);
    void operate(Context context, protocol::GetUnread request);
    void operate(Context context, protocol::Ack request);
    void operate(Context context, protocol::EvictMailboxes request);

    void operate(Context context, protocol::CreateChannel request);
    void operate(Context context, protocol::ListChannels request);
    void operate(Context context, protocol::GetChannel request);
    void operate(Context context, protocol::SetMember request);
    void operate(Context context, protocol::Subscribe request);
    void operate(Context context, protocol::Unsubscribe request);
    void operate(Context context, protocol::DeleteChannel request);
    void operate(Context context, protocol::ChannelHistory request);
    void operate(Context context, protocol::ListSubscriptions request);

    void operate(Context context, protocol::QueryHistory request);
    void operate(Context context, protocol::GetMessage request);
    void operate(Context context, protocol::GetThread request);
    void operate(Context context, protocol::GetReplies request);
    void operate(Context context, protocol::GetThreadRoot request);

    void operate(Context context, protocol::AnalyticsSummary request);
    void operate(Context context, protocol::AnalyticsAgents request);
    void operate(Context context, protocol::AnalyticsHourly request);

    void operate(Context context, protocol::Observe request);
    void operate(Context context, protocol::ObserveAgent request);
    void operate(Context context, protocol::ObservePairs request);

    void operate(Context context, protocol::GetSetting request);
    void operate(Context context, protocol::PutSetting request);
    void operate(Context context, protocol::CreateToken request);
    void operate(Context context, protocol::ListTokens request);
    void operate(Context context, protocol::RevokeTokens request);
    void operate(Context context, protocol::ResetHub request);
    void operate(Context context, protocol::ReloadConfig request);
    void operate(Context context, protocol::RotateToken request);
    void operate(Context context, protocol::WhoAmI request);
    void operate(Context context, protocol::EndAgent request);

    void operate(Context context, protocol::DisconnectAgent request);
    void operate(Context context, protocol::ListWaiting request);

    void operate(Context context, protocol::LogIn request);
    void operate(Context context, protocol::GetSession request);
    void operate(Context context, protocol::LogOut request);

    void operate(Context context, protocol::ProbeLive request);
    void operate(Context context, protocol::ProbeReady request);
    void operate(Context context, protocol::GetMetrics request);

    /// Checks the policy and runs the operation: one that reads a page in its turn.
    Pending handle(delivery::EventLoop& loop, const Caller& caller, delivery::Session* session,
                   protocol::Request&& request, ReplyHandler reply);

    [[nodiscard]] protocol::Reply identify(delivery::EventLoop& loop, delivery::Session& session,
                                           const protocol::Identify& request);
    [[nodiscard]] bool ready_to_identify(delivery::Session& session,
                                         const protocol::Identify& request);
    [[nodiscard]] bool ready_to_stream(delivery::Session& session, const Caller& caller);
    void continue_backlog(delivery::EventLoop& loop, delivery::Session& session);
    void disconnected(delivery::EventLoop& loop, delivery::Session& session);
    void begin_shutdown();
    void set_limits(const RouterOptions& options);
    void set_reloader(Reloader reloader) { reloader_ = std::move(reloader); }
    /// Whether all loops and the commit thread have turned lately. `asking`: when the loop that
    /// asks last did, if it is one.
    [[nodiscard]] protocol::HealthState liveness(std::optional<core::SteadyTime> asking) const;
    void start_maintenance(delivery::EventLoop& loop);
    [[nodiscard]] Caller authenticate(std::string_view token);
    [[nodiscard]] Caller authenticate_web_session(std::string_view cookie);

    std::atomic<bool> shutting_down{false};
    store::Store& store;

private:
    /// Whether the policy of its operation lets the request pass: right, hub stopping, rate. The
    /// error says why not.
    [[nodiscard]] std::optional<core::Error> refuse(const protocol::Request& request,
                                                    const Caller& caller,
                                                    delivery::Session* session,
                                                    core::SteadyTime now);
    [[nodiscard]] std::optional<core::Error> refuse_caller(protocol::Right right,
                                                           const Caller& caller,
                                                           const delivery::Session* session) const;
    /// Takes what the request costs from its agent's rates.
    [[nodiscard]] bool within_rate(const protocol::Request& request, const protocol::Policy& policy,
                                   const core::AgentId& agent, core::SteadyTime now);
    /// For whose eyes this caller is shown channels.
    [[nodiscard]] static std::optional<store::Viewer> channel_viewer(const Caller& caller);
    /// For whose eyes this caller, who must be somebody, is shown messages.
    [[nodiscard]] std::optional<store::Viewer> viewer(const Caller& caller) const;
    /// Runs the operation, if its policy lets it.
    Pending answer(delivery::EventLoop& loop, const Caller& caller, delivery::Session* session,
                   protocol::Request&& request, ReplyHandler reply);
    struct Deferred;
    /// Whose turn it is, among those whose reads wait: all without a token are one.
    [[nodiscard]] static std::string_view owner_of(const Caller& caller) noexcept {
        return caller.agent ? std::string_view(caller.agent->str()) : std::string_view();
    }
    /// A page has cost this much more than its operation's weight.
    void charge(const Caller& caller, const core::Budget& budget);
    void charge(const Caller& caller, std::uint64_t bytes);
    /// Answers with a list that is read in pieces (handle_history.cpp).
    template <class List>
    void collect(Context context, List list, std::vector<core::MessagePtr> List::*messages,
                 std::uint64_t count, core::Seq cursor,
                 std::function<store::MessagePage(const List&, core::Seq, core::Budget&)> read);
    /// Refuses a payload whose push would not fit into one frame.
    bool require_deliverable(Context& context, const core::JsonText& payload) const;

    /// Submits and answers, after the commit, with the error or with what `convert` makes of the
    /// stored value: a ReplyValue, or a Reply.
    template <class Convert>
    void submit(Context context, store::WriteOp op, Convert convert);

    /// Lets every loop make, for watchers that are far behind, the list of who is online.
    void feed_watchers();
    template <class Encode>
    void announce(delivery::PresenceChange change, Encode encode);
    /// Of an agent that has a connection; it is told, too. False when it has none.
    bool announce_profile(const core::AgentId& agent, const protocol::SetProfile& profile);
    /// What is wrong with a part of a profile (may be null) that is too long.
    [[nodiscard]] std::optional<core::Error> refuse_long(const char* field,
                                                         const core::JsonText* part) const;
    void replace_session(const core::AgentId& agent, services::SessionPlace place);
    struct Poll;
    struct UnreadCount;
    struct WaitingList;
    /// Stores what the agent read over a connection that has just ended, and goes on then.
    static void store_first(delivery::EventLoop& loop, std::vector<store::MarkRead> marks,
                            std::function<void()> then);
    struct Lookup;
    /// What is known of one agent but for what is unread; `role`: of its tokens, if it has any.
    [[nodiscard]] protocol::AgentDetails details(const core::AgentId& agent,
                                                 std::optional<core::Role> role) const;
    /// Names of agents that look like this one, the most alike first.
    [[nodiscard]] std::vector<std::string> names_like(const std::string& name,
                                                      core::Budget& budget) const;
    /// A read that answers a poll; with an encoder what it finds is encoded at once.
    struct PollRead {
        services::Mailbox::Read mailbox;
        std::optional<protocol::MailboxEncoder> encoder{};
    };
    /// `reset`: an earlier read has found that its `since` belongs to another store. `encoded`: its
    /// page is for one who only passes it on.
    [[nodiscard]] PollRead begin_poll(const Caller& caller, const protocol::PollMailbox& request,
                                      bool reset, bool encoded) const;
    /// One turn of it. Whether it is complete.
    [[nodiscard]] bool go_on(PollRead& read) const;
    /// The answer to a poll whose read is complete; nothing when it had better wait. `shared`:
    /// where to leave the page for those who ask the same at the same time; or null.
    [[nodiscard]] std::optional<protocol::Reply> answer_poll(const Caller& caller,
                                                             const protocol::PollMailbox& request,
                                                             PollRead& read,
                                                             core::SteadyTime deadline,
                                                             std::any* shared);
    [[nodiscard]] protocol::Reply try_identify(delivery::EventLoop& loop,
                                               delivery::Session& session,
                                               const protocol::Identify& request);
    /// One turn of finding where a backlog begins, or without acks up to where nothing is unread;
    /// whether it is found.
    [[nodiscard]] bool find_backlog(delivery::Session& session, const core::AgentId& agent,
                                    bool acks, core::Seq up_to);
    /// Bounds of a page: a frame must fit what clients accept. `other` bytes of the answer are not
    /// entries.
    [[nodiscard]] core::PageLimit page_limit(const Context& context, std::uint64_t count,
                                             std::size_t other = 0) const noexcept;
    void add_to_summary(delivery::EventLoop& loop, std::size_t part,
                        services::ActivityTotals totals);
    /// Whether this is what old clients ask for, and so what everybody asks for.
    [[nodiscard]] static bool is_usual(const protocol::ListRange& range) {
        return range.cursor.empty() && range.limit == protocol::ListRange{}.limit;
    }
    // Tokens of live connections (session_tokens.cpp).
    /// Looks on every loop, about once a second, for connections whose tokens have expired.
    void watch_tokens();
    void watch_token(delivery::EventLoop& loop, const delivery::Session& session);
    void forget_token(delivery::EventLoop& loop, const delivery::Session& session);
    void end_expired_sessions(delivery::EventLoop& loop);
    /// Of whichever agent; nothing, when it has ended already.
    void end_session(delivery::EventLoop& loop, const core::TokenDigest& session);
    /// The agent's tokens have changed: on every loop its connection stays if its own is good.
    void recheck_sessions(const core::AgentId& agent);
    void recheck_session(delivery::EventLoop& loop, const core::AgentId& agent);
    void recheck_token(delivery::EventLoop& loop, delivery::Session& session);
    void drop_expired_tokens(delivery::EventLoop& loop);
    /// Goes on from this operation, a piece for each commit, until ended agents have left nothing
    /// behind; then answers.
    void end_agent(delivery::EventLoop& loop, store::WriteOp op, Answer reply,
                   protocol::AgentEnded answer);

    // Health (health.cpp).
    /// The same, and whether the hub can serve.
    [[nodiscard]] protocol::HealthState readiness(const delivery::EventLoop& asking) const;

    // Observers (handle_observe.cpp).
    [[nodiscard]] AgentSources agent_sources() const;
    /// On the first loop.
    [[nodiscard]] protocol::HubOverview overview(const ObservedRows::Counts& counts);
    /// Begins to look at the hub's counters, and to count again what was sent before the start.
    void watch_hub(delivery::EventLoop& loop);
    /// Takes one of the places that there are for streams, which the session gives back; the error
    /// says why there is none.
    [[nodiscard]] std::optional<core::Error> take_stream(delivery::Session& session,
                                                         const Caller& caller);

    // Metrics (handle_metrics.cpp).
    [[nodiscard]] protocol::MetricsReport measure(const delivery::EventLoop& asking) const;
    /// Lets the background job be counted; the completion of one of its writes.
    [[nodiscard]] store::Completion counted(Job job, store::Completion completion = nullptr);

    void trim(delivery::EventLoop& loop);
    /// Looks through all channels for such as nobody uses, a piece for each commit.
    void expire_channels(delivery::EventLoop& loop, std::string after);
    /// Goes on, a piece for each commit, until deleted channels have left nothing behind.
    void remove_deleted_channels(delivery::EventLoop& loop);
    void maintain(delivery::EventLoop& loop);

    const RouterOptions options_;
    std::atomic<std::uint64_t> rate_warnings_;
    Reloader reloader_;
    delivery::LoopGroup& loops_;
    const core::Clock& clock_;
    services::Auth auth_;
    services::Presence presence_;
    services::Roster roster_;
    services::Mailbox mailbox_;
    services::Channels channels_;
    services::Threads threads_;
    services::History history_;
    services::Settings settings_;
    services::Analytics analytics_;
    services::RateLimiter rates_;  // of sends
    services::RateLimiter work_;   // of everything else
    services::Quota waiting_polls_;
    std::shared_ptr<services::Quota> streams_;  // outlived by places in it
    std::shared_ptr<services::Quota> looking_;  // those of them by which no agent is present

    /// The analytics' summary, being made or made lately, and who waits for it.
    struct Summary {
        std::optional<protocol::AnalyticsTotals> totals;
        core::SteadyTime made_at;
        bool being_made = false;
        std::vector<std::pair<delivery::EventLoop*, Answer>> waiting;
    };
    core::Guarded<Summary> summary_;
    PageCache<protocol::AgentAnalyticsList> analytics_page_;
    PageCache<protocol::MetricsReport> metrics_;
    const std::shared_ptr<BacklogSweep> backlogs_;
    const core::Timestamp started_at_;
    const core::Seq started_at_head_;  // the newest message at the start
    const std::shared_ptr<HubWatch> watch_;
    const std::shared_ptr<PairCount> pairs_;
    const std::shared_ptr<ObserverFeed> feed_;
    services::Alarms alarms_;              // first loop only
    std::atomic<bool> recounting_{false};  // what was sent before the start
    Jobs jobs_;

    /// Of each loop, and touched by it alone: its connections whose tokens expire, the first first.
    struct ExpiringSession {
        core::Timestamp at;
        std::uint64_t session_id;
        core::AgentId agent;
        auto operator<=>(const ExpiringSession&) const = default;
    };
    std::vector<std::set<ExpiringSession>> expiring_sessions_;

    std::atomic<std::int64_t> last_reset_ms_{-1};  // steady milliseconds, -1: never
    core::SteadyTime next_eviction_;               // maintenance loop only
    bool trimming_ = false;                        // maintenance loop only
    bool expiring_ = false;                        // maintenance loop only
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

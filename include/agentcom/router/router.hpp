#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/delivery/session.hpp"
#include "agentcom/protocol/operations.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/protocol/requests.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::router {

/// Who asks. Made by `Router::authenticate` (HTTP) or from a session's identity (WebSocket).
struct Caller {
    std::optional<core::AgentId> agent;  // empty: nobody (no token, or a bad one)
    core::Role role = core::Role::agent;
    std::optional<core::TokenDigest> token{};        // by which it was recognised
    bool local = false;                              // asks from this machine, and not for others
    std::optional<core::TokenDigest> web_session{};  // in a browser, that stood for the token
    /// That this browser had before, and which a new one takes the place of.
    std::optional<core::TokenDigest> old_web_session{};
    [[nodiscard]] bool is_admin() const noexcept { return agent && role == core::Role::admin; }
    /// Whether every message and every channel may be read.
    [[nodiscard]] bool reads_everything() const noexcept {
        return agent && (role == core::Role::admin || role == core::Role::observer);
    }
    /// Whether the agent is here by what it asks: a person in a browser, or an observer, only
    /// looks.
    [[nodiscard]] bool is_present() const noexcept {
        return agent && !web_session && role != core::Role::observer;
    }
    [[nodiscard]] protocol::Standing standing() const noexcept {
        return agent ? protocol::standing_of(role) : protocol::Standing::nobody;
    }
};

/// What any form of a message adds to its payload, at most: names, type and reply_to, escaped.
inline constexpr std::uint64_t kFrameOverheadBytes = std::uint64_t{4} << 10;

/// What agents are shown of the history and of threads. Administrators and observers see all.
enum class HistoryVisibility : std::uint8_t {
    participants,  // what they sent, received, or may read in a channel
    all,           // every message, as the original's audit log
};

/// Who sees the hub's figures besides administrators and observers.
enum class MetricsAccess : std::uint8_t {
    loopback,  // whoever asks from this machine
    token,     // nobody
    open,      // everybody
};

struct RouterOptions {
    bool anonymous_reads = false;             // the original's open reads
    std::vector<core::AgentId> admin_agents;  // admins whatever their token's role
    HistoryVisibility history_visibility = HistoryVisibility::participants;
    std::uint64_t mailbox_cap = 10'000;                         // newest unread shown
    std::uint64_t mailbox_max_bytes = std::uint64_t{64} << 20;  // of those
    /// One frame. A message's payload may have kFrameOverheadBytes less, so that its push fits.
    std::uint64_t max_frame_bytes = std::uint64_t{1} << 20;
    std::uint64_t max_page_bytes = std::uint64_t{2} << 20;  // of messages in one HTTP answer
    std::uint64_t messages_per_second = 100'000;            // per agent; 0: unlimited
    std::uint64_t message_burst = 200'000;
    std::uint64_t work_per_second = 100'000;  // of one agent, in units of the operations' weights
    std::uint64_t work_burst = 200'000;
    std::uint64_t rate_warnings = 10;          // rate_limited errors before the session is closed
    std::uint64_t takeovers_per_minute = 60;   // of one agent's connection; 0: no limit
    std::uint64_t max_profile_bytes = 4'096;   // name, status and capabilities each, as JSON text
    std::uint64_t max_waiting_polls = 10'000;  // long polls at once, over all loops
    std::uint64_t max_waiting_polls_per_agent = 0;  // 0: a quarter of those
    std::uint64_t max_streams = 10'000;             // of events, open at once, over all loops
    std::uint64_t max_streams_per_agent = 16;
    core::Millis session_lifetime{43'200'000};  // of people's sessions in browsers
    core::Millis reset_cooldown{300'000};
    core::Millis heartbeat_interval{900'000};  // default of the setting
    core::Millis evict_interval{60'000};       // background eviction and trimming
    core::Millis channel_idle_expiry{0};       // 0: channels nobody uses stay
    std::uint64_t max_analytics_agents = 100'000;
    std::uint64_t observed_agents = 10'000;  // whose rows observers are shown
    MetricsAccess metrics_access = MetricsAccess::loopback;
    /// Counts of unread mail are at least so old before all mailboxes are looked through again; 0:
    /// they are not counted.
    core::Millis metrics_backlog_interval{15'000};
    /// A loop that has not turned for so long, or a commit that takes longer, is told of by health.
    core::Millis stalled_after{5'000};
    /// Log lines that were lost so far; may be empty. Any thread.
    std::function<std::uint64_t()> lost_log_lines{};
};

/// A request that has not been answered yet, so that whoever asked can give it up. For the thread
/// of the loop it was asked on. Most requests cannot be given up, because they are answered at once
/// or have been handed to the store; then `cancel` does nothing.
class Pending {
public:
    class Cancellable {
    public:
        virtual ~Cancellable() = default;
        virtual void cancel() = 0;
    };
    Pending() = default;
    explicit Pending(std::weak_ptr<Cancellable> what) : what_(std::move(what)) {}
    /// Frees what the request holds; it will not be answered. Harmless when it has been.
    void cancel() {
        if (const auto alive = std::exchange(what_, {}).lock()) alive->cancel();
    }

private:
    std::weak_ptr<Cancellable> what_;
};

/// One operation for each thing a caller may ask: authorise, validate, compose services, decide
/// where a message goes. All members are called on the thread of the `loop` they are given, and
/// call back on it.
class Router {
public:
    using ReplyHandler = std::function<void(protocol::Reply&&)>;
    using ReloadResult = core::result<protocol::ConfigReloaded>;
    /// Has the configuration read again and tells, later and on any thread, what has come of it.
    using Reloader = std::function<void(std::function<void(const ReloadResult&)> tell)>;

    Router(RouterOptions options, store::Store& store, delivery::LoopGroup& loops,
           const core::Clock& clock);
    ~Router();
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    /// Who holds this token; nobody when it is not one. Any thread.
    [[nodiscard]] Caller authenticate(std::string_view token) const;
    /// The same by the cookie of a session in a browser.
    [[nodiscard]] Caller authenticate_web_session(std::string_view cookie) const;

    /// Answers a request, at once or later, exactly once. `session` is the WebSocket session that
    /// asks, null over HTTP. A write is answered after its commit; what was written before by the
    /// same loop is seen by a read only after its reply, so a session that pipelines must await
    /// its writes before it hands over a read (`protocol::policy_of`). What is handed back gives
    /// the request up, when its asker has gone away.
    Pending handle(delivery::EventLoop& loop, const Caller& caller, delivery::Session* session,
                   protocol::Request&& request, ReplyHandler reply);

    /// Finding what is unread when a connection begins may take several turns of the loop: to be
    /// called once a turn, before `identify`, until it says true.
    [[nodiscard]] bool ready_to_identify(delivery::Session& session,
                                         const protocol::Identify& request);
    /// The same before a stream is opened, which is a request like others: `OpenStream`, asked for
    /// its session with `handle` and answered at once. It ends by `disconnected`.
    [[nodiscard]] bool ready_to_stream(delivery::Session& session, const Caller& caller);
    /// Identifies a connection: verifies the token, takes over from an older connection of the
    /// agent, announces the agent. On success the session is registered and its identity set.
    [[nodiscard]] protocol::Reply identify(delivery::EventLoop& loop, delivery::Session& session,
                                           const protocol::Identify& request);
    /// After the `identified` reply has been appended: begins to push the backlog of an acks
    /// session or a stream. Also to be called whenever something has left the session's outbox:
    /// does nothing for a session that is not `catching_up`, or as long as too much waits in it.
    void continue_backlog(delivery::EventLoop& loop, delivery::Session& session);
    /// The connection is gone (or going): unregisters it and announces that the agent left, unless
    /// a newer connection has taken over. Idempotent; harmless for a session that never identified.
    void disconnected(delivery::EventLoop& loop, delivery::Session& session);

    /// Takes over those of the options that may change while it runs: rates, warnings, takeovers,
    /// and how many long polls and streams there may be. Any thread.
    void set_limits(const RouterOptions& options);

    /// What the operation reload_config asks; without one there is nothing to reload. Before the
    /// loops run. It must tell before they end.
    void set_reloader(Reloader reloader);

    /// Whether every event loop that has begun has turned lately (RouterOptions::stalled_after), or
    /// waits for the disk, as GET /livez says. For other threads than theirs.
    [[nodiscard]] bool turning() const;

    /// Starts the periodic work (eviction, trimming, persisting of read positions) on the loop, and
    /// on every loop the look for connections whose tokens have expired.
    void start_maintenance(delivery::EventLoop& loop);
    /// From now on everything that would write is answered shutting_down, health says so, and long
    /// polls are answered with what there is.
    void begin_shutdown();
    /// Whether the commit pipeline has more than it wants: stop reading input for a moment.
    /// Of the store.
    [[nodiscard]] core::Epoch epoch() const;
    [[nodiscard]] bool saturated() const noexcept;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace agentcom::router

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/member.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"

/// Everything a caller may ask, one struct each, whatever transport brought it. The router has one
/// operation per struct; `Request` at the end is the list.
namespace agentcom::protocol {

/// Which stretch of a listing is wanted: at most `limit` entries behind `cursor`, the text that the
/// page before it gave (empty: from the beginning).
struct ListRange {
    std::uint64_t limit = 1'000;
    std::string cursor;
};

/// The first frame of a WebSocket connection. `agent_id` and `token` are kept as text because the
/// answers to wrong ones differ (invalid_token, token_agent_mismatch).
struct Identify {
    std::string agent_id;                        // as sent; a non-string is given as its JSON text
    std::string token;                           // "" when missing or not a string
    std::optional<core::JsonText> name;          // any JSON value; default: the agent id
    std::optional<core::JsonText> status;        // any JSON value; default: "connected"
    std::optional<core::JsonText> capabilities;  // any JSON value; default: []
    bool acks = false;
    bool presence = true;
    bool echo = true;
};

struct Ping {};

struct SendMessage {
    core::Destination to;  // ToAgent or ToEveryone
    std::string type;
    core::JsonText payload;
    std::optional<std::string> reply_to;
    std::optional<std::string> idempotency_key;
};

struct SetStatus {
    core::JsonText status;  // any JSON value
};

struct ListAgents {
    ListRange range{};
};

/// One agent, connected or not.
struct GetAgent {
    std::string agent;
    /// Otherwise only what costs little: neither what is unread nor names like it.
    bool in_full = true;
};
/// Everybody who holds a token, connected or not.
struct ListDirectory {
    ListRange range{.limit = 50, .cursor = {}};
    std::optional<std::string> capability{};  // only those that say they have it
};
/// What an agent says of itself, whether it is connected or not.
struct SetProfile {
    core::JsonText status;                       // any JSON value
    std::optional<core::JsonText> capabilities;  // any JSON value; absent: they stay
    /// Whether everybody is shown the agent's card; absent: as before.
    std::optional<bool> card{};
};
/// What those are told who look for agents by A2A's cards, without a token. `base_url` is where the
/// hub was reached, without a slash at the end; empty: that was not said.
struct GetHubCard {
    std::string base_url;
};
struct GetAgentCard {
    std::string agent;
    std::string base_url;
};

/// Moves the mailbox cursor. Over HTTP `mailbox` names the mailbox and must be the caller's own.
struct Ack {
    std::optional<std::string> mailbox;
    core::Seq up_to;
};

struct PollMailbox {
    std::string mailbox;  // must be the caller's own
    core::Seq since;
    std::optional<std::uint64_t> limit;
    core::Millis wait{0};  // long poll; at most 60 s
    /// The caller only passes the page on: the reply may be an EncodedMailbox.
    bool encoded = false;
};

/// A stream of what waits in the caller's mailbox and comes into it, beside its connection.
struct OpenStream {
    std::string mailbox;  // must be the caller's own
    core::Seq since;
};
/// What waits in the caller's mailbox, without the messages.
struct GetUnread {
    std::string mailbox;  // must be the caller's own
};

/// The messages that wait in a mailbox, by whoever may see them: they stay unread and unshown.
struct ListWaiting {
    std::string mailbox;
    core::Seq cursor;  // messages after this one
    std::uint64_t limit = 50;
};

struct EvictMailboxes {};

struct CreateChannel {
    core::ChannelName name;
    std::string description;
    std::string channel_text{};  // the name as it was sent, which answers repeat
    bool is_private = false;
    bool members_publish = false;
    std::vector<core::ChannelMember> members{};
};
/// Gives a member these rights; none: it is no member any more.
struct SetMember {
    core::ChannelName channel;
    std::string channel_text;
    core::ChannelMember member;
};
struct ListChannels {
    ListRange range{};
};
/// `channel_text`, here and below, is the name as it was sent, which answers repeat.
struct GetChannel {
    core::ChannelName channel;
    ListRange subscribers{};
};
struct Subscribe {
    core::ChannelName channel;
    std::string channel_text;
};
struct Unsubscribe {
    core::ChannelName channel;
    std::string channel_text;
};
/// By who made the channel, or an administrator.
struct DeleteChannel {
    core::ChannelName channel;
    std::string channel_text;
};
struct Publish {
    core::ChannelName channel;
    std::string type;
    core::JsonText payload;  // a JSON object
    std::optional<std::string> reply_to;
    std::optional<std::string> idempotency_key;
    std::string channel_text{};
};
struct ChannelHistory {
    core::ChannelName channel;
    std::string channel_text;
    std::optional<core::ChannelSeq> since{};   // the first `limit` after it
    std::optional<core::ChannelSeq> before{};  // without `since`: the newest `limit` before it
    std::uint64_t limit = 50;
};
struct ListSubscriptions {
    std::string agent;
    ListRange range{};
};

struct QueryHistory {
    std::optional<std::string> from;
    std::optional<std::string> to;
    std::optional<std::string> channel;         // as sent; an unusable name matches nothing
    std::optional<core::Timestamp> start_time;  // inclusive
    std::optional<core::Timestamp> end_time;    // inclusive
    core::Seq cursor;                           // oldest first only
    std::uint64_t limit = 50;                   // at most 200
    std::optional<std::string> type{};
    std::optional<std::string> text{};  // in the payload, the case of ASCII letters aside
    bool newest_first = false;
    core::Seq before{};  // newest first only; 0: from the newest on
};

struct GetMessage {
    std::string message_id;  // or its seq
};

/// Most messages of one page of a thread, whatever is asked.
inline constexpr std::uint64_t kMaxThreadPage = 10'000;
struct GetThread {
    std::string message_id;
    std::optional<std::uint64_t> limit;  // absent: kMaxThreadPage
    core::Seq cursor;                    // messages after this one
};
struct GetReplies {
    std::string message_id;
    std::optional<std::uint64_t> limit{};
    core::Seq cursor{};  // replies after this one
};
struct GetThreadRoot {
    std::string message_id;
};

enum class Setting : std::uint8_t { heartbeat_interval_ms, mailbox_ttl_ms };
struct GetSetting {
    Setting setting;
};
struct PutSetting {
    Setting setting;
    std::uint64_t value;  // positive
};

struct AnalyticsSummary {};
struct AnalyticsAgents {
    ListRange range{};
};
struct AnalyticsHourly {
    std::string agent;
};

/// A stream of what happens in the hub.
struct Observe {};
struct ObserveAgent {
    std::string agent;
};
/// Who wrote to whom between these times, both inclusive.
struct ObservePairs {
    std::optional<core::Timestamp> since{};
    std::optional<core::Timestamp> until{};
};

/// When a token ends: so long from now, or at that time, or never.
struct Expiry {
    std::optional<core::Millis> in{};
    std::optional<core::Timestamp> at{};
};
struct CreateToken {
    core::AgentId agent;
    core::Role role = core::Role::agent;
    std::string name{};
    Expiry expiry{};
};
/// A new token for the agent; those it has stay good for `grace` at most.
struct RotateToken {
    core::AgentId agent;
    core::Millis grace{3'600'000};
    std::optional<std::string> name{};  // absent: as its newest one
    Expiry expiry{};                    // neither: the lifetime of its newest one
};
struct ListTokens {
    ListRange range{};
    std::optional<std::string> agent{};  // only this one's
};
struct RevokeTokens {
    std::string agent;
    std::string prefix{};  // empty: all of the agent's
};
struct WhoAmI {};
/// Begins a session in a browser for the caller, who has shown a token.
struct LogIn {};
/// The session that the caller has shown; and its end, if there is one.
struct GetSession {};
struct LogOut {};
/// Nothing of the agent remains but its messages, and its name is free.
struct EndAgent {
    std::string agent;
};
/// Its connections and streams are closed.
struct DisconnectAgent {
    std::string agent;
};
struct ResetHub {};
/// The configuration is read again, as at SIGHUP.
struct ReloadConfig {};
struct Health {};
/// Whether the process turns, and whether it can serve.
struct ProbeLive {};
struct ProbeReady {};
/// The hub's own figures.
struct GetMetrics {};

using Request =
    std::variant<Identify, Ping, SendMessage, SetStatus, ListAgents, Ack, PollMailbox,
                 EvictMailboxes, CreateChannel, ListChannels, GetChannel, Subscribe, Unsubscribe,
                 DeleteChannel, Publish, ChannelHistory, ListSubscriptions, QueryHistory, GetThread,
                 GetReplies, GetThreadRoot, GetSetting, PutSetting, AnalyticsSummary,
                 AnalyticsAgents, AnalyticsHourly, Observe, ObserveAgent, ObservePairs, CreateToken,
                 ListTokens, RevokeTokens, ResetHub, Health, RotateToken, WhoAmI, SetMember,
                 EndAgent, OpenStream, GetUnread, GetAgent, ListDirectory, SetProfile, GetMessage,
                 GetHubCard, GetAgentCard, ProbeLive, ProbeReady, GetMetrics, ReloadConfig, LogIn,
                 GetSession, LogOut, ListWaiting, DisconnectAgent>;

}  // namespace agentcom::protocol

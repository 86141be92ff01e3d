#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/pieces.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/protocol/metrics.hpp"
#include "agentcom/protocol/observation.hpp"
#include "agentcom/protocol/requests.hpp"

/// What the router answers, one struct per kind of answer. A Reply is that or an Error.
namespace agentcom::protocol {

/// A page that many are answered with: made once, and encoded once for each loop.
template <class Page>
using Shared = std::shared_ptr<const Page>;

/// Who is online, as `agent` objects show it. The three JsonTexts may hold any JSON value.
struct AgentInfo {
    core::AgentId agent;
    core::JsonText name;
    core::JsonText status;
    core::JsonText capabilities;
    core::Timestamp connected_at;
};

struct Identified {
    core::AgentId agent;
    core::Epoch epoch;
    std::uint64_t session_id = 0;  // shown as 16 hexadecimal digits
    std::uint64_t max_frame_bytes = 0;
    std::uint64_t messages_per_second = 0;  // 0: unlimited
    bool truncated = false;  // only with acks: unread messages were lost to the cap or the ttl
    core::Seq last_seq{};    // with `truncated`: acknowledging it settles that
};

struct Pong {
    core::Timestamp timestamp;
};

enum class DeliveryStatus : std::uint8_t { delivered, queued, broadcast };
struct MessageSent {
    core::MessageId id;
    core::Seq seq;
    DeliveryStatus status = DeliveryStatus::queued;
    bool duplicate = false;  // sent before under its idempotency key; not told on the wire
};

struct StatusUpdated {};

/// Pages of listings: `next_cursor` is there when there is more behind the last entry.
struct AgentList {
    std::vector<AgentInfo> agents;
    std::optional<std::string> next_cursor{};
};

/// An agent as others see it, connected or not.
struct AgentDetails {
    core::AgentId agent;
    bool known = false;  // somebody holds a token for it
    core::Role role = core::Role::agent;
    bool connected = false;
    /// When it last asked for something, or its connection ended; nothing: not since the hub began.
    std::optional<core::Timestamp> last_seen{};
    std::optional<core::JsonText> status{};        // any JSON value
    std::optional<core::JsonText> capabilities{};  // any JSON value
    std::uint64_t unread = 0;  // about: what has just been read may still be counted
    bool more_unread = false;  // there are others than were counted
    /// Of one that is not known: names that are, and look like it.
    std::vector<std::string> similar{};

    static constexpr std::uint64_t kMostCounted = 1'000;
};
struct AgentDirectory {
    std::vector<AgentDetails> agents;  // shorter names first
    std::optional<std::string> next_cursor{};
};

/// A card of A2A 1.0; without an agent the hub's.
struct AgentCard {
    std::string base_url;  // what addresses begin with; empty: they are relative
    std::optional<AgentDetails> agent{};
};

/// Over WebSocket an ack has no reply: `encode_frame` gives an empty text for it.
struct Acked {
    core::Seq up_to;  // as the caller sent it
};

struct MailboxPage {
    core::AgentId agent;
    std::vector<core::MessagePtr> messages;  // oldest first
    /// Of the last message, or past what was lost behind it; without either the given `since`.
    core::Seq last_seq;
    core::Epoch epoch;
    bool truncated = false;
    bool more = false;   // the page was cut; go on after `last_seq`
    bool reset = false;  // `since` belongs to another store and was taken as 0
};

/// The same, encoded for HTTP while it was read.
struct EncodedMailbox {
    core::Pieces body;
};

/// A stream has begun; its messages follow on the session.
struct StreamOpened {
    core::Seq last_seq;  // it begins behind this; acknowledging it settles `truncated`
    core::Epoch epoch;
    bool truncated = false;  // unread messages were lost to the cap, the ttl or retention
    bool reset = false;      // `since` belongs to another store and was taken as 0
};

struct UnreadSummary {
    core::AgentId agent;
    std::uint64_t count = 0;
    /// In the order of their first message; the first kMostSenders of them.
    std::vector<std::pair<core::AgentId, std::uint64_t>> senders{};
    std::optional<core::Timestamp> oldest{};
    std::optional<core::Timestamp> newest{};
    core::Seq last_seq{};  // the newest
    core::Epoch epoch{};
    bool more = false;  // others are unread, or others have sent, than are counted

    static constexpr std::size_t kMostSenders = 100;
};

struct EvictionTriggered {};

struct ChannelCreated {
    core::ChannelName channel;
    std::string channel_text;  // as it was sent
};
struct ChannelSummary {
    core::ChannelName name;
    std::string description;
    std::uint64_t subscriber_count = 0;
    core::Timestamp created_at;
    bool is_private = false;
};
struct ChannelList {
    std::vector<ChannelSummary> channels;
    std::optional<std::string> next_cursor{};
};
struct ChannelInfo {
    core::ChannelName name;
    std::string description;
    std::vector<core::AgentId> subscribers;  // a page of them
    core::Timestamp created_at;
    core::AgentId created_by;
    std::uint64_t subscriber_count = 0;
    std::optional<std::string> next_cursor{};
    bool is_private = false;
    bool members_publish = false;
    std::vector<core::ChannelMember> members{};  // if it is one of the two
};
struct MemberSet {
    std::string channel_text;
    core::ChannelMember member;
};
struct Subscribed {
    core::ChannelName channel;
    std::string channel_text;
    bool already = false;
};
struct Unsubscribed {
    core::ChannelName channel;
    std::string channel_text;
};
struct ChannelDeleted {
    core::ChannelName channel;
    std::string channel_text;
};
struct Published {
    core::ChannelName channel;
    core::ChannelSeq seq;
    core::MessageId id;
    std::string channel_text{};
    bool duplicate = false;  // as of MessageSent
};
struct ChannelHistoryPage {
    core::ChannelName channel;
    std::string channel_text;
    std::vector<core::MessagePtr> messages;         // oldest first
    std::optional<core::ChannelSeq> next_cursor{};  // there is more behind: pass it as `since`
    std::optional<core::ChannelSeq> before{};       // older ones were left out: pass it as `before`
};
struct SubscriptionList {
    std::string agent;
    std::vector<core::ChannelName> channels;
    std::optional<std::string> next_cursor{};
};

struct HistoryPage {
    std::vector<core::MessagePtr> messages;  // oldest first, or newest first
    core::Seq cursor;   // how far was looked: of the last message, or beyond; else the given cursor
    bool more = false;  // fewer than were wanted, and yet there are others behind
};

/// What waits in a mailbox.
struct WaitingPage {
    core::AgentId agent;
    std::vector<core::MessagePtr> messages{};  // oldest first
    std::optional<core::Seq> next_cursor{};
    bool truncated = false;  // something unread was lost
};

struct OneMessage {
    core::MessagePtr message;
};
struct Thread {
    std::string root;
    std::vector<core::MessagePtr> messages;  // oldest first
    std::optional<core::Seq> next_cursor;    // present when `limit` cut the thread
};
struct ReplyList {
    std::string parent;
    std::vector<core::MessagePtr> replies;
    std::optional<core::Seq> next_cursor{};
};
struct ThreadRoot {
    std::string message_id;
    std::string root;
};

struct SettingValue {
    Setting setting;
    std::uint64_t value = 0;
    bool updated = false;  // the answer to a write
};

struct AnalyticsTotals {
    std::uint64_t total_agents = 0;
    std::uint64_t agents_connected = 0;
    std::uint64_t agents_active = 0;
    std::uint64_t agents_idle = 0;
    std::uint64_t agents_offline = 0;
    std::uint64_t total_messages_24h = 0;
    core::Timestamp timestamp;
};
enum class Activity : std::uint8_t { active, idle, offline };
struct AgentAnalytics {
    std::string agent;
    bool connected = false;
    std::int64_t idle_ms = 0;
    Activity status = Activity::offline;
    std::uint64_t messages_sent_24h = 0;
    std::uint64_t messages_received_24h = 0;
    std::uint64_t messages_sent_this_hour = 0;
    std::int64_t connection_time_24h_ms = 0;
    core::Timestamp last_active;
    std::optional<core::Timestamp> last_seen;  // end of its last connection
    std::uint64_t total_connections = 0;
};
struct AgentAnalyticsList {
    std::vector<AgentAnalytics> agents;  // sorted by id
    std::optional<std::string> next_cursor{};
};
struct HourCount {
    std::int64_t bucket = 0;  // start of the hour, Unix milliseconds
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
};
struct HourlyCounts {
    std::string agent;
    std::vector<HourCount> hours;  // 24, oldest first
};

/// A stream for observers has begun; its events follow on the session.
struct ObserverJoined {};

/// This and `LoggedIn` carry a secret; nothing may log them.
struct TokenCreated {
    core::AgentId agent;
    core::Token token;
    core::Role role;
    std::string name{};
    std::optional<core::Timestamp> expires_at{};
    std::optional<core::Timestamp> old_until{};  // of a rotation: when the others end
};
struct TokenSummary {
    core::AgentId agent;
    std::string prefix;  // 8 digits
    core::Role role;
    core::Timestamp created_at;
    std::string name{};
    std::optional<core::Timestamp> expires_at{};
    std::uint32_t last_used_day = 0;  // days since 1970-01-01; 0: not used
};
/// Who the caller is, by its token.
struct SelfInfo {
    core::AgentId agent;
    core::Role role;
    TokenSummary token;
    std::uint64_t max_frame_bytes = 0;
    std::uint64_t max_page_bytes = 0;
    std::uint64_t messages_per_second = 0;  // 0: unlimited
    std::uint64_t work_per_second = 0;      // 0: unlimited
};
/// A person's session in a browser.
struct SessionInfo {
    core::AgentId agent;
    core::Role role;
    core::Timestamp expires_at;
};
/// `cookie` is shown by whoever the session is for, and stands in no body.
struct LoggedIn {
    SessionInfo session;
    core::Token cookie;
    core::Timestamp now;  // when it began
};
struct LoggedOut {};
struct TokenList {
    std::vector<TokenSummary> tokens;
    std::optional<std::string> next_cursor{};
};
struct TokensRevoked {
    std::string agent;
};
struct AgentEnded {
    std::string agent;
};
struct AgentDisconnected {
    std::string agent;
    std::uint64_t closed = 0;  // connections and streams
};
struct ResetScheduled {
    core::AgentId triggered_by;
};
/// What has come of reading the configuration again. Keys are "section.name".
struct ConfigReloaded {
    std::vector<std::string> changed;        // that differ from before and are in force now
    std::vector<std::string> needs_restart;  // that differ from what is in force
    bool tls_read_again = false;             // for connections that begin from now on
};

enum class HealthState : std::uint8_t {
    ok,
    storage_full,
    storage_failed,
    shutting_down,
    starting,        // not every event loop runs yet
    loop_stalled,    // an event loop has not turned for too long
    disk_stalled,    // the same, because a read or a page waits for the disk
    commit_stalled,  // the commit thread has been at one batch for too long
};
inline constexpr std::array<HealthState, 8> kHealthStates = {HealthState::ok,
                                                             HealthState::storage_full,
                                                             HealthState::storage_failed,
                                                             HealthState::shutting_down,
                                                             HealthState::starting,
                                                             HealthState::loop_stalled,
                                                             HealthState::disk_stalled,
                                                             HealthState::commit_stalled};
[[nodiscard]] std::string_view health_state_name(HealthState state) noexcept;
struct HealthReport {
    HealthState state = HealthState::ok;
    std::uint64_t agents_connected = 0;
    /// Transactions that a reader of the store's files is behind, which keeps room from being used
    /// again; 0: none is late.
    std::uint64_t reader_lag = 0;
};
/// The answer to a probe: 200, or 503 with what is wrong.
struct ProbeReport {
    HealthState state = HealthState::ok;
};

using ReplyValue = std::variant<
    Identified, Pong, MessageSent, StatusUpdated, AgentList, Acked, MailboxPage, EvictionTriggered,
    ChannelCreated, ChannelList, ChannelInfo, Subscribed, Unsubscribed, ChannelDeleted, Published,
    ChannelHistoryPage, SubscriptionList, HistoryPage, Thread, ReplyList, ThreadRoot, SettingValue,
    AnalyticsTotals, AgentAnalyticsList, HourlyCounts, TokenCreated, TokenList, TokensRevoked,
    ResetScheduled, HealthReport, SelfInfo, MemberSet, AgentEnded, StreamOpened, UnreadSummary,
    AgentDetails, AgentDirectory, OneMessage, AgentCard, ConfigReloaded, Shared<AgentList>,
    Shared<ChannelList>, Shared<MailboxPage>, Shared<AgentAnalyticsList>, ProbeReport,
    Shared<MetricsReport>, SessionInfo, LoggedIn, LoggedOut, WaitingPage, AgentDisconnected,
    ObserverJoined, ObservedAgentPage, Shared<ObservedPairs>, EncodedMailbox>;
using Reply = core::result<ReplyValue>;

/// Pages that come shared or not.
template <class Page>
inline constexpr bool kMaybeShared =
    std::is_same_v<Page, AgentList> || std::is_same_v<Page, ChannelList> ||
    std::is_same_v<Page, MailboxPage> || std::is_same_v<Page, AgentAnalyticsList>;

/// The page that this reply shares with others, by which they can be recognised; null when it is
/// its own.
[[nodiscard]] inline std::shared_ptr<const void> shared_page(const Reply& reply) {
    if (!reply) return nullptr;
    return std::visit(
        []<class Value>(const Value& value) -> std::shared_ptr<const void> {
            if constexpr (std::is_convertible_v<const Value&, std::shared_ptr<const void>>) {
                return value;
            } else {
                return nullptr;
            }
        },
        *reply);
}

}  // namespace agentcom::protocol

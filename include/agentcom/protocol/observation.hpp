#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"

/// What observers of the hub are shown: how it is, its agents, and what happened lately. Values;
/// their JSON text is made by the functions below, which are pure.
namespace agentcom::protocol {

/// What an agent is doing, as far as its connections say: `working` has done something lately, or
/// says that it works; `polling` has no connection, but asks or streams.
enum class AgentState : std::uint8_t { working, idle, polling, offline };

/// One row of the agents.
struct ObservedAgent {
    static constexpr std::size_t kMostCapabilities = 16;
    static constexpr std::size_t kMostTextBytes = 256;  // of a name, a status, a capability

    std::string agent;
    bool known = true;  // false: somebody wrote to this name, which nobody holds a token for
    std::string name;   // what it calls itself
    std::optional<std::string> status;  // what it says it is doing
    std::vector<std::string> capabilities;
    AgentState state = AgentState::offline;
    std::optional<core::Timestamp> connected_since;
    std::optional<core::Timestamp> last_seen;  // nothing: not since the counters began
    std::optional<core::Timestamp> last_read;  // its mailbox, likewise
    std::uint64_t sent_24h = 0;
    std::uint64_t received_24h = 0;
    std::optional<std::uint64_t> unread;  // nothing: not counted yet
    bool unread_more = false;             // there are others than were counted
    std::optional<core::Timestamp> oldest_unread;
    std::uint64_t connections = 0;  // its connection, and its streams
};

/// In milliseconds; nothing: nothing was measured.
struct Percentiles {
    std::optional<double> p50{};
    std::optional<double> p99{};
};

/// What happened in a stretch of time that begins at `at`.
struct SeriesPoint {
    core::Timestamp at;
    std::uint64_t messages = 0;
    Percentiles commit{};
    Percentiles delivery{};
};
struct HourOfMessages {
    core::Timestamp at;  // its beginning
    std::uint64_t messages = 0;
};

struct ObservedAlarm {
    std::string_view code;  // stable
    bool critical = false;
    std::string text;  // sentences: what is wrong, and what to do
    core::Timestamp since;
    std::vector<std::string> agents{};  // that it is about
};

struct GrowingMailbox {
    std::string agent;
    std::uint64_t unread = 0;
    std::uint64_t grew = 0;  // by so many messages in the last minutes
};

struct HubOverview {
    struct Agents {
        std::uint64_t total = 0;
        std::uint64_t working = 0;
        std::uint64_t idle = 0;
        std::uint64_t polling = 0;
        std::uint64_t offline = 0;
        std::uint64_t left_out = 0;  // of the rows, because there are too many
    } agents;
    bool counting = false;  // what happened before the start is still being counted
    double messages_per_second = 0;
    std::uint64_t messages_24h = 0;
    Percentiles commit;
    Percentiles delivery;
    struct Unread {
        bool counted = false;
        std::uint64_t messages = 0;
        std::uint64_t agents = 0;
        std::optional<core::Timestamp> oldest;
        std::vector<GrowingMailbox> growing;
    } unread;
    struct Connections {
        std::uint64_t websocket = 0;
        std::uint64_t http = 0;
        std::uint64_t streams = 0;
        std::uint64_t long_polls = 0;
        std::uint64_t observers = 0;
    } connections;
    struct Storage {
        std::string_view state = "ok";
        std::uint64_t file_bytes = 0;
        std::uint64_t room_bytes = 0;
        std::uint64_t max_bytes = 0;
        std::uint64_t log_bytes = 0;
        std::uint64_t log_max_bytes = 0;  // 0: no bound
        std::uint64_t messages = 0;
        std::uint64_t messages_max = 0;  // 0: no bound
        std::uint64_t reader_lag = 0;
    } store;
    std::uint64_t head_seq = 0;
    std::vector<ObservedAlarm> alarms;
};

/// Which hub it is.
struct HubIdentity {
    core::Timestamp started_at;
    core::Epoch epoch;
};

// The parts of events, each a JSON value. They are made once and put together for everybody.

void encode_observed_agent(const ObservedAgent& agent, std::string& out);
void encode_overview(const HubOverview& overview, std::string& out);
void encode_point(const SeriesPoint& point, std::string& out);
void encode_series(std::span<const SeriesPoint> minutes, std::span<const HourOfMessages> hours,
                   std::string& out);

// The data of events. Rows are JSON texts of `encode_observed_agent`.

/// The event `snapshot`, with the first of the rows; with others behind it, it is not complete.
void encode_snapshot(const HubIdentity& hub, core::Timestamp at, std::string_view overview,
                     std::string_view series, std::span<const std::string_view> rows, bool complete,
                     std::string& out);
/// The event `agents`: more rows of a snapshot.
void encode_more_agents(core::Timestamp at, std::span<const std::string_view> rows, bool complete,
                        std::string& out);
/// The event `change`. Empty texts and lists are left out.
void encode_change(core::Timestamp at, std::string_view overview, std::string_view point,
                   std::span<const std::string_view> rows, std::span<const std::string> gone,
                   std::string& out);

/// One agent's page.
struct ObservedHour {
    core::Timestamp at;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
};
struct ObservedAgentPage {
    static constexpr std::size_t kMostSubscriptions = 200;

    ObservedAgent row;
    std::vector<ObservedHour> hours;
    std::vector<core::ChannelName> subscriptions;  // sorted
    bool more_subscriptions = false;
};

/// Who sent how much to whom.
struct ObservedPair {
    std::string from;
    std::string to;  // an agent, "#" and a channel, or "*": everyone
    std::uint64_t messages = 0;
    std::uint64_t bytes = 0;  // of payloads
    core::Timestamp last_at;
};
struct ObservedPairs {
    static constexpr std::size_t kMostPairs = 500;

    std::vector<ObservedPair> pairs;  // the busiest first
    std::uint64_t scanned = 0;        // messages that were looked at
    bool truncated = false;           // older messages, or other pairs, were left out
};

}  // namespace agentcom::protocol

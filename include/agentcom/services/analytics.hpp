#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

inline constexpr std::size_t kAnalyticsHours = 24;
/// An agent that is connected but has not been seen for this long is idle (the original's figure).
inline constexpr core::Millis kIdleAfter{300'000};

struct AgentActivity {
    std::string agent;
    bool connected = false;
    /// Whether it has done something itself. Who was only written to has not, and its time is that
    /// of the message.
    bool acted = false;
    core::Timestamp last_active;
    std::optional<core::Timestamp> last_seen;  // end of the last connection
    std::optional<core::Timestamp> connected_since{};
    std::uint64_t sent_24h = 0;
    std::uint64_t received_24h = 0;   // direct messages
    std::uint64_t broadcast_24h = 0;  // of those that were sent, to everyone
    std::uint64_t sent_this_hour = 0;
    std::int64_t connected_ms_24h = 0;  // of connections that have ended
    std::uint64_t connections = 0;
};

struct HourlyActivity {
    std::int64_t bucket = 0;  // hours since the Unix epoch
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
};

/// What a summary counts over all agents.
struct ActivityTotals {
    std::uint64_t agents = 0;
    std::uint64_t connected = 0;
    std::uint64_t active = 0;
    std::uint64_t idle = 0;
    std::uint64_t offline = 0;
    std::uint64_t messages_24h = 0;
};

/// Counters per agent in hourly buckets, in memory, lost at a restart. The number of agents is
/// bounded: past it, those that have been away longest are forgotten. Thread-safe; agents are
/// spread over several locks that are held for a few additions, or for one part of a listing.
class Analytics {
public:
    explicit Analytics(std::uint64_t max_agents) : max_per_shard_(max_agents / kShards + 1) {}

    void connected(const core::AgentId& agent, core::Timestamp now);
    /// Only counts for one that is known.
    void disconnected(const core::AgentId& agent, core::Timestamp now);
    /// The agent did something; only counts for one that is known.
    void seen(const core::AgentId& agent, core::Timestamp now);
    void sent(const core::AgentId& agent, core::Timestamp now);
    void received(const core::AgentId& agent, core::Timestamp now);
    /// Of a message that was sent: it went to everyone, or to a channel. Nobody receives their own.
    void broadcast(const core::AgentId& agent, core::Seq seq, core::Timestamp now);
    void published(const core::AgentId& agent, std::string_view channel, core::Timestamp now);
    /// A message of the last 24 hours that was sent before this process began: adds to the hour of
    /// that time. The other two counts of sent messages take any time of these hours.
    void recall_sent(const core::AgentId& agent, core::Timestamp sent_at, core::Timestamp now);
    void recall_received(const core::AgentId& agent, core::Timestamp sent_at, core::Timestamp now);
    /// The agent has been ended; what becomes of one of its name is counted anew.
    void forget(std::string_view agent);
    /// Forgets everything but who is connected.
    void reset(core::Timestamp now);

    /// The first `limit` agents behind this id, sorted by id. Costs what it returns.
    [[nodiscard]] std::vector<AgentActivity> agents(std::string_view after, std::size_t limit,
                                                    core::Timestamp now) const;
    /// Adds what one part of the agents counts for; all parts together are everybody. A part is a
    /// sixteenth of the agents, so that a caller can serve others in between.
    void add_totals(std::size_t part, core::Timestamp now, ActivityTotals& totals) const;
    [[nodiscard]] static constexpr std::size_t parts() noexcept { return kShards; }
    /// All of one part; see `add_totals`.
    [[nodiscard]] std::vector<AgentActivity> part(std::size_t part, core::Timestamp now) const;
    /// Nothing when nobody knows the agent.
    [[nodiscard]] std::optional<AgentActivity> find(std::string_view agent,
                                                    core::Timestamp now) const;
    /// Broadcasts of the last 24 hours behind this message, by anybody.
    [[nodiscard]] std::uint64_t broadcasts_24h(core::Seq after, core::Timestamp now) const;
    /// What the agent published in one channel in the last 24 hours.
    [[nodiscard]] std::uint64_t published_24h(std::string_view agent, std::string_view channel,
                                              core::Timestamp now) const;
    /// 24 hours, oldest first, the present one last; zeros for an agent nobody knows.
    [[nodiscard]] std::vector<HourlyActivity> hourly(std::string_view agent,
                                                     core::Timestamp now) const;

private:
    struct Hour {
        std::int32_t bucket = -1;  // hours since the Unix epoch
        std::uint32_t sent = 0;
        std::uint32_t received = 0;
        std::uint32_t broadcast = 0;  // of those sent
        std::uint32_t connected_ms = 0;
    };
    /// In one channel and hour.
    struct Publications {
        std::size_t channel = 0;  // a hash of its name
        std::int32_t bucket = -1;
        std::uint32_t count = 0;
    };
    static constexpr std::size_t kMostPublications = 256;
    struct Counters {
        std::vector<Hour> hours;  // those in which something happened, at most kAnalyticsHours
        core::Timestamp last_active;
        std::optional<core::Timestamp> last_seen;
        std::optional<core::Timestamp> connected_since;
        std::uint64_t connections = 0;
        bool acted = false;
        std::vector<Publications> published;  // at most kMostPublications, the newest last
        [[nodiscard]] Hour& hour(core::Timestamp now);
        /// The hour of an earlier time; null when there is no room left for it.
        [[nodiscard]] Hour* past_hour(core::Timestamp at);
    };
    struct Shard {
        std::unordered_map<core::AgentId, Counters, core::TextHash, core::TextEqual> counters;
        std::set<std::string_view> ids;  // in order; views of the keys above
    };
    static constexpr std::size_t kShards = 16;
    [[nodiscard]] static AgentActivity activity(const core::AgentId& agent,
                                                const Counters& counters, core::Timestamp now);

    template <class Function>
    void update_known(const core::AgentId& agent, Function&& function);
    template <class Function>
    void update(const core::AgentId& agent, Function&& function);
    static void make_room(Shard& shard);

    std::uint64_t max_per_shard_;
    std::array<core::Guarded<Shard>, kShards> shards_;
    struct Broadcasts {
        struct OfHour {
            std::int64_t bucket = -1;
            std::uint64_t count = 0;
        };
        std::array<OfHour, kAnalyticsHours> hours;
        std::deque<core::Seq> newest;  // sorted, at most kMostBroadcasts
    };
    static constexpr std::size_t kMostBroadcasts = 4'096;
    core::Guarded<Broadcasts> broadcasts_;
};

}  // namespace agentcom::services

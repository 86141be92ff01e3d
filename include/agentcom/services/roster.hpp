#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// What is remembered of agents that come and go without a connection: when they were last here,
/// and what they said of themselves. In memory, so it begins anew with the process; bounded: past
/// `most` agents, or kMostBytes of what they said, those that have been away longest are forgotten.
/// Thread-safe; when there may be many, agents are spread over several locks.
class Roster {
public:
    struct Entry {
        core::Timestamp last_seen;  // 0: not known
        std::optional<core::JsonText> status{};
        std::optional<core::JsonText> capabilities{};
        bool card = false;                           // everybody may be shown its card
        std::optional<core::Timestamp> last_read{};  // its mailbox
        bool browsed = false;                        // somebody looked around in its name
        std::uint64_t version = 0;                   // of what it said of itself
    };
    /// What changes all the time, without copies of texts.
    struct Glance {
        core::Timestamp last_seen;  // 0: not known
        std::optional<core::Timestamp> last_read{};
        std::uint64_t version = 0;
        bool browsed = false;
    };

    static constexpr std::size_t kMostBytes = std::size_t{64} << 20;

    explicit Roster(std::size_t most) : shards_used_(most < kFew ? 1 : kShards), most_(most) {}

    void seen(const core::AgentId& agent, core::Timestamp now);
    /// A person has looked around in a browser in its name, by which the agent itself is not here.
    void browsed(const core::AgentId& agent);
    /// Its mailbox has been looked into, or some of it acknowledged.
    void read(const core::AgentId& agent, core::Timestamp now);
    /// Absent capabilities stay as they are.
    void declare(const core::AgentId& agent, core::JsonText status,
                 std::optional<core::JsonText> capabilities, core::Timestamp now);
    /// Whether everybody may be shown the agent's card.
    void show_card(const core::AgentId& agent, bool shown);
    /// A connection says what it does and can do itself.
    void connected(const core::AgentId& agent);
    void forget(std::string_view agent);
    [[nodiscard]] std::optional<Entry> find(std::string_view agent) const;
    /// Of an agent that is not known, an empty one.
    [[nodiscard]] Glance glance(std::string_view agent) const;

private:
    struct Shard {
        std::unordered_map<core::AgentId, Entry, core::TextHash, core::TextEqual> entries;
        std::size_t bytes = 0;  // of statuses and capabilities
    };
    static constexpr std::size_t kShards = 16;
    static constexpr std::size_t kFew = 1'000;  // so many agents get along with one lock

    template <class Function>
    auto with_shard(std::string_view agent, Function&& function) const {
        return shards_[core::TextHash{}(agent) % shards_used_].with(
            std::forward<Function>(function));
    }
    /// The agent's entry, made if need be.
    [[nodiscard]] Entry& entry(Shard& shard, const core::AgentId& agent) const;
    /// Forgets the tenth that has been away longest, at least one.
    static void make_room(Shard& shard);

    std::size_t shards_used_;
    std::size_t most_;
    mutable std::array<core::Guarded<Shard>, kShards> shards_;
};

}  // namespace agentcom::services

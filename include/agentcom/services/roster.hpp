#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// What is remembered of agents that come and go without a connection: when they were last here,
/// and what they said of themselves. In memory, so it begins anew with the process; bounded: past
/// `most` agents those that have been away longest are forgotten. Thread-safe.
class Roster {
public:
    struct Entry {
        core::Timestamp last_seen;
        std::optional<core::JsonText> status{};
        std::optional<core::JsonText> capabilities{};
    };

    explicit Roster(std::size_t most) : most_(most) {}

    void seen(const core::AgentId& agent, core::Timestamp now);
    /// Absent capabilities stay as they are.
    void declare(const core::AgentId& agent, core::JsonText status,
                 std::optional<core::JsonText> capabilities, core::Timestamp now);
    /// A connection says these things itself.
    void connected(const core::AgentId& agent);
    void forget(std::string_view agent);
    [[nodiscard]] std::optional<Entry> find(std::string_view agent) const;

private:
    using State = std::unordered_map<core::AgentId, Entry, core::TextHash, core::TextEqual>;
    /// The agent's entry, made if need be.
    [[nodiscard]] Entry& entry(State& state, const core::AgentId& agent) const;

    std::size_t most_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::services

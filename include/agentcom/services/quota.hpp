#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"

namespace agentcom::services {

/// So many places for all, and so many of them for one agent, so that nobody can take them all.
/// Thread-safe.
class Quota {
public:
    enum class Taken : std::uint8_t { yes, all_gone, share_gone };

    /// `each` 0: a quarter of `total`, at least one.
    Quota(std::uint64_t total, std::uint64_t each);

    /// From now on these; places that are taken stay taken.
    void set(std::uint64_t total, std::uint64_t each);

    [[nodiscard]] Taken take(const core::AgentId& agent);
    /// Once for each `take` that said yes.
    void give_back(const core::AgentId& agent);
    [[nodiscard]] std::uint64_t taken() const;
    [[nodiscard]] std::uint64_t taken_by(std::string_view agent) const;

private:
    struct State {
        std::uint64_t total = 0;
        std::uint64_t each = 0;
        std::uint64_t taken = 0;
        std::unordered_map<core::AgentId, std::uint64_t, core::TextHash, core::TextEqual> by_agent;
    };
    core::Guarded<State> state_;
};

}  // namespace agentcom::services

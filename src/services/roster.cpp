#include "agentcom/services/roster.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace agentcom::services {

Roster::Entry& Roster::entry(State& state, const core::AgentId& agent) const {
    const auto found = state.find(agent);
    if (found != state.end()) return found->second;
    if (state.size() >= most_) {
        // Rare, so a scan is fine: the tenth that has been away longest goes, at least one.
        std::vector<std::pair<core::Timestamp, core::AgentId>> away;
        away.reserve(state.size());
        for (const auto& [name, kept] : state) away.emplace_back(kept.last_seen, name);
        const std::size_t count = std::min(away.size(), away.size() / 10 + 1);
        std::ranges::partial_sort(away, away.begin() + static_cast<std::ptrdiff_t>(count));
        for (std::size_t i = 0; i < count; ++i) state.erase(away[i].second);
    }
    return state.emplace(agent, Entry{}).first->second;
}

void Roster::seen(const core::AgentId& agent, core::Timestamp now) {
    state_.with([&](State& state) { entry(state, agent).last_seen = now; });
}

void Roster::declare(const core::AgentId& agent, core::JsonText status,
                     std::optional<core::JsonText> capabilities, core::Timestamp now) {
    state_.with([&](State& state) {
        Entry& kept = entry(state, agent);
        kept.last_seen = now;
        kept.status = std::move(status);
        if (capabilities) kept.capabilities = std::move(capabilities);
    });
}

void Roster::connected(const core::AgentId& agent) {
    state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found == state.end()) return;
        found->second.status.reset();
        found->second.capabilities.reset();
    });
}

void Roster::forget(std::string_view agent) {
    state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found != state.end()) state.erase(found);
    });
}

std::optional<Roster::Entry> Roster::find(std::string_view agent) const {
    return state_.with([&](const State& state) -> std::optional<Entry> {
        const auto found = state.find(agent);
        if (found == state.end()) return std::nullopt;
        return found->second;
    });
}

}  // namespace agentcom::services

#include "agentcom/services/presence.hpp"

#include <algorithm>
#include <utility>

namespace agentcom::services {

std::optional<SessionPlace> Presence::join(PresentAgent agent, SessionPlace place) {
    return state_.with([&](State& state) -> std::optional<SessionPlace> {
        const auto found = state.find(agent.agent);
        if (found == state.end()) {
            core::AgentId id = agent.agent;
            state.emplace(std::move(id), Entry{std::move(agent), place});
            return std::nullopt;
        }
        const SessionPlace previous = found->second.place;
        found->second = Entry{std::move(agent), place};
        return previous;
    });
}

bool Presence::leave(const core::AgentId& agent, std::uint64_t session_id) {
    return state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found == state.end() || found->second.place.session_id != session_id) return false;
        state.erase(found);
        return true;
    });
}

std::optional<PresentAgent> Presence::set_status(const core::AgentId& agent,
                                                 std::uint64_t session_id, core::JsonText status) {
    return state_.with([&](State& state) -> std::optional<PresentAgent> {
        const auto found = state.find(agent);
        if (found == state.end() || found->second.place.session_id != session_id) {
            return std::nullopt;
        }
        found->second.agent.profile.status = std::move(status);
        return found->second.agent;
    });
}

bool Presence::is_online(const core::AgentId& agent) const {
    return state_.with([&](const State& state) { return state.contains(agent); });
}

std::vector<PresentAgent> Presence::list() const {
    std::vector<PresentAgent> agents;
    state_.with([&](const State& state) {
        agents.reserve(state.size());
        for (const auto& [id, entry] : state) agents.push_back(entry.agent);
    });
    std::ranges::sort(agents, {}, &PresentAgent::agent);
    return agents;
}

std::size_t Presence::count() const {
    return state_.with([](const State& state) { return state.size(); });
}

}  // namespace agentcom::services

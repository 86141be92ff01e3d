#include "agentcom/services/presence.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace agentcom::services {

namespace {

constexpr double kFewTakeovers = 10;

}  // namespace

double Presence::most_takeovers_at_once() const noexcept {
    return std::max(kFewTakeovers,
                    static_cast<double>(takeovers_per_minute_.load(std::memory_order_relaxed)) / 6);
}

Presence::Joined Presence::join(PresentAgent agent, SessionPlace place) {
    return state_.with([&](State& state) {
        const auto found = state.agents.find(agent.agent);
        if (found != state.agents.end()) {
            Entry& entry = found->second;
            entry.agent = std::move(agent);
            entry.version = ++state.version;
            return Joined{std::exchange(entry.place, place), entry.version};
        }
        core::AgentId id = agent.agent;
        const auto added =
            state.agents
                .emplace(std::move(id),
                         Entry{std::move(agent), place, most_takeovers_at_once(), {}, 0})
                .first;
        state.sorted.emplace(added->first.str(), &added->second);
        added->second.version = ++state.version;
        return Joined{std::nullopt, state.version};
    });
}

bool Presence::may_join(const core::AgentId& agent, core::SteadyTime now) {
    if (takeovers_per_minute_.load(std::memory_order_relaxed) == 0) return true;
    return state_.with([&](State& state) {
        const auto found = state.agents.find(agent);
        if (found == state.agents.end()) return true;
        Entry& entry = found->second;
        if (entry.counted_at != core::SteadyTime{}) {
            const std::chrono::duration<double, std::ratio<60>> minutes = now - entry.counted_at;
            entry.takeovers_left = std::min(
                most_takeovers_at_once(),
                entry.takeovers_left +
                    std::max(0.0, minutes.count()) *
                        static_cast<double>(takeovers_per_minute_.load(std::memory_order_relaxed)));
        }
        entry.counted_at = now;
        if (entry.takeovers_left < 1) return false;
        entry.takeovers_left -= 1;
        return true;
    });
}

std::optional<std::uint64_t> Presence::leave(const core::AgentId& agent, std::uint64_t session_id) {
    return state_.with([&](State& state) -> std::optional<std::uint64_t> {
        const auto found = state.agents.find(agent);
        if (found == state.agents.end() || found->second.place.session_id != session_id) {
            return std::nullopt;
        }
        state.sorted.erase(found->first.str());
        state.agents.erase(found);
        return ++state.version;
    });
}

std::optional<Presence::StatusChange> Presence::set_status(const core::AgentId& agent,
                                                           std::uint64_t session_id,
                                                           core::JsonText status) {
    return state_.with([&](State& state) -> std::optional<StatusChange> {
        const auto found = state.agents.find(agent);
        if (found == state.agents.end() || found->second.place.session_id != session_id) {
            return std::nullopt;
        }
        found->second.agent.profile.status = std::move(status);
        found->second.version = ++state.version;
        return StatusChange{found->second.agent, state.version};
    });
}

std::optional<Presence::StatusChange> Presence::set_profile(
    const core::AgentId& agent, core::JsonText status, std::optional<core::JsonText> capabilities) {
    return state_.with([&](State& state) -> std::optional<StatusChange> {
        const auto found = state.agents.find(agent);
        if (found == state.agents.end()) return std::nullopt;
        Profile& profile = found->second.agent.profile;
        profile.status = std::move(status);
        if (capabilities) profile.capabilities = std::move(*capabilities);
        found->second.version = ++state.version;
        return StatusChange{found->second.agent, state.version};
    });
}

std::optional<PresentAgent> Presence::find(const core::AgentId& agent) const {
    return state_.with([&](const State& state) -> std::optional<PresentAgent> {
        const auto found = state.agents.find(agent);
        if (found == state.agents.end()) return std::nullopt;
        return found->second.agent;
    });
}

bool Presence::is_online(const core::AgentId& agent) const {
    return state_.with([&](const State& state) { return state.agents.contains(agent); });
}

std::vector<PresentAgent> Presence::list() const {
    return state_.with([&](const State& state) {
        std::vector<PresentAgent> agents;
        agents.reserve(state.sorted.size());
        for (const auto& [id, entry] : state.sorted) agents.push_back(entry->agent);
        return agents;
    });
}

Presence::Page Presence::page(std::string_view after, std::size_t most,
                              std::size_t most_bytes) const {
    return state_.with([&](const State& state) {
        Page page;
        page.version = state.version;
        std::size_t bytes = 0;
        auto next = after.empty() ? state.sorted.begin() : state.sorted.upper_bound(after);
        for (; next != state.sorted.end() && page.agents.size() < most && bytes < most_bytes;
             ++next) {
            page.agents.push_back(next->second->agent);
            bytes += next->second->agent.profile.bytes();
        }
        page.more = next != state.sorted.end();
        return page;
    });
}

Presence::Page Presence::changed_since(std::uint64_t version) const {
    return state_.with([&](const State& state) {
        Page page;
        page.version = state.version;
        if (state.version == version) return page;
        for (const auto& [id, entry] : state.agents) {
            if (entry.version > version) page.agents.push_back(entry.agent);
        }
        return page;
    });
}

std::size_t Presence::count() const {
    return state_.with([](const State& state) { return state.agents.size(); });
}

}  // namespace agentcom::services

#include "agentcom/services/quota.hpp"

#include <algorithm>

namespace agentcom::services {

namespace {
constexpr std::uint64_t kShare = 4;
}

Quota::Quota(std::uint64_t total, std::uint64_t each) { set(total, each); }

void Quota::set(std::uint64_t total, std::uint64_t each) {
    state_.with([&](State& state) {
        state.total = total;
        state.each = each != 0 ? each : std::max<std::uint64_t>(1, total / kShare);
    });
}

Quota::Taken Quota::take(const core::AgentId& agent) {
    return state_.with([&](State& state) {
        if (state.taken >= state.total) return Taken::all_gone;
        std::uint64_t& own = state.by_agent[agent];
        if (own >= state.each) return Taken::share_gone;
        ++own;
        ++state.taken;
        return Taken::yes;
    });
}

void Quota::give_back(const core::AgentId& agent) {
    state_.with([&](State& state) {
        const auto found = state.by_agent.find(agent);
        if (found == state.by_agent.end()) return;
        --state.taken;
        if (--found->second == 0) state.by_agent.erase(found);
    });
}

std::uint64_t Quota::taken_by(std::string_view agent) const {
    return state_.with([&](const State& state) {
        const auto found = state.by_agent.find(agent);
        return found == state.by_agent.end() ? std::uint64_t{0} : found->second;
    });
}

std::uint64_t Quota::taken() const {
    return state_.with([](const State& state) { return state.taken; });
}

}  // namespace agentcom::services

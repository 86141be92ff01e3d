#include "agentcom/webhooks/sessions.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace agentcom::webhooks {

std::string Sessions::tell(const core::AgentId& agent, const hooks::HookInput& input,
                           hooks::Moment moment, const hooks::UnreadMail& mail) {
    return state_.with([&](State& state) {
        Session* known = find(state, agent.str(), input.session);
        const hooks::SessionState before = known != nullptr ? known->told : hooks::SessionState{};
        hooks::Decision decision =
            hooks::decide(input, moment, mail, hooks::note_turn(input, moment, before));
        if (known != nullptr) {
            known->told = std::move(decision.state);
        } else if (decision.state != before) {
            remember(state, {agent.str(), input.session, std::move(decision.state)});
        }
        return std::move(decision.output);
    });
}

std::size_t Sessions::count() const {
    return state_.with([](const State& state) { return state.all.size(); });
}

Sessions::Session* Sessions::find(State& state, const std::string& agent, std::string_view id) {
    const auto own = state.of_agent.find(agent);
    if (own == state.of_agent.end()) return nullptr;
    auto& sessions = own->second;
    // The one that is asked for is most often the one that was.
    const auto found = std::find_if(sessions.rbegin(), sessions.rend(),
                                    [id](const Used::iterator& used) { return used->id == id; });
    if (found == sessions.rend()) return nullptr;
    std::rotate(std::prev(found.base()), found.base(), sessions.end());
    state.all.splice(state.all.begin(), state.all, sessions.back());
    return &state.all.front();
}

void Sessions::forget_oldest_of(State& state, const std::string& agent) {
    const auto own = state.of_agent.find(agent);
    state.all.erase(own->second.front());
    own->second.erase(own->second.begin());
    if (own->second.empty()) state.of_agent.erase(own);
}

void Sessions::remember(State& state, Session session) const {
    const auto own = state.of_agent.find(session.agent);
    if (own != state.of_agent.end() && own->second.size() >= limits_.of_agent) {
        forget_oldest_of(state, session.agent);
    } else if (state.all.size() >= limits_.of_all) {
        // The oldest of all is the oldest of its agent.
        forget_oldest_of(state, std::string(state.all.back().agent));
    }
    auto& sessions = state.of_agent[session.agent];
    // What follows either happens as a whole or, without memory, not at all.
    sessions.reserve(sessions.size() + 1);
    state.all.push_front(std::move(session));
    sessions.push_back(state.all.begin());
}

}  // namespace agentcom::webhooks

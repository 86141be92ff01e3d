#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/hooks/announce.hpp"

namespace agentcom::webhooks {

/// Longest id of a session; Claude Code's have 36 characters.
inline constexpr std::size_t kMaxSessionIdBytes = 128;

/// What sessions of coding agents have been told of, agent by agent; in memory only. Of one agent,
/// and of all together, so many are remembered, and then the one forgotten that was not heard of
/// for longest: it is told of its unread mail once more. Thread-safe.
class Sessions {
public:
    struct Limits {
        std::size_t of_agent = 100;
        /// Less than a kilobyte each.
        std::size_t of_all = 10'000;
    };
    Sessions() = default;
    explicit Sessions(Limits limits) : limits_(limits) {}

    /// What the hook of this session says at this moment. The session of the input is at most
    /// kMaxSessionIdBytes long.
    [[nodiscard]] std::string tell(const core::AgentId& agent, const hooks::HookInput& input,
                                   hooks::Moment moment, const hooks::UnreadMail& mail);
    [[nodiscard]] std::size_t count() const;

private:
    struct Session {
        std::string agent;
        std::string id;
        hooks::SessionState told;
    };
    /// The one heard of last comes first.
    using Used = std::list<Session>;
    struct State {
        Used all;
        /// Of each agent, the one heard of last comes last.
        std::unordered_map<std::string, std::vector<Used::iterator>> of_agent;
    };
    /// Null when it is not remembered; otherwise it was heard of now.
    static Session* find(State& state, const std::string& agent, std::string_view id);
    static void forget_oldest_of(State& state, const std::string& agent);
    void remember(State& state, Session session) const;

    Limits limits_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::webhooks

#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// What an agent says of itself; each part may be any JSON value.
struct Profile {
    core::JsonText name;
    core::JsonText status;
    core::JsonText capabilities;
};

struct PresentAgent {
    core::AgentId agent;
    Profile profile;
    core::Timestamp connected_at;
};

/// Where an agent's present connection lives.
struct SessionPlace {
    std::uint64_t session_id = 0;
    std::uint32_t loop = 0;
};

/// Who is online. An agent has one present connection; a newer one takes its place. In memory
/// only; thread-safe.
class Presence {
public:
    /// The agent's connection is now this one. Returns the connection it replaces, if any.
    std::optional<SessionPlace> join(PresentAgent agent, SessionPlace place);
    /// The connection ended. True when it was the agent's present one, so the agent has left.
    bool leave(const core::AgentId& agent, std::uint64_t session_id);
    /// Nothing when that connection is no longer the agent's present one.
    std::optional<PresentAgent> set_status(const core::AgentId& agent, std::uint64_t session_id,
                                           core::JsonText status);

    [[nodiscard]] bool is_online(const core::AgentId& agent) const;
    [[nodiscard]] std::vector<PresentAgent> list() const;  // sorted by id
    [[nodiscard]] std::size_t count() const;

private:
    struct Entry {
        PresentAgent agent;
        SessionPlace place;
    };
    using State = std::unordered_map<core::AgentId, Entry, core::TextHash, core::TextEqual>;
    core::Guarded<State> state_;
};

}  // namespace agentcom::services

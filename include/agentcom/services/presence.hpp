#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
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

    [[nodiscard]] std::size_t bytes() const noexcept {
        return name.text.size() + status.text.size() + capabilities.text.size();
    }
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

/// Who is online. An agent has one present connection; a newer one takes its place. Every change
/// has a version, 1, 2, 3 ... in the order of the changes, so that whoever hears of two of them in
/// the wrong order knows which is the later. In memory only; thread-safe.
class Presence {
public:
    /// `takeovers_per_minute`: how often an agent's connection may be taken over by another in the
    /// long run, 0: no limit.
    explicit Presence(std::uint64_t takeovers_per_minute = 0)
        : takeovers_per_minute_(takeovers_per_minute) {}
    void set_takeovers(std::uint64_t per_minute) noexcept {
        takeovers_per_minute_.store(per_minute, std::memory_order_relaxed);
    }

    struct Joined {
        std::optional<SessionPlace> replaced;  // the connection whose place this one takes
        std::uint64_t version = 0;
    };
    /// The agent's connection is now this one.
    Joined join(PresentAgent agent, SessionPlace place);
    /// The connection ended. The version when it was the agent's present one, so the agent has
    /// left; nothing otherwise.
    std::optional<std::uint64_t> leave(const core::AgentId& agent, std::uint64_t session_id);
    struct StatusChange {
        PresentAgent agent;
        std::uint64_t version = 0;
    };
    /// Nothing when that connection is no longer the agent's present one.
    std::optional<StatusChange> set_status(const core::AgentId& agent, std::uint64_t session_id,
                                           core::JsonText status);

    /// Of its present connection, whichever that is; nothing when it has none.
    std::optional<StatusChange> set_profile(const core::AgentId& agent, core::JsonText status,
                                            std::optional<core::JsonText> capabilities);

    /// Whether another connection of this agent may come now: always when it has none. Two clients
    /// that take turns replacing each other are slowed down by this; each call counts.
    [[nodiscard]] bool may_join(const core::AgentId& agent, core::SteadyTime now);

    [[nodiscard]] bool is_online(const core::AgentId& agent) const;
    [[nodiscard]] std::optional<PresentAgent> find(const core::AgentId& agent) const;
    [[nodiscard]] std::vector<PresentAgent> list() const;  // sorted by id
    struct Page {
        std::vector<PresentAgent> agents;  // sorted by id
        bool more = false;                 // there are others behind the last of these
        std::uint64_t version = 0;         // newest change; the page is as it stood then
    };
    /// Those behind `after` (empty: from the first): at most so many, and no more once their
    /// profiles have so many bytes. Costs what it returns.
    [[nodiscard]] Page page(std::string_view after, std::size_t most, std::size_t most_bytes) const;
    [[nodiscard]] std::size_t count() const;
    /// Those whose last change is newer than this version, in no order, and the newest version of
    /// all. Looks at everybody, and copies what it returns.
    [[nodiscard]] Page changed_since(std::uint64_t version) const;

private:
    struct Entry {
        PresentAgent agent;
        SessionPlace place;
        double takeovers_left = 0;
        core::SteadyTime counted_at;
        std::uint64_t version = 0;  // of its last change
    };
    struct State {
        std::unordered_map<core::AgentId, Entry, core::TextHash, core::TextEqual> agents;
        std::map<std::string_view, const Entry*> sorted;  // by the keys of `agents`
        std::uint64_t version = 0;
    };
    [[nodiscard]] double most_takeovers_at_once() const noexcept;

    std::atomic<std::uint64_t> takeovers_per_minute_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::services

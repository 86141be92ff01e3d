#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agentcom/hooks/dialect.hpp"

namespace agentcom::hooks {

/// What a hook needs to know of the input that the client gives it. Clients add members from
/// version to version; what is not needed is not looked at.
struct HookInput {
    /// Whose input it is. Not always who was named by the configuration: Cursor, VS Code and
    /// Copilot also run the hooks that were written for Claude Code.
    Dialect dialect = Dialect::claude;
    std::string session;
    std::string event;  // the client's name of the moment, where it gives one
    /// The hook runs inside a subagent, which has no mail of its own.
    bool subagent = false;
    /// Whether the turn goes on because a hook wanted it; unknown where the client does not say.
    std::optional<bool> continuing{};
    /// The turn was ended by the user or by a failure.
    bool aborted = false;
    /// The prompt is one that a hook caused and no human wrote.
    bool echoed_prompt = false;
};

/// How every announcement begins; by this a prompt that echoes one is known.
inline constexpr std::string_view kAnnouncementPrefix = "AgentCom: ";

/// A member of the input: text, a truth, a whole number, or something else.
using InputValue = std::variant<std::monostate, std::string, bool, std::int64_t>;
/// Finds a member by its name, with whatever has read the JSON; nothing when there is none.
using InputMembers = std::function<std::optional<InputValue>(std::string_view name)>;

/// The session is empty when the input names none. `named` is the dialect that the hook was
/// configured for.
[[nodiscard]] HookInput read_hook_input(const InputMembers& members, Dialect named);

}  // namespace agentcom::hooks

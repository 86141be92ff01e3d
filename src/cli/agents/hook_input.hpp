#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/agents/dialect.hpp"

namespace agentcom::cli::agents {

/// What a hook needs to know of the input that the client gives it. Clients add members from
/// version to version; what is not needed is not looked at.
struct HookInput {
    /// Whose input it is. Not always who was named on the command line: Cursor, VS Code and Copilot
    /// also run the hooks that were written for Claude Code.
    Dialect dialect = Dialect::claude;
    std::string session;
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

/// Nothing when the text is no JSON object, or names no session. `named` is the dialect of the
/// command line.
[[nodiscard]] std::optional<HookInput> parse_hook_input(std::string_view text, Dialect named);

}  // namespace agentcom::cli::agents

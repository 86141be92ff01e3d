#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/agents/client_files.hpp"
#include "cli/agents/json_text.hpp"

namespace agentcom::cli::agents {

/// The hooks that a client's file is to hold.
struct HookList {
    Dialect dialect = Dialect::claude;
    /// The client's names of the events, and what stands in the list below each; null: nothing of
    /// ours.
    std::vector<std::pair<std::string, JsonValue>> events{};
    bool version = false;  // the file has a "version": 1 besides
};

/// `binary` as a shell starts it; without a context the hooks take the one in use.
[[nodiscard]] HookList hook_list(Dialect dialect, const std::string& binary,
                                 const std::string& context);

/// Claude Code asks the hub itself. In a project's file the token is a variable's.
[[nodiscard]] HookList claude_http_hooks(Scope scope, const Account& account);
/// Where they ask, behind the hub's URL.
inline constexpr std::string_view kClaudeHookPath = "/hooks/claude";

/// Each is put there once, those of ours that differ are replaced, those of others stay.
[[nodiscard]] std::string with_hooks(std::string text, const HookList& hooks);
[[nodiscard]] std::string without_hooks(std::string text, const HookList& hooks);
[[nodiscard]] std::vector<HookCommand> found_hooks(const std::string& text, const HookList& hooks);

}  // namespace agentcom::cli::agents

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/agents/client_files.hpp"

namespace agentcom::cli::agents {

/// How the plugin's text begins.
inline constexpr std::string_view kPluginHeading = "// Made by `agentcom connect opencode`";

/// The text of the plugin for OpenCode: while a session is idle it runs the waiter, and gives the
/// session what that says.
[[nodiscard]] std::string opencode_plugin(const std::string& binary, const std::string& context);

/// The waiter in the text of the plugin; none when it is not ours.
[[nodiscard]] std::vector<HookCommand> plugin_hooks(const std::string& text);

}  // namespace agentcom::cli::agents

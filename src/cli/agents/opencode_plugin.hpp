#pragma once

#include <string>
#include <string_view>

namespace agentcom::cli::agents {

/// How the plugin's text begins.
inline constexpr std::string_view kPluginHeading = "// Made by `agentcom connect opencode`";

/// The text of the plugin for OpenCode: while a session is idle it runs the waiter, and gives the
/// session what that says.
[[nodiscard]] std::string opencode_plugin(const std::string& binary, const std::string& context);

}  // namespace agentcom::cli::agents

#pragma once

#include <optional>
#include <string_view>

#include "cli/agents/hook_words.hpp"

namespace agentcom::cli::agents {

/// Nothing when the text is no JSON object, or names no session. `named` is the dialect of the
/// command line.
[[nodiscard]] std::optional<HookInput> parse_hook_input(std::string_view text, Dialect named);

}  // namespace agentcom::cli::agents

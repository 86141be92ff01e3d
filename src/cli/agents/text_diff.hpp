#pragma once

#include <string>
#include <string_view>

namespace agentcom::cli::agents {

/// What a change does to a text, line by line, as `diff -u` shows it with three lines of context
/// but without its heading; empty when nothing changes.
[[nodiscard]] std::string text_diff(std::string_view before, std::string_view after);

}  // namespace agentcom::cli::agents

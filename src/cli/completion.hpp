#pragma once

#include <string>

#include "cli/command_tree.hpp"

namespace agentcom::cli {

// Scripts that complete the program's commands and flags, for the shells' own start-up files.
[[nodiscard]] std::string bash_completion(const CommandEntry& root);
[[nodiscard]] std::string zsh_completion(const CommandEntry& root);
[[nodiscard]] std::string fish_completion(const CommandEntry& root);

/// The manual page, in the language of man(7).
[[nodiscard]] std::string manual_page(const CommandEntry& root);

}  // namespace agentcom::cli

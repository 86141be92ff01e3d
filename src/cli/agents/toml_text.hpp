#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/agents/json_text.hpp"

/// Changes in the text of a TOML file that people write; what is not changed stays byte for byte.
/// Pure functions. They throw Malformed when the text is not TOML.
namespace agentcom::cli::agents {

/// A table of the kind [outer.name], with keys and their values as TOML writes them. Names and keys
/// are bare.
struct TomlTable {
    std::string outer;
    std::string name;
    std::vector<std::pair<std::string, std::string>> values{};
};

/// Adds the table at the end of the text; where there is one, puts these values into it, and takes
/// the keys in `unwanted` away; where it is so already, the text stays. Throws Malformed when the
/// place is taken by something that is not written as a table with a heading.
[[nodiscard]] std::string toml_with(std::string_view text, const TomlTable& table,
                                    const std::vector<std::string>& unwanted = {});
/// Takes the table away, and what is below it.
[[nodiscard]] std::string toml_without(std::string_view text, const TomlTable& table);
/// A value that is a text; nothing when there is none.
[[nodiscard]] std::optional<std::string> toml_text_at(std::string_view text,
                                                      const std::vector<std::string>& path);

}  // namespace agentcom::cli::agents

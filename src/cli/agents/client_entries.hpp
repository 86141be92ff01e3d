#pragma once

#include <string>
#include <vector>

#include "cli/agents/client_files.hpp"
#include "cli/agents/json_text.hpp"
#include "cli/agents/toml_text.hpp"

namespace agentcom::cli::agents {

/// The hub as a server of tools in a client's JSON file.
struct JsonEntry {
    JsonPath path;
    JsonValue value;
    /// VS Code asks for the token and is told what for; null otherwise. An element of "inputs".
    JsonValue input;
};
[[nodiscard]] JsonEntry json_entry(Dialect dialect, Scope scope, const Places& places,
                                   const Account& account);
/// Members that the user has added to the entry stay.
[[nodiscard]] std::string with_json_entry(std::string text, const JsonEntry& entry);
[[nodiscard]] std::string without_json_entry(std::string text, const JsonEntry& entry);

/// The same for Codex.
struct CodexEntry {
    TomlTable table;
    std::vector<std::string> unwanted;  // other ways to give a token
};
[[nodiscard]] CodexEntry codex_entry(Scope scope, const Account& account);

/// Whether the token itself stands in the file. It does in files that are the user's alone; those
/// of a project are shared, so they name the variable AGENTCOM_TOKEN.
[[nodiscard]] bool holds_token(Dialect dialect, Scope scope) noexcept;

}  // namespace agentcom::cli::agents

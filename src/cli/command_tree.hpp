#pragma once

#include <string>
#include <vector>

#include "agentcom/cli/commands.hpp"

namespace agentcom::cli {

/// A flag of a command, as its parser knows it.
struct FlagEntry {
    std::vector<std::string> names;  // "-h", "--help"
    std::string value;               // "FILE"; empty when it takes none
    std::vector<std::string> choices;
    std::string text;
    std::string group;   // heading in the help
    std::string preset;  // default that is worth telling; may be empty
};

struct PositionalEntry {
    std::string name;
    std::string text;
    std::vector<std::string> choices;
    bool required = false;
    bool many = false;
};

/// A command with everything below it, read off the parser itself, so that completion and manual
/// cannot say something else than it does. Hidden commands are left out.
struct CommandEntry {
    std::string name;  // "agentcom token create"
    std::string text;
    std::string footer;
    std::string group;
    std::vector<FlagEntry> flags;
    std::vector<PositionalEntry> positionals;
    std::vector<CommandEntry> commands;
};

[[nodiscard]] CommandEntry read_command_tree(const CLI::App& app);
/// The command itself and all below it, parents first.
[[nodiscard]] std::vector<const CommandEntry*> flattened(const CommandEntry& root);

}  // namespace agentcom::cli

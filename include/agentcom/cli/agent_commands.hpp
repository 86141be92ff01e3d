#pragma once

#include <string>

#include "agentcom/cli/commands.hpp"

namespace agentcom::cli {

/// Adds `hook` and `connect`, the commands for coding agents. The one that was called runs while
/// the command line is parsed and puts its exit status into `status`; problems of `connect` are
/// thrown as std::runtime_error with one sentence, `hook` has none.
void add_agent_commands(CLI::App& app, int& status);

/// `agentcom doctor CLIENT`: proves that what `connect` wrote works, and prints what it finds.
/// Returns the exit status; throws std::runtime_error with one sentence when it cannot begin.
[[nodiscard]] int examine_client(const std::string& client);

}  // namespace agentcom::cli

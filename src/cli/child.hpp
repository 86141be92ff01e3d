#pragma once

#include <string>

namespace agentcom::cli {

/// Runs `/bin/sh -c command` with this on its standard input; the other streams are our own.
/// Returns its exit status, 128 + signal when one ended it. A command that does not read its input
/// is no error. Throws std::runtime_error when it cannot be started.
[[nodiscard]] int run_shell(const std::string& command, const std::string& input);

}  // namespace agentcom::cli

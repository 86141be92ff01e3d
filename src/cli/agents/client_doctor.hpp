#pragma once

#include <string>

namespace agentcom::cli::agents {

/// `agentcom doctor CLIENT`: looks at what `connect` wrote, runs each hook as the client would,
/// sends the agent a message and sees it announced, once. Prints what it finds, a line each.
/// Returns 0 when all is well, kProblem otherwise; throws what run_guarded takes when it cannot
/// begin or go on.
[[nodiscard]] int run_client_doctor(const std::string& client);

}  // namespace agentcom::cli::agents

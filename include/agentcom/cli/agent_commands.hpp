#pragma once

#include <string>

namespace agentcom::cli {

/// `agentcom doctor CLIENT`: proves that what `connect` wrote works, and prints what it finds.
/// Returns the exit status; what keeps it from beginning or going on is said on standard error.
[[nodiscard]] int examine_client(const std::string& client);

}  // namespace agentcom::cli

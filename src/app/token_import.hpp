#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::app {

/// The original hub's token file, {"64 hexadecimal digits": "agent id", ...}, taken apart.
struct TokenFile {
    std::vector<std::pair<core::Token, core::AgentId>> tokens;
    std::vector<std::string> problems;  // one sentence an entry that is unusable; never its token
};
/// Throws std::runtime_error when it cannot be read or is not a JSON object.
[[nodiscard]] TokenFile read_token_list(const std::filesystem::path& file);

struct ImportOutcome {
    std::uint64_t imported = 0;
    std::uint64_t known = 0;  // were there already, for the same agent
    std::vector<std::string> problems;
};
/// Makes the tokens valid in the store, which must have been started.
[[nodiscard]] ImportOutcome import_tokens(store::Store& store, const TokenFile& file);

}  // namespace agentcom::app

#pragma once

#include <string>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {

/// Whom the client's token belongs to, and its role: "agent", "admin" or "observer".
struct TokenHolder {
    std::string agent;
    std::string role;
};
/// Asks the hub. Throws HubError, also when what answers is no hub.
[[nodiscard]] TokenHolder ask_holder(HubClient& hub, Deadline deadline);

}  // namespace agentcom::cli

#pragma once

#include <cstdint>
#include <string>

#include "agentcom/cli/hub_client.hpp"
#include "cli/agents/announce.hpp"

/// What hooks ask the hub. Functions throw HubError.
namespace agentcom::cli::agents {

[[nodiscard]] UnreadMail ask_unread(HubClient& hub, const std::string& agent, Deadline deadline);

/// Returns when the mailbox has something behind this number, and after most of a minute anyway.
void wait_for_newer(HubClient& hub, const std::string& agent, std::uint64_t since);

}  // namespace agentcom::cli::agents

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/cli/hub_client.hpp"
#include "cli/agents/hook_words.hpp"

/// What hooks ask the hub. Functions throw HubError.
namespace agentcom::cli::agents {

/// Nothing when it is not the answer of GET /api/mailbox/:id/unread.
[[nodiscard]] std::optional<UnreadMail> parse_unread(std::string_view json);

[[nodiscard]] UnreadMail ask_unread(HubClient& hub, const std::string& agent, Deadline deadline);

/// Returns when the mailbox has something behind this number, and after most of a minute anyway.
void wait_for_newer(HubClient& hub, const std::string& agent, std::uint64_t since);

}  // namespace agentcom::cli::agents

#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "agentcom/protocol/json_writer.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::protocol {

/// In the order in which answers show them.
inline constexpr std::array<std::pair<core::MemberRights, std::string_view>, 3> kMemberRightNames{
    {{core::kMayRead, "read"}, {core::kMayPublish, "publish"}, {core::kMayManage, "manage"}}};

/// An agent as lists and presence frames show it.
void write_agent(JsonWriter& writer, const AgentInfo& agent);
void write_channel_list(JsonWriter& writer, const ChannelList& list);
/// What stands in a mailbox's page before and behind its messages; `front` opens their array, and
/// `end` is written behind its closing bracket.
void write_mailbox_front(JsonWriter& writer, const core::AgentId& agent);
void write_mailbox_end(JsonWriter& writer, const MailboxPage& page, std::uint64_t count);
void write_channel_messages(JsonWriter& writer, const std::vector<core::MessagePtr>& messages);
/// Where to read on, at the end of a channel's history.
void write_channel_cursors(JsonWriter& writer, const ChannelHistoryPage& page);
[[nodiscard]] std::string_view to_string(DeliveryStatus status) noexcept;

}  // namespace agentcom::protocol

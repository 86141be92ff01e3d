#pragma once

#include <vector>

#include "agentcom/core/member.hpp"
#include "agentcom/core/result.hpp"
#include "protocol/input.hpp"

/// The members of channels as clients spell them.
namespace agentcom::protocol {

/// `"rights": ["read", "publish", "manage"]`; an empty list is none. Errors missing_field,
/// invalid_field.
[[nodiscard]] core::result<core::MemberRights> member_rights(const Input& in);

/// `"members"`: agent ids, who may read and publish, or objects with `agent_id` and `rights`.
/// Nothing when absent. Errors invalid_field, invalid_agent_id.
[[nodiscard]] core::result<std::vector<core::ChannelMember>> channel_members(const Input& in);

}  // namespace agentcom::protocol

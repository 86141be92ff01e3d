#pragma once

#include <cstdint>

#include "agentcom/core/ids.hpp"

namespace agentcom::core {

/// What a member may do in a channel; several are added up. Where everybody may read or publish
/// anyway, those rights of members mean nothing.
using MemberRights = std::uint8_t;
inline constexpr MemberRights kMayRead = 1;
inline constexpr MemberRights kMayPublish = 2;
inline constexpr MemberRights kMayManage = 4;  // change members, delete the channel
inline constexpr MemberRights kAllRights = kMayRead | kMayPublish | kMayManage;

struct ChannelMember {
    AgentId agent;
    MemberRights rights = 0;
    bool operator==(const ChannelMember&) const = default;
};

}  // namespace agentcom::core

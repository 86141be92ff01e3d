#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agentcom/store/records.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

/// Which channels a viewer may know of and read. Without a viewer: all.
namespace agentcom::store {

[[nodiscard]] MemberRights read_member_rights(const Transaction& txn, std::string_view channel,
                                              std::string_view agent);
[[nodiscard]] std::vector<ChannelMember> read_members(const Transaction& txn,
                                                      std::string_view channel);

[[nodiscard]] bool may_know(const Transaction& txn, const ChannelRecord& channel,
                            const std::optional<Viewer>& viewer);
[[nodiscard]] bool may_read(const Transaction& txn, const ChannelRecord& channel,
                            const std::optional<Viewer>& viewer);

}  // namespace agentcom::store

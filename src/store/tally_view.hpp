#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "agentcom/core/page.hpp"
#include "agentcom/store/records.hpp"
#include "agentcom/store/store.hpp"
#include "store/transaction.hpp"

/// Reads for those who count: of many messages what they are, and nothing of what they say.
namespace agentcom::store {

/// See `Store::walk_log`.
[[nodiscard]] LogWalk walk_log(const Transaction& txn, core::Seq after, core::Budget& budget,
                               const LogVisitor& visit);
/// The first message with this timestamp or a later one; one behind the newest when there is none.
[[nodiscard]] core::Seq first_sent_at_or_after(const Transaction& txn, core::Timestamp time,
                                               core::Seq head);
[[nodiscard]] std::optional<core::Timestamp> sent_at(const Transaction& txn, core::Seq seq);
/// `after` must be short enough for an id.
[[nodiscard]] core::Page<core::AgentId> read_unclaimed(const Transaction& txn,
                                                       std::string_view after,
                                                       core::Budget& budget);
/// `agent` must be short enough for an id.
[[nodiscard]] DeliveryCounts count_deliveries(const Transaction& txn, std::string_view agent,
                                              core::Seq after, core::Budget& budget);

}  // namespace agentcom::store

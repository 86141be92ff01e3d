#pragma once

#include <optional>
#include <string_view>

#include "agentcom/core/page.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/store/records.hpp"
#include "store/transaction.hpp"

/// Lists of tokens, channels and subscriptions: walks in the order of keys, from behind a key that
/// was shown before and within a budget.
namespace agentcom::store {

[[nodiscard]] core::result<TokenPage> read_tokens(const Transaction& txn, std::string_view cursor,
                                                  const std::optional<std::string_view>& agent,
                                                  core::Budget& budget);
/// `agent` and `after` must be short enough for an id.
[[nodiscard]] std::optional<HolderRecord> read_holder(const Transaction& txn,
                                                      std::string_view agent, core::Timestamp now);
[[nodiscard]] core::Page<HolderRecord> read_holders(const Transaction& txn, std::string_view after,
                                                    core::Timestamp now, core::Budget& budget);
[[nodiscard]] ChannelPage read_channels(const Transaction& txn, std::string_view after,
                                        core::Budget& budget, const std::optional<Viewer>& viewer);
[[nodiscard]] core::Page<core::AgentId> read_subscribers(const Transaction& txn,
                                                         const core::ChannelName& name,
                                                         std::string_view after,
                                                         core::Budget& budget);
/// `agent` must be short enough for an id.
[[nodiscard]] ChannelNamePage read_subscriptions(const Transaction& txn, std::string_view agent,
                                                 std::string_view after, core::Budget& budget,
                                                 const std::optional<Viewer>& viewer);

}  // namespace agentcom::store

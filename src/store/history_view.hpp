#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/page.hpp"
#include "agentcom/store/records.hpp"
#include "store/epochs.hpp"
#include "store/transaction.hpp"

/// History, threads and channel history: walks through one list, or several at once, from a known
/// position and within a budget. What has no list of its own, types and texts, is looked for in
/// each message of the walk.
namespace agentcom::store {

/// `window` newest messages are looked at.
[[nodiscard]] MessagePage read_history(const Transaction& txn, const HistoryQuery& query,
                                       std::uint64_t window, const Epochs& epochs,
                                       core::Budget& budget);

/// Of the newest `window` messages of the channel.
[[nodiscard]] ChannelHistoryPage read_channel_history(const Transaction& txn,
                                                      const ChannelHistoryQuery& query,
                                                      std::uint64_t window, const Epochs& epochs,
                                                      core::Budget& budget);

/// The newest channel seq given out; 0: none.
[[nodiscard]] core::ChannelSeq last_channel_seq(const Transaction& txn, std::string_view channel);

[[nodiscard]] std::string read_thread_root(const Transaction& txn, std::string_view message_id,
                                           const Epochs& epochs,
                                           const std::optional<Viewer>& viewer);
[[nodiscard]] MessagePage read_thread(const Transaction& txn, std::string_view root,
                                      core::Seq cursor, const Epochs& epochs, core::Budget& budget,
                                      const std::optional<Viewer>& viewer);
[[nodiscard]] MessagePage read_replies(const Transaction& txn, std::string_view message_id,
                                       core::Seq cursor, const Epochs& epochs, core::Budget& budget,
                                       const std::optional<Viewer>& viewer);

}  // namespace agentcom::store

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agentcom/store/records.hpp"
#include "store/transaction.hpp"

/// History, threads and channel history: walks through one list, or two at once, from a known
/// position; never a scan.
namespace agentcom::store {

/// `window` newest messages are looked at.
[[nodiscard]] std::vector<core::MessagePtr> read_history(const Transaction& txn,
                                                         const HistoryQuery& query,
                                                         std::uint64_t window, core::Epoch epoch);

/// Of the newest `window` messages of the channel.
[[nodiscard]] std::vector<core::MessagePtr> read_channel_history(
    const Transaction& txn, const core::ChannelName& name, std::optional<core::ChannelSeq> since,
    std::uint64_t limit, std::uint64_t window, core::Epoch epoch);

/// The newest channel seq given out; 0: none.
[[nodiscard]] core::ChannelSeq last_channel_seq(const Transaction& txn, std::string_view channel);

[[nodiscard]] std::string read_thread_root(const Transaction& txn, std::string_view message_id,
                                           core::Epoch epoch);
[[nodiscard]] std::vector<core::MessagePtr> read_thread(const Transaction& txn,
                                                        std::string_view root, core::Seq cursor,
                                                        std::uint64_t limit, core::Epoch epoch);
[[nodiscard]] std::vector<core::MessagePtr> read_replies(const Transaction& txn,
                                                         std::string_view message_id,
                                                         core::Seq cursor, std::uint64_t limit,
                                                         core::Epoch epoch);

}  // namespace agentcom::store

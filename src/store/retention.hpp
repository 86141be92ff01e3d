#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agentcom/core/time.hpp"
#include "agentcom/store/write_ops.hpp"
#include "store/epochs.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

/// Letting go of old messages. Whole blocks leave the log, oldest first, and with them the blocks
/// of feeds and indexes whose entries are all gone. An entry that is left behind, because its block
/// also has younger ones, is harmless: whoever follows it finds no message. A channel's newest
/// messages move to the table `kept`, which the same bounds hold.
namespace agentcom::store {

struct TrimOutcome {
    std::uint64_t messages = 0;
    bool more = false;
};

/// Removes a bounded number of log blocks, kept messages and idempotency keys; brings `state` up to
/// date.
[[nodiscard]] TrimOutcome trim(WriteTransaction& txn, StateRow& state, const TrimBounds& bounds,
                               core::Timestamp now, const Epochs& epochs);

/// Forgets the idempotency key that was used first, unless that was after `older_than`. False when
/// there is none to forget.
bool forget_oldest_key(WriteTransaction& txn, std::optional<core::Timestamp> older_than = {});

/// Forgets messages of the channel that have left both the log and the channel's history.
void prune_channel(WriteTransaction& txn, StateRow& state, std::string_view channel,
                   std::uint64_t channel_history);

/// Drops one kept message, if it is there.
void erase_kept(WriteTransaction& txn, StateRow& state, core::Seq seq);

}  // namespace agentcom::store

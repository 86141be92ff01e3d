#pragma once

#include <cstdint>
#include <string_view>

#include "agentcom/core/time.hpp"
#include "store/rows.hpp"
#include "store/transaction.hpp"

/// Letting go of old messages. Whole blocks leave the log, oldest first, and with them the blocks
/// of feeds and indexes whose entries are all gone. An entry that is left behind, because its block
/// also has younger ones, is harmless: whoever follows it finds no message.
namespace agentcom::store {

struct RetentionRules {
    std::uint64_t history_messages = 0;  // newest ones that stay, unless a bound below is passed
    core::Millis ttl{0};                 // younger ones stay, unless a bound below is passed
    std::uint64_t max_messages = 0;      // 0: no bound
    core::Millis max_age{0};             // 0: no bound
    std::uint64_t max_bytes = 0;         // 0: no bound
    std::uint64_t channel_history = 0;   // newest of each channel that stay in any case
    core::Millis idempotency_window{0};
};

struct TrimOutcome {
    std::uint64_t messages = 0;
    bool more = false;
};

/// Removes at most `max_blocks` blocks and some thousand idempotency keys; brings `state` up to
/// date.
[[nodiscard]] TrimOutcome trim(WriteTransaction& txn, StateRow& state, const RetentionRules& rules,
                               core::Timestamp now, core::Epoch epoch, std::size_t max_blocks);

/// Forgets messages of the channel that have left both the log and the channel's history.
void prune_channel(WriteTransaction& txn, StateRow& state, std::string_view channel,
                   std::uint64_t channel_history);

}  // namespace agentcom::store

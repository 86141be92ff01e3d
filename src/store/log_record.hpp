#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/message.hpp"
#include "store/epochs.hpp"

/// One message as it is stored, in a log block or alone in `kept`. All integers little-endian.
///
///   u8   destination: 1 agent, 2 everyone, 3 everyone spelled "broadcast", 4 channel
///   u8   flags: 1 has reply_to, 2 has a root, 4 has a time of the store
///   i64  timestamp, Unix milliseconds
///   i64  when it was stored by the store's own time  (flag 4 only; without it: the timestamp)
///   u64  seq of the thread's root            (flag 2 only; without it the message is its own)
///   u64  channel seq                         (destination 4 only)
///   u8 n, n bytes   from
///   u8 n, n bytes   agent or channel         (destinations 1 and 4 only)
///   u8 n, n bytes   reply_to                 (flag 1 only)
///   varint n, n bytes   type
///   rest            payload
namespace agentcom::store {

enum class RecordKind : std::uint8_t {
    to_agent = 1,
    to_everyone = 2,
    to_everyone_spelled = 3,
    to_channel = 4,
};

/// A record taken apart; the texts point into it.
struct RecordView {
    RecordKind kind = RecordKind::to_agent;
    core::Timestamp timestamp;
    core::Timestamp stored;  // by the store's own time, which ages are counted by
    core::Seq root;          // 0: its own
    core::ChannelSeq channel_seq;
    std::string_view from;
    std::string_view destination;  // agent or channel; empty for broadcasts
    std::optional<std::string_view> reply_to;
    std::string_view type;
    std::string_view payload;
};

/// The two times of a message: what clients are shown, and what its age is counted by
/// (store_clock.hpp). Neither falls from one message to the next.
struct MessageTimes {
    core::Timestamp shown;
    core::Timestamp stored;
};

void append_record(std::string& out, const core::Draft& draft, MessageTimes times, core::Seq root,
                   core::ChannelSeq channel_seq);
/// Throws DamagedStore.
[[nodiscard]] RecordView parse_record(std::string_view bytes);
/// At least what the message takes in an answer of the hub, as JSON text with escapes and keys.
[[nodiscard]] std::uint64_t shown_size(const RecordView& record) noexcept;
/// Only the times, for searches. Throws DamagedStore.
[[nodiscard]] MessageTimes record_times(std::string_view bytes);
/// Throws DamagedStore when what the message would be made of is no id or name: for records without
/// a checksum.
void check_names(const RecordView& record);
/// The message by its bytes in the store.
[[nodiscard]] core::MessageParts parts_of(const RecordView& record, core::Seq seq,
                                          const Epochs& epochs) noexcept;
/// The message with its own bytes.
[[nodiscard]] core::MessagePtr to_message(const RecordView& record, core::Seq seq,
                                          const Epochs& epochs);

}  // namespace agentcom::store

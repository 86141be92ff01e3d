#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/message.hpp"
#include "store/cursor.hpp"
#include "store/log_record.hpp"
#include "store/transaction.hpp"

/// The log: every message once, in blocks of consecutive messages. Writing a batch of a thousand
/// messages costs a handful of puts behind the end of one table, and a block of some tens of
/// kilobytes is a run of pages that is written and read as one.
///
///   u8   version, 2
///   u8   0
///   u16  n, number of messages
///   u32  n times: where the message's record begins, from the start of the block
///   u64  checksum of all before it, under the block's key (checksum.hpp)
///   ...  the records (log_record.hpp), each with its u64 checksum behind it, under the key that
///   its
///        seq would make. So a damaged byte takes one message and not its neighbours.
///
/// Blocks of version 1 have no checksums.
namespace agentcom::store {

/// A block as it lies in the map.
class BlockView {
public:
    /// Throws DamagedStore when the part before the records is damaged.
    BlockView(core::Seq first, std::string_view bytes);
    /// For whoever reads a message or two of many blocks: the checksum of the part before the
    /// records, which is a kilobyte for a full block, is only looked at when a record does not
    /// match its own. That covers the record's bytes and its number, so a wrong offset is found by
    /// it. Throws DamagedStore when there is no room for that part.
    [[nodiscard]] static BlockView for_single_records(core::Seq first, std::string_view bytes);

    [[nodiscard]] core::Seq first() const noexcept { return first_; }
    [[nodiscard]] core::Seq last() const noexcept { return core::Seq{first_.value + count_ - 1}; }
    [[nodiscard]] bool contains(core::Seq seq) const noexcept {
        return seq >= first_ && seq.value - first_.value < count_;
    }
    /// Without its checksum; `seq` must be one of the block's. Throws DamagedStore.
    [[nodiscard]] std::string_view record(core::Seq seq) const;
    /// As it lies there, with its checksum. Throws DamagedStore when it lies outside the block.
    [[nodiscard]] std::string_view stored_record(core::Seq seq) const;
    /// Bytes of the record, which may be damaged.
    [[nodiscard]] std::size_t record_size(core::Seq seq) const;
    /// Whether its records have checksums.
    [[nodiscard]] bool is_checked() const noexcept { return checked_; }
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }
    /// Throws DamagedStore when the part before the records does not match its checksum.
    void check_head() const;

private:
    struct Unchecked {};
    BlockView(core::Seq first, std::string_view bytes, Unchecked);
    [[nodiscard]] std::size_t offset(std::uint64_t index) const;
    [[nodiscard]] std::size_t head_size() const noexcept;
    /// Throws DamagedStore for what is wrong with a record: the head, if that is damaged.
    [[noreturn]] void fail(const char* what) const;

    core::Seq first_;
    bool checked_ = true;
    mutable bool head_is_good_ = false;  // its checksum has been looked at
    std::uint64_t count_ = 0;
    std::string_view bytes_;
};

/// A record as it lies in a block, with its checksum.
[[nodiscard]] std::string sealed_record(core::Seq seq, std::string record);
/// A block of such records, to be written in the place of one with the same messages.
[[nodiscard]] std::string make_block(core::Seq first, const std::vector<std::string>& records);

/// Gathers the messages of a batch and writes them as blocks. Buffers are reused between batches.
class LogWriter {
public:
    /// Forgets what was gathered; the next message gets the number `next`.
    void restart(core::Seq next);
    /// Adds a message; returns what its record takes without the checksum. Writes a block when one
    /// is full.
    std::size_t add(WriteTransaction& txn, const core::Draft& draft, MessageTimes times,
                    core::Seq root, core::ChannelSeq channel_seq);
    /// Writes what is still gathered.
    void flush(WriteTransaction& txn);
    [[nodiscard]] bool empty() const noexcept { return ends_.empty(); }

private:
    core::Seq first_;  // of the block being gathered
    std::vector<std::uint32_t> ends_;
    std::string records_;
};

/// What there is under a number. Neither record nor damage: retention has removed the message, or
/// it never was.
struct ReadRecord {
    std::optional<RecordView> record;
    bool damaged = false;
};

/// Finds messages. Remembers the last block, so neighbours are cheap. Lives within a transaction.
class LogReader {
public:
    explicit LogReader(const Transaction& txn);

    /// Nothing when retention has removed the message, or it never was. Throw DamagedStore.
    [[nodiscard]] std::optional<std::string_view> find_bytes(core::Seq seq);
    [[nodiscard]] std::optional<RecordView> find(core::Seq seq);
    /// As `find`, for those who go on with other messages: damage is counted and logged.
    [[nodiscard]] ReadRecord read(core::Seq seq);
    /// Bytes of the message's record, whose pages are not looked at and which may be damaged. 0:
    /// there is no such message, or its size cannot be told.
    [[nodiscard]] std::uint64_t size_of(core::Seq seq);
    /// Numbers of the oldest and the newest message of the log; nothing when it is empty.
    [[nodiscard]] std::optional<core::Seq> first_seq();
    [[nodiscard]] std::optional<core::Seq> last_seq();
    /// The first message with this timestamp or a later one; one behind the newest when there is
    /// none. The log must not be empty.
    [[nodiscard]] core::Seq first_at_or_after(core::Timestamp time);
    /// The same by the store's own time.
    [[nodiscard]] core::Seq first_stored_at_or_after(core::Timestamp time);

private:
    bool load(core::Seq seq);
    /// The times of the first message of first <= seq < end that can be read; damaged ones are
    /// passed over, and `first` with them.
    [[nodiscard]] std::optional<MessageTimes> first_times(core::Seq& first, core::Seq end);
    template <class IsBefore>
    [[nodiscard]] core::Seq find_bound(IsBefore&& is_before);

    const Transaction& txn_;
    Cursor cursor_;
    std::optional<BlockView> block_;
    std::optional<Cursor> kept_;  // opened by the first who needs it
};

}  // namespace agentcom::store

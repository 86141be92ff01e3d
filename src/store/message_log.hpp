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
///   u8   version, 1
///   u8   0
///   u16  n, number of messages
///   u32  n times: where the message's record begins, from the start of the block
///   ...  the records (log_record.hpp)
namespace agentcom::store {

/// A block as it lies in the map.
class BlockView {
public:
    /// Throws DamagedStore.
    BlockView(core::Seq first, std::string_view bytes);

    [[nodiscard]] core::Seq first() const noexcept { return first_; }
    [[nodiscard]] core::Seq last() const noexcept { return core::Seq{first_.value + count_ - 1}; }
    [[nodiscard]] bool contains(core::Seq seq) const noexcept {
        return seq >= first_ && seq.value - first_.value < count_;
    }
    /// `seq` must be one of the block's.
    [[nodiscard]] std::string_view record(core::Seq seq) const;
    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size(); }

private:
    [[nodiscard]] std::size_t offset(std::uint64_t index) const;

    core::Seq first_;
    std::uint64_t count_ = 0;
    std::string_view bytes_;
};

/// Gathers the messages of a batch and writes them as blocks. Buffers are reused between batches.
class LogWriter {
public:
    /// Forgets what was gathered; the next message gets the number `next`.
    void restart(core::Seq next);
    /// Adds a message; returns what its record takes. Writes a block when one is full.
    std::size_t add(WriteTransaction& txn, const core::Draft& draft, core::Timestamp timestamp,
                    core::Seq root, core::ChannelSeq channel_seq);
    /// Writes what is still gathered.
    void flush(WriteTransaction& txn);

private:
    core::Seq first_;  // of the block being gathered
    std::vector<std::uint32_t> ends_;
    std::string records_;
};

/// Finds messages. Remembers the last block, so neighbours are cheap. Lives within a transaction.
class LogReader {
public:
    explicit LogReader(const Transaction& txn);

    /// Nothing when retention has removed the message, or it never was.
    [[nodiscard]] std::optional<std::string_view> find_bytes(core::Seq seq);
    [[nodiscard]] std::optional<RecordView> find(core::Seq seq);
    /// Numbers of the oldest and the newest message of the log; nothing when it is empty.
    [[nodiscard]] std::optional<core::Seq> first_seq();
    [[nodiscard]] std::optional<core::Seq> last_seq();
    /// The first message stored at `time` or later; one behind the newest when there is none. The
    /// log must not be empty.
    [[nodiscard]] core::Seq first_at_or_after(core::Timestamp time);

private:
    bool load(core::Seq seq);

    const Transaction& txn_;
    Cursor cursor_;
    std::optional<BlockView> block_;
};

}  // namespace agentcom::store

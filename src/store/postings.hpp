#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/seq.hpp"
#include "store/cursor.hpp"
#include "store/keys.hpp"
#include "store/transaction.hpp"

/// Feeds and indexes: sorted lists of messages, kept as blocks so that a batch costs one put per
/// list it touches, however many of its messages go there.
///
///   key    kind, owner', be64 place of the block's first entry
///   value  u8 version, 1, and the mark of a sealed value (checksum.hpp); then u64 entries: seq in
///   the low 44 bits, and in the lists of channels
///          and broadcasts a hash of the sender in the high 20
///
/// An entry's place is its seq; in the lists of channels it is its channel seq, which grows by one
/// from entry to entry, so the n-th message of a channel is found by its number.
namespace agentcom::store {

using Entry = std::uint64_t;
inline constexpr std::size_t kMaxBlockEntries = 224;  // keeps key and block within half a page

[[nodiscard]] inline core::Seq seq_of(Entry entry) noexcept {
    return core::Seq{entry & core::kMaxSeq};
}
/// The high bits of the entries of this sender. Another sender may have the same.
[[nodiscard]] Entry sender_mark(std::string_view agent) noexcept;
[[nodiscard]] inline Entry mark_of(Entry entry) noexcept { return entry & ~core::kMaxSeq; }

/// Walks one list, in either direction. Lives within a transaction. Moves return false at the end.
/// A block that is damaged is counted, logged and passed over, as if it were not there.
class PostingCursor {
public:
    PostingCursor(const Transaction& txn, Feed feed, std::string_view owner);

    bool first();
    bool last();
    bool next();
    bool previous();
    /// To the newest message that is not newer / the oldest that is not older than `seq`.
    bool at_or_before(core::Seq seq);
    bool at_or_after(core::Seq seq);
    /// Whether the message is in the list; cheap from where it stands to the neighbours. Not for
    /// lists of channels.
    bool find(core::Seq seq);
    /// To the message with this place, or the next behind it. For lists of channels.
    bool at_or_after_place(std::uint64_t place);

    [[nodiscard]] Entry entry() const { return entry_at(index_); }
    [[nodiscard]] core::Seq seq() const { return seq_of(entry()); }
    /// Only for lists of channels.
    [[nodiscard]] std::uint64_t place() const noexcept { return first_place_ + index_; }
    /// The block it stands in.
    [[nodiscard]] std::size_t block_size() const noexcept { return count_; }
    [[nodiscard]] Entry block_entry(std::size_t index) const { return entry_at(index); }
    [[nodiscard]] std::uint64_t block_place() const noexcept { return first_place_; }
    /// Removes the block it stands in; the cursor is then nowhere.
    void erase_block() { cursor_.erase(); }

    /// The list's last block, damaged or not, which is where writers go on.
    struct End {
        bool exists = false;
        bool damaged = false;
        /// No entry of the list has a later place.
        std::uint64_t last_place = 0;
    };
    /// Unless the block is damaged, the cursor then stands at its last entry.
    [[nodiscard]] End end();

private:
    [[nodiscard]] Entry entry_at(std::size_t index) const;
    /// Whether the block under the LMDB cursor belongs to the list.
    [[nodiscard]] bool is_of_list() const noexcept;
    bool load_forward();
    bool load_backward();
    /// Throws DamagedStore.
    void read_block();
    bool try_block();
    bool last_block_at_or_before(std::uint64_t place);
    bool channel_at_or_after(core::Seq seq);
    /// First entry of the present block that is not older.
    [[nodiscard]] std::size_t lower_bound(core::Seq seq) const;

    const Transaction* txn_;
    Feed feed_;
    std::string key_;  // prefix, then eight bytes of place
    std::size_t prefix_size_;
    Cursor cursor_;
    std::string_view block_;
    std::uint64_t first_place_ = 0;
    std::size_t count_ = 0;
    std::size_t index_ = 0;
};

/// Gathers the entries of a batch and writes them, list by list in the order of their keys.
class PostingWriter {
public:
    void clear();
    /// `place` is only looked at for lists of channels.
    void add(Feed feed, std::string_view owner, Entry entry, std::uint64_t place = 0);
    void flush(WriteTransaction& txn);
    [[nodiscard]] bool empty() const noexcept { return used_ == 0; }

    /// Since the beginning.
    [[nodiscard]] std::uint64_t entries_written() const noexcept { return entries_written_; }
    [[nodiscard]] std::uint64_t puts() const noexcept { return puts_; }

private:
    struct List {
        std::string prefix;
        std::uint64_t first_place = 0;
        std::vector<Entry> entries;
    };
    void write(WriteTransaction& txn, const List& list);
    void put(WriteTransaction& txn, std::string_view prefix, std::uint64_t place,
             std::span<const Entry> entries);

    std::unordered_map<std::string, std::size_t, core::TextHash, core::TextEqual> by_prefix_;
    std::vector<List> lists_;  // the first used_ are in use
    std::size_t used_ = 0;
    std::vector<std::size_t> order_;
    std::string key_;
    std::string value_;
    std::vector<Entry> merged_;
    std::uint64_t entries_written_ = 0;
    std::uint64_t puts_ = 0;
};

}  // namespace agentcom::store

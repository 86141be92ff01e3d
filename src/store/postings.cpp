#include "store/postings.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint8_t kPostingVersion = 1;
constexpr std::size_t kBlockVersionBytes = 1;
constexpr std::size_t kPlaceBytes = 8;
/// A block with fewer entries is written again with the new ones behind them, so that single
/// messages do not make a key each; the page it lies on is written in any case.
constexpr std::size_t kSmallBlockEntries = 64;

std::uint64_t place_of(std::string_view key) { return read_be64(key.substr(key.size() - 8)); }

}  // namespace

Entry sender_mark(std::string_view agent) noexcept {
    // FNV-1a: what is on disk must not depend on the standard library.
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : agent) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3;
    }
    // Never 0, which stands for no sender at all.
    return (hash & ~core::kMaxSeq) | (core::kMaxSeq + 1);
}

PostingCursor::PostingCursor(const Transaction& txn, Feed feed, std::string_view owner)
    : txn_(&txn),
      feed_(feed),
      key_(feed_prefix(feed, owner)),
      prefix_size_(key_.size()),
      cursor_(txn, txn.tables().postings) {
    key_.resize(prefix_size_ + kPlaceBytes);
}

Entry PostingCursor::entry_at(std::size_t index) const {
    Entry entry = 0;
    std::memcpy(&entry, block_.data() + kBlockVersionBytes + index * sizeof entry, sizeof entry);
    return entry;
}

bool PostingCursor::is_of_list() const noexcept {
    const std::string_view key = cursor_.key();
    return key.size() == key_.size() &&
           key.substr(0, prefix_size_) == std::string_view(key_).substr(0, prefix_size_);
}

void PostingCursor::read_block() {
    const std::string_view block = cursor_.value();
    if (block.size() <= kBlockVersionBytes ||
        (block.size() - kBlockVersionBytes) % sizeof(Entry) != 0 ||
        (static_cast<std::uint8_t>(block[0]) & ~kSealed) != kPostingVersion) {
        throw DamagedStore("a posting block cannot be read");
    }
    block_ = block;
    first_place_ = place_of(cursor_.key());
    count_ = (block.size() - kBlockVersionBytes) / sizeof(Entry);
    // Searches rely on it: what is at or behind the place of a block is found in it.
    if (feed_ != Feed::channel && seq_of(entry_at(0)).value != first_place_) {
        throw DamagedStore("a posting block does not begin at its place");
    }
    // Channels count from 1, and the search for a block counts down from there.
    if (feed_ == Feed::channel && first_place_ == 0) {
        throw DamagedStore("a posting block has no place");
    }
}

bool PostingCursor::try_block() {
    try {
        read_block();
        return true;
    } catch (const DamagedStore& error) {
        count_ = 0;
        txn_->report_damage(std::string("a list of messages: ") + error.what());
        return false;
    }
}

bool PostingCursor::load_forward() {
    while (is_of_list()) {
        if (try_block()) return true;
        if (!cursor_.next()) return false;
    }
    return false;
}

bool PostingCursor::load_backward() {
    while (is_of_list()) {
        if (try_block()) return true;
        if (!cursor_.previous()) return false;
    }
    return false;
}

PostingCursor::End PostingCursor::end() {
    std::memset(key_.data() + prefix_size_, 0xff, kPlaceBytes);
    if (!cursor_.at_or_before(key_) || !is_of_list()) return {};
    if (!try_block()) return {true, true, place_of(cursor_.key()) + kMaxBlockEntries - 1};
    index_ = count_ - 1;
    return {true, false, first_place_ + index_};
}

bool PostingCursor::last_block_at_or_before(std::uint64_t place) {
    const std::uint64_t swapped = to_big_endian(place);
    std::memcpy(key_.data() + prefix_size_, &swapped, kPlaceBytes);
    return cursor_.at_or_before(key_) && load_backward();
}

std::size_t PostingCursor::lower_bound(core::Seq seq) const {
    std::size_t low = 0;
    std::size_t high = count_;
    while (low < high) {
        const std::size_t middle = (low + high) / 2;
        if (seq_of(entry_at(middle)) < seq) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

bool PostingCursor::first() {
    std::memset(key_.data() + prefix_size_, 0, kPlaceBytes);
    index_ = 0;
    return cursor_.at_or_after(key_) && load_forward();
}

bool PostingCursor::last() {
    if (!last_block_at_or_before(~std::uint64_t{0})) return false;
    index_ = count_ - 1;
    return true;
}

bool PostingCursor::next() {
    if (index_ + 1 < count_) {
        ++index_;
        return true;
    }
    index_ = 0;
    return cursor_.next() && load_forward();
}

bool PostingCursor::previous() {
    if (index_ > 0) {
        --index_;
        return true;
    }
    if (!cursor_.previous() || !load_backward()) return false;
    index_ = count_ - 1;
    return true;
}

bool PostingCursor::at_or_before(core::Seq seq) {
    if (feed_ == Feed::channel) {
        if (!channel_at_or_after(seq)) return last();
        return this->seq() == seq || previous();
    }
    if (!last_block_at_or_before(seq.value)) return false;
    // The block begins at or before `seq`, so there is one.
    const std::size_t bound = lower_bound(seq);
    index_ = bound < count_ && seq_of(entry_at(bound)) == seq ? bound : bound - 1;
    return true;
}

bool PostingCursor::at_or_after(core::Seq seq) {
    if (feed_ == Feed::channel) return channel_at_or_after(seq);
    if (!last_block_at_or_before(seq.value)) return first();
    index_ = lower_bound(seq);
    if (index_ < count_) return true;
    index_ = 0;
    return cursor_.next() && load_forward();
}

bool PostingCursor::find(core::Seq seq) {
    for (const std::size_t neighbour : {index_ + 1, index_ - 1}) {
        if (neighbour < count_ && seq_of(entry_at(neighbour)) == seq) {
            index_ = neighbour;
            return true;
        }
    }
    if (count_ == 0 || seq < seq_of(entry_at(0)) || seq_of(entry_at(count_ - 1)) < seq) {
        if (!last_block_at_or_before(seq.value)) {
            count_ = 0;
            return false;
        }
    }
    const std::size_t bound = lower_bound(seq);
    index_ = std::min(bound, count_ - 1);
    return bound < count_ && seq_of(entry_at(bound)) == seq;
}

bool PostingCursor::channel_at_or_after(core::Seq seq) {
    // Keys are channel seqs here, so the block is found by halving the range of those.
    if (!last()) return false;
    if (seq_of(entry_at(count_ - 1)) < seq) return false;
    std::uint64_t high = first_place_;  // some block at or before it holds the entry
    if (!first()) return false;
    std::uint64_t low = first_place_;  // a block begins here
    while (low < high) {
        const std::uint64_t middle = low + (high - low + 1) / 2;
        if (!last_block_at_or_before(middle)) return false;
        if (seq_of(entry_at(0)) <= seq) {
            low = middle;
        } else {
            high = first_place_ - 1;
        }
    }
    if (!last_block_at_or_before(low)) return false;
    index_ = lower_bound(seq);
    if (index_ < count_) return true;
    index_ = 0;
    return cursor_.next() && load_forward();
}

bool PostingCursor::at_or_after_place(std::uint64_t place) {
    if (!last_block_at_or_before(place)) return first();
    index_ = static_cast<std::size_t>(place - first_place_);
    if (index_ < count_) return true;
    index_ = 0;
    return cursor_.next() && load_forward();
}

void PostingWriter::clear() {
    by_prefix_.clear();
    used_ = 0;
}

void PostingWriter::add(Feed feed, std::string_view owner, Entry entry, std::uint64_t place) {
    make_feed_prefix(key_, feed, owner);
    auto found = by_prefix_.find(key_);
    if (found == by_prefix_.end()) {
        if (used_ == lists_.size()) lists_.emplace_back();
        List& list = lists_[used_];
        list.prefix = key_;
        list.first_place = feed == Feed::channel ? place : entry & core::kMaxSeq;
        list.entries.clear();
        found = by_prefix_.emplace(key_, used_++).first;
    }
    lists_[found->second].entries.push_back(entry);
}

void PostingWriter::flush(WriteTransaction& txn) {
    order_.resize(used_);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [this](std::size_t a, std::size_t b) { return lists_[a].prefix < lists_[b].prefix; });
    for (const std::size_t index : order_) write(txn, lists_[index]);
    clear();
}

void PostingWriter::write(WriteTransaction& txn, const List& list) {
    const auto feed = static_cast<Feed>(list.prefix.front());
    std::span<const Entry> rest(list.entries);
    std::uint64_t place = list.first_place;
    entries_written_ += rest.size();

    merged_.clear();
    std::uint64_t last_place = 0;
    {
        PostingCursor cursor(txn, feed, std::string_view(list.prefix).substr(2));
        // Behind a damaged block a new one is begun.
        const PostingCursor::End end = cursor.end();
        if (end.exists && !end.damaged && cursor.block_size() < kSmallBlockEntries) {
            last_place = cursor.block_place();
            for (std::size_t i = 0; i < cursor.block_size(); ++i) {
                merged_.push_back(cursor.block_entry(i));
            }
        }
    }
    if (!merged_.empty()) {
        const std::size_t taken = std::min(rest.size(), kMaxBlockEntries - merged_.size());
        merged_.insert(merged_.end(), rest.begin(), rest.begin() + static_cast<long>(taken));
        put(txn, list.prefix, last_place, merged_);
        rest = rest.subspan(taken);
        place += taken;
    }
    while (!rest.empty()) {
        const std::size_t taken = std::min(rest.size(), kMaxBlockEntries);
        put(txn, list.prefix, feed == Feed::channel ? place : seq_of(rest.front()).value,
            rest.first(taken));
        rest = rest.subspan(taken);
        place += taken;
    }
}

void PostingWriter::put(WriteTransaction& txn, std::string_view prefix, std::uint64_t place,
                        std::span<const Entry> entries) {
    key_.assign(prefix);
    append_be64(key_, place);
    value_.assign(1, static_cast<char>(kPostingVersion));
    value_.append(reinterpret_cast<const char*>(entries.data()), entries.size_bytes());
    txn.put(txn.tables().postings, key_, value_);
    ++puts_;
}

}  // namespace agentcom::store

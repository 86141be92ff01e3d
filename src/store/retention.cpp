#include "store/retention.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "store/history_view.hpp"
#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"

namespace agentcom::store {
namespace {

// Bounds of one call.
constexpr std::size_t kMaxExpiredKeys = 10'000;
constexpr std::size_t kMaxLogBlocks = 16;
constexpr std::size_t kMaxChannelBlocks = 64;  // of postings of one channel
constexpr std::uint64_t kMaxKeptRows = 2'000;
constexpr std::uint64_t kMaxKeptBytes = std::uint64_t{8} << 20;
// Removing needs room as well: pages are copied before they are changed.
constexpr std::size_t kMaxLogBlocksWhenShort = 2;
constexpr std::uint64_t kMaxKeptBytesWhenShort = std::uint64_t{1} << 20;

/// What channels keep may take this part of the bounds; the rest is the log's.
constexpr std::uint64_t kKeptPart = 4;

/// A list that a removed message was in.
using ListName = std::pair<Feed, std::string>;

/// Where a channel stands. Messages up to `born` belong to one of the same name that was deleted.
struct ChannelEnd {
    bool exists = false;
    core::Seq born;
    std::uint64_t last = 0;  // newest channel seq
};

/// What the removal of blocks entails, in bytes of its own: they are gone when it is used.
struct BlockContents {
    std::set<ListName> lists;
    std::map<std::string, ChannelEnd, std::less<>> channels;
    std::vector<std::pair<core::Seq, std::string>> kept;
    std::uint64_t bytes = 0;
};

/// What the log and the kept messages take together, the latter no more than they may.
std::uint64_t total(std::uint64_t of_log, std::uint64_t of_kept, std::uint64_t bound) {
    return of_log + std::min(of_kept, bound / kKeptPart);
}

bool may_go(const BlockView& block, const StateRow& state, const TrimBounds& bounds,
            core::Timestamp now) {
    const std::uint64_t left = state.head.value - block.last().value;
    const core::Timestamp newest = record_timestamp(block.record(block.last()));
    const auto older_than = [&](core::Millis age) { return newest.ms < now.ms - age.count(); };
    if (left >= bounds.history_messages && older_than(bounds.ttl)) return true;
    if (bounds.max_messages != 0 &&
        total(left, state.kept, bounds.max_messages) >= bounds.max_messages) {
        return true;
    }
    if (bounds.max_age.count() != 0 && older_than(bounds.max_age)) return true;
    return bounds.max_bytes != 0 && total(state.log_bytes, state.kept_bytes, bounds.max_bytes) >=
                                        bounds.max_bytes + block.size();
}

/// Whether the oldest kept message must go.
bool kept_must_go(std::string_view record, const StateRow& state, const TrimBounds& bounds,
                  core::Timestamp now) {
    if (bounds.short_of_room) return true;
    if (bounds.max_messages != 0 && state.kept > bounds.max_messages / kKeptPart) return true;
    if (bounds.max_bytes != 0 && state.kept_bytes > bounds.max_bytes / kKeptPart) return true;
    return bounds.max_age.count() != 0 &&
           record_timestamp(record).ms < now.ms - bounds.max_age.count();
}

/// Lets go of kept messages, oldest first. True when another call would find more.
bool bound_kept(WriteTransaction& txn, StateRow& state, const TrimBounds& bounds,
                core::Timestamp now) {
    const std::uint64_t most = bounds.short_of_room ? kMaxKeptBytesWhenShort : kMaxKeptBytes;
    std::uint64_t erased_bytes = 0;
    Cursor kept(txn, txn.tables().kept);
    for (std::uint64_t erased = 0; kept.first(); ++erased) {
        if (!kept_must_go(kept.value(), state, bounds, now)) return false;
        if (erased == kMaxKeptRows || erased_bytes >= most) return true;
        erased_bytes += kept.value().size();
        --state.kept;
        state.kept_bytes -= std::min<std::uint64_t>(state.kept_bytes, kept.value().size());
        kept.erase();
    }
    return false;
}

ChannelEnd end_of_channel(const Transaction& txn, std::string_view name) {
    const auto bytes = txn.get(txn.tables().channels, name);
    if (!bytes) return {};
    const ChannelRow row = ChannelRow::parse(stored_channel_name(name), *bytes);
    return ChannelEnd{true, row.born, last_channel_seq(txn, name).value};
}

void collect(const Transaction& txn, const BlockView& block, const TrimBounds& bounds,
             core::Epoch epoch, BlockContents& out) {
    for (core::Seq seq = block.first(); seq <= block.last(); seq = seq.next()) {
        const std::string_view bytes = block.record(seq);
        const RecordView record = parse_record(bytes);
        out.bytes += bytes.size();
        out.lists.emplace(Feed::from_agent, record.from);
        if (record.reply_to) out.lists.emplace(Feed::replies, *record.reply_to);
        if (record.root.value != 0) {
            out.lists.emplace(Feed::thread, core::MessageId::make(epoch, record.root).str());
        }
        switch (record.kind) {
            case RecordKind::to_agent:
                out.lists.emplace(Feed::to_agent, record.destination);
                break;
            case RecordKind::to_everyone_spelled:
                out.lists.emplace(Feed::spelled_broadcasts, "");
                [[fallthrough]];
            case RecordKind::to_everyone:
                out.lists.emplace(Feed::broadcasts, "");
                break;
            case RecordKind::to_channel: {
                auto channel = out.channels.find(record.destination);
                if (channel == out.channels.end()) {
                    channel =
                        out.channels
                            .emplace(record.destination, end_of_channel(txn, record.destination))
                            .first;
                }
                const ChannelEnd& end = channel->second;
                if (!bounds.short_of_room && end.exists && seq > end.born &&
                    record.channel_seq.value + bounds.channel_history > end.last) {
                    out.kept.emplace_back(seq, bytes);
                }
                break;
            }
        }
    }
}

/// Remembers the newest of the block's messages that the agent had not read.
void note_unread(const Transaction& txn, const PostingCursor& cursor, std::string_view agent,
                 TrimmedRow& row) {
    const AgentRow reader = read_agent(txn, agent);
    for (std::size_t i = cursor.block_size(); i-- > 0;) {
        const core::Seq seq = seq_of(cursor.block_entry(i));
        if (seq <= reader.cursor) return;
        if (reader.span_of(seq) == nullptr) return row.add(cursor.block_entry(i));
    }
}

void note_all(const PostingCursor& cursor, TrimmedRow& row) {
    for (std::size_t i = 0; i < cursor.block_size(); ++i) row.add(cursor.block_entry(i));
}

/// Drops the blocks of a list that have no message any more.
void prune_list(WriteTransaction& txn, const StateRow& state, Feed feed, const std::string& owner) {
    // A mailbox that was forgotten has nobody left to tell.
    const bool noted =
        feed == Feed::broadcasts || (feed == Feed::to_agent && txn.get(txn.tables().agents, owner));
    TrimmedRow row = noted ? TrimmedRow::read(txn, feed, owner) : TrimmedRow{};
    bool erased = false;
    {
        PostingCursor cursor(txn, feed, owner);
        while (cursor.first() &&
               seq_of(cursor.block_entry(cursor.block_size() - 1)) < state.first) {
            if (feed == Feed::to_agent) note_unread(txn, cursor, owner, row);
            if (feed == Feed::broadcasts) note_all(cursor, row);
            cursor.erase_block();
            erased = true;
        }
    }
    if (noted && erased && row.newest != 0) {
        txn.put(txn.tables().trimmed, feed_prefix(feed, owner), row.encode());
    }
}

bool expire_idempotency(WriteTransaction& txn, core::Timestamp now, core::Millis window) {
    Cursor order(txn, txn.tables().idempotency_order);
    for (std::size_t erased = 0; order.first(); ++erased) {
        const KeyOrderRow row = KeyOrderRow::parse(order.value());
        if (row.timestamp.ms + window.count() > now.ms) return false;
        if (erased == kMaxExpiredKeys) return true;
        const core::Seq seq{read_be64(order.key())};
        // Unless the key was used again after it had run out.
        const auto result = txn.get(txn.tables().idempotency_keys, row.key);
        if (result && IdempotencyRow::parse(*result).seq == seq) {
            txn.erase(txn.tables().idempotency_keys, row.key);
        }
        order.erase();
    }
    return false;
}

}  // namespace

void prune_channel(WriteTransaction& txn, StateRow& state, std::string_view channel,
                   std::uint64_t channel_history) {
    const std::uint64_t last = last_channel_seq(txn, channel).value;
    TrimmedRow row = TrimmedRow::read(txn, Feed::channel, channel);
    std::vector<core::Seq> gone;
    {
        PostingCursor cursor(txn, Feed::channel, channel);
        // The newest block stays whatever happens: the next channel seq is counted on from it. What
        // one call leaves the next one takes.
        for (std::size_t blocks = 0;
             blocks < kMaxChannelBlocks && cursor.first() &&
             cursor.block_place() + cursor.block_size() - 1 < last &&
             cursor.block_place() + cursor.block_size() - 1 + channel_history <= last &&
             seq_of(cursor.block_entry(cursor.block_size() - 1)) < state.first;
             ++blocks) {
            note_all(cursor, row);
            for (std::size_t i = 0; i < cursor.block_size(); ++i) {
                gone.push_back(seq_of(cursor.block_entry(i)));
            }
            cursor.erase_block();
        }
    }
    if (gone.empty()) return;
    txn.put(txn.tables().trimmed, feed_prefix(Feed::channel, channel), row.encode());
    for (const core::Seq seq : gone) erase_kept(txn, state, seq);
}

void erase_kept(WriteTransaction& txn, StateRow& state, core::Seq seq) {
    if (state.kept == 0) return;
    const std::string key = be64_key(seq.value);
    const auto record = txn.get(txn.tables().kept, key);
    if (!record) return;
    state.kept_bytes -= std::min<std::uint64_t>(state.kept_bytes, record->size());
    --state.kept;
    txn.erase(txn.tables().kept, key);
}

TrimOutcome trim(WriteTransaction& txn, StateRow& state, const TrimBounds& bounds,
                 core::Timestamp now, core::Epoch epoch) {
    TrimOutcome outcome;
    // First, because the log may have what kept messages leave of the bounds.
    if (bound_kept(txn, state, bounds, now)) return TrimOutcome{0, true};
    const std::size_t max_blocks = bounds.short_of_room ? kMaxLogBlocksWhenShort : kMaxLogBlocks;
    BlockContents contents;
    {
        Cursor log(txn, txn.tables().log);
        for (std::size_t blocks = 0; log.first(); ++blocks) {
            const BlockView block(core::Seq{read_be64(log.key())}, log.value());
            if (!may_go(block, state, bounds, now)) break;
            if (blocks == max_blocks) {
                outcome.more = true;
                break;
            }
            contents.bytes = 0;
            collect(txn, block, bounds, epoch, contents);
            outcome.messages += block.last().value - block.first().value + 1;
            state.first = block.last().next();
            state.log_bytes -= contents.bytes;
            log.erase();
        }
    }
    for (const auto& [seq, bytes] : contents.kept) {
        txn.put(txn.tables().kept, be64_key(seq.value), bytes);
        ++state.kept;
        state.kept_bytes += bytes.size();
    }
    for (const auto& [feed, owner] : contents.lists) prune_list(txn, state, feed, owner);
    for (const auto& [channel, end] : contents.channels) {
        if (end.exists) prune_channel(txn, state, channel, bounds.channel_history);
    }
    outcome.more = bound_kept(txn, state, bounds, now) || outcome.more;
    outcome.more = expire_idempotency(txn, now, bounds.idempotency_window) || outcome.more;
    return outcome;
}

}  // namespace agentcom::store

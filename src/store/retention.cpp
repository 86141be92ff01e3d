#include "store/retention.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
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

/// The oldest block of the log, as far as it can be read.
struct FrontBlock {
    std::optional<BlockView> view;
    core::Seq last;
    std::size_t size = 0;
};

FrontBlock front_of(const WriteTransaction& txn, Cursor& log, core::Seq head) {
    const core::Seq first{read_be64(log.key())};
    const std::string_view stored = log.stored_value();
    try {
        const BlockView view(first, stored);
        return {view, view.last(), stored.size()};
    } catch (const DamagedStore& error) {
        txn.report_damage("the block of message " + std::to_string(first.value) + ": " +
                          error.what());
    }
    // It ends where the next one begins.
    Cursor behind(txn, txn.tables().log);
    const bool found = behind.at_or_after(be64_key(first.value + 1));
    return {std::nullopt, found ? core::Seq{read_be64(behind.key()) - 1} : head, stored.size()};
}

/// When the newest message of the block that can be read was stored; nothing when none can.
std::optional<core::Timestamp> newest_stored(const FrontBlock& block) {
    if (!block.view) return std::nullopt;
    for (std::uint64_t seq = block.last.value; seq >= block.view->first().value; --seq) {
        try {
            return record_times(block.view->record(core::Seq{seq})).stored;
        } catch (const DamagedStore&) {
            // It is reported when the block goes.
        }
    }
    return std::nullopt;
}

bool may_go(const FrontBlock& block, const StateRow& state, const TrimBounds& bounds,
            core::Timestamp now) {
    const std::uint64_t left = state.head.value - block.last.value;
    const std::optional<core::Timestamp> newest = newest_stored(block);
    // A block that cannot be read goes when its number has come: it keeps nothing alive.
    const auto older_than = [&](core::Millis age) {
        return !newest || newest->ms < now.ms - age.count();
    };
    if (left >= bounds.history_messages && older_than(bounds.ttl)) return true;
    if (bounds.max_messages != 0 &&
        total(left, state.kept, bounds.max_messages) >= bounds.max_messages) {
        return true;
    }
    if (bounds.max_age.count() != 0 && older_than(bounds.max_age)) return true;
    return bounds.max_bytes != 0 && total(state.log_bytes, state.kept_bytes, bounds.max_bytes) >=
                                        bounds.max_bytes + block.size;
}

/// Whether the oldest kept message must go.
bool kept_must_go(std::string_view record, const StateRow& state, const TrimBounds& bounds,
                  core::Timestamp now) {
    if (bounds.short_of_room) return true;
    if (bounds.max_messages != 0 && state.kept > bounds.max_messages / kKeptPart) return true;
    if (bounds.max_bytes != 0 && state.kept_bytes > bounds.max_bytes / kKeptPart) return true;
    return bounds.max_age.count() != 0 &&
           record_times(record).stored.ms < now.ms - bounds.max_age.count();
}

/// Lets go of kept messages, oldest first. True when another call would find more.
bool bound_kept(WriteTransaction& txn, StateRow& state, const TrimBounds& bounds,
                core::Timestamp now) {
    const std::uint64_t most = bounds.short_of_room ? kMaxKeptBytesWhenShort : kMaxKeptBytes;
    std::uint64_t erased_bytes = 0;
    Cursor kept(txn, txn.tables().kept);
    for (std::uint64_t erased = 0; kept.first(); ++erased) {
        std::size_t size = kept.stored_value().size();
        try {
            const std::string_view record = kept.value();
            size = record.size();
            if (!kept_must_go(record, state, bounds, now)) return false;
        } catch (const DamagedStore& error) {
            // Nobody can be shown it, so it goes.
            txn.report_damage(std::string("a message that a channel keeps: ") + error.what());
        }
        if (erased == kMaxKeptRows || erased_bytes >= most) return true;
        erased_bytes += size;
        if (state.kept > 0) --state.kept;
        state.kept_bytes -= std::min<std::uint64_t>(state.kept_bytes, size);
        kept.erase();
    }
    return false;
}

ChannelEnd end_of_channel(const Transaction& txn, std::string_view name) {
    return read_or(txn, "a channel", ChannelEnd{}, [&] {
        const auto bytes = txn.get(txn.tables().channels, name);
        if (!bytes) return ChannelEnd{};
        const ChannelRow row = ChannelRow::parse(stored_channel_name(name), *bytes);
        return ChannelEnd{true, row.born, last_channel_seq(txn, name).value};
    });
}

void collect(const Transaction& txn, const BlockView& block, const TrimBounds& bounds,
             const Epochs& epochs, BlockContents& out) {
    for (core::Seq seq = block.first(); seq <= block.last(); seq = seq.next()) {
        std::string_view bytes;
        RecordView record;
        try {
            bytes = block.record(seq);
            record = parse_record(bytes);
        } catch (const DamagedStore& error) {
            // Its lists are not known; they lose their entries with those of its neighbours.
            txn.report_damage("message " + std::to_string(seq.value) + ": " + error.what());
            continue;
        }
        out.bytes += bytes.size();
        out.lists.emplace(Feed::from_agent, record.from);
        if (record.reply_to) out.lists.emplace(Feed::replies, *record.reply_to);
        if (record.root.value != 0) {
            out.lists.emplace(Feed::thread, epochs.id_of(record.root).str());
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

/// A damaged one is begun anew.
TrimmedRow read_trimmed(const Transaction& txn, Feed feed, std::string_view owner) {
    return read_or(txn, "what retention removed", TrimmedRow{},
                   [&] { return TrimmedRow::read(txn, feed, owner); });
}

/// Remembers the newest of the block's messages that the agent had not read.
void note_unread(const Transaction& txn, const PostingCursor& cursor, std::string_view agent,
                 TrimmedRow& row) {
    const AgentRow reader =
        read_or(txn, "an agent", AgentRow{}, [&] { return read_agent(txn, agent); });
    for (std::size_t i = cursor.block_size(); i-- > 0;) {
        const core::Seq seq = seq_of(cursor.block_entry(i));
        if (seq <= reader.cursor) return;
        if (!reader.has_read(seq)) return row.add(cursor.block_entry(i));
    }
}

void note_all(const PostingCursor& cursor, TrimmedRow& row) {
    for (std::size_t i = 0; i < cursor.block_size(); ++i) row.add(cursor.block_entry(i));
}

/// Drops the blocks of a list that have no message any more.
void prune_list(WriteTransaction& txn, const StateRow& state, Feed feed, const std::string& owner) {
    // A mailbox that was forgotten has nobody left to tell.
    const bool noted =
        feed == Feed::broadcasts || (feed == Feed::to_agent && read_or(txn, "an agent", true, [&] {
                                         return txn.get(txn.tables().agents, owner).has_value();
                                     }));
    TrimmedRow row = noted ? read_trimmed(txn, feed, owner) : TrimmedRow{};
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

void forget_key(WriteTransaction& txn, const std::string& key, core::Seq seq) {
    try {
        const auto result = txn.get(txn.tables().idempotency_keys, key);
        // Unless the key was used again after it had run out.
        if (!result || IdempotencyRow::parse(*result).seq != seq) return;
    } catch (const DamagedStore& error) {
        txn.report_damage(std::string("an idempotency key: ") + error.what());
    }
    txn.erase(txn.tables().idempotency_keys, key);
}

bool expire_idempotency(WriteTransaction& txn, core::Timestamp now, core::Millis window) {
    for (std::size_t erased = 0; erased < kMaxExpiredKeys; ++erased) {
        if (!forget_oldest_key(txn, core::Timestamp{now.ms - window.count()})) return false;
    }
    return true;
}

}  // namespace

bool forget_oldest_key(WriteTransaction& txn, std::optional<core::Timestamp> older_than) {
    Cursor order(txn, txn.tables().idempotency_order);
    if (!order.first()) return false;
    try {
        const KeyOrderRow row = KeyOrderRow::parse(order.value());
        if (older_than && row.stored > *older_than) return false;
        forget_key(txn, row.key, core::Seq{read_be64(order.key())});
    } catch (const DamagedStore& error) {
        // Which key it was cannot be told; the key's own row knows when it has run out.
        txn.report_damage(std::string("an idempotency key: ") + error.what());
    }
    order.erase();
    return true;
}

void prune_channel(WriteTransaction& txn, StateRow& state, std::string_view channel,
                   std::uint64_t channel_history) {
    const std::uint64_t last = last_channel_seq(txn, channel).value;
    TrimmedRow row = read_trimmed(txn, Feed::channel, channel);
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
    std::uint64_t size = 0;
    try {
        const auto record = txn.get(txn.tables().kept, key);
        if (!record) return;
        size = record->size();
    } catch (const DamagedStore& error) {
        txn.report_damage(std::string("a message that a channel keeps: ") + error.what());
    }
    state.kept_bytes -= std::min<std::uint64_t>(state.kept_bytes, size);
    --state.kept;
    txn.erase(txn.tables().kept, key);
}

TrimOutcome trim(WriteTransaction& txn, StateRow& state, const TrimBounds& bounds,
                 core::Timestamp now, const Epochs& epochs) {
    TrimOutcome outcome;
    // First, because the log may have what kept messages leave of the bounds.
    if (bound_kept(txn, state, bounds, now)) return TrimOutcome{0, true};
    const std::size_t max_blocks = bounds.short_of_room ? kMaxLogBlocksWhenShort : kMaxLogBlocks;
    BlockContents contents;
    {
        Cursor log(txn, txn.tables().log);
        for (std::size_t blocks = 0; log.first(); ++blocks) {
            const FrontBlock block = front_of(txn, log, state.head);
            if (!may_go(block, state, bounds, now)) break;
            if (blocks == max_blocks) {
                outcome.more = true;
                break;
            }
            contents.bytes = 0;
            if (block.view) collect(txn, *block.view, bounds, epochs, contents);
            outcome.messages += block.last.value - read_be64(log.key()) + 1;
            state.first = block.last.next();
            state.log_bytes -= std::min(state.log_bytes, contents.bytes);
            log.erase();
        }
        // What damaged records took is not known; an empty log takes nothing.
        if (state.first > state.head) state.log_bytes = 0;
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

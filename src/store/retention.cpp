#include "store/retention.hpp"

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

constexpr std::size_t kMaxExpiredKeys = 10'000;  // a call

/// A list that a removed message was in.
using ListName = std::pair<Feed, std::string>;

/// What the removal of blocks entails, in bytes of its own: they are gone when it is used.
struct BlockContents {
    std::set<ListName> lists;
    std::map<std::string, std::uint64_t, std::less<>> channels;  // with their newest channel seq
    std::vector<std::pair<core::Seq, std::string>> kept;
    std::uint64_t bytes = 0;
};

bool may_go(const BlockView& block, const StateRow& state, const RetentionRules& rules,
            core::Timestamp now) {
    const std::uint64_t left = state.head.value - block.last().value;
    const core::Timestamp newest = record_timestamp(block.record(block.last()));
    const auto older_than = [&](core::Millis age) { return newest.ms < now.ms - age.count(); };
    if (left >= rules.history_messages && older_than(rules.ttl)) return true;
    if (rules.max_messages != 0 && left >= rules.max_messages) return true;
    if (rules.max_age.count() != 0 && older_than(rules.max_age)) return true;
    return rules.max_bytes != 0 && state.log_bytes >= rules.max_bytes + block.size();
}

void collect(const Transaction& txn, const BlockView& block, const RetentionRules& rules,
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
                    const core::ChannelSeq last = last_channel_seq(txn, record.destination);
                    channel = out.channels.emplace(record.destination, last.value).first;
                }
                if (record.channel_seq.value + rules.channel_history > channel->second) {
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
    const bool noted = feed == Feed::to_agent || feed == Feed::broadcasts;
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
    Cursor cursor(txn, txn.tables().idempotency);
    for (std::size_t erased = 0; cursor.first(); ++erased) {
        const auto minute = static_cast<std::int64_t>(read_be64(cursor.key()));
        if ((minute + 1) * kIdempotencyBucketMs + window.count() > now.ms) return false;
        if (erased == kMaxExpiredKeys) return true;
        cursor.erase();
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
        // The newest block stays whatever happens: the next channel seq is counted on from it.
        while (cursor.first() && cursor.block_place() + cursor.block_size() - 1 < last &&
               cursor.block_place() + cursor.block_size() - 1 + channel_history <= last &&
               seq_of(cursor.block_entry(cursor.block_size() - 1)) < state.first) {
            note_all(cursor, row);
            for (std::size_t i = 0; i < cursor.block_size(); ++i) {
                gone.push_back(seq_of(cursor.block_entry(i)));
            }
            cursor.erase_block();
        }
    }
    if (gone.empty()) return;
    txn.put(txn.tables().trimmed, feed_prefix(Feed::channel, channel), row.encode());
    for (const core::Seq seq : gone) {
        if (state.kept > 0 && txn.erase(txn.tables().kept, be64_key(seq.value))) --state.kept;
    }
}

TrimOutcome trim(WriteTransaction& txn, StateRow& state, const RetentionRules& rules,
                 core::Timestamp now, core::Epoch epoch, std::size_t max_blocks) {
    TrimOutcome outcome;
    BlockContents contents;
    {
        Cursor log(txn, txn.tables().log);
        for (std::size_t blocks = 0; log.first(); ++blocks) {
            const BlockView block(core::Seq{read_be64(log.key())}, log.value());
            if (!may_go(block, state, rules, now)) break;
            if (blocks == max_blocks) {
                outcome.more = true;
                break;
            }
            contents.bytes = 0;
            collect(txn, block, rules, epoch, contents);
            outcome.messages += block.last().value - block.first().value + 1;
            state.first = block.last().next();
            state.log_bytes -= contents.bytes;
            log.erase();
        }
    }
    for (const auto& [seq, bytes] : contents.kept) {
        txn.put(txn.tables().kept, be64_key(seq.value), bytes);
        ++state.kept;
    }
    for (const auto& [feed, owner] : contents.lists) prune_list(txn, state, feed, owner);
    for (const auto& [channel, last] : contents.channels) {
        prune_channel(txn, state, channel, rules.channel_history);
    }
    outcome.more = expire_idempotency(txn, now, rules.idempotency_window) || outcome.more;
    return outcome;
}

}  // namespace agentcom::store

#include "store/history_view.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/message_log.hpp"
#include "store/postings.hpp"

namespace agentcom::store {
namespace {

/// Messages first <= seq <= last.
struct SeqRange {
    core::Seq first;
    core::Seq last;
    [[nodiscard]] bool empty() const noexcept { return last < first; }
};

SeqRange history_range(LogReader& log, const HistoryQuery& query, std::uint64_t window) {
    const auto oldest = log.first_seq();
    const auto newest = log.last_seq();
    SeqRange range{query.cursor.next(), core::Seq{0}};
    if (!oldest || !newest || window == 0) return range;
    range.last = *newest;
    range.first = std::max(range.first, *oldest);
    if (newest->value >= window) {
        range.first = std::max(range.first, core::Seq{newest->value - window + 1});
    }
    if (query.start_time) {
        range.first = std::max(range.first, log.first_at_or_after(*query.start_time));
    }
    // Nothing comes after the largest time there is, and it has no successor.
    if (query.end_time && query.end_time->ms != std::numeric_limits<std::int64_t>::max()) {
        const core::Timestamp after{query.end_time->ms + 1};
        range.last = std::min(range.last, core::Seq{log.first_at_or_after(after).value - 1});
    }
    return range;
}

std::vector<PostingCursor> history_lists(const Transaction& txn, const HistoryQuery& query) {
    std::vector<PostingCursor> lists;
    if (query.from) lists.emplace_back(txn, Feed::from_agent, *query.from);
    if (query.to) {
        if (*query.to == "broadcast") {
            lists.emplace_back(txn, Feed::spelled_broadcasts, "");
        } else {
            lists.emplace_back(txn, Feed::to_agent, *query.to);
        }
    }
    if (query.channel) lists.emplace_back(txn, Feed::channel, query.channel->str());
    return lists;
}

/// Moves on unless the cursor already stands at or behind `seq`.
bool advance(PostingCursor& cursor, core::Seq seq) {
    if (cursor.seq() >= seq) return true;
    // Most often it is the next one; searching a channel's list takes many look-ups.
    if (!cursor.next()) return false;
    return cursor.seq() >= seq || cursor.at_or_after(seq);
}

/// Moves all to the oldest message that is in every list and not older than `seq`.
std::optional<core::Seq> common_at_or_after(std::vector<PostingCursor>& lists, core::Seq seq) {
    for (std::size_t agreed = 0, i = 0; agreed < lists.size(); i = (i + 1) % lists.size()) {
        if (!advance(lists[i], seq)) return std::nullopt;
        agreed = lists[i].seq() == seq ? agreed + 1 : 1;
        seq = lists[i].seq();
    }
    return seq;
}

std::optional<core::Seq> seq_of_id(std::string_view text, core::Epoch epoch) {
    return core::MessageId::seq_of(text, epoch);
}

std::vector<core::MessagePtr> read_list(const Transaction& txn, Feed feed, std::string_view owner,
                                        core::Seq cursor, std::uint64_t limit, core::Epoch epoch) {
    std::vector<core::MessagePtr> messages;
    if (owner.size() > core::kMaxReplyToBytes) return messages;
    PostingCursor list(txn, feed, owner);
    LogReader log(txn);
    for (bool more = list.at_or_after(cursor.next()); more && messages.size() < limit;
         more = list.next()) {
        if (const auto record = log.find(list.seq())) {
            messages.push_back(to_message(*record, list.seq(), epoch));
        }
    }
    return messages;
}

}  // namespace

std::vector<core::MessagePtr> read_history(const Transaction& txn, const HistoryQuery& query,
                                           std::uint64_t window, core::Epoch epoch) {
    std::vector<core::MessagePtr> messages;
    // Longer ones cannot have been stored, and would not fit a key.
    const auto too_long = [](const std::optional<std::string>& id) {
        return id && id->size() > core::kMaxAgentIdBytes;
    };
    if (too_long(query.from) || too_long(query.to)) return messages;
    LogReader log(txn);
    const SeqRange range = history_range(log, query, window);
    if (range.empty()) return messages;

    const auto take = [&](core::Seq seq) {
        if (const auto record = log.find(seq)) messages.push_back(to_message(*record, seq, epoch));
    };
    std::vector<PostingCursor> lists = history_lists(txn, query);
    if (lists.empty()) {
        for (core::Seq seq = range.first; seq <= range.last && messages.size() < query.limit;
             seq = seq.next()) {
            take(seq);
        }
        return messages;
    }
    for (PostingCursor& list : lists) {
        if (!list.at_or_after(range.first)) return messages;
    }
    auto seq = common_at_or_after(lists, range.first);
    while (seq && *seq <= range.last && messages.size() < query.limit) {
        take(*seq);
        seq = common_at_or_after(lists, seq->next());
    }
    return messages;
}

core::ChannelSeq last_channel_seq(const Transaction& txn, std::string_view channel) {
    PostingCursor list(txn, Feed::channel, channel);
    return list.last() ? core::ChannelSeq{list.place()} : core::ChannelSeq{};
}

std::vector<core::MessagePtr> read_channel_history(const Transaction& txn,
                                                   const core::ChannelName& name,
                                                   std::optional<core::ChannelSeq> since,
                                                   std::uint64_t limit, std::uint64_t window,
                                                   core::Epoch epoch) {
    std::vector<core::MessagePtr> messages;
    PostingCursor list(txn, Feed::channel, name.str());
    if (!list.last() || limit == 0) return messages;
    const std::uint64_t last = list.place();
    const auto newest = [last](std::uint64_t count) {
        return last >= count ? last - count + 1 : 1;
    };
    std::uint64_t first = since ? since->value + 1 : newest(limit);
    first = std::max(first, newest(window));
    LogReader log(txn);
    for (bool more = list.at_or_after_place(first); more && messages.size() < limit;
         more = list.next()) {
        if (const auto record = log.find(list.seq())) {
            messages.push_back(to_message(*record, list.seq(), epoch));
        }
    }
    return messages;
}

std::string read_thread_root(const Transaction& txn, std::string_view message_id,
                             core::Epoch epoch) {
    if (const auto seq = seq_of_id(message_id, epoch)) {
        LogReader log(txn);
        const auto record = log.find(*seq);
        if (record && record->root.value != 0) {
            return core::MessageId::make(epoch, record->root).str();
        }
    }
    return std::string(message_id);
}

std::vector<core::MessagePtr> read_thread(const Transaction& txn, std::string_view root,
                                          core::Seq cursor, std::uint64_t limit,
                                          core::Epoch epoch) {
    std::vector<core::MessagePtr> messages;
    const auto seq = seq_of_id(root, epoch);
    if (!seq || limit == 0) return messages;
    if (*seq > cursor) {
        LogReader log(txn);
        if (const auto record = log.find(*seq)) {
            messages.push_back(to_message(*record, *seq, epoch));
        }
    }
    auto members = read_list(txn, Feed::thread, root, cursor, limit - messages.size(), epoch);
    messages.insert(messages.end(), std::make_move_iterator(members.begin()),
                    std::make_move_iterator(members.end()));
    return messages;
}

std::vector<core::MessagePtr> read_replies(const Transaction& txn, std::string_view message_id,
                                           core::Seq cursor, std::uint64_t limit,
                                           core::Epoch epoch) {
    return read_list(txn, Feed::replies, message_id, cursor, limit, epoch);
}

}  // namespace agentcom::store

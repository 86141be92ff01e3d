#include "store/history_view.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "store/channel_access.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"
#include "store/rows.hpp"
#include "store/text_search.hpp"
#include "store/visibility.hpp"

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
    SeqRange range{query.newest_first ? core::Seq{1} : query.cursor.next(), core::Seq{0}};
    if (!oldest || !newest || window == 0) return range;
    range.last = *newest;
    if (query.newest_first && query.before.value > 0) {
        range.last = std::min(range.last, core::Seq{query.before.value - 1});
    }
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

/// The ways through lists. `reached`: what stands at `at` is `goal` or lies behind it.
struct OldestFirst {
    static bool reached(core::Seq at, core::Seq goal) noexcept { return at >= goal; }
    static bool step(PostingCursor& list) { return list.next(); }
    static bool seek(PostingCursor& list, core::Seq goal) { return list.at_or_after(goal); }
    static core::Seq after(core::Seq seq) noexcept { return seq.next(); }
    /// From where on a page begins with `seq`.
    static core::Seq just_before(core::Seq seq) noexcept { return core::Seq{seq.value - 1}; }
};
struct NewestFirst {
    static bool reached(core::Seq at, core::Seq goal) noexcept { return at <= goal; }
    static bool step(PostingCursor& list) { return list.previous(); }
    static bool seek(PostingCursor& list, core::Seq goal) { return list.at_or_before(goal); }
    static core::Seq after(core::Seq seq) noexcept { return core::Seq{seq.value - 1}; }
    static core::Seq just_before(core::Seq seq) noexcept { return seq.next(); }
};

/// Moves on unless the cursor already stands at or behind `seq`.
template <class Way>
bool advance(PostingCursor& cursor, core::Seq seq) {
    if (Way::reached(cursor.seq(), seq)) return true;
    // Most often it is the next one; searching a channel's list takes many look-ups.
    if (!Way::step(cursor)) return false;
    return Way::reached(cursor.seq(), seq) || Way::seek(cursor, seq);
}

/// Moves all to the first message of the way that is in every list and at or behind `seq`. Without
/// one, `seq` is what has still to be looked at when the budget's steps ran out, and nothing when a
/// list has come to its end.
struct Meeting {
    std::optional<core::Seq> seq;
    bool met = false;
};
template <class Way>
Meeting meet(std::vector<PostingCursor>& lists, core::Seq seq, core::Budget& budget) {
    for (std::size_t agreed = 0, i = 0; agreed < lists.size(); i = (i + 1) % lists.size()) {
        if (!advance<Way>(lists[i], seq)) return {};
        if (lists[i].seq() == seq) {
            ++agreed;
            continue;
        }
        agreed = 1;
        seq = lists[i].seq();
        if (!budget.step()) return {seq, false};
    }
    return {seq, true};
}

/// What is looked at in each message, because there is no list of it.
class Content {
public:
    explicit Content(const HistoryQuery& query) : type_(query.type) {
        if (query.text) search_.emplace(*query.text);
    }
    [[nodiscard]] bool fits(const RecordView& record, core::Budget& budget) const {
        if (type_ && record.type != *type_) return false;
        if (!search_) return true;
        budget.charge(0, TextSearch::cost(record.payload));
        return search_->is_in(record.payload);
    }

private:
    const std::optional<std::string>& type_;
    std::optional<TextSearch> search_;
};

/// Puts messages on a page until the budget is used up.
class PageWriter {
public:
    PageWriter(const Transaction& txn, const Epochs& epochs, core::Budget& budget,
               const std::optional<Viewer>& viewer)
        : log_(txn), epochs_(epochs), budget_(budget), visibility_(txn, viewer) {}

    /// False when the message must wait for another page. One that is gone is passed over, and so
    /// is one that the viewer may not see, or that does not fit.
    template <class SomePage>
    bool put(core::Seq seq, SomePage& page, const Content* content = nullptr) {
        if (!budget_.step()) {
            page.more = true;
            return false;
        }
        const auto [record, damaged] = log_.read(seq);
        if (!record || !visibility_.shows(*record, seq, budget_)) return true;
        if (content != nullptr && !content->fits(*record, budget_)) return true;
        if (!budget_.take(shown_size(*record))) {
            page.more = true;
            return false;
        }
        page.entries.push_back(to_message(*record, seq, epochs_));
        return true;
    }
    [[nodiscard]] LogReader& log() noexcept { return log_; }

private:
    LogReader log_;
    const Epochs& epochs_;
    core::Budget& budget_;
    Visibility visibility_;
};

void read_list(const Transaction& txn, Feed feed, std::string_view owner, PageWriter& writer,
               MessagePage& page) {
    if (owner.size() > core::kMaxReplyToBytes) return;
    PostingCursor list(txn, feed, owner);
    for (bool more = list.at_or_after(page.cursor.next()); more; more = list.next()) {
        if (!writer.put(list.seq(), page)) return;
        page.cursor = list.seq();
    }
}

/// Of the messages from `first` to `last`, in this order.
template <class Way>
void walk_history(const Transaction& txn, const HistoryQuery& query, core::Seq first,
                  core::Seq last, PageWriter& writer, core::Budget& budget, MessagePage& page) {
    const Content content(query);
    std::vector<PostingCursor> lists = history_lists(txn, query);
    if (lists.empty()) {
        for (core::Seq seq = first; Way::reached(last, seq); seq = Way::after(seq)) {
            if (!writer.put(seq, page, &content)) return;
            page.cursor = seq;
        }
        return;
    }
    for (PostingCursor& list : lists) {
        if (!Way::seek(list, first)) return;
    }
    Meeting next = meet<Way>(lists, first, budget);
    while (next.seq && Way::reached(last, *next.seq)) {
        if (!next.met) {
            page.more = true;
            page.cursor = Way::just_before(*next.seq);
            return;
        }
        if (!writer.put(*next.seq, page, &content)) {
            if (page.entries.empty()) page.cursor = Way::just_before(*next.seq);
            return;
        }
        page.cursor = *next.seq;
        next = meet<Way>(lists, Way::after(*next.seq), budget);
    }
}

}  // namespace

MessagePage read_history(const Transaction& txn, const HistoryQuery& query, std::uint64_t window,
                         const Epochs& epochs, core::Budget& budget) {
    MessagePage page;
    page.cursor = query.newest_first ? query.before : query.cursor;
    // Longer ones cannot have been stored, and would not fit a key.
    const auto too_long = [](const std::optional<std::string>& id) {
        return id && id->size() > core::kMaxAgentIdBytes;
    };
    if (too_long(query.from) || too_long(query.to)) return page;
    PageWriter writer(txn, epochs, budget, query.viewer);
    const SeqRange range = history_range(writer.log(), query, window);
    if (range.empty()) return page;
    if (query.newest_first) {
        walk_history<NewestFirst>(txn, query, range.last, range.first, writer, budget, page);
    } else {
        walk_history<OldestFirst>(txn, query, range.first, range.last, writer, budget, page);
    }
    return page;
}

core::ChannelSeq last_channel_seq(const Transaction& txn, std::string_view channel) {
    return core::ChannelSeq{PostingCursor(txn, Feed::channel, channel).end().last_place};
}

ChannelHistoryPage read_channel_history(const Transaction& txn, const ChannelHistoryQuery& query,
                                        std::uint64_t window, const Epochs& epochs,
                                        core::Budget& budget) {
    ChannelHistoryPage page;
    page.cursor = query.since.value_or(query.before.value_or(core::ChannelSeq{}));
    if (query.viewer) {
        const auto row = txn.get(txn.tables().channels, query.channel.str());
        if (!row || !may_read(txn, parse_channel(query.channel, *row), query.viewer)) return page;
    }
    PostingCursor list(txn, Feed::channel, query.channel.str());
    if (!list.last()) return page;
    const std::uint64_t newest = list.place();
    std::uint64_t first = newest >= window ? newest - window + 1 : 1;
    std::uint64_t last = newest;
    if (query.before) last = std::min(last, std::max<std::uint64_t>(query.before->value, 1) - 1);
    const std::optional<Viewer> everybody;
    PageWriter writer(txn, epochs, budget, everybody);
    if (query.since) {
        first = std::max(first, query.since->next().value);
        for (bool more = list.at_or_after_place(first); more && list.place() <= last;
             more = list.next()) {
            if (!writer.put(list.seq(), page)) break;
            page.cursor.value = list.place();
        }
        return page;
    }
    page.cursor.value = last + 1;
    if (last < first) return page;
    bool more = list.at_or_after_place(last);
    if (more && list.place() > last) more = list.previous();
    for (; more && list.place() >= first; more = list.previous()) {
        if (!writer.put(list.seq(), page)) break;
        page.cursor.value = list.place();
    }
    std::reverse(page.entries.begin(), page.entries.end());
    return page;
}

std::string read_thread_root(const Transaction& txn, std::string_view message_id,
                             const Epochs& epochs, const std::optional<Viewer>& viewer) {
    if (const auto seq = epochs.seq_of(message_id)) {
        LogReader log(txn);
        core::Budget one({});
        const auto record = log.read(*seq).record;
        if (record && record->root.value != 0 &&
            Visibility(txn, viewer).shows(*record, *seq, one)) {
            return epochs.id_of(record->root).str();
        }
    }
    return std::string(message_id);
}

MessagePage read_thread(const Transaction& txn, std::string_view root, core::Seq cursor,
                        const Epochs& epochs, core::Budget& budget,
                        const std::optional<Viewer>& viewer) {
    MessagePage page;
    page.cursor = cursor;
    const auto seq = epochs.seq_of(root);
    if (!seq) return page;
    PageWriter writer(txn, epochs, budget, viewer);
    if (*seq > cursor) {
        if (!writer.put(*seq, page)) return page;
        page.cursor = *seq;
    }
    read_list(txn, Feed::thread, root, writer, page);
    return page;
}

MessagePage read_replies(const Transaction& txn, std::string_view message_id, core::Seq cursor,
                         const Epochs& epochs, core::Budget& budget,
                         const std::optional<Viewer>& viewer) {
    MessagePage page;
    page.cursor = cursor;
    PageWriter writer(txn, epochs, budget, viewer);
    read_list(txn, Feed::replies, message_id, writer, page);
    return page;
}

}  // namespace agentcom::store

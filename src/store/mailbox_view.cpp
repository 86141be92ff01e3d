#include "store/mailbox_view.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "store/checksum.hpp"
#include "store/keys.hpp"
#include "store/message_log.hpp"
#include "store/unread_feed.hpp"

namespace agentcom::store {
namespace {

/// Most of the log that is counted in one piece.
constexpr std::uint64_t kLargestWindow = 16'384;
constexpr std::uint64_t kSmallestWindow = 256;

/// Calls `visit(channel, row)` for each subscription of the agent.
template <class Visitor>
void for_each_subscription(const Transaction& txn, std::string_view agent, Visitor&& visit) {
    const std::string prefix = owner_prefix(agent);
    Cursor cursor(txn, txn.tables().subscriptions);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        const auto row =
            read_or(txn, "a subscription", std::optional<SubscriptionRow>(),
                    [&cursor] { return std::optional(SubscriptionRow::parse(cursor.value())); });
        if (row) visit(cursor.key().substr(prefix.size()), *row);
    }
}

/// The newest message of some list after `after` that retention took and the agent had not read;
/// 0: none. `read`: direct messages and broadcasts.
core::Seq lost_to_retention(const Transaction& txn, std::string_view agent, const AgentRow& row,
                            const Spans& read, core::Seq after, core::Seq up_to) {
    const Entry mark = sender_mark(agent);
    core::Seq newest;
    const auto look = [&](core::Seq removed, core::Seq begin, const Spans& known) {
        begin = std::max(begin, after);
        if (removed <= begin || removed > up_to || covers(known, {begin, removed})) return;
        newest = std::max(newest, removed);
    };
    look(TrimmedRow::read(txn, Feed::to_agent, agent).newest_not_by(0), after, row.acked);
    if (row.claimed) {
        look(TrimmedRow::read(txn, Feed::broadcasts, "").newest_not_by(mark), row.broadcasts_after,
             read);
    }
    for_each_subscription(txn, agent, [&](std::string_view channel, const SubscriptionRow& sub) {
        look(TrimmedRow::read(txn, Feed::channel, channel).newest_not_by(mark), sub.after,
             row.acked);
    });
    return newest;
}

/// One turn of a read. The agent's row is that of this turn's transaction; what changed between two
/// turns is above what the next one looks at, or was read meanwhile.
class MailboxReader {
public:
    MailboxReader(const Transaction& txn, const MailboxQuery& query, const MailboxLimits& limits,
                  ReadNotes& notes, core::Budget& budget, MailboxView& view,
                  const MessageVisitor& visit)
        : txn_(txn),
          query_(query),
          limits_(limits),
          budget_(budget),
          view_(view),
          visit_(visit),
          agent_(query.agent.str()),
          row_(read_agent(txn, agent_)),
          reading_(txn, agent_, limits.first_of_log, notes, limits.head),
          read_(row_.spans) {
        if (view.stage == MailboxView::Stage::begin) view.reset = query.since > limits.newest;
        after_ = view.reset ? row_.cursor : std::max(row_.cursor, query.since);
        add_spans(read_, row_.acked);
        if (query.live) add_span(read_, *query.live);
        // When they are damaged, all that can be said is that something was there.
        copies_ =
            read_or(txn, "an agent's copies", std::optional(CopiesRow{limits.head, {}}),
                    [&]() -> std::optional<CopiesRow> {
                        const auto copies = txn.get(txn.tables().copies, agent_);
                        return copies ? std::optional(CopiesRow::parse(*copies)) : std::nullopt;
                    });
        // The bytes of a mailbox are looked at only when there may be too many of them.
        count_bytes_ = limits.stored_bytes > query.max_bytes;
    }

    void run() {
        using Stage = MailboxView::Stage;
        if (view_.stage == Stage::begin) begin();
        if (view_.stage == Stage::counting && count()) {
            view_.stage = Stage::losses;
            view_.position = after_;
        }
        if (view_.stage == Stage::losses && look_for_losses()) {
            // What was counted need not be looked for when there is nothing.
            const bool nothing =
                query_.cap != core::kUnbounded && view_.counted == 0 && view_.capped == core::Seq{};
            view_.stage = nothing ? Stage::complete : Stage::showing;
            view_.position = nothing ? std::max(after_, view_.up_to)
                                     : std::max({after_, view_.capped, limits_.evicted});
        }
        if (view_.stage == Stage::showing && show()) view_.stage = Stage::complete;
        // What lists could not tell of may have been unread.
        view_.truncated = view_.truncated || txn_.passed_over() > 0;
    }

private:
    /// Of what retention has removed from the log only channels keep messages.
    [[nodiscard]] core::Seq before_log() const noexcept {
        return core::Seq{std::max<std::uint64_t>(limits_.first_of_log.value, 1) - 1};
    }

    void begin() {
        view_.up_to = std::min(query_.up_to, limits_.head);
        view_.after = after_;
        view_.shown = row_.shown;
        view_.stage = MailboxView::Stage::counting;
        view_.position = view_.up_to;
    }

    /// All lists with their bounds: behind `after` to `up_to`, those without channels' messages
    /// also behind `direct_after` and to `direct_up_to`.
    std::vector<UnreadFeed> feeds(core::Seq after, core::Seq up_to, core::Seq direct_after,
                                  core::Seq direct_up_to) {
        std::vector<UnreadFeed> feeds;
        const auto add = [&](core::Seq from, core::Seq to, auto&&... list) {
            if (from >= to) return;
            UnreadFeed& feed = feeds.emplace_back(reading_, list...);
            feed.after = from;
            feed.up_to = to;
        };
        add(direct_after, direct_up_to, Feed::to_agent, agent_, &read_, false);
        if (row_.claimed) {
            add(std::max(direct_after, row_.broadcasts_after), direct_up_to, Feed::broadcasts, "",
                &read_, true);
        }
        if (copies_) add(after, up_to, copies_->seqs);
        if (after >= up_to) return feeds;
        for_each_subscription(
            txn_, agent_, [&](std::string_view channel, const SubscriptionRow& sub) {
                add(std::max(after, sub.after), up_to, Feed::channel, channel, &row_.acked, true);
            });
        return feeds;
    }

    void lose(core::Seq seq) {
        view_.truncated = true;
        view_.lost = std::max(view_.lost, seq);
    }

    /// Counts what was found in a window, of which the cap or its bytes may leave out the older.
    /// Whether they do.
    bool cap_passed(std::vector<std::uint64_t>& found) {
        if (!count_bytes_) {
            if (view_.counted + found.size() <= query_.cap) {
                view_.counted += found.size();
                return false;
            }
            const auto nth = found.begin() + static_cast<long>(query_.cap - view_.counted);
            std::nth_element(found.begin(), nth, found.end(), std::greater<>());
            view_.capped = core::Seq{*nth};
            return true;
        }
        std::sort(found.begin(), found.end(), std::greater<>());
        LogReader& log = reading_.log();
        for (const std::uint64_t seq : found) {
            view_.counted_bytes += log.size_of(core::Seq{seq});
            const bool over = view_.counted_bytes > query_.max_bytes && view_.counted > 0;
            if (view_.counted == query_.cap || over) {
                view_.capped = core::Seq{seq};
                return true;
            }
            ++view_.counted;
        }
        budget_.charge(0, found.size());
        return false;
    }

    /// Finds the newest unread message that the cap leaves out, from the newest backwards, window
    /// by window of the log. False when the steps ran out.
    bool count() {
        if (query_.cap == core::kUnbounded) return true;
        const core::Seq low = std::max(after_, limits_.evicted);
        std::vector<UnreadFeed> left =
            feeds(low, view_.position, std::max(low, before_log()), view_.position);
        const auto is_over = [](UnreadFeed& feed, bool found) {
            if (found && feed.seq() > feed.after) return false;
            feed.finish();
            return true;
        };
        std::erase_if(
            left, [&](UnreadFeed& feed) { return is_over(feed, feed.last_up_to(view_.position)); });
        std::vector<std::uint64_t> found;
        std::uint64_t window = kSmallestWindow;
        while (!left.empty()) {
            core::Seq newest;
            for (const UnreadFeed& feed : left) newest = std::max(newest, feed.seq());
            // A message is in one list only, so this bounds what is looked at.
            const std::uint64_t size = std::min(window, budget_.steps_left());
            if (size == 0) {
                for (UnreadFeed& feed : left) feed.finish();
                return false;
            }
            const core::Seq down_to{newest.value - std::min(size, newest.value)};
            found.clear();
            std::uint64_t walked = 0;
            std::erase_if(left, [&](UnreadFeed& feed) {
                while (feed.seq() > down_to) {
                    ++walked;
                    if (!feed.is_own()) found.push_back(feed.seq().value);
                    if (is_over(feed, feed.previous())) return true;
                }
                return false;
            });
            budget_.charge(walked, left.size() / 16);
            if (cap_passed(found)) {
                for (UnreadFeed& feed : left) feed.finish();
                return true;
            }
            view_.position = down_to;
            if (walked < size / 4) window = std::min(2 * window, kLargestWindow);
        }
        return true;
    }

    /// Whether something unread lies behind `after` that is not shown any more. False when the
    /// steps ran out.
    bool look_for_losses() {
        if (view_.capped > after_) lose(view_.capped);
        if (copies_ && copies_->dropped > after_ && copies_->dropped <= view_.up_to &&
            span_of(row_.acked, copies_->dropped) == nullptr) {
            lose(copies_->dropped);
        }
        const core::Seq gone = std::min(view_.up_to, std::max(limits_.evicted, before_log()));
        const core::Seq from = std::max(after_, view_.position);
        if (!view_.truncated && gone > from) {
            UnreadMerge lost(feeds(from, std::min(limits_.evicted, view_.up_to), from, gone));
            const UnreadMerge::Found found = lost.next(budget_);
            if (found == UnreadMerge::Found::out_of_steps) {
                view_.position = core::Seq{lost.seq().value - 1};
            }
            lost.finish();
            if (found == UnreadMerge::Found::out_of_steps) return false;
            if (found == UnreadMerge::Found::message) lose(lost.seq());
        }
        if (before_log() > after_) {
            const core::Seq newest =
                lost_to_retention(txn_, agent_, row_, read_, after_, view_.up_to);
            if (newest != core::Seq{}) lose(newest);
        }
        return true;
    }

    /// Takes messages until the budget or the mailbox is at its end. False when the steps ran out.
    bool show() {
        const core::Seq from = std::max(after_, view_.position);
        UnreadMerge unread(feeds(from, view_.up_to, std::max(from, before_log()), view_.up_to));
        const bool over = show(unread);
        unread.finish();
        return over;
    }
    bool show(UnreadMerge& unread) {
        LogReader log(txn_);
        for (;;) {
            const UnreadMerge::Found found = unread.next(budget_);
            if (found == UnreadMerge::Found::end) {
                view_.position = std::max(after_, view_.up_to);
                return true;
            }
            const core::Seq seq = unread.seq();
            if (found == UnreadMerge::Found::out_of_steps) {
                view_.position = core::Seq{seq.value - 1};
                return false;
            }
            const auto record = log.read(seq).record;
            if (!record || record->stored < limits_.oldest_shown) {
                lose(seq);
                if (record && seq >= limits_.first_of_log) {
                    // All of the log before the horizon is too old.
                    view_.position =
                        core::Seq{log.first_stored_at_or_after(limits_.oldest_shown).value - 1};
                    return show_rest();
                }
            } else if (budget_.take(shown_size(*record))) {
                view_.last_shown = seq;
                if (visit_) {
                    visit_(parts_of(*record, seq, limits_.epochs));
                } else {
                    view_.messages.push_back(to_message(*record, seq, limits_.epochs));
                }
            } else {
                view_.more = true;
                view_.position = core::Seq{seq.value - 1};
                return true;
            }
            unread.pass();
        }
    }
    bool show_rest() {
        if (view_.position < view_.up_to) return show();
        view_.position = std::max(after_, view_.up_to);
        return true;
    }

    const Transaction& txn_;
    const MailboxQuery& query_;
    const MailboxLimits& limits_;
    core::Budget& budget_;
    MailboxView& view_;
    const MessageVisitor& visit_;
    std::string_view agent_;
    AgentRow row_;
    Reading reading_;
    Spans read_;  // direct messages and broadcasts
    core::Seq after_;
    std::optional<CopiesRow> copies_;
    bool count_bytes_ = false;
};

}  // namespace

AgentRow read_agent(const Transaction& txn, std::string_view agent) {
    const auto row = txn.get(txn.tables().agents, agent);
    return row ? AgentRow::parse(*row) : AgentRow{};
}

void read_mailbox(const Transaction& txn, const MailboxQuery& query, const MailboxLimits& limits,
                  ReadNotes& notes, core::Budget& budget, MailboxView& view,
                  const MessageVisitor& visit) {
    MailboxReader(txn, query, limits, notes, budget, view, visit).run();
}

UnreadOfChannel unread_of_channel(const Transaction& txn, std::string_view channel,
                                  std::string_view agent, core::Seq after, const Spans& read,
                                  std::size_t want, ReadingBounds bounds, ReadNotes& notes) {
    UnreadOfChannel unread;
    Reading reading(txn, agent, bounds.first_of_log, notes, bounds.committed);
    UnreadFeed feed(reading, Feed::channel, channel, &read, true);
    core::Budget budget({.steps = bounds.steps});
    for (bool more = feed.last_up_to(core::Seq{core::kMaxSeq});
         more && feed.seq() > after && unread.newest_first.size() < want; more = feed.previous()) {
        if (!budget.step()) {
            unread.not_looked_at = feed.seq();
            break;
        }
        if (!feed.is_own()) unread.newest_first.push_back(feed.seq().value);
    }
    feed.finish();
    notes.steps += budget.walked();
    return unread;
}

bool is_unacknowledged(const Transaction& txn, std::string_view agent, const AgentRow& row,
                       core::Seq seq) {
    if (seq <= row.cursor || span_of(row.acked, seq) != nullptr) return false;
    LogReader log(txn);
    const auto record = log.read(seq).record;
    if (!record) return false;
    if (record->kind == RecordKind::to_agent) return record->destination == agent;
    if (record->from == agent) return false;
    if (record->kind != RecordKind::to_channel) return row.claimed && seq > row.broadcasts_after;
    const auto subscription =
        txn.get(txn.tables().subscriptions, pair_key(agent, record->destination));
    if (subscription && seq > SubscriptionRow::parse(*subscription).after) return true;
    const auto copies = txn.get(txn.tables().copies, agent);
    if (!copies) return false;
    const CopiesRow kept = CopiesRow::parse(*copies);
    return std::binary_search(kept.seqs.begin(), kept.seqs.end(), seq.value);
}

bool anything_between(const Transaction& txn, std::string_view agent, const AgentRow& row,
                      ReadSpan between, ReadingBounds bounds, ReadNotes& notes) {
    Reading reading(txn, agent, bounds.first_of_log, notes, bounds.committed);
    std::vector<UnreadFeed> feeds;
    feeds.emplace_back(reading, Feed::to_agent, agent, nullptr, false);
    if (row.claimed) feeds.emplace_back(reading, Feed::broadcasts, "", nullptr, true);
    for (UnreadFeed& feed : feeds) {
        feed.after = between.after;
        feed.up_to = between.up_to;
    }
    if (row.claimed) feeds.back().after = std::max(between.after, row.broadcasts_after);
    UnreadMerge merge(std::move(feeds));
    core::Budget budget({.steps = bounds.steps});
    const bool nothing = merge.next(budget) == UnreadMerge::Found::end;
    merge.finish();
    notes.steps += budget.walked();
    return !nothing;
}

void TrimmedRow::add(Entry entry) noexcept {
    if (seq_of(entry) <= seq_of(newest)) return;
    if (newest != 0 && mark_of(newest) != mark_of(entry)) newest_of_others = newest;
    newest = entry;
}

core::Seq TrimmedRow::newest_not_by(Entry mark) const noexcept {
    if (mark == 0 || mark_of(newest) != mark) return seq_of(newest);
    return seq_of(newest_of_others);
}

TrimmedRow TrimmedRow::read(const Transaction& txn, Feed feed, std::string_view owner) {
    const auto bytes = txn.get(txn.tables().trimmed, feed_prefix(feed, owner));
    if (!bytes) return {};
    ByteReader reader(*bytes);
    if ((reader.fixed<std::uint8_t>() & ~kSealed) != 1)
        throw DamagedStore("a stored row has an unknown version");
    TrimmedRow row;
    row.newest = reader.fixed<Entry>();
    row.newest_of_others = reader.fixed<Entry>();
    return row;
}

std::string TrimmedRow::encode() const {
    std::string out(1, 1);
    append_fixed(out, newest);
    append_fixed(out, newest_of_others);
    return out;
}

}  // namespace agentcom::store

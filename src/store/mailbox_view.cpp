#include "store/mailbox_view.hpp"

#include <algorithm>
#include <functional>

#include "store/message_log.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kMaxCap = 1'000'000;  // beyond any sensible configuration

/// Collects the newest unread entries of several lists.
class Gatherer {
public:
    /// Wants the newest `want` with after < seq <= up_to.
    Gatherer(const Transaction& txn, std::string_view agent, core::Seq after, core::Seq up_to,
             std::size_t want)
        : txn_(txn),
          log_(txn),
          agent_(agent),
          mark_(sender_mark(agent)),
          after_(after),
          up_to_(up_to),
          want_(want) {}

    /// `read` lets whole stretches be skipped; `others_only` leaves out the agent's own.
    void walk(Feed feed, std::string_view owner, core::Seq after, const AgentRow* read,
              const std::optional<ReadSpan>& live, bool others_only) {
        const core::Seq floor = std::max(after, after_);
        PostingCursor cursor(txn_, feed, owner);
        if (!(up_to_.value >= core::kMaxSeq ? cursor.last() : cursor.at_or_before(up_to_))) return;
        std::size_t taken = 0;
        while (cursor.seq() > floor && taken < want_) {
            const core::Seq seq = cursor.seq();
            if (const auto skip_to = read_up_from(seq, read, live)) {
                if (!cursor.at_or_before(*skip_to)) break;
                continue;
            }
            if (!others_only || !is_own(cursor.entry())) {
                found_.push_back(seq.value);
                ++taken;
            }
            if (!cursor.previous()) break;
        }
        shrink();
    }

    void add(const std::vector<std::uint64_t>& seqs) {
        for (const std::uint64_t seq : seqs) {
            if (seq > after_.value && seq <= up_to_.value) found_.push_back(seq);
        }
        shrink();
    }

    /// Newest first.
    std::vector<std::uint64_t> take() {
        std::sort(found_.begin(), found_.end(), std::greater<>());
        return std::move(found_);
    }

private:
    static std::optional<core::Seq> read_up_from(core::Seq seq, const AgentRow* read,
                                                 const std::optional<ReadSpan>& live) {
        if (read == nullptr) return std::nullopt;
        if (live && live->after < seq && seq <= live->up_to) return live->after;
        if (const ReadSpan* span = read->span_of(seq)) return span->after;
        return std::nullopt;
    }
    bool is_own(Entry entry) {
        if (mark_of(entry) != mark_) return false;
        // Of a message that retention has taken, the mark is all that is known; it errs for one
        // pair of senders in half a million.
        const auto record = log_.find(seq_of(entry));
        return !record || record->from == agent_;
    }
    /// Keeps the newest `want_`; older entries of the lists to come need not be looked at.
    void shrink() {
        if (found_.size() < want_ || want_ == 0) return;
        const auto last = found_.begin() + static_cast<long>(want_) - 1;
        std::nth_element(found_.begin(), last, found_.end(), std::greater<>());
        found_.resize(want_);
        after_ = std::max(after_, core::Seq{found_.back() - 1});
    }

    const Transaction& txn_;
    LogReader log_;
    std::string_view agent_;
    Entry mark_;
    core::Seq after_;
    core::Seq up_to_;
    std::size_t want_;
    std::vector<std::uint64_t> found_;
};

/// Calls `visit(channel, row)` for each subscription of the agent.
template <class Visitor>
void for_each_subscription(const Transaction& txn, std::string_view agent, Visitor&& visit) {
    const std::string prefix = owner_prefix(agent);
    Cursor cursor(txn, txn.tables().subscriptions);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        visit(cursor.key().substr(prefix.size()), SubscriptionRow::parse(cursor.value()));
    }
}

/// Whether the agent has read all of after < seq <= up_to over live connections.
bool all_read(const AgentRow& row, core::Seq after, core::Seq up_to) {
    for (const ReadSpan& span : row.spans) {
        if (span.after <= after && span.up_to > after) after = span.up_to;
    }
    return after >= up_to;
}

/// Whether retention took something after `after` that the agent had not read.
bool lost_to_retention(const Transaction& txn, std::string_view agent, const AgentRow& row,
                       core::Seq after, core::Seq up_to) {
    const Entry mark = sender_mark(agent);
    const auto lost = [&](core::Seq removed, core::Seq begin) {
        return removed > std::max(begin, after) && removed <= up_to;
    };
    if (lost(TrimmedRow::read(txn, Feed::to_agent, agent).newest_not_by(0), after)) return true;
    if (row.claimed) {
        const core::Seq removed = TrimmedRow::read(txn, Feed::broadcasts, "").newest_not_by(mark);
        const core::Seq begin = std::max(after, row.broadcasts_after);
        if (lost(removed, begin) && !all_read(row, begin, removed)) return true;
    }
    bool any = false;
    for_each_subscription(txn, agent, [&](std::string_view channel, const SubscriptionRow& sub) {
        any = any ||
              lost(TrimmedRow::read(txn, Feed::channel, channel).newest_not_by(mark), sub.after);
    });
    return any;
}

}  // namespace

AgentRow read_agent(const Transaction& txn, std::string_view agent) {
    const auto row = txn.get(txn.tables().agents, agent);
    return row ? AgentRow::parse(*row) : AgentRow{};
}

std::vector<std::uint64_t> unread_of_channel(const Transaction& txn, std::string_view channel,
                                             std::string_view agent, core::Seq after,
                                             std::size_t want) {
    Gatherer gatherer(txn, agent, after, core::Seq{core::kMaxSeq}, want);
    gatherer.walk(Feed::channel, channel, after, nullptr, std::nullopt, true);
    return gatherer.take();
}

bool anything_between(const Transaction& txn, std::string_view agent, const AgentRow& row,
                      core::Seq after, core::Seq up_to) {
    Gatherer gatherer(txn, agent, after, up_to, 1);
    gatherer.walk(Feed::to_agent, agent, after, nullptr, std::nullopt, false);
    if (row.claimed) {
        gatherer.walk(Feed::broadcasts, "", row.broadcasts_after, nullptr, std::nullopt, true);
    }
    return !gatherer.take().empty();
}

MailboxView read_mailbox(const Transaction& txn, const MailboxQuery& query,
                         const MailboxLimits& limits) {
    const std::string_view agent = query.agent.str();
    const AgentRow row = read_agent(txn, agent);
    const core::Seq after = std::max(row.cursor, query.since);
    MailboxView view;

    // One more than is shown tells whether the cap took something.
    const std::uint64_t cap = std::min(query.cap, kMaxCap);
    Gatherer gatherer(txn, agent, after, query.up_to, cap + 1);
    gatherer.walk(Feed::to_agent, agent, after, &row, query.live, false);
    if (row.claimed) {
        gatherer.walk(Feed::broadcasts, "", row.broadcasts_after, &row, query.live, true);
    }
    if (const auto copies = txn.get(txn.tables().copies, agent)) {
        const CopiesRow kept = CopiesRow::parse(*copies);
        view.truncated = kept.dropped > after && kept.dropped <= query.up_to;
        gatherer.add(kept.seqs);
    }
    for_each_subscription(txn, agent, [&](std::string_view channel, const SubscriptionRow& sub) {
        gatherer.walk(Feed::channel, channel, sub.after, nullptr, std::nullopt, true);
    });

    std::vector<std::uint64_t> unread = gatherer.take();
    if (unread.size() > cap) {
        unread.pop_back();
        view.truncated = true;
    }
    LogReader log(txn);
    bool fresh = false;  // timestamps never fall: behind the first one shown, all are young enough
    std::reverse(unread.begin(), unread.end());
    for (const std::uint64_t number : unread) {
        if (view.messages.size() >= query.limit) break;
        const core::Seq seq{number};
        const auto record = log.find(seq);
        fresh =
            fresh || (record && seq > limits.evicted && record->timestamp >= limits.oldest_shown);
        if (record && fresh) {
            view.messages.push_back(to_message(*record, seq, limits.epoch));
        } else {
            view.truncated = true;
        }
    }
    if (!view.truncated && limits.anything_trimmed) {
        view.truncated = lost_to_retention(txn, agent, row, after, query.up_to);
    }
    return view;
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
    if (reader.fixed<std::uint8_t>() != 1)
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

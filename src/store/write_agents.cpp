// The part of WriteBatch that changes agents, and counts what each of them takes.

#include <algorithm>
#include <utility>

#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::size_t kMaxKnownAgents = 100'000;
constexpr std::size_t kMaxSpans = 100;  // of each kind

/// Moves the cursor over what is acknowledged behind it, and drops what it has passed.
void settle(AgentRow& row) {
    while (!row.acked.empty() && row.acked.front().after <= row.cursor) {
        row.cursor = std::max(row.cursor, row.acked.front().up_to);
        row.acked.erase(row.acked.begin());
    }
    drop_up_to(row.spans, row.cursor);
    drop_up_to(row.shown, row.cursor);
}

/// Beyond the bound the oldest are forgotten: their messages are shown again, not lost.
void bound(AgentRow& row) {
    for (Spans* list : {&row.spans, &row.acked, &row.shown}) {
        if (list->size() <= kMaxSpans) continue;
        list->erase(list->begin(), list->end() - static_cast<long>(kMaxSpans));
    }
}

}  // namespace

std::optional<AgentRow> WriteBatch::find_agent(std::string_view agent) {
    const auto row = txn().get(txn().tables().agents, agent);
    if (!row) return std::nullopt;
    return AgentRow::parse(*row);
}

void WriteBatch::put_agent(std::string_view agent, const AgentRow& row) {
    row.encode(row_);
    txn().put(txn().tables().agents, agent, row_);
}

AgentRow WriteBatch::new_agent() const {
    AgentRow row;
    row.born = state_.head;
    row.cursor = state_.head;
    return row;
}

std::optional<AgentRow> WriteBatch::reading_agent(std::string_view agent) {
    if (auto row = find_agent(agent)) return row;
    const bool reads = usage_of(agent).subscriptions > 0 || !copies_of(agent).seqs.empty();
    if (!reads || is_ending(agent)) return std::nullopt;
    txn().put(txn().tables().unclaimed, unclaimed_key(state_.head.next(), agent), "");
    ++state_.unclaimed_mailboxes;
    AgentRow row = new_agent();
    row.cursor = {};
    return row;
}

std::uint64_t WriteBatch::share_of(std::uint64_t quota) const noexcept {
    const std::uint64_t percent = rules_.quotas.share_percent;
    return std::max<std::uint64_t>(1, quota / 100 * percent + quota % 100 * percent / 100);
}

UsageRow WriteBatch::usage_of(std::string_view agent) {
    return read_or(txn(), "an agent's usage", UsageRow{}, [&] {
        const auto row = txn().get(txn().tables().usage, agent);
        return row ? UsageRow::parse(*row) : UsageRow{};
    });
}

void WriteBatch::put_usage(std::string_view agent, const UsageRow& usage) {
    if (usage.empty()) {
        txn().erase(txn().tables().usage, agent);
    } else {
        txn().put(txn().tables().usage, agent, usage.encode());
    }
}

bool WriteBatch::counts_against(std::string_view agent, core::Seq made) {
    // Of one whose row is damaged it is not known whether it is another.
    const auto born = read_or(txn(), "an agent", std::optional<core::Seq>(), [&] {
        const auto row = find_agent(agent);
        return row ? std::optional(row->born) : std::nullopt;
    });
    return store::counts_against(born, made);
}

void WriteBatch::give_back(std::string_view maker, core::Seq made, std::uint64_t UsageRow::*quota) {
    if (maker.empty() || !counts_against(maker, made)) return;
    UsageRow usage = usage_of(maker);
    if (usage.*quota > 0) --(usage.*quota);
    put_usage(maker, usage);
}

void WriteBatch::give_back_mailbox(const AgentRow& row) {
    if (state_.unclaimed_mailboxes > 0) --state_.unclaimed_mailboxes;
    give_back(row.creator, row.born, &UsageRow::unclaimed_mailboxes);
}

void WriteBatch::remember_known(std::string_view agent) {
    if (known_agents_.size() >= kMaxKnownAgents) known_agents_.clear();
    known_agents_.emplace(agent);
}

void WriteBatch::forget_known(std::string_view agent) {
    const auto known = known_agents_.find(agent);
    if (known != known_agents_.end()) known_agents_.erase(known);
}

WriteResult WriteBatch::run(const AckMailbox& op) {
    const core::Seq wanted = std::min(op.up_to, state_.head);
    auto known = reading_agent(op.agent.str());
    if (!known) return WriteValue(CursorMoved{wanted});
    AgentRow& row = *known;
    if (wanted > row.cursor) {
        add_spans(row.acked, shown_up_to(op, row, wanted), wanted);
        settle(row);
        bound(row);
        drop_copies(op.agent.str(), row);
    }
    put_agent(op.agent.str(), row);
    return WriteValue(CursorMoved{row.cursor});
}

CopiesRow WriteBatch::copies_of(std::string_view agent) {
    // Of damaged ones it is only known that something is lost, and acknowledging settles that.
    return read_or(txn(), "an agent's copies", CopiesRow{committed_.head, {}}, [&] {
        const auto bytes = txn().get(txn().tables().copies, agent);
        return bytes ? CopiesRow::parse(*bytes) : CopiesRow{};
    });
}

Spans WriteBatch::shown_up_to(const AckMailbox& op, const AgentRow& row, core::Seq wanted) {
    Spans shown = row.shown;
    add_spans(shown, op.shown);
    if (wanted > committed_.head) flush();
    // A number beyond the newest message says no more than that all that was shown is meant.
    if (op.up_to == wanted && span_of(shown, wanted) == nullptr &&
        is_unacknowledged(txn(), op.agent.str(), row, wanted)) {
        core::Seq from = row.cursor;
        for (const Spans* list : {&row.shown, &op.shown}) {
            for (const ReadSpan& span : *list) {
                if (span.up_to < wanted) from = std::max(from, span.up_to);
            }
        }
        add_span(shown, {from, wanted});
    }
    return shown;
}

void WriteBatch::drop_copies(std::string_view agent, const AgentRow& row) {
    CopiesRow copies = copies_of(agent);
    if (copies.seqs.empty() && copies.dropped == core::Seq{}) return;
    const auto is_acked = [&](std::uint64_t seq) {
        return seq <= row.cursor.value || span_of(row.acked, core::Seq{seq}) != nullptr;
    };
    std::erase_if(copies.seqs, is_acked);
    if (copies.seqs.empty() && is_acked(copies.dropped.value)) {
        txn().erase(txn().tables().copies, agent);
    } else {
        txn().put(txn().tables().copies, agent, copies.encode());
    }
}

WriteResult WriteBatch::run(const MarkRead& op) {
    auto known = find_agent(op.agent.str());
    if (!known) return WriteValue(Done{});  // it was ended while it was connected
    AgentRow& row = *known;
    const ReadSpan span{op.span.after, std::min(op.span.up_to, state_.head)};
    if (span.up_to > row.cursor && span.after < span.up_to) {
        flush();
        add_span(row.spans, span);
        add_span(row.shown, span);
        settle(row);
        // Two spans with nothing to read between them are one, so that an agent that comes and goes
        // all day keeps a short list.
        const std::size_t count = row.spans.size();
        if (count >= 2 && !anything_between(txn(), op.agent.str(), row,
                                            {row.spans[count - 2].up_to, row.spans.back().after},
                                            reading_bounds(), notes_)) {
            row.spans[count - 2].up_to = row.spans.back().up_to;
            row.spans.pop_back();
        }
        bound(row);
    }
    put_agent(op.agent.str(), row);
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const MarkShown& op) {
    auto row = find_agent(op.agent.str());
    if (!row) return WriteValue(Done{});
    add_spans(row->shown, op.spans, state_.head);
    settle(*row);
    bound(*row);
    put_agent(op.agent.str(), *row);
    return WriteValue(Done{});
}

void WriteBatch::claim(const core::AgentId& agent) {
    const auto known = find_agent(agent.str());
    AgentRow row = known.value_or(new_agent());
    if (row.claimed) return;
    if (known) give_back_mailbox(row);
    row.claimed = true;
    row.creator.clear();
    row.broadcasts_after = state_.head;
    put_agent(agent.str(), row);
}

}  // namespace agentcom::store

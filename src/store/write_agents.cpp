// The part of WriteBatch that changes agents, and counts what each of them takes.

#include <algorithm>
#include <utility>

#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::size_t kMaxKnownAgents = 100'000;
constexpr std::size_t kMaxSpans = 100;

void drop_read_spans(AgentRow& row) {
    std::erase_if(row.spans, [&](const ReadSpan& span) { return span.up_to <= row.cursor; });
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

AgentRow WriteBatch::agent_or_new(std::string_view agent) {
    if (auto row = find_agent(agent)) return std::move(*row);
    txn().put(txn().tables().unclaimed, unclaimed_key(state_.head.next(), agent), "");
    ++state_.unclaimed_mailboxes;
    return new_agent();
}

std::uint64_t WriteBatch::share_of(std::uint64_t quota) const noexcept {
    const std::uint64_t percent = options_.share_percent;
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

void WriteBatch::give_back_mailbox(const AgentRow& row) {
    if (state_.unclaimed_mailboxes > 0) --state_.unclaimed_mailboxes;
    if (row.creator.empty()) return;
    UsageRow usage = usage_of(row.creator);
    if (usage.unclaimed_mailboxes > 0) --usage.unclaimed_mailboxes;
    put_usage(row.creator, usage);
}

void WriteBatch::remember_known(std::string_view agent) {
    if (known_agents_.size() >= kMaxKnownAgents) known_agents_.clear();
    known_agents_.emplace(agent);
}

WriteResult WriteBatch::run(const AckMailbox& op) {
    AgentRow row = agent_or_new(op.agent.str());
    const core::Seq wanted = std::min(op.up_to, state_.head);
    if (wanted > row.cursor) {
        row.cursor = wanted;
        drop_read_spans(row);
        drop_copies(op.agent.str(), row.cursor);
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

void WriteBatch::drop_copies(std::string_view agent, core::Seq cursor) {
    CopiesRow row = copies_of(agent);
    if (row.seqs.empty() && row.dropped == core::Seq{}) return;
    std::erase_if(row.seqs, [cursor](std::uint64_t seq) { return seq <= cursor.value; });
    if (row.seqs.empty() && row.dropped <= cursor) {
        txn().erase(txn().tables().copies, agent);
    } else {
        txn().put(txn().tables().copies, agent, row.encode());
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
        drop_read_spans(row);
        // Two spans with nothing to read between them are one, so that an agent that comes and goes
        // all day keeps a short list.
        const std::size_t count = row.spans.size();
        if (count >= 2 && !anything_between(txn(), op.agent.str(), row,
                                            {row.spans[count - 2].up_to, row.spans.back().after},
                                            reading_bounds(), notes_)) {
            row.spans[count - 2].up_to = row.spans.back().up_to;
            row.spans.pop_back();
        }
        // Beyond the bound the oldest are forgotten: their messages are shown again, not lost.
        if (row.spans.size() > kMaxSpans) row.spans.erase(row.spans.begin());
    }
    put_agent(op.agent.str(), row);
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

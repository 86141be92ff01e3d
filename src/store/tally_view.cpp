#include "store/tally_view.hpp"

#include <algorithm>
#include <string>

#include "store/cursor.hpp"
#include "store/damage.hpp"
#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"
#include "store/rows.hpp"

namespace agentcom::store {

LogWalk walk_log(const Transaction& txn, core::Seq after, core::Budget& budget,
                 const LogVisitor& visit) {
    LogReader log(txn);
    LogWalk walk{.cursor = after};
    const auto oldest = log.first_seq();
    const auto newest = log.last_seq();
    if (!oldest || !newest) return walk;
    for (core::Seq seq = std::max(after.next(), *oldest); seq <= *newest; seq = seq.next()) {
        if (!budget.step()) {
            walk.more = true;
            return walk;
        }
        walk.cursor = seq;
        const auto record = log.read(seq).record;
        if (!record) continue;
        LogGlance glance{.seq = seq,
                         .timestamp = record->timestamp,
                         .from = record->from,
                         .to = record->destination,
                         .payload_bytes = record->payload.size()};
        if (record->kind == RecordKind::to_agent) glance.kind = LogGlance::Kind::to_agent;
        if (record->kind == RecordKind::to_channel) glance.kind = LogGlance::Kind::to_channel;
        visit(glance);
    }
    return walk;
}

core::Seq first_sent_at_or_after(const Transaction& txn, core::Timestamp time, core::Seq head) {
    LogReader log(txn);
    return log.last_seq() ? log.first_at_or_after(time) : head.next();
}

std::optional<core::Timestamp> sent_at(const Transaction& txn, core::Seq seq) {
    LogReader log(txn);
    const auto record = log.read(seq).record;
    if (!record) return std::nullopt;
    return record->timestamp;
}

core::Page<core::AgentId> read_unclaimed(const Transaction& txn, std::string_view after,
                                         core::Budget& budget) {
    core::Page<core::AgentId> page;
    Cursor rows(txn, txn.tables().agents);
    bool more = after.empty() ? rows.first() : rows.at_or_after(after);
    if (more && rows.key() == after) more = rows.next();
    for (; more; more = rows.next()) {
        if (!budget.step()) {
            page.more = true;
            break;
        }
        const bool claimed =
            read_or(txn, "an agent", true, [&] { return AgentRow::parse(rows.value()).claimed; });
        if (claimed) continue;
        const auto agent = core::AgentId::parse(rows.key());
        if (!agent) continue;
        if (!budget.take(agent->str().size())) {
            page.more = true;
            break;
        }
        page.entries.push_back(*agent);
    }
    return page;
}

DeliveryCounts count_deliveries(const Transaction& txn, std::string_view agent, core::Seq after,
                                core::Budget& budget) {
    const AgentRow row = read_agent(txn, agent);
    DeliveryCounts counts;
    counts.broadcasts_after = std::max(row.broadcasts_after, row.born);
    const std::string prefix = owner_prefix(agent);
    Cursor cursor(txn, txn.tables().subscriptions);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        if (!budget.step()) {
            counts.more = true;
            break;
        }
        const auto channel = core::ChannelName::parse(cursor.key().substr(prefix.size()));
        const auto began = read_or(txn, "a subscription", std::optional<core::Seq>(), [&] {
            return std::optional(SubscriptionRow::parse(cursor.value()).after);
        });
        if (!channel || !began) continue;
        PostingCursor list(txn, Feed::channel, channel->str());
        if (!list.at_or_after(std::max(after, *began).next())) continue;
        const std::uint64_t first = list.place();
        const std::uint64_t last =
            PostingCursor(txn, Feed::channel, channel->str()).end().last_place;
        counts.channels.push_back({*channel, last - std::min(last, first) + 1});
    }
    return counts;
}

}  // namespace agentcom::store

#include "store/migrations.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>

#include "store/cursor.hpp"
#include "store/keys.hpp"
#include "store/postings.hpp"
#include "store/rows.hpp"
#include "store/schema.hpp"

namespace agentcom::store {
namespace {

/// A table that only older schemas have; nothing when this store never had it.
std::optional<MDB_dbi> find_legacy_table(WriteTransaction& txn, const char* name) {
    MDB_dbi table = 0;
    const int code = mdb_dbi_open(txn.handle(), name, 0, &table);
    if (code == MDB_NOTFOUND) return std::nullopt;
    check(code, "open a table of an older schema");
    return table;
}

// Version 2: kept messages are counted in bytes; idempotency keys are found by one look-up; what
// each agent takes of a quota is counted; unclaimed mailboxes are found when they have run empty.

void count_kept_bytes(WriteTransaction& txn) {
    StateRow state = StateRow::parse(txn.get(txn.tables().meta, kMetaState).value());
    state.kept = 0;
    state.kept_bytes = 0;
    {
        Cursor kept(txn, txn.tables().kept);
        for (bool more = kept.first(); more; more = kept.next()) {
            ++state.kept;
            state.kept_bytes += kept.value().size();
        }
    }
    txn.put(txn.tables().meta, kMetaState, state.encode());
}

/// Keys were grouped by the minute: be64 minute, agent', key.
void move_idempotency_keys(WriteTransaction& txn) {
    const auto old = find_legacy_table(txn, "idempotency");
    if (!old) return;
    {
        Cursor cursor(txn, *old);
        for (bool more = cursor.first(); more; more = cursor.next()) {
            const IdempotencyRow row = IdempotencyRow::parse(cursor.value());
            const KeyOrderRow order{row.timestamp, std::string(cursor.key().substr(8))};
            // Minutes come in order, so of a key that was used again the newer row stays.
            txn.put(txn.tables().idempotency_keys, order.key, row.encode());
            txn.put(txn.tables().idempotency_order, be64_key(row.seq.value), order.encode());
        }
    }
    txn.drop(*old);
}

void list_unclaimed_mailboxes(WriteTransaction& txn) {
    Cursor agents(txn, txn.tables().agents);
    for (bool more = agents.first(); more; more = agents.next()) {
        if (AgentRow::parse(agents.value()).claimed) continue;
        PostingCursor list(txn, Feed::to_agent, agents.key());
        const core::Seq newest = list.last() ? list.seq() : core::Seq{};
        txn.put(txn.tables().unclaimed, unclaimed_key(newest, agents.key()), "");
    }
}

void count_usage(WriteTransaction& txn) {
    std::map<std::string, UsageRow, std::less<>> usage;
    {
        Cursor channels(txn, txn.tables().channels);
        for (bool more = channels.first(); more; more = channels.next()) {
            const auto channel =
                parse_channel(stored_channel_name(channels.key()), channels.value());
            ++usage[std::string(channel.created_by.str())].channels;
        }
        Cursor subscriptions(txn, txn.tables().subscriptions);
        for (bool more = subscriptions.first(); more; more = subscriptions.next()) {
            ++usage[std::string(ByteReader(subscriptions.key()).short_text())].subscriptions;
        }
    }
    for (const auto& [agent, row] : usage) txn.put(txn.tables().usage, agent, row.encode());
}

void to_version_2(WriteTransaction& txn) {
    count_kept_bytes(txn);
    move_idempotency_keys(txn);
    list_unclaimed_mailboxes(txn);
    count_usage(txn);
}

// Version 3: there is a journal beside the file, which programs before that would not look into.

void to_version_3(WriteTransaction&) {}

/// In order, and without a gap.
constexpr std::array<UpgradeStep, kSchemaVersion - 1> kSteps{
    {{1, &to_version_2}, {2, &to_version_3}}};
static_assert(kSteps.back().from + 1 == kSchemaVersion);

}  // namespace

std::span<const UpgradeStep> upgrade_steps() noexcept { return kSteps; }

}  // namespace agentcom::store

#include "store/examiner.hpp"

#include <algorithm>
#include <initializer_list>

#include "agentcom/core/time.hpp"
#include "agentcom/core/utf8.hpp"
#include "agentcom/store/store.hpp"
#include "store/time_repair.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {

std::string shown(std::string_view key) {
    constexpr std::size_t kMost = 80;
    const char* const rest = key.size() > kMost ? "..." : "";
    key = key.substr(0, kMost);
    const bool plain = std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
    return plain ? '"' + std::string(key) + rest + '"' : "0x" + to_hex(key) + rest;
}

void Examiner::find(std::string text) {
    ++found_.total;
    if (found_.findings.size() < Examination::kMaxFindings) {
        found_.findings.push_back(Finding{std::move(text), false});
    }
}

void Examiner::find(std::string text, Fix fix) {
    ++found_.total;
    if (found_.findings.size() < Examination::kMaxFindings) {
        found_.findings.push_back(Finding{std::move(text), true});
    }
    if (fixes_.size() < kMaxFixes) fixes_.push_back(std::move(fix));
}

void Examiner::find_dangling(std::string text, MDB_dbi table, std::string_view key) {
    find(std::move(text),
         [table, key = std::string(key)](WriteTransaction& txn) { txn.erase(table, key); });
}

void Examiner::find_damaged(std::string text, MDB_dbi table, std::string_view key) {
    const Tables& tables = txn_.tables();
    const auto is_one_of = [table](std::initializer_list<MDB_dbi> some) {
        return std::ranges::find(some, table) != some.end();
    };
    if (is_one_of({tables.agents})) {
        // Where it had got to is lost, so it is shown again what there is.
        return find(std::move(text), [table, key = std::string(key)](WriteTransaction& txn) {
            AgentRow row;
            const std::string prefix = owner_prefix(key);
            Cursor tokens(txn, txn.tables().tokens_by_agent);
            row.claimed = tokens.at_or_after(prefix) && tokens.key().starts_with(prefix);
            std::string value;
            row.encode(value);
            txn.put(table, key, value);
        });
    }
    if (is_one_of({tables.copies})) {
        const core::Seq head = stored_state_ ? stored_state_->head : core::Seq{};
        return find(std::move(text), [table, key = std::string(key), head](WriteTransaction& txn) {
            txn.put(table, key, CopiesRow{head, {}}.encode());
        });
    }
    // All that these tell stands in their keys, which the next look compares with what there is.
    if (is_one_of({tables.tokens_by_agent, tables.subscribers, tables.unclaimed,
                   tables.token_expiry, tables.web_sessions_by_token, tables.web_session_expiry})) {
        return find(std::move(text), [table, key = std::string(key)](WriteTransaction& txn) {
            txn.put(table, key, "");
        });
    }
    if (is_one_of({tables.tokens, tables.web_sessions, tables.settings, tables.usage,
                   tables.trimmed, tables.subscriptions, tables.idempotency_keys,
                   tables.idempotency_order})) {
        return find_dangling(std::move(text), table, key);
    }
    find(std::move(text));
}

void Examiner::look() {
    look_at_meta();
    look_at_settings();
    // In the order in which one needs what another has found.
    look_at_agents();
    look_at_channels();
    look_at_tokens();
    look_at_web_sessions();
    look_at_subscriptions();
    look_at_members();
    look_at_copies();
    look_at_unclaimed();
    look_at_endings();
    look_at_log();
    look_at_kept();
    look_at_postings();
    look_at_trimmed();
    look_at_idempotency();
    compare_lists();
    compare_channels();
    compare_usage();
    compare_state();
    look_at_times();  // what it mends, it mends in rows that others have put right
}

void Examiner::look_at_times() {
    const core::Timestamp now = core::SystemClock().now();
    const FutureTimes future = find_future_times(txn_, now);
    if (!future.any()) return;
    find(std::to_string(future.messages) + " messages and " + std::to_string(future.rows) +
             " other rows have times of the future, or the store's own time is one: the clock was "
             "ahead, or is behind now",
         [now](WriteTransaction& txn) {
             mend_future_times(
                 txn, now, read_or(txn, "a setting", StoreOptions{}.mailbox_ttl, [&txn] {
                     const auto ttl = txn.get(txn.tables().settings, "mailbox_ttl_ms");
                     return ttl ? ttl_of(parse_number(*ttl)) : StoreOptions{}.mailbox_ttl;
                 }));
         });
}

}  // namespace agentcom::store

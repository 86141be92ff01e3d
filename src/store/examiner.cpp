#include "store/examiner.hpp"

#include <algorithm>

#include "agentcom/core/time.hpp"
#include "agentcom/core/utf8.hpp"
#include "agentcom/store/store.hpp"
#include "store/time_repair.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {

std::string shown(std::string_view key) {
    constexpr std::size_t kMost = 80;
    constexpr std::string_view kDigits = "0123456789abcdef";
    const bool cut = key.size() > kMost;
    key = key.substr(0, kMost);
    const bool plain = std::ranges::all_of(key, [](char c) { return c > ' ' && c <= '~'; });
    std::string out = plain ? "\"" : "0x";
    for (const char c : key) {
        if (plain) {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.push_back(kDigits[byte >> 4]);
            out.push_back(kDigits[byte & 0xF]);
        }
    }
    if (cut) out += "...";
    if (plain) out.push_back('"');
    return out;
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

void Examiner::look() {
    look_at_meta();
    look_at_settings();
    // In the order in which one needs what another has found.
    look_at_agents();
    look_at_channels();
    look_at_tokens();
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
             const auto ttl = read_or(txn, "a setting", std::optional<std::string_view>(), [&txn] {
                 return txn.get(txn.tables().settings, "mailbox_ttl_ms");
             });
             mend_future_times(txn, now,
                               ttl ? ttl_of(parse_number(*ttl)) : StoreOptions{}.mailbox_ttl);
         });
}

}  // namespace agentcom::store

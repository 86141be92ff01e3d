#include "store/examiner.hpp"

#include <algorithm>

#include "agentcom/core/utf8.hpp"

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
}

}  // namespace agentcom::store

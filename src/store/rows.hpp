#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/records.hpp"
#include "agentcom/store/spans.hpp"

/// The rows of the small tables. Every one begins with a version byte of its own: a parser reads
/// its row's present version and all before it (what those lacked gets its default) and throws
/// DamagedStore at a later one, so a field can be added without writing old rows again. The layouts
/// are drawn in docs/storage_format.md.
namespace agentcom::store {

/// Where the store's time stood at a commit (store_clock.hpp), so that it goes on from there.
struct ClockAnchor {
    core::Timestamp stored;       // the store's own time
    core::Timestamp wall;         // what the wall clock showed, as far as it was believed
    std::int64_t elapsed_ms = 0;  // core::Clock::elapsed
    std::uint64_t boot = 0;       // core::Clock::boot; 0: not known
};

/// Numbers about the whole store, written with every batch.
struct StateRow {
    core::Seq head;                  // newest message ever given out
    core::Seq first{1};              // oldest message of the log; head + 1 when it is empty
    core::Timestamp last_timestamp;  // no later message shows an earlier one
    core::Seq evicted;               // floor under every mailbox
    std::uint64_t log_bytes = 0;
    std::uint64_t unclaimed_mailboxes = 0;
    std::uint64_t channels = 0;
    std::uint64_t kept = 0;        // rows of the table `kept`
    std::uint64_t kept_bytes = 0;  // what they hold; since version 2
    /// Since version 3; before, the newest timestamp stands for both of its times.
    ClockAnchor clock;

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static StateRow parse(std::string_view bytes);
};

struct AgentRow {
    bool claimed = false;        // somebody has, or had, a token for it
    core::Seq broadcasts_after;  // head when it was claimed
    core::Seq cursor;
    /// Unclaimed only: who sent the first message, and so whose share it counts against. Empty for
    /// those of version 1.
    std::string creator;
    /// Head when the row was made: older messages belong to an earlier agent of this name.
    core::Seq born;
    // Stretches of the log, each list sorted and apart, all beyond the cursor.
    Spans spans;  // direct messages and broadcasts read live
    Spans acked;  // acknowledged, with something before it that is not
    Spans shown;  // all that was unread has been shown

    void encode(std::string& out) const;
    [[nodiscard]] static AgentRow parse(std::string_view bytes);
    /// Whether a direct message with this number, beyond the cursor, has been read.
    [[nodiscard]] bool has_read(core::Seq seq) const noexcept;
};

/// Whether what was made under an agent's name when `made` was the newest message is that of the
/// present agent of this name, which was itself made at `born` (nothing: there is none, and so no
/// other one): one that was ended may have left it, and nothing of that counts against its
/// successor or is given back to it.
[[nodiscard]] inline bool counts_against(std::optional<core::Seq> born, core::Seq made) noexcept {
    return !born || *born <= made;
}

/// Channel messages that were unread when the agent unsubscribed; they stay in its mailbox.
struct CopiesRow {
    core::Seq dropped;                // newest that found no room here; 0: none
    std::vector<std::uint64_t> seqs;  // sorted

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static CopiesRow parse(std::string_view bytes);
};

[[nodiscard]] std::string encode_token(const TokenRecord& token);
[[nodiscard]] TokenRecord parse_token(std::string_view bytes);

[[nodiscard]] std::string encode_web_session(const WebSessionRecord& session);
[[nodiscard]] WebSessionRecord parse_web_session(std::string_view bytes);

/// A channel with what only the writer needs to know.
struct ChannelRow {
    ChannelRecord record;
    core::Seq born;  // head when it was made: older messages belong to an earlier one of this name
    /// Its newest message when somebody last looked whether it is idle, and since when it has been:
    /// the time of that message, of its making, or when its last subscriber left.
    core::ChannelSeq idle_seq;
    core::Timestamp idle_since;  // by the store's own time
    /// Whether its maker is one of its members. In rows before version 3 it was remembered by name
    /// alone.
    bool maker_is_member = false;

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static ChannelRow parse(const core::ChannelName& name, std::string_view bytes);
};
[[nodiscard]] ChannelRecord parse_channel(const core::ChannelName& name, std::string_view bytes);
/// The name is a stored key.
[[nodiscard]] core::ChannelName stored_channel_name(std::string_view text);
[[nodiscard]] core::AgentId stored_agent_id(std::string_view text);

struct MemberRow {
    MemberRights rights = 0;

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static MemberRow parse(std::string_view bytes);
};

struct SubscriptionRow {
    core::Seq after;  // head when it began

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static SubscriptionRow parse(std::string_view bytes);
};

/// What an agent has taken of each quota. There is none for an agent that has taken nothing.
struct UsageRow {
    std::uint64_t unclaimed_mailboxes = 0;  // that its messages made
    std::uint64_t channels = 0;             // that it made
    std::uint64_t subscriptions = 0;

    [[nodiscard]] bool empty() const noexcept {
        return unclaimed_mailboxes == 0 && channels == 0 && subscriptions == 0;
    }
    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static UsageRow parse(std::string_view bytes);
};

struct IdempotencyRow {
    core::Seq seq;
    core::ChannelSeq channel_seq;
    core::Timestamp timestamp;            // that the message shows
    core::Timestamp stored;               // by the store's own time; since version 3
    std::optional<std::uint64_t> digest;  // of the body; version 1 had none

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static IdempotencyRow parse(std::string_view bytes);
};

/// Keyed messages in the order of their time, so that what has run out is found at the front.
struct KeyOrderRow {
    core::Timestamp stored;  // by the store's own time
    std::string key;         // in idempotency_keys

    [[nodiscard]] std::string encode() const;
    [[nodiscard]] static KeyOrderRow parse(std::string_view bytes);
};

[[nodiscard]] std::string encode_number(std::uint64_t value);
[[nodiscard]] std::uint64_t parse_number(std::string_view bytes);

}  // namespace agentcom::store

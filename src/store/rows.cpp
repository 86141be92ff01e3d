#include "store/rows.hpp"

#include <algorithm>
#include <utility>

#include "store/bytes.hpp"
#include "store/checksum.hpp"

namespace agentcom::store {
namespace {

// The present version of each row that has had more than one.
constexpr std::uint8_t kStateVersion = 3;
constexpr std::uint8_t kAgentVersion = 3;
constexpr std::uint8_t kChannelVersion = 3;
constexpr std::uint8_t kTokenVersion = 2;
constexpr std::uint8_t kIdempotencyVersion = 3;

// Flags of a channel.
constexpr std::uint8_t kPrivate = 1;
constexpr std::uint8_t kMembersPublish = 2;
constexpr std::uint8_t kMakerIsMember = 4;

std::string new_row(std::uint8_t version = 1) { return {static_cast<char>(version)}; }

/// A row behind its version byte.
struct OpenedRow {
    std::uint8_t version;
    ByteReader reader;
};

OpenedRow open_versioned(std::string_view bytes, std::uint8_t newest) {
    ByteReader reader(bytes);
    // The highest bit says that it was sealed, which has been looked at.
    const auto version = static_cast<std::uint8_t>(reader.fixed<std::uint8_t>() & ~kSealed);
    if (version == 0 || version > newest) {
        throw DamagedStore("a stored row has an unknown version");
    }
    return {version, reader};
}

ByteReader open_row(std::string_view bytes) { return open_versioned(bytes, 1).reader; }

core::Seq take_seq(ByteReader& reader) { return core::Seq{reader.fixed<std::uint64_t>()}; }
core::Timestamp take_time(ByteReader& reader) {
    return core::Timestamp{reader.fixed<std::int64_t>()};
}

}  // namespace

std::string StateRow::encode() const {
    std::string out = new_row(kStateVersion);
    for (const std::uint64_t value :
         {head.value, first.value, static_cast<std::uint64_t>(last_timestamp.ms), evicted.value,
          log_bytes, unclaimed_mailboxes, channels, kept, kept_bytes,
          static_cast<std::uint64_t>(clock.stored.ms), static_cast<std::uint64_t>(clock.wall.ms),
          static_cast<std::uint64_t>(clock.elapsed_ms), clock.boot}) {
        append_fixed(out, value);
    }
    return out;
}

StateRow StateRow::parse(std::string_view bytes) {
    auto [version, reader] = open_versioned(bytes, kStateVersion);
    StateRow row;
    row.head = take_seq(reader);
    row.first = take_seq(reader);
    row.last_timestamp = take_time(reader);
    row.evicted = take_seq(reader);
    row.log_bytes = reader.fixed<std::uint64_t>();
    row.unclaimed_mailboxes = reader.fixed<std::uint64_t>();
    row.channels = reader.fixed<std::uint64_t>();
    row.kept = reader.fixed<std::uint64_t>();
    if (version >= 2) row.kept_bytes = reader.fixed<std::uint64_t>();
    row.clock = ClockAnchor{row.last_timestamp, row.last_timestamp, 0, 0};
    if (version >= 3) {
        row.clock.stored = take_time(reader);
        row.clock.wall = take_time(reader);
        row.clock.elapsed_ms = reader.fixed<std::int64_t>();
        row.clock.boot = reader.fixed<std::uint64_t>();
    }
    return row;
}

void AgentRow::encode(std::string& out) const {
    out = new_row(kAgentVersion);
    append_fixed(out, static_cast<std::uint8_t>(claimed ? 1 : 0));
    append_fixed(out, broadcasts_after.value);
    append_fixed(out, cursor.value);
    append_short_text(out, creator);
    append_fixed(out, born.value);
    for (const auto* list : {&spans, &acked, &shown}) {
        append_varint(out, list->size());
        for (const ReadSpan& span : *list) {
            append_fixed(out, span.after.value);
            append_fixed(out, span.up_to.value);
        }
    }
}

AgentRow AgentRow::parse(std::string_view bytes) {
    auto [version, reader] = open_versioned(bytes, kAgentVersion);
    AgentRow row;
    row.claimed = reader.fixed<std::uint8_t>() != 0;
    row.broadcasts_after = take_seq(reader);
    row.cursor = take_seq(reader);
    const auto take_span = [&from = reader](Spans& list) {
        const core::Seq after = take_seq(from);
        list.push_back(ReadSpan{after, take_seq(from)});
    };
    if (version == 1) {
        while (!reader.empty()) take_span(row.spans);
        row.shown = row.spans;
        return row;
    }
    row.creator = reader.short_text();
    if (version >= 3) row.born = take_seq(reader);
    for (auto* list : {&row.spans, &row.acked, &row.shown}) {
        for (std::uint64_t left = reader.varint(); left > 0; --left) take_span(*list);
    }
    return row;
}

bool AgentRow::has_read(core::Seq seq) const noexcept {
    return span_of(spans, seq) != nullptr || span_of(acked, seq) != nullptr;
}

std::string CopiesRow::encode() const {
    std::string out = new_row();
    append_fixed(out, dropped.value);
    for (const std::uint64_t seq : seqs) append_fixed(out, seq);
    return out;
}

CopiesRow CopiesRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    CopiesRow row;
    row.dropped = take_seq(reader);
    while (!reader.empty()) row.seqs.push_back(reader.fixed<std::uint64_t>());
    return row;
}

core::ChannelName stored_channel_name(std::string_view text) {
    auto name = core::ChannelName::parse(text);
    if (!name) throw DamagedStore("a stored channel name is not one");
    return std::move(*name);
}

core::AgentId stored_agent_id(std::string_view text) {
    auto agent = core::AgentId::parse_issued(text);
    if (!agent) throw DamagedStore("a stored agent id is not one");
    return std::move(*agent);
}

std::string encode_token(const TokenRecord& token) {
    std::string out = new_row(kTokenVersion);
    append_fixed(out, static_cast<std::uint8_t>(token.role));
    append_fixed(out, token.created_at.ms);
    append_short_text(out, token.prefix);
    append_short_text(out, token.agent.str());
    append_fixed(out, token.expires_at ? token.expires_at->ms : std::int64_t{0});
    append_fixed(out, token.last_used_day);
    append_short_text(out, token.name);
    return out;
}

TokenRecord parse_token(std::string_view bytes) {
    auto [version, reader] = open_versioned(bytes, kTokenVersion);
    const auto role = reader.fixed<std::uint8_t>();
    if (role > static_cast<std::uint8_t>(core::Role::observer)) {
        throw DamagedStore("a stored token has an unknown role");
    }
    const core::Timestamp created_at = take_time(reader);
    const std::string_view prefix = reader.short_text();
    TokenRecord token{stored_agent_id(reader.short_text()), static_cast<core::Role>(role),
                      std::string(prefix), created_at};
    if (version >= 2) {
        const core::Timestamp expires_at = take_time(reader);
        if (expires_at.ms != 0) token.expires_at = expires_at;
        token.last_used_day = reader.fixed<std::uint32_t>();
        token.name = reader.short_text();
    }
    return token;
}

std::string encode_web_session(const WebSessionRecord& session) {
    std::string out = new_row();
    for (const std::uint8_t byte : session.token) out.push_back(static_cast<char>(byte));
    append_fixed(out, session.created_at.ms);
    append_fixed(out, session.expires_at.ms);
    return out;
}

WebSessionRecord parse_web_session(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    WebSessionRecord session;
    for (std::uint8_t& byte : session.token) byte = reader.fixed<std::uint8_t>();
    session.created_at = take_time(reader);
    session.expires_at = take_time(reader);
    return session;
}

std::string ChannelRow::encode() const {
    std::string out = new_row(kChannelVersion);
    append_fixed(out, record.subscriber_count);
    append_fixed(out, record.created_at.ms);
    append_short_text(out, record.created_by.str());
    append_fixed(out, born.value);
    append_fixed(out, idle_seq.value);
    append_fixed(out, idle_since.ms);
    append_fixed(out, static_cast<std::uint8_t>((record.is_private ? kPrivate : 0) |
                                                (record.members_publish ? kMembersPublish : 0) |
                                                (maker_is_member ? kMakerIsMember : 0)));
    append_fixed(out, record.member_count);
    out.append(record.description);
    return out;
}

ChannelRow ChannelRow::parse(const core::ChannelName& name, std::string_view bytes) {
    auto [version, reader] = open_versioned(bytes, kChannelVersion);
    const auto subscribers = reader.fixed<std::uint64_t>();
    const core::Timestamp created_at = take_time(reader);
    core::AgentId created_by = stored_agent_id(reader.short_text());
    core::Seq born;
    core::ChannelSeq idle_seq;
    core::Timestamp idle_since = created_at;
    if (version >= 2) {
        born = take_seq(reader);
        idle_seq.value = reader.fixed<std::uint64_t>();
        idle_since = take_time(reader);
    }
    std::uint8_t flags = 0;
    std::uint32_t members = 0;
    if (version >= 3) {
        flags = reader.fixed<std::uint8_t>();
        members = reader.fixed<std::uint32_t>();
    }
    return ChannelRow{ChannelRecord{name, std::string(reader.rest()), std::move(created_by),
                                    created_at, subscribers, (flags & kPrivate) != 0,
                                    (flags & kMembersPublish) != 0, members},
                      born, idle_seq, idle_since, (flags & kMakerIsMember) != 0};
}

ChannelRecord parse_channel(const core::ChannelName& name, std::string_view bytes) {
    return ChannelRow::parse(name, bytes).record;
}

std::string MemberRow::encode() const {
    std::string out = new_row();
    append_fixed(out, rights);
    return out;
}

MemberRow MemberRow::parse(std::string_view bytes) {
    return MemberRow{open_row(bytes).fixed<MemberRights>()};
}

std::string SubscriptionRow::encode() const {
    std::string out = new_row();
    append_fixed(out, after.value);
    return out;
}

SubscriptionRow SubscriptionRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    return SubscriptionRow{take_seq(reader)};
}

std::string UsageRow::encode() const {
    std::string out = new_row();
    append_fixed(out, unclaimed_mailboxes);
    append_fixed(out, channels);
    append_fixed(out, subscriptions);
    return out;
}

UsageRow UsageRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    UsageRow row;
    row.unclaimed_mailboxes = reader.fixed<std::uint64_t>();
    row.channels = reader.fixed<std::uint64_t>();
    row.subscriptions = reader.fixed<std::uint64_t>();
    return row;
}

std::string IdempotencyRow::encode() const {
    std::string out = new_row(digest ? kIdempotencyVersion : 1);
    append_fixed(out, seq.value);
    append_fixed(out, channel_seq.value);
    append_fixed(out, timestamp.ms);
    if (digest) {
        append_fixed(out, *digest);
        append_fixed(out, stored.ms);
    }
    return out;
}

IdempotencyRow IdempotencyRow::parse(std::string_view bytes) {
    auto [version, reader] = open_versioned(bytes, kIdempotencyVersion);
    IdempotencyRow row;
    row.seq = take_seq(reader);
    row.channel_seq.value = reader.fixed<std::uint64_t>();
    row.timestamp = take_time(reader);
    if (version >= 2) row.digest = reader.fixed<std::uint64_t>();
    row.stored = version >= 3 ? take_time(reader) : row.timestamp;
    return row;
}

std::string KeyOrderRow::encode() const {
    std::string out = new_row();
    append_fixed(out, stored.ms);
    out.append(key);
    return out;
}

KeyOrderRow KeyOrderRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    const core::Timestamp stored = take_time(reader);
    return KeyOrderRow{stored, std::string(reader.rest())};
}

std::string encode_number(std::uint64_t value) {
    std::string out = new_row();
    append_fixed(out, value);
    return out;
}

std::uint64_t parse_number(std::string_view bytes) {
    return open_row(bytes).fixed<std::uint64_t>();
}

}  // namespace agentcom::store

#include "store/rows.hpp"

#include <algorithm>
#include <utility>

#include "store/bytes.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint8_t kRowVersion = 1;

std::string new_row() { return {static_cast<char>(kRowVersion)}; }

ByteReader open_row(std::string_view bytes) {
    ByteReader reader(bytes);
    if (reader.fixed<std::uint8_t>() != kRowVersion) {
        throw DamagedStore("a stored row has an unknown version");
    }
    return reader;
}

core::Seq take_seq(ByteReader& reader) { return core::Seq{reader.fixed<std::uint64_t>()}; }
core::Timestamp take_time(ByteReader& reader) {
    return core::Timestamp{reader.fixed<std::int64_t>()};
}

}  // namespace

std::string StateRow::encode() const {
    std::string out = new_row();
    for (const std::uint64_t value :
         {head.value, first.value, static_cast<std::uint64_t>(last_timestamp.ms), evicted.value,
          log_bytes, unclaimed_mailboxes, channels, kept}) {
        append_fixed(out, value);
    }
    return out;
}

StateRow StateRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    StateRow row;
    row.head = take_seq(reader);
    row.first = take_seq(reader);
    row.last_timestamp = take_time(reader);
    row.evicted = take_seq(reader);
    row.log_bytes = reader.fixed<std::uint64_t>();
    row.unclaimed_mailboxes = reader.fixed<std::uint64_t>();
    row.channels = reader.fixed<std::uint64_t>();
    row.kept = reader.fixed<std::uint64_t>();
    return row;
}

void AgentRow::encode(std::string& out) const {
    out = new_row();
    append_fixed(out, static_cast<std::uint8_t>(claimed ? 1 : 0));
    append_fixed(out, broadcasts_after.value);
    append_fixed(out, cursor.value);
    for (const ReadSpan& span : spans) {
        append_fixed(out, span.after.value);
        append_fixed(out, span.up_to.value);
    }
}

AgentRow AgentRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    AgentRow row;
    row.claimed = reader.fixed<std::uint8_t>() != 0;
    row.broadcasts_after = take_seq(reader);
    row.cursor = take_seq(reader);
    while (!reader.empty()) {
        const core::Seq after = take_seq(reader);
        row.spans.push_back(ReadSpan{after, take_seq(reader)});
    }
    return row;
}

const ReadSpan* AgentRow::span_of(core::Seq seq) const noexcept {
    const auto it = std::partition_point(spans.begin(), spans.end(),
                                         [seq](const ReadSpan& span) { return span.up_to < seq; });
    return it != spans.end() && it->after < seq ? &*it : nullptr;
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
    std::string out = new_row();
    append_fixed(out, static_cast<std::uint8_t>(token.role));
    append_fixed(out, token.created_at.ms);
    append_short_text(out, token.prefix);
    append_short_text(out, token.agent.str());
    return out;
}

TokenRecord parse_token(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    const bool admin = reader.fixed<std::uint8_t>() == static_cast<std::uint8_t>(core::Role::admin);
    const core::Timestamp created_at = take_time(reader);
    const std::string_view prefix = reader.short_text();
    return TokenRecord{stored_agent_id(reader.short_text()),
                       admin ? core::Role::admin : core::Role::agent, std::string(prefix),
                       created_at};
}

std::string encode_channel(const ChannelRecord& channel) {
    std::string out = new_row();
    append_fixed(out, channel.subscriber_count);
    append_fixed(out, channel.created_at.ms);
    append_short_text(out, channel.created_by.str());
    out.append(channel.description);
    return out;
}

ChannelRecord parse_channel(const core::ChannelName& name, std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    const auto subscribers = reader.fixed<std::uint64_t>();
    const core::Timestamp created_at = take_time(reader);
    const std::string_view created_by = reader.short_text();
    return ChannelRecord{name, std::string(reader.rest()), stored_agent_id(created_by), created_at,
                         subscribers};
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

std::string IdempotencyRow::encode() const {
    std::string out = new_row();
    append_fixed(out, seq.value);
    append_fixed(out, channel_seq.value);
    append_fixed(out, timestamp.ms);
    return out;
}

IdempotencyRow IdempotencyRow::parse(std::string_view bytes) {
    ByteReader reader = open_row(bytes);
    IdempotencyRow row;
    row.seq = take_seq(reader);
    row.channel_seq.value = reader.fixed<std::uint64_t>();
    row.timestamp = take_time(reader);
    return row;
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

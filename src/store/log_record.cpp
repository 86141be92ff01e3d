#include "store/log_record.hpp"

#include <memory>
#include <utility>

#include "store/bytes.hpp"
#include "store/checksum.hpp"
#include "store/rows.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint8_t kHasReplyTo = 1;
constexpr std::uint8_t kHasRoot = 2;
constexpr std::uint8_t kHasStored = 4;

RecordKind kind_of(const core::Destination& to) {
    if (std::holds_alternative<core::ToAgent>(to)) return RecordKind::to_agent;
    if (std::holds_alternative<core::ToChannel>(to)) return RecordKind::to_channel;
    return std::get<core::ToEveryone>(to).spelled ? RecordKind::to_everyone_spelled
                                                  : RecordKind::to_everyone;
}

core::MessageParts::To shown_kind(RecordKind kind) noexcept {
    using To = core::MessageParts::To;
    switch (kind) {
        case RecordKind::to_agent:
            return To::agent;
        case RecordKind::to_everyone:
            return To::everyone;
        case RecordKind::to_everyone_spelled:
            return To::everyone_spelled;
        case RecordKind::to_channel:
            break;
    }
    return To::channel;
}

core::Destination stored_destination(const RecordView& record) {
    switch (record.kind) {
        case RecordKind::to_agent:
            return core::ToAgent{stored_agent_id(record.destination)};
        case RecordKind::to_everyone:
            return core::ToEveryone{false};
        case RecordKind::to_everyone_spelled:
            return core::ToEveryone{true};
        case RecordKind::to_channel:
            break;
    }
    return core::ToChannel{stored_channel_name(record.destination)};
}

}  // namespace

void append_record(std::string& out, const core::Draft& draft, MessageTimes times, core::Seq root,
                   core::ChannelSeq channel_seq) {
    // Most often they are the same, and eight bytes of each message are worth a flag.
    const bool apart = times.stored != times.shown;
    const RecordKind kind = kind_of(draft.to);
    append_fixed(out, static_cast<std::uint8_t>(kind));
    append_fixed(out, static_cast<std::uint8_t>((draft.reply_to ? kHasReplyTo : 0) |
                                                (root.value != 0 ? kHasRoot : 0) |
                                                (apart ? kHasStored : 0)));
    append_fixed(out, times.shown.ms);
    if (apart) append_fixed(out, times.stored.ms);
    if (root.value != 0) append_fixed(out, root.value);
    if (kind == RecordKind::to_channel) append_fixed(out, channel_seq.value);
    append_short_text(out, draft.from.str());
    if (const auto* agent = std::get_if<core::ToAgent>(&draft.to)) {
        append_short_text(out, agent->agent.str());
    } else if (const auto* channel = std::get_if<core::ToChannel>(&draft.to)) {
        append_short_text(out, channel->channel.str());
    }
    if (draft.reply_to) append_short_text(out, *draft.reply_to);
    append_varint(out, draft.type.size());
    out.append(draft.type);
    out.append(draft.payload.text);
}

RecordView parse_record(std::string_view bytes) {
    ByteReader reader(bytes);
    RecordView record;
    const auto kind = static_cast<std::uint8_t>(reader.fixed<std::uint8_t>() & ~kSealed);
    if (kind < 1 || kind > 4) throw DamagedStore("a stored message has an unknown destination");
    record.kind = static_cast<RecordKind>(kind);
    const auto flags = reader.fixed<std::uint8_t>();
    record.timestamp.ms = reader.fixed<std::int64_t>();
    record.stored = record.timestamp;
    if ((flags & kHasStored) != 0) record.stored.ms = reader.fixed<std::int64_t>();
    if ((flags & kHasRoot) != 0) record.root.value = reader.fixed<std::uint64_t>();
    if (record.kind == RecordKind::to_channel) {
        record.channel_seq.value = reader.fixed<std::uint64_t>();
    }
    record.from = reader.short_text();
    if (record.kind == RecordKind::to_agent || record.kind == RecordKind::to_channel) {
        record.destination = reader.short_text();
    }
    if ((flags & kHasReplyTo) != 0) record.reply_to = reader.short_text();
    record.type = reader.take(reader.varint());
    record.payload = reader.rest();
    return record;
}

std::uint64_t shown_size(const RecordView& record) noexcept {
    constexpr std::uint64_t kKeysAndNumbers = 320;
    // A control character is escaped with six bytes, a quotation mark with two; a channel's name
    // is shown in up to three places.
    const std::uint64_t names = record.from.size() + record.reply_to.value_or("").size();
    return kKeysAndNumbers + 6 * record.type.size() + 2 * names + 3 * record.destination.size() +
           record.payload.size();
}

MessageTimes record_times(std::string_view bytes) {
    ByteReader reader(bytes);
    reader.take(1);
    const auto flags = reader.fixed<std::uint8_t>();
    const core::Timestamp shown{reader.fixed<std::int64_t>()};
    if ((flags & kHasStored) == 0) return {shown, shown};
    return {shown, core::Timestamp{reader.fixed<std::int64_t>()}};
}

void check_names(const RecordView& record) {
    (void)stored_agent_id(record.from);
    (void)stored_destination(record);
}

core::MessageParts parts_of(const RecordView& record, core::Seq seq,
                            const Epochs& epochs) noexcept {
    return {.seq = seq,
            .id = epochs.id_of(seq),
            .channel_seq = record.channel_seq,
            .timestamp = record.timestamp,
            .to = shown_kind(record.kind),
            .from = record.from,
            .destination = record.destination,
            .type = record.type,
            .payload = record.payload,
            .reply_to = record.reply_to};
}

core::MessagePtr to_message(const RecordView& record, core::Seq seq, const Epochs& epochs) {
    core::Draft draft{stored_agent_id(record.from), stored_destination(record),
                      std::string(record.type), core::JsonText{std::string(record.payload)},
                      std::nullopt};
    if (record.reply_to) draft.reply_to = std::string(*record.reply_to);
    return std::make_shared<const core::Message>(core::Message{
        seq, epochs.id_of(seq), record.channel_seq, record.timestamp, std::move(draft)});
}

}  // namespace agentcom::store

// WebSocket frames to requests. One function per frame type and one table of them.

#include <algorithm>
#include <array>
#include <utility>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/vocabulary.hpp"
#include "protocol/fields.hpp"

namespace agentcom::protocol {

namespace {

using core::ErrorCode;
using RequestResult = core::result<Request>;

/// The original answers a known frame with a missing or wrong field as if its type were unknown.
constexpr FieldRules kRules{ErrorCode::unknown_message_type};
constexpr std::size_t kMaxRefBytes = 256;
constexpr std::uint64_t kMaxChannelHistory = 200;
constexpr std::uint64_t kDefaultChannelHistory = 50;

core::Error missing(Key key) {
    const std::string name(key_name(key));
    return {ErrorCode::unknown_message_type, name, "the field \"" + name + "\" is required"};
}

bool flag(const Fields& fields, Key key, bool otherwise) {
    const JsonValue* value = fields.find(key);
    return value != nullptr && value->kind == JsonKind::boolean ? value->raw == "true" : otherwise;
}

std::optional<core::JsonText> any_value(const Fields& fields, Key key) {
    const JsonValue* value = fields.find(key);
    if (value == nullptr) return std::nullopt;
    return core::JsonText{std::string(value->raw)};
}

struct NamedChannel {
    core::ChannelName name;
    std::string text;
};
core::result<NamedChannel> channel(const Fields& fields) {
    const JsonValue* value = fields.find(Key::channel);
    if (value == nullptr) return missing(Key::channel);
    if (value->kind != JsonKind::string) return kRules.wrong(Key::channel, "a string");
    std::string text = text_of(*value);
    auto name = core::ChannelName::parse(text);
    if (!name) return core::Error(ErrorCode::invalid_channel_name, "channel");
    return NamedChannel{std::move(*name), std::move(text)};
}

RequestResult identify(const Fields& fields) {
    const JsonValue* agent = fields.find(Key::agent_id);
    if (agent == nullptr) return missing(Key::agent_id);
    const JsonValue* token = fields.find(Key::token);
    return Request(Identify{
        .agent_id = agent->kind == JsonKind::string ? text_of(*agent) : std::string(agent->raw),
        .token = token != nullptr && token->kind == JsonKind::string ? text_of(*token) : "",
        .name = any_value(fields, Key::name),
        .status = any_value(fields, Key::status),
        .capabilities = any_value(fields, Key::capabilities),
        .acks = flag(fields, Key::acks, false),
        .presence = flag(fields, Key::presence, true),
        .echo = flag(fields, Key::echo, true)});
}

RequestResult message(const Fields& fields) {
    auto to = kRules.destination(fields);
    if (!to) return to.error();
    auto type = kRules.message_type(fields, Key::message_type);
    if (!type) return type.error();
    auto reply_to = kRules.reply_to(fields);
    if (!reply_to) return reply_to.error();
    auto key = kRules.idempotency_key(fields);
    if (!key) return key.error();
    return Request(SendMessage{std::move(*to), std::move(*type), kRules.payload(fields),
                               std::move(*reply_to), std::move(*key)});
}

RequestResult publish(const Fields& fields) {
    auto target = channel(fields);
    if (!target) return target.error();
    if (fields.find(Key::payload) == nullptr) return missing(Key::payload);
    auto payload = kRules.channel_payload(fields);
    if (!payload) return payload.error();
    auto type = kRules.message_type(fields, Key::message_type);
    if (!type) return type.error();
    auto reply_to = kRules.reply_to(fields);
    if (!reply_to) return reply_to.error();
    auto key = kRules.idempotency_key(fields);
    if (!key) return key.error();
    return Request(Publish{std::move(target->name), std::move(*type), std::move(*payload),
                           std::move(*reply_to), std::move(*key)});
}

RequestResult status(const Fields& fields) {
    auto value = any_value(fields, Key::status);
    if (!value) return missing(Key::status);
    return Request(SetStatus{std::move(*value)});
}

RequestResult subscribe(const Fields& fields) {
    auto target = channel(fields);
    if (!target) return target.error();
    return Request(Subscribe{std::move(target->name), std::move(target->text)});
}

RequestResult unsubscribe(const Fields& fields) {
    auto target = channel(fields);
    if (!target) return target.error();
    return Request(Unsubscribe{std::move(target->name), std::move(target->text)});
}

RequestResult channel_history(const Fields& fields) {
    auto target = channel(fields);
    if (!target) return target.error();
    ChannelHistory request{.channel = std::move(target->name),
                           .channel_text = std::move(target->text),
                           .since = std::nullopt,
                           .limit = kDefaultChannelHistory};
    if (const JsonValue* limit = fields.find_non_null(Key::limit)) {
        const auto number = integer_of(*limit);
        if (!number || *number < 0) return kRules.wrong(Key::limit, "an integer of at least 0");
        request.limit = std::min(static_cast<std::uint64_t>(*number), kMaxChannelHistory);
    }
    if (const JsonValue* since = fields.find_non_null(Key::since)) {
        const auto number = integer_of(*since);
        if (!number || *number < 0) return kRules.wrong(Key::since, "an integer of at least 0");
        request.since = core::ChannelSeq{static_cast<std::uint64_t>(*number)};
    }
    return Request(std::move(request));
}

RequestResult ack(const Fields& fields) {
    const JsonValue* value = fields.find(Key::seq);
    if (value == nullptr) return missing(Key::seq);
    const auto number = integer_of(*value);
    if (!number || *number < 0) return kRules.wrong(Key::seq, "an integer of at least 0");
    return Request(Ack{std::nullopt, core::Seq{static_cast<std::uint64_t>(*number)}});
}

RequestResult ping(const Fields&) { return Request(Ping{}); }
RequestResult list_agents(const Fields&) { return Request(ListAgents{}); }
RequestResult list_channels(const Fields&) { return Request(ListChannels{}); }

struct FrameType {
    std::string_view name;
    RequestResult (*decode)(const Fields&);
};
/// What a client may send; docs/protocol.md lists the same.
constexpr std::array kFrameTypes{
    FrameType{"message", message},
    FrameType{"channel_publish", publish},
    FrameType{"ack", ack},
    FrameType{"ping", ping},
    FrameType{"identify", identify},
    FrameType{"status", status},
    FrameType{"list_agents", list_agents},
    FrameType{"channel_subscribe", subscribe},
    FrameType{"channel_unsubscribe", unsubscribe},
    FrameType{"channel_history", channel_history},
    FrameType{"list_channels", list_channels},
};

bool is_usable_ref(const JsonValue& ref) {
    return (ref.kind == JsonKind::string || ref.kind == JsonKind::number) &&
           ref.raw.size() <= kMaxRefBytes;
}

RequestResult decode_request(const Fields& fields, bool identified) {
    const JsonValue* type = fields.find(Key::type);
    const std::string name =
        type != nullptr && type->kind == JsonKind::string ? text_of(*type) : std::string();
    if (!identified && (name != "identify" || fields.find(Key::agent_id) == nullptr)) {
        return core::Error(ErrorCode::not_identified);
    }
    const auto known = std::ranges::find(kFrameTypes, name, &FrameType::name);
    if (known == kFrameTypes.end()) return core::Error(ErrorCode::unknown_message_type);
    return known->decode(fields);
}

}  // namespace

std::vector<std::string_view> client_frame_types() {
    std::vector<std::string_view> names;
    names.reserve(kFrameTypes.size());
    for (const FrameType& type : kFrameTypes) names.push_back(type.name);
    return names;
}

Frame decode_frame(std::string_view text, bool identified) {
    Frame frame;
    Fields fields;
    switch (fields.scan(text)) {
        case Fields::Shape::invalid:
            frame.request = core::Error(ErrorCode::invalid_json);
            return frame;
        case Fields::Shape::other:
            frame.request = core::Error(identified ? ErrorCode::unknown_message_type
                                                   : ErrorCode::not_identified);
            return frame;
        case Fields::Shape::object:
            break;
    }
    const JsonValue* ref = fields.find_non_null(Key::ref);
    if (ref != nullptr && is_usable_ref(*ref)) frame.ref = core::JsonText{std::string(ref->raw)};
    frame.request = decode_request(fields, identified);
    // Whoever asked for a ref waits for it: a request that cannot be told apart is not carried out.
    if (ref != nullptr && !frame.ref && frame.request) {
        frame.request = kRules.wrong(Key::ref, "a string or number of at most 256 bytes");
    }
    return frame;
}

}  // namespace agentcom::protocol

#include "protocol/fields.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::protocol {

namespace {

constexpr std::array<std::string_view, kKeyCount> kKeyNames{"type",
                                                            "ref",
                                                            "to",
                                                            "message_type",
                                                            "payload",
                                                            "reply_to",
                                                            "idempotency_key",
                                                            "agent_id",
                                                            "token",
                                                            "name",
                                                            "status",
                                                            "capabilities",
                                                            "acks",
                                                            "presence",
                                                            "echo",
                                                            "channel",
                                                            "limit",
                                                            "since",
                                                            "seq",
                                                            "description",
                                                            "role",
                                                            "heartbeat_interval_ms",
                                                            "mailbox_ttl_ms"};

constexpr std::size_t kMaxIdempotencyKeyBytes = 128;

std::size_t index_of(std::string_view name) noexcept {
    for (std::size_t i = 0; i < kKeyCount; ++i) {
        if (kKeyNames[i] == name) return i;
    }
    return kKeyCount;
}

}  // namespace

std::string_view key_name(Key key) noexcept { return kKeyNames[static_cast<std::size_t>(key)]; }

Fields::Shape Fields::scan(std::string_view text) {
    JsonScanner scanner(text, kMaxJsonDepth);
    const auto kind = scanner.open();
    if (!kind) return Shape::invalid;
    if (*kind != JsonKind::object) return Shape::other;
    JsonScanner::Member member;
    while (true) {
        switch (scanner.next(member)) {
            case JsonScanner::Step::invalid:
                return Shape::invalid;
            case JsonScanner::Step::end:
                return Shape::object;
            case JsonScanner::Step::member:
                break;
        }
        std::size_t index = 0;
        if (member.key_escaped) {
            const std::string_view quoted(member.key.data() - 1, member.key.size() + 2);
            index = index_of(decode_json_string(quoted, true));
        } else {
            index = index_of(member.key);
        }
        if (index < kKeyCount) values_[index] = member.value;
    }
}

std::optional<std::int64_t> integer_of(const JsonValue& value) noexcept {
    if (value.kind != JsonKind::number) return std::nullopt;
    std::int64_t number = 0;
    const char* end = value.raw.data() + value.raw.size();
    const auto [rest, error] = std::from_chars(value.raw.data(), end, number);
    if (rest != end) return std::nullopt;
    if (error == std::errc::result_out_of_range) {
        return value.raw.front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                        : std::numeric_limits<std::int64_t>::max();
    }
    return number;
}

core::Error FieldRules::wrong(Key key, std::string_view expected) const {
    const std::string name(key_name(key));
    return {wrong_type, name, "\"" + name + "\" must be " + std::string(expected)};
}

core::result<std::string> FieldRules::message_type(const Fields& fields, Key key) const {
    const JsonValue* value = fields.find_non_null(key);
    if (value == nullptr) return std::string("chat");
    if (value->kind != JsonKind::string) return wrong(key, "a string");
    std::string text = text_of(*value);
    if (text.size() > core::kMaxMessageTypeBytes) return wrong(key, "at most 128 bytes long");
    return text;
}

core::result<std::optional<std::string>> FieldRules::reply_to(const Fields& fields) const {
    const JsonValue* value = fields.find_non_null(Key::reply_to);
    if (value == nullptr) return std::optional<std::string>();
    if (value->kind != JsonKind::string) return wrong(Key::reply_to, "a string or null");
    std::string text = text_of(*value);
    if (text.empty()) return std::optional<std::string>();
    if (text.size() > core::kMaxReplyToBytes) {
        return wrong(Key::reply_to, "at most 128 bytes long");
    }
    if (core::has_control_characters(text)) {
        return wrong(Key::reply_to, "free of control characters");
    }
    return std::optional<std::string>(std::move(text));
}

core::result<std::string> check_idempotency_key(std::string key) {
    if (key.empty() || key.size() > kMaxIdempotencyKeyBytes || !core::is_valid_utf8(key) ||
        core::has_control_characters(key)) {
        return core::Error(core::ErrorCode::invalid_idempotency_key, "idempotency_key");
    }
    return key;
}

core::result<std::optional<std::string>> FieldRules::idempotency_key(const Fields& fields) const {
    const JsonValue* value = fields.find_non_null(Key::idempotency_key);
    if (value == nullptr) return std::optional<std::string>();
    if (value->kind != JsonKind::string) {
        return core::Error(core::ErrorCode::invalid_idempotency_key, "idempotency_key");
    }
    auto key = check_idempotency_key(text_of(*value));
    if (!key) return key.error();
    return std::optional<std::string>(std::move(*key));
}

core::result<core::Destination> FieldRules::destination(const Fields& fields) const {
    const JsonValue* value = fields.find_non_null(Key::to);
    if (value == nullptr) return core::Destination(core::ToEveryone{false});
    if (value->kind != JsonKind::string) {
        return core::Error(core::ErrorCode::invalid_recipient, "to");
    }
    const std::string text = text_of(*value);
    if (text == "broadcast") return core::Destination(core::ToEveryone{true});
    auto agent = core::AgentId::parse_issued(text);
    if (!agent) return core::Error(core::ErrorCode::invalid_recipient, "to");
    return core::Destination(core::ToAgent{std::move(*agent)});
}

core::JsonText FieldRules::payload(const Fields& fields) const {
    const JsonValue* value = fields.find_non_null(Key::payload);
    if (value == nullptr || value->raw == "false") return core::JsonText{"{}"};
    return core::JsonText{std::string(value->raw)};
}

core::result<core::JsonText> FieldRules::channel_payload(const Fields& fields) const {
    const JsonValue* value = fields.find_non_null(Key::payload);
    if (value != nullptr && value->raw != "false" && value->kind != JsonKind::object) {
        return core::Error(core::ErrorCode::invalid_payload, "payload");
    }
    return payload(fields);
}

}  // namespace agentcom::protocol

#include "protocol/input.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "protocol/field_specs.hpp"

namespace agentcom::protocol {

namespace {

using core::ErrorCode;

constexpr std::size_t kMaxIdempotencyKeyBytes = 128;

core::result<std::optional<std::string>> check_idempotency_key(std::string key) {
    if (key.empty() || key.size() > kMaxIdempotencyKeyBytes || !core::is_valid_utf8(key) ||
        core::has_control_characters(key)) {
        return core::Error(ErrorCode::invalid_idempotency_key, "idempotency_key");
    }
    return std::optional<std::string>(std::move(key));
}

std::string expected_integer(std::int64_t least) {
    return least == std::numeric_limits<std::int64_t>::min()
               ? std::string("an integer")
               : "an integer of at least " + std::to_string(least);
}

}  // namespace

std::string Input::argument() const {
    return http_ == nullptr ? std::string() : std::string(http_->path_argument);
}

std::string Input::base_url() const {
    return http_ == nullptr ? std::string() : std::string(http_->base_url);
}

core::Error Input::missing(Key key) const {
    const std::string name(key_name(key));
    if (over_http()) return {ErrorCode::missing_field, name};
    return {ErrorCode::unknown_message_type, name, "the field \"" + name + "\" is required"};
}

core::Error Input::wrong(Key key, std::string_view expected) const {
    // The original answers a known frame with a wrong field as if its type were unknown.
    const ErrorCode code = over_http() ? ErrorCode::invalid_field : ErrorCode::unknown_message_type;
    const std::string name(key_name(key));
    return {code, name, "\"" + name + "\" must be " + std::string(expected)};
}

core::result<std::optional<std::int64_t>> Input::in_bounds(const FieldSpec& spec,
                                                           std::int64_t value) const {
    if (value < spec.least) return wrong(spec.key, expected_integer(spec.least));
    if (value > spec.most && !spec.clamps) {
        return wrong(spec.key, "at most " + std::to_string(spec.most));
    }
    return std::optional<std::int64_t>(std::min(value, spec.most));
}

const std::string* Input::parameter(Key key) const {
    const auto found =
        std::ranges::find(http_->query, key_name(key), &std::pair<std::string, std::string>::first);
    return found == http_->query.end() ? nullptr : &found->second;
}

std::optional<std::string> Input::parameter_text(Key key) const {
    const std::string* text = http_ == nullptr ? nullptr : parameter(key);
    return text == nullptr ? std::nullopt : std::optional(*text);
}

core::result<std::optional<std::int64_t>> Input::query_integer(const FieldSpec& spec) const {
    const std::string* text = parameter(spec.key);
    if (text == nullptr) {
        // name[]=1 and the like are mistakes for the parameter, not parameters of another name.
        const std::string_view name = key_name(spec.key);
        for (const auto& [key, value] : http_->query) {
            if (key.starts_with(name) && key.size() > name.size() && key[name.size()] == '[') {
                return wrong(spec.key, "an integer");
            }
        }
        return std::optional<std::int64_t>();
    }
    std::int64_t value = 0;
    const char* end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, value);
    if (rest != end || text->empty() || error == std::errc::invalid_argument) {
        return wrong(spec.key, "an integer");
    }
    if (error == std::errc::result_out_of_range) {
        value = text->front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                     : std::numeric_limits<std::int64_t>::max();
    }
    return in_bounds(spec, value);
}

core::result<std::optional<std::int64_t>> Input::integer(const FieldSpec& spec) const {
    if (in_query_) return query_integer(spec);
    const JsonValue* value = find_non_null(spec.key);
    if (value == nullptr) return std::optional<std::int64_t>();
    const auto number = integer_of(*value);
    if (!number) return wrong(spec.key, expected_integer(spec.least));
    return in_bounds(spec, *number);
}

core::result<std::uint64_t> Input::number(const FieldSpec& spec) const {
    const auto given = integer(spec);
    if (!given) return given.error();
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, given->value_or(spec.otherwise)));
}

core::result<std::optional<std::string>> Input::text(const FieldSpec& spec) const {
    std::optional<std::string> text;
    if (in_query_) {
        if (const std::string* given = parameter(spec.key)) text = *given;
    } else if (const JsonValue* value = find_non_null(spec.key)) {
        if (value->kind != JsonKind::string) return wrong(spec.key, "a string");
        text = text_of(*value);
    }
    if (text && std::cmp_greater(text->size(), spec.most)) {
        return wrong(spec.key, "at most " + std::to_string(spec.most) + " bytes long");
    }
    return text;
}

core::result<bool> Input::flag(const FieldSpec& spec) const {
    const JsonValue* value = find_non_null(spec.key);
    if (value == nullptr) return spec.otherwise != 0;
    if (value->kind != JsonKind::boolean) return wrong(spec.key, "true or false");
    return value->raw == "true";
}

std::optional<core::JsonText> Input::any(const FieldSpec& spec) const {
    const JsonValue* value = find(spec.key);
    if (value == nullptr) return std::nullopt;
    return core::JsonText{std::string(value->raw)};
}

core::result<ListRange> Input::list_range() const {
    const auto limit = number(kListLimit);
    if (!limit) return limit.error();
    auto cursor = text(kListCursor);
    if (!cursor) return cursor.error();
    return ListRange{*limit, std::move(*cursor).value_or("")};
}

core::result<NamedChannel> Input::channel() const {
    std::string text;
    if (over_http()) {
        text = argument();
    } else {
        const JsonValue* value = find(Key::channel);
        if (value == nullptr) return missing(Key::channel);
        if (value->kind != JsonKind::string) return wrong(Key::channel, "a string");
        text = text_of(*value);
    }
    auto name = core::ChannelName::parse(text);
    if (!name) return core::Error(ErrorCode::invalid_channel_name, "channel");
    return NamedChannel{std::move(*name), std::move(text)};
}

core::result<std::string> Input::message_type() const {
    // In a frame `type` names the frame.
    const Key key = over_http() ? Key::type : Key::message_type;
    const JsonValue* value = find_non_null(key);
    if (value == nullptr) return std::string("chat");
    if (value->kind != JsonKind::string) return wrong(key, "a string");
    std::string text = text_of(*value);
    if (text.size() > core::kMaxMessageTypeBytes) return wrong(key, "at most 128 bytes long");
    return text;
}

core::result<std::optional<std::string>> Input::reply_to() const {
    const JsonValue* value = find_non_null(Key::reply_to);
    if (value == nullptr) return std::optional<std::string>();
    if (value->kind != JsonKind::string) return wrong(Key::reply_to, "a string or null");
    std::string text = text_of(*value);
    if (text.empty()) return std::optional<std::string>();
    if (text.size() > core::kMaxReplyToBytes) return wrong(Key::reply_to, "at most 128 bytes long");
    if (core::has_control_characters(text)) {
        return wrong(Key::reply_to, "free of control characters");
    }
    return std::optional<std::string>(std::move(text));
}

core::result<std::optional<std::string>> Input::idempotency_key() const {
    if (http_ != nullptr && http_->idempotency_key) {
        return check_idempotency_key(std::string(*http_->idempotency_key));
    }
    const JsonValue* value = find_non_null(Key::idempotency_key);
    if (value == nullptr) return std::optional<std::string>();
    if (value->kind != JsonKind::string) {
        return core::Error(ErrorCode::invalid_idempotency_key, "idempotency_key");
    }
    return check_idempotency_key(text_of(*value));
}

core::result<std::optional<std::uint64_t>> Input::last_event_id() const {
    if (http_ == nullptr || !http_->last_event_id || http_->last_event_id->empty()) {
        return std::optional<std::uint64_t>();
    }
    const std::string_view text = *http_->last_event_id;
    std::uint64_t value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (rest != text.data() + text.size() || error != std::errc()) {
        return core::Error(ErrorCode::invalid_field, "Last-Event-ID",
                           "Last-Event-ID must be the id of an event");
    }
    return std::optional<std::uint64_t>(value);
}

core::result<core::Destination> Input::destination() const {
    const JsonValue* value = find_non_null(Key::to);
    if (value == nullptr) return core::Destination(core::ToEveryone{false});
    if (value->kind != JsonKind::string) return core::Error(ErrorCode::invalid_recipient, "to");
    const std::string text = text_of(*value);
    if (text == "broadcast") return core::Destination(core::ToEveryone{true});
    auto agent = core::AgentId::parse_issued(text);
    if (!agent) return core::Error(ErrorCode::invalid_recipient, "to");
    return core::Destination(core::ToAgent{std::move(*agent)});
}

core::JsonText Input::payload() const {
    const JsonValue* value = find_non_null(Key::payload);
    if (value == nullptr || value->raw == "false") return core::JsonText{"{}"};
    return core::JsonText{std::string(value->raw)};
}

core::result<core::JsonText> Input::channel_payload() const {
    const JsonValue* value = find_non_null(Key::payload);
    if (value != nullptr && value->raw != "false" && value->kind != JsonKind::object) {
        return core::Error(ErrorCode::invalid_payload, "payload");
    }
    return payload();
}

}  // namespace agentcom::protocol

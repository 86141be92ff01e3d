#include "mcp/json.hpp"

#include <charconv>
#include <cmath>
#include <utility>

namespace agentcom::mcp {

std::optional<Object> Object::parse(std::string_view text) {
    auto members = protocol::JsonScanner::members(text);
    if (!members) return std::nullopt;
    Object object;
    object.members_ = std::move(*members);
    return object;
}

Object Object::of(const JsonValue* value) {
    if (value == nullptr || value->kind != JsonKind::object) return {};
    return parse(value->raw).value_or(Object());
}

const JsonValue* Object::find(std::string_view name) const noexcept {
    for (auto member = members_.rbegin(); member != members_.rend(); ++member) {
        if (member->first == name) return &member->second;
    }
    return nullptr;
}

std::optional<std::string> Object::text(std::string_view name) const {
    const JsonValue* value = find(name);
    if (value == nullptr || value->kind != JsonKind::string) return std::nullopt;
    return text_of(*value);
}

bool Object::is_object(std::string_view name) const noexcept {
    const JsonValue* value = find(name);
    return value != nullptr && value->kind == JsonKind::object;
}

std::string text_of(const JsonValue& value) {
    return protocol::decode_json_string(value.raw, value.escaped);
}

std::optional<std::int64_t> integer_of(const JsonValue& value) {
    if (value.kind != JsonKind::number) return std::nullopt;
    constexpr double kExact = 9'007'199'254'740'992;  // beyond, a double skips integers
    const char* const end = value.raw.data() + value.raw.size();
    std::int64_t number = 0;
    const auto [rest, error] = std::from_chars(value.raw.data(), end, number);
    if (rest == end && error == std::errc()) return number;
    double real = 0;
    const auto [stop, failed] = std::from_chars(value.raw.data(), end, real);
    if (stop != end || failed != std::errc() || std::trunc(real) != real ||
        std::abs(real) > kExact) {
        return std::nullopt;
    }
    return static_cast<std::int64_t>(real);
}

std::optional<std::vector<std::string>> texts_of(const JsonValue& value) {
    if (value.kind != JsonKind::array) return std::nullopt;
    std::vector<std::string> texts;
    for (const JsonValue& element : protocol::JsonScanner::elements(value.raw)) {
        if (element.kind != JsonKind::string) return std::nullopt;
        texts.push_back(text_of(element));
    }
    return texts;
}

}  // namespace agentcom::mcp

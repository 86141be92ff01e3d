#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/protocol/json_scanner.hpp"
#include "agentcom/protocol/operations.hpp"

namespace agentcom::protocol {

/// The members of one JSON object that are known keys. Views point into the scanned text.
class Fields {
public:
    enum class Shape : std::uint8_t { object, other, invalid };
    /// Scans the text; `other` is valid JSON that is no object. The last of equal keys counts.
    [[nodiscard]] Shape scan(std::string_view text);

    [[nodiscard]] const JsonValue* find(Key key) const noexcept {
        const JsonValue& value = values_[static_cast<std::size_t>(key)];
        return value.raw.empty() ? nullptr : &value;
    }
    /// Null when missing or the literal null.
    [[nodiscard]] const JsonValue* find_non_null(Key key) const noexcept {
        const JsonValue* value = find(key);
        return value != nullptr && value->kind == JsonKind::null ? nullptr : value;
    }

private:
    std::array<JsonValue, kKeyCount> values_{};
};

[[nodiscard]] inline std::string text_of(const JsonValue& value) {
    return decode_json_string(value.raw, value.escaped);
}
/// The value of a number written as a plain integer; nothing for fractions, exponents, other kinds.
/// Integers outside the range of int64 come as its nearest end.
[[nodiscard]] std::optional<std::int64_t> integer_of(const JsonValue& value) noexcept;

}  // namespace agentcom::protocol

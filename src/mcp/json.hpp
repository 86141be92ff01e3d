#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/protocol/json_scanner.hpp"
#include "agentcom/protocol/json_writer.hpp"

namespace agentcom::mcp {

using protocol::JsonKind;
using protocol::JsonValue;
using protocol::JsonWriter;

/// The members of a JSON object, in order; views of its text. Objects within are read when they are
/// needed.
class Object {
public:
    /// Nothing when the text is not one valid JSON object.
    [[nodiscard]] static std::optional<Object> parse(std::string_view text);
    /// An object without members when the value is missing or no object.
    [[nodiscard]] static Object of(const JsonValue* value);

    /// Null when there is none; of equal names the last counts.
    [[nodiscard]] const JsonValue* find(std::string_view name) const noexcept;
    /// Nothing when missing or of another kind.
    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    [[nodiscard]] bool is_object(std::string_view name) const noexcept;
    [[nodiscard]] const std::vector<std::pair<std::string, JsonValue>>& members() const noexcept {
        return members_;
    }

private:
    std::vector<std::pair<std::string, JsonValue>> members_;
};

[[nodiscard]] std::string text_of(const JsonValue& value);
/// The value of a number without a fraction; 5.0 and 5e0 are such, too, as in JavaScript.
[[nodiscard]] std::optional<std::int64_t> integer_of(const JsonValue& value);
/// The strings of an array that holds nothing else.
[[nodiscard]] std::optional<std::vector<std::string>> texts_of(const JsonValue& value);

}  // namespace agentcom::mcp

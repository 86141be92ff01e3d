#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentcom::protocol {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// One value as it stands in the text. Views point into the scanned text.
struct JsonValue {
    JsonKind kind = JsonKind::null;
    bool escaped = false;  // a string with at least one escape
    std::string_view raw;  // the value's bytes, quotes included
};

/// A strict, validating reader of JSON text (RFC 8259) that builds no tree: it walks the members of
/// one top-level object and hands out the bytes of each value, so that a payload is checked once
/// and carried on as it came. Nesting is limited, without recursion; UTF-8 must be valid; an
/// escaped surrogate must come in a pair. Only `members`, `elements` and `Member::name` allocate.
class JsonScanner {
public:
    /// `max_depth` is 1 to 64: the open containers are kept in one word.
    JsonScanner(std::string_view text, std::size_t max_depth)
        : text_(text), max_depth_(max_depth) {}

    /// Checks the text and reads its beginning. Nothing when it cannot be JSON; otherwise the kind
    /// of the top-level value. Only for an object `next` may be called.
    [[nodiscard]] std::optional<JsonKind> open();

    struct Member {
        std::string_view key;  // between the quotes
        bool key_escaped = false;
        JsonValue value;
        /// The key with its quotes, as it was written.
        [[nodiscard]] std::string_view quoted() const noexcept {
            return {key.data() - 1, key.size() + 2};
        }
        /// The key, decoded.
        [[nodiscard]] std::string name() const;
    };
    enum class Step : std::uint8_t { member, end, invalid };
    /// The next member of the top-level object; `end` only after the whole text was found valid.
    [[nodiscard]] Step next(Member& member);

    /// All members of a text that is one object, in order, with their names decoded; nothing when
    /// it is none. Of equal names the last counts.
    [[nodiscard]] static std::optional<std::vector<std::pair<std::string, JsonValue>>> members(
        std::string_view object);
    /// The elements of an array, the bytes of a value that has been found valid.
    [[nodiscard]] static std::vector<JsonValue> elements(std::string_view array);

private:
    void skip_space() noexcept;
    [[nodiscard]] bool at_end() noexcept;
    [[nodiscard]] bool read_value(JsonValue& value);
    [[nodiscard]] bool read_scalar(JsonValue& value);
    [[nodiscard]] bool read_container(JsonValue& value);
    [[nodiscard]] bool read_string(bool& escaped);
    [[nodiscard]] bool read_escape();
    [[nodiscard]] bool read_hex4(unsigned& unit);
    [[nodiscard]] bool read_number();
    [[nodiscard]] bool read_literal(std::string_view literal);
    [[nodiscard]] bool read_key();

    std::string_view text_;
    std::size_t max_depth_;
    std::size_t at_ = 0;
    std::size_t outer_depth_ = 0;  // 1 once the top-level object is open
    bool first_ = true;
};

/// The text of a JSON string value whose bytes (quotes included) have been found valid.
[[nodiscard]] std::string decode_json_string(std::string_view raw, bool escaped);

}  // namespace agentcom::protocol

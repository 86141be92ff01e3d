#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace agentcom::cli {

/// One JSON value as the bytes that came, taken apart only as far as somebody looks: payloads keep
/// their spelling, and a number that no machine can hold spoils nothing but itself. A view of text
/// that must outlive it. What is not JSON is nowhere read beyond its end, and gives what is not
/// there.
class JsonView {
public:
    JsonView() = default;
    explicit JsonView(std::string_view text);

    /// The value's bytes; empty when there is none.
    [[nodiscard]] std::string_view raw() const noexcept { return text_; }
    [[nodiscard]] bool exists() const noexcept { return !text_.empty(); }
    [[nodiscard]] bool is_null() const noexcept { return text_ == "null"; }
    [[nodiscard]] bool is_true() const noexcept { return text_ == "true"; }
    [[nodiscard]] bool is_text() const noexcept { return text_.starts_with('"'); }
    [[nodiscard]] bool is_object() const noexcept { return text_.starts_with('{'); }
    [[nodiscard]] bool is_array() const noexcept { return text_.starts_with('['); }

    /// A member of an object.
    [[nodiscard]] JsonView operator[](std::string_view key) const;
    [[nodiscard]] std::vector<std::pair<std::string, JsonView>> members() const;
    [[nodiscard]] std::vector<JsonView> elements() const;
    /// The text of a string; of anything else its bytes, of null nothing.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] std::optional<std::int64_t> number() const;
    [[nodiscard]] std::int64_t number_or(std::int64_t otherwise) const {
        return number().value_or(otherwise);
    }

private:
    std::string_view text_;
};

/// A JSON string. What is not UTF-8 in the text is replaced.
[[nodiscard]] std::string json_text(std::string_view text);

/// The value on one line that is safe to show on a terminal: line breaks between its parts become
/// blanks, and control characters within strings are written as escapes. It means the same.
[[nodiscard]] std::string one_line(std::string_view json);

}  // namespace agentcom::cli

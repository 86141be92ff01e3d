#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace agentcom::core {

/// Length in bytes (1-4) of the UTF-8 sequence that begins at `at`; 0 when there is none: the text
/// ends, or the bytes are a stray continuation, an overlong form, a surrogate or above U+10FFFF.
[[nodiscard]] std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept;

/// Whether the whole text is UTF-8 in the strict sense of RFC 3629.
[[nodiscard]] bool is_valid_utf8(std::string_view text) noexcept;

/// Whether the text holds a control character: U+0000-U+001F, U+007F, or U+0080-U+009F.
[[nodiscard]] bool has_control_characters(std::string_view text) noexcept;

/// The code point of a sequence that is UTF-8.
[[nodiscard]] std::uint32_t code_point(std::string_view sequence) noexcept;

/// Whether it is a control character: U+0000-U+001F, U+007F, or U+0080-U+009F.
[[nodiscard]] bool is_control(std::uint32_t code_point) noexcept;

/// Whether it changes the direction of what follows, breaks lines, cannot be seen, or means nothing
/// to anybody but those who have agreed on it (private use, noncharacters): in a name or a message
/// it makes people read what is not there, and carries past them what models read. Of characters
/// that are neither controls nor joiners.
[[nodiscard]] bool deceives(std::uint32_t code_point) noexcept;

/// Whether it cannot be seen but changes the look of what stands before and after it, in emoji and
/// in several scripts: U+200C, U+200D and U+FE0F.
[[nodiscard]] bool joins(std::uint32_t code_point) noexcept;

/// Appends one code point, which must not be a surrogate nor above U+10FFFF.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace agentcom::core

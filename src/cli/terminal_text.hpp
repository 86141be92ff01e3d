#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agentcom::cli {

// What others have written is data: nothing of it may move a cursor, change a title or turn the
// direction of writing on the terminal where it is read.

/// The text with every control character, mark of direction and byte that is not UTF-8 written as
/// what it is ("\x1b", "\u202e"). Line feeds and tabs stay.
[[nodiscard]] std::string printable(std::string_view text);
/// `printable` on one line: line feeds and tabs are written as escapes, too.
[[nodiscard]] std::string printable_line(std::string_view text);
/// Writes the control characters and marks of direction that JSON allows within its strings as the
/// escapes that mean the same.
[[nodiscard]] std::string escape_controls(std::string_view json);

/// "2026-01-31 17:05:09", in local time.
[[nodiscard]] std::string show_time(std::int64_t unix_ms);

}  // namespace agentcom::cli

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "agentcom/core/time.hpp"

namespace agentcom::net {

// Of texts in HTTP, which are ASCII as far as they mean something.

/// Without spaces and tabs at both ends; a part of what was given, even when nothing is left.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
[[nodiscard]] std::string to_lower(std::string_view text);
void lower_in_place(std::span<char> text) noexcept;
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
/// A letter or a digit of ASCII.
[[nodiscard]] constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
/// Tokens are what names of fields and verbs are (RFC 9110, 5.6.2).
[[nodiscard]] bool is_token_character(char c) noexcept;
[[nodiscard]] bool is_token(std::string_view text) noexcept;
/// The hexadecimal digit's value, or -1.
[[nodiscard]] int hex_digit(char c) noexcept;

/// The moment as a Date header has it (RFC 9110, 5.6.7), made once a second. Valid until this
/// thread asks for another one.
[[nodiscard]] std::string_view http_date(core::Timestamp now);
/// The header lines that every response has: `Server` and `Date`.
void append_server_lines(std::string& out, core::Timestamp now);

}  // namespace agentcom::net

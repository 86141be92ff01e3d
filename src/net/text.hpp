#pragma once

#include <span>
#include <string>
#include <string_view>

namespace agentcom::net {

// Of texts in HTTP, which are ASCII as far as they mean something.

/// Without spaces and tabs at both ends; a part of what was given, even when nothing is left.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;
[[nodiscard]] std::string to_lower(std::string_view text);
void lower_in_place(std::span<char> text) noexcept;
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;
/// The hexadecimal digit's value, or -1.
[[nodiscard]] int hex_digit(char c) noexcept;

}  // namespace agentcom::net

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/time.hpp"

namespace agentcom::app {

/// A whole decimal number without sign.
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);

/// "250ms", "60s", "15m", "12h", "7d", or a number of milliseconds.
[[nodiscard]] std::optional<core::Millis> parse_duration(std::string_view text);
/// In the largest unit that divides it.
[[nodiscard]] std::string show_duration(core::Millis value);

/// "64GiB", "1MiB", "16KiB", "512B", or a number of bytes.
[[nodiscard]] std::optional<std::uint64_t> parse_bytes(std::string_view text);
[[nodiscard]] std::string show_bytes(std::uint64_t value);

/// "a, b": as people are shown a list.
[[nodiscard]] std::string join_list(const std::vector<std::string>& texts);
/// Comma-separated, surrounding blanks and empty parts dropped.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

}  // namespace agentcom::app

#pragma once

#include <string>
#include <string_view>

namespace agentcom::core {

/// Whether the text stands in a JSON string as it is.
[[nodiscard]] bool is_plain_json_string(std::string_view text) noexcept;

/// Appends the text as a JSON string with quotes; escapes what RFC 8259 requires.
void append_json_string(std::string& out, std::string_view text);

}  // namespace agentcom::core

#pragma once

#include <string>
#include <string_view>

namespace agentcom::core {

/// Appends the text as a JSON string with quotes; escapes what RFC 8259 requires.
void append_json_string(std::string& out, std::string_view text);

}  // namespace agentcom::core

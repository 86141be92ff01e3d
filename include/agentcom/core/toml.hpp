#pragma once

#include <string>
#include <string_view>

namespace agentcom::core {

/// The text as a basic string of TOML (https://toml.io/en/v1.0.0#string), in quotation marks.
[[nodiscard]] std::string quote_toml(std::string_view text);

}  // namespace agentcom::core

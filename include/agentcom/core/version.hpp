#pragma once

#include <string_view>

namespace agentcom::core {

/// The version of this hub, as `identified` frames and the command line show it.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace agentcom::core

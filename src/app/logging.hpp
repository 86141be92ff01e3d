#pragma once

#include <string>
#include <string_view>

#include "app/config.hpp"

namespace agentcom::app {

/// Makes spdlog's default logger write to standard error, one line an entry: "text" for people,
/// "json" as one object with time, level and message. Call before other threads start.
void start_logging(LogLevel level, LogFormat format);

/// Quotes, backslashes and control characters escaped as in JSON, so that whatever a peer sent
/// stays within its line.
void append_escaped(std::string& out, std::string_view text);

}  // namespace agentcom::app

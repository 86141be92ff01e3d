#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "cli/command.hpp"

namespace agentcom::cli {

/// Calls `visit` with every entry of the list `member`, page after page; `target` has no query.
/// Returns how many there were. Throws HubError.
std::int64_t for_each_entry(Hub& hub, const std::string& target, const char* member,
                            const std::function<void(JsonView)>& visit);

/// The text with blanks behind it, or before it, up to so many characters.
[[nodiscard]] std::string padded(const std::string& text, std::size_t width, bool right = false);

}  // namespace agentcom::cli

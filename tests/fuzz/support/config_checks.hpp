#pragma once

#include <string_view>

namespace agentcom::fuzz {

/// Any text as a configuration file, and its lines as "section.key=value" of the environment and of
/// flags: it is refused in a sentence, or what it sets reads the same when it is printed and read
/// again. Throws Broken.
void check_configuration(std::string_view text);

}  // namespace agentcom::fuzz

#pragma once

#include <filesystem>
#include <string>

namespace agentcom::test {

/// The daemon that was built with these tests.
[[nodiscard]] const std::string& built_binary();
/// The root of the source tree.
[[nodiscard]] const std::filesystem::path& source_dir();

}  // namespace agentcom::test

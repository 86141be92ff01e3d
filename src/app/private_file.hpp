#pragma once

#include <filesystem>
#include <string_view>

namespace agentcom::app {

/// Replaces the file with this text, readable by its owner only, synced. Throws
/// std::runtime_error with a sentence that names the file.
void write_private_file(const std::filesystem::path& file, std::string_view text);

}  // namespace agentcom::app

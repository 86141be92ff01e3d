#pragma once

#include <filesystem>

#include "app/config.hpp"

namespace agentcom::app {

/// Reads the TOML file over the present values. Throws ConfigError, with file and line, when it
/// cannot be read, is not TOML, or has an unknown key or a bad value.
void apply_config_file(Config& config, const std::filesystem::path& file);

}  // namespace agentcom::app

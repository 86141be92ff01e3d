#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config.hpp"

namespace agentcom::app {

/// A value as it was written: TOML keeps its type (monostate: one that no key has), the environment
/// and flags are text.
using RawValue =
    std::variant<std::monostate, bool, std::int64_t, std::string, std::vector<std::string>>;

/// When a change of a setting takes effect.
enum class Change : std::uint8_t { restart, reload };

/// One key of the configuration. The reading of TOML, of the environment and of flags, and what
/// `agentcom check` prints, all follow from the table of these.
struct ConfigKey {
    std::string_view section;
    std::string_view name;
    std::string_view doc;  // what the value means, in one line
    /// Sets the member; on a bad value leaves it and says what was expected ("a duration ...").
    std::function<std::optional<std::string>(Config&, const RawValue&)> read;
    /// The member's value in TOML syntax.
    std::function<std::string(const Config&)> show;
    /// Makes the member of `to` what it is in `from`.
    std::function<void(const Config& from, Config& to)> copy;
    Change change = Change::restart;

    [[nodiscard]] std::string dotted() const;                // "store.data_dir"
    [[nodiscard]] std::string environment_variable() const;  // "AGENTCOM_STORE_DATA_DIR"
};

/// All keys, section by section.
[[nodiscard]] std::span<const ConfigKey> config_keys();
[[nodiscard]] const ConfigKey* find_config_key(std::string_view section, std::string_view name);
[[nodiscard]] bool is_config_section(std::string_view name);
/// Reads the value and notes its origin, as people are told of it. Throws ConfigError: `what` (the
/// origin, or the key and its place) must be something else.
void set_config(Config& config, const ConfigKey& key, const RawValue& value,
                const std::string& what, const std::string& origin);

}  // namespace agentcom::app

#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/net/endpoint.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::app {

enum class LogLevel : std::uint8_t { debug, info, warning, error };
enum class LogFormat : std::uint8_t { text, json };

/// Everything that can be configured. The defaults of the other rooms' options are the defaults of
/// the configuration, except the data directory.
struct Config {
    Config();

    net::EndpointOptions endpoint;
    std::uint32_t threads = 0;  // event loops; 0: chosen from the number of cores
    std::string tls_certificate;
    std::string tls_private_key;
    core::Millis shutdown_timeout{10'000};
    std::string admin_token_file;  // empty: none
    store::StoreOptions store;
    std::uint64_t output_bytes = delivery::LoopGroup::kDefaultOutputBytes;
    router::RouterOptions router;
    LogLevel log_level = LogLevel::info;
    LogFormat log_format = LogFormat::text;
    /// Of each setting that is not the default, by "section.key": where it comes from, for people.
    std::map<std::string, std::string, std::less<>> origins;

    /// `threads`, or the automatic choice for this machine.
    [[nodiscard]] std::size_t event_loops() const;
};

/// As many loops as cores up to two, then one less than there are cores, at most eight. 0: the
/// number of cores is unknown.
[[nodiscard]] std::size_t event_loops_for(std::size_t cores) noexcept;

/// The configuration cannot be used; `what()` is one sentence that names the key and its place.
class ConfigError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// Name and value pairs, as `environ` has them.
using Environment = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] Environment process_environment();

/// What the command line says; flags win over everything else.
struct ConfigSources {
    std::optional<std::filesystem::path> file;  // otherwise the variable AGENTCOM_CONFIG, or none
    std::vector<std::pair<std::string, std::string>> flags;  // "section.key" and its text
    Environment environment;
    /// Refuses a file that is a pipe or a device: reading it may wait for ever, and gives nothing
    /// the second time.
    bool regular_file_only = false;
};

/// Defaults and what systemd says (STATE_DIRECTORY, CREDENTIALS_DIRECTORY), then the file, then
/// PORT and ADMIN_AGENTS, then AGENTCOM_<SECTION>_<KEY>, then flags; the later wins. Throws
/// ConfigError for unknown keys, bad values and contradictions.
[[nodiscard]] Config load_config(const ConfigSources& sources);

/// The effective settings as TOML that `load_config` would read again; no secret is among them.
/// `explain`: each with a comment that says where it comes from.
[[nodiscard]] std::string print_config(const Config& config, bool explain = false);

}  // namespace agentcom::app

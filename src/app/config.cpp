#include "app/config.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "agentcom/core/toml.hpp"
#include "app/config_file.hpp"
#include "app/config_keys.hpp"
#include "app/config_values.hpp"
#include "app/manifest.hpp"

namespace agentcom::app {
namespace {

constexpr std::size_t kMostAutomaticLoops = 8;

void set(Config& config, const ConfigKey& key, const RawValue& value, const std::string& where) {
    set_config(config, key, value, where, where);
}

const std::string* find_variable(const Environment& environment, std::string_view name) {
    for (const auto& [key, value] : environment) {
        if (key == name) {
            return &value;
        }
    }
    return nullptr;
}

/// Names that the original hub's start scripts set.
void apply_inherited_variables(Config& config, const Environment& environment) {
    if (const auto* port = find_variable(environment, "PORT")) {
        set(config, *find_config_key("server", "port"), *port, "the environment variable PORT");
    }
    if (const auto* admins = find_variable(environment, "ADMIN_AGENTS")) {
        set(config, *find_config_key("auth", "admin_agents"), *admins,
            "the environment variable ADMIN_AGENTS");
    }
}

/// "STORE" of "AGENTCOM_STORE_DATA_DIR", in lower case.
std::string section_of_variable(std::string_view rest) {
    std::string section(rest.substr(0, rest.find('_')));
    std::ranges::transform(section, section.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return section;
}

/// Kubernetes tells every container of the services beside it, in the form that Docker's links had:
/// of one called "agentcom-server" in AGENTCOM_SERVER_SERVICE_HOST, AGENTCOM_SERVER_PORT
/// ("tcp://10.0.0.1:4000"), AGENTCOM_SERVER_PORT_4000_TCP_ADDR and others. They are no settings.
/// (kubernetes.io, "Service", environment variables)
bool tells_of_service(std::string_view name, std::string_view value,
                      const Environment& environment) {
    static constexpr std::string_view kHost = "_SERVICE_HOST";
    return std::ranges::any_of(environment, [&](const auto& each) {
        std::string_view service = each.first;
        if (!service.ends_with(kHost)) return false;
        service.remove_suffix(kHost.size());
        if (!name.starts_with(service)) return false;
        const std::string_view rest = name.substr(service.size());
        return rest == kHost || rest.starts_with("_SERVICE_PORT") ||
               (rest == "_PORT" && value.find("://") != std::string_view::npos) ||
               (rest.starts_with("_PORT_") && rest.size() > 6 && rest[6] >= '0' && rest[6] <= '9');
    });
}

/// What systemd has made for the service takes the place of defaults.
void apply_service_variables(Config& config, const Environment& environment) {
    const auto* state = find_variable(environment, "STATE_DIRECTORY");
    if (state != nullptr && !state->empty()) {
        // Several are separated by colons; the first is the hub's.
        set(config, *find_config_key("store", "data_dir"), state->substr(0, state->find(':')),
            "the environment variable STATE_DIRECTORY");
    }
    const auto* credentials = find_variable(environment, "CREDENTIALS_DIRECTORY");
    if (credentials != nullptr && !credentials->empty()) {
        // A unit may name one that the machine does not have.
        const auto file = std::filesystem::path(*credentials) / "admin_token";
        std::error_code ignored;
        if (std::filesystem::exists(file, ignored)) {
            set(config, *find_config_key("auth", "admin_token_file"), file.string(),
                "the environment variable CREDENTIALS_DIRECTORY");
        }
    }
}

void apply_variables(Config& config, const Environment& environment) {
    static constexpr std::string_view kPrefix = "AGENTCOM_";
    for (const auto& [name, value] : environment) {
        if (!name.starts_with(kPrefix) ||
            !is_config_section(
                section_of_variable(std::string_view(name).substr(kPrefix.size()))) ||
            tells_of_service(name, value, environment)) {
            continue;
        }
        const auto keys = config_keys();
        const auto key = std::ranges::find_if(keys, [&wanted = name](const ConfigKey& each) {
            return each.environment_variable() == wanted;
        });
        if (key == keys.end()) {
            throw ConfigError("the environment variable " + name + " names no setting");
        }
        set(config, *key, value, "the environment variable " + name);
    }
}

void apply_flags(Config& config, const ConfigSources& sources) {
    for (const auto& [name, value] : sources.flags) {
        const auto keys = config_keys();
        const auto key = std::ranges::find_if(
            keys, [&wanted = name](const ConfigKey& each) { return each.dotted() == wanted; });
        set(config, *key, value, "the flag for " + name);
    }
}

void check_readable(std::string_view key, const std::string& file) {
    if (!std::ifstream(file)) {
        throw ConfigError(std::string(key) + ": cannot read " + file);
    }
}

/// What follows from several keys at once.
void finish(Config& config) {
    if (config.tls_certificate.empty() != config.tls_private_key.empty()) {
        throw ConfigError("tls.certificate and tls.private_key must be given together");
    }
    if (!config.tls_certificate.empty()) {
        check_readable("tls.certificate", config.tls_certificate);
        check_readable("tls.private_key", config.tls_private_key);
        config.endpoint.tls = net::TlsOptions{config.tls_certificate, config.tls_private_key};
    }
    if (const std::string& url = config.endpoint.public_url;
        !url.empty() && !net::is_public_url(url)) {
        throw ConfigError(
            "server.public_url must be like \"https://hub.example.com\", without a slash at "
            "the end, not " +
            core::quote_toml(url));
    }
    net::Limits& limits = config.endpoint.limits;
    if (limits.outbox.max_bytes < 2 * limits.max_frame_bytes) {
        throw ConfigError("limits.outbox_bytes is " + show_bytes(limits.outbox.max_bytes) +
                          ", but must be at least twice limits.max_frame_bytes, which is " +
                          show_bytes(limits.max_frame_bytes));
    }
    // An identify frame with the largest profile gets through, whatever else is said.
    limits.max_unidentified_frame_bytes =
        std::max(limits.max_unidentified_frame_bytes, 3 * config.router.max_profile_bytes + 1024);
    config.router.max_frame_bytes = limits.max_frame_bytes;
}

}  // namespace

Config::Config() {
    store.directory = "data";
    // As `agentcom backup` makes them, so that `agentcom restore` takes them.
    store.on_upgrade_copy = [](const std::filesystem::path& directory,
                               const store::StoreCopy& copy) {
        Manifest{copy, core::SystemClock().now()}.write(directory);
    };
}

std::size_t Config::event_loops() const {
    return threads != 0 ? threads : event_loops_for(std::thread::hardware_concurrency());
}

std::size_t event_loops_for(std::size_t cores) noexcept {
    // The commit thread mostly waits for the disk: on two cores a second loop is worth more than a
    // core kept free for it (docs/performance.md).
    return cores <= 2 ? std::max<std::size_t>(cores, 1) : std::min(cores - 1, kMostAutomaticLoops);
}

Environment process_environment() {
    Environment all;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            all.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        }
    }
    return all;
}

Config load_config(const ConfigSources& sources) {
    Config config;
    apply_service_variables(config, sources.environment);
    const auto* file_variable = find_variable(sources.environment, "AGENTCOM_CONFIG");
    std::optional<std::filesystem::path> file = sources.file;
    if (!file && file_variable != nullptr && !file_variable->empty()) file = *file_variable;
    if (file) {
        std::error_code unknown;
        const auto kind = std::filesystem::status(*file, unknown).type();
        if (sources.regular_file_only && kind != std::filesystem::file_type::regular &&
            kind != std::filesystem::file_type::not_found) {
            throw ConfigError("the configuration file " + file->string() + " is no regular file");
        }
        apply_config_file(config, *file);
    }
    apply_inherited_variables(config, sources.environment);
    apply_variables(config, sources.environment);
    apply_flags(config, sources);
    finish(config);
    return config;
}

std::string print_config(const Config& config, bool explain) {
    std::string out;
    std::string_view section;
    for (const ConfigKey& key : config_keys()) {
        if (key.section != section) {
            out += (section.empty() ? "[" : "\n[") + std::string(key.section) + "]\n";
            section = key.section;
        }
        out += std::string(key.name) + " = " + key.show(config);
        if (explain) {
            const auto origin = config.origins.find(key.dotted());
            out += "  # " + (origin != config.origins.end() ? origin->second : "the default");
            if (key.change == Change::reload) out += "; a reload takes a change over";
        }
        out += '\n';
    }
    return out;
}

}  // namespace agentcom::app

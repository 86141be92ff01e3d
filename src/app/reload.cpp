#include "app/reload.hpp"

#include <exception>
#include <string_view>

#include "app/config_keys.hpp"

namespace agentcom::app {
namespace {

void add(std::string& list, std::string_view what) {
    if (!list.empty()) list += ", ";
    list += what;
}

/// Keys whose values differ, as a list.
std::string differences(const Config& running, const Config& next) {
    std::string list;
    for (const ConfigKey& key : config_keys()) {
        if (key.show(running) != key.show(next)) add(list, key.dotted());
    }
    return list;
}

Reloaded apply(const Config& next, Config& running, const ReloadTls& reload_tls) {
    std::string done;
    bool failed = false;
    if (next.log_level != running.log_level) {
        running.log_level = next.log_level;
        std::string level = find_config_key("log", "level")->show(running);
        std::erase(level, '"');
        add(done, "log.level = " + level);
    }
    if (running.endpoint.tls) {
        failed = !reload_tls();
        if (!failed) add(done, "the TLS certificate and key");
    }
    const std::string waiting = differences(running, next);
    Reloaded result{!failed, !waiting.empty(), "reloaded: " + (done.empty() ? "nothing" : done)};
    if (failed) result.line += "; the TLS certificate and key stay as they were";
    if (!waiting.empty()) result.line += "; needs a restart: " + waiting;
    return result;
}

}  // namespace

Reloaded reload(const ConfigSources& sources, Config& running, const ReloadTls& reload_tls) {
    try {
        return apply(load_config(sources), running, reload_tls);
    } catch (const std::exception& error) {
        return {false, false,
                std::string("not reloaded, everything stays as it was: ") + error.what()};
    }
}

}  // namespace agentcom::app

#include "app/reload.hpp"

#include <unistd.h>

#include <csignal>
#include <exception>
#include <string_view>
#include <utility>

#include "app/config_keys.hpp"
#include "app/config_values.hpp"

namespace agentcom::app {
namespace {

/// Without quotes where they are not needed to tell where the value ends.
std::string bare(std::string value) {
    if (value.find_first_of("[, ") == std::string::npos) std::erase(value, '"');
    return value;
}

/// Files can be changed for others; whether TLS is spoken at all is decided at the start.
bool takes_effect(const ConfigKey& key, const Config& running, const Config& next) {
    if (key.section == "tls" && running.endpoint.tls.has_value() != next.endpoint.tls.has_value()) {
        return false;
    }
    return key.change == Change::reload;
}

Reloaded apply(const Config& next, Config& running, const Prepare& prepare) {
    Reloaded reloaded;
    Config target = running;
    for (const ConfigKey& key : config_keys()) {
        if (key.show(running) == key.show(next)) continue;
        if (!takes_effect(key, running, next)) {
            reloaded.what.needs_restart.push_back(key.dotted());
            continue;
        }
        key.copy(next, target);
        reloaded.what.changed.push_back(key.dotted());
        reloaded.values.push_back(key.dotted() + " = " + bare(key.show(next)));
    }
    if (running.endpoint.tls && next.endpoint.tls) target.endpoint.tls = next.endpoint.tls;
    reloaded.what.tls_read_again = target.endpoint.tls.has_value();
    const auto put_into_force = prepare(target);
    put_into_force();
    running = std::move(target);
    return reloaded;
}

}  // namespace

std::string Reloaded::line() const {
    if (problem) return "not reloaded, everything stays as it was: " + *problem;
    std::vector<std::string> done = values;
    if (what.tls_read_again) done.emplace_back("the TLS certificate and key");
    std::string text = "reloaded: " + (done.empty() ? "nothing" : join_list(done));
    if (!what.needs_restart.empty()) text += "; needs a restart: " + join_list(what.needs_restart);
    return text;
}

router::Router::ReloadResult Reloaded::result() const {
    if (problem) return core::Error(core::ErrorCode::invalid_configuration, {}, *problem);
    return what;
}

Reloaded reload(const ConfigSources& sources, Config& running, const Prepare& prepare) {
    try {
        ConfigSources again = sources;
        again.regular_file_only = true;
        return apply(load_config(again), running, prepare);
    } catch (const std::exception& error) {
        Reloaded refused;
        refused.problem = error.what();
        return refused;
    }
}

void ReloadDesk::ask(Tell tell) {
    const bool open = state_.with([&](State& state) {
        if (!state.closed) state.waiting.push_back(std::move(tell));
        return !state.closed;
    });
    if (!open) return tell(core::Error(core::ErrorCode::shutting_down));
    ::kill(::getpid(), SIGHUP);
}

std::vector<ReloadDesk::Tell> ReloadDesk::take() {
    return state_.with([](State& state) { return std::exchange(state.waiting, {}); });
}

void ReloadDesk::close() {
    state_.with([](State& state) { state.closed = true; });
    for (const Tell& tell : take()) tell(core::Error(core::ErrorCode::shutting_down));
}

}  // namespace agentcom::app

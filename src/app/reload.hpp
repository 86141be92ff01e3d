#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/router/router.hpp"
#include "app/config.hpp"

namespace agentcom::app {

/// What a reload came to.
struct Reloaded {
    std::optional<std::string> problem;  // what was read cannot be used, and nothing has changed
    protocol::ConfigReloaded what;
    std::vector<std::string> values;  // of `what.changed`, as they are now: "log.level = debug"

    /// For the log.
    [[nodiscard]] std::string line() const;
    /// For whoever asked over HTTP.
    [[nodiscard]] router::Router::ReloadResult result() const;
};

/// Makes the settings of a running hub ready, without putting any into force; what it hands back
/// does that, and does not fail. Throws std::exception when they cannot be used.
using Prepare = std::function<std::function<void()>(const Config&)>;

/// Reads the configuration again and puts into force what can change while the hub runs, which the
/// table of keys says: all of it, or, when anything in it cannot be used, nothing. `running` is
/// what is in force and is kept up to date. Never throws.
[[nodiscard]] Reloaded reload(const ConfigSources& sources, Config& running,
                              const Prepare& prepare);

/// Where it is asked for a reload over HTTP. Whoever asks sends the process the signal SIGHUP, so
/// that there is one place where it is done; all who have asked until then are told what has come
/// of it. Thread-safe.
class ReloadDesk {
public:
    using Tell = std::function<void(const router::Router::ReloadResult&)>;
    /// `tell` is called once, with shutting_down after `close`.
    void ask(Tell tell);
    /// Those who wait; whoever takes them tells them.
    [[nodiscard]] std::vector<Tell> take();
    /// From now on nothing is reloaded any more.
    void close();

private:
    struct State {
        std::vector<Tell> waiting;
        bool closed = false;
    };
    core::Guarded<State> state_;
};

}  // namespace agentcom::app

#pragma once

#include <functional>
#include <string>

#include "app/config.hpp"

namespace agentcom::app {

/// What a reload came to, as one line for the log.
struct Reloaded {
    bool applied = false;        // false: what was read cannot be used, and nothing has changed
    bool wants_restart = false;  // a setting has changed that is looked at only at the start
    std::string line;
};

/// Has the TLS files read again. False when they are of no use, which it has logged.
using ReloadTls = std::function<bool()>;

/// Reads the configuration again and puts into force what can change while the hub runs: log.level,
/// and what is in the TLS files. `running` is what is in force and is kept up to date; what it does
/// not take over is named in the line. Never throws.
[[nodiscard]] Reloaded reload(const ConfigSources& sources, Config& running,
                              const ReloadTls& reload_tls);

}  // namespace agentcom::app

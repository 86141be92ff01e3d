#include <spdlog/spdlog.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "agentcom/core/time.hpp"
#include "app/admin_token.hpp"
#include "app/allocator.hpp"
#include "app/commands.hpp"
#include "app/logging.hpp"
#include "app/reload.hpp"
#include "app/server.hpp"
#include "app/service_manager.hpp"

namespace agentcom::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct ServeFlags {
    CommonFlags common;
    std::string host;
    std::string port;
};

/// Files the hub holds besides connections: store, logs, sockets of the loops.
constexpr rlim_t kOtherFiles = 64;

/// What stopping takes besides the time that connections get: commits, and ending the threads.
constexpr core::Millis kTimeToEnd{10'000};

/// Every connection is a file, and the usual soft limit is 1024.
void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        ::setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/// How many connections there may be, with the files that the system allows: beyond those there
/// would be nobody to refuse them, and shares of them would be shares of what is not there.
std::uint64_t connections_that_fit(std::uint64_t wanted) {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
    const std::uint64_t room =
        limit.rlim_cur > 2 * kOtherFiles ? limit.rlim_cur - kOtherFiles : limit.rlim_cur / 2;
    return std::min(wanted, room);
}

/// A body that is accepted may still hold a payload that is not.
void tell_of_large_bodies(const net::Limits& limits) {
    if (limits.max_body_bytes <= limits.max_frame_bytes) return;
    spdlog::info(
        "limits.max_body_bytes is {} and limits.max_frame_bytes {}: a payload of more "
        "than {} bytes is refused, because its push would not fit into one frame",
        limits.max_body_bytes, limits.max_frame_bytes,
        limits.max_frame_bytes - router::kFrameOverheadBytes);
}

sigset_t stop_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    ::sigaddset(&signals, SIGTERM);
    ::sigaddset(&signals, SIGINT);
    return signals;
}

/// Signals that would end the process when nobody handles them, and mean nothing to it: other
/// daemons are told something by them (to open their logs again, say), and whoever sends one to the
/// wrong process must not lose a hub. A connection that has gone shows as an error of the write.
/// Left alone is SIGQUIT, by which an operator asks for a core file.
void ignore_the_rest() {
    for (const int number : {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPOLL, SIGPWR}) {
        ::signal(number, SIG_IGN);
    }
    for (int number = SIGRTMIN; number <= SIGRTMAX; ++number) ::signal(number, SIG_IGN);
}

class Reloading {
public:
    Reloading(ConfigSources sources, Config running, ReloadDesk& desk)
        : sources_(std::move(sources)), running_(std::move(running)), desk_(desk) {}

    void reload_all(Server& server) {
        // Whoever asks from now on has sent a signal that is still to come.
        const auto asked = desk_.take();
        const Reloaded reloaded = reload(sources_, running_, [&](const Config& next) {
            return [level = next.log_level, rest = server.prepare(next)] {
                rest();
                Logging::set_level(level);
            };
        });
        // Whoever sent the signal waits for this line.
        const bool good = !reloaded.problem && reloaded.what.needs_restart.empty();
        Logging::announce(good ? LogLevel::info : LogLevel::warning, reloaded.line());
        for (const auto& tell : asked) tell(reloaded.result());
    }

private:
    const ConfigSources sources_;
    Config running_;  // what is configured, and in force
    ReloadDesk& desk_;
};

/// The next of these signals; 0 when none comes until then.
int next_signal(const sigset_t& signals, std::optional<SteadyClock::time_point> until) {
    if (!until) return std::max(::sigwaitinfo(&signals, nullptr), 0);
    const auto left = std::max(*until - SteadyClock::now(), SteadyClock::duration::zero());
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    const timespec wait{.tv_sec = seconds.count(),
                        .tv_nsec = std::chrono::nanoseconds(left - seconds).count()};
    return std::max(::sigtimedwait(&signals, nullptr, &wait), 0);
}

std::string status_of(const Server& server) { return "listening on " + server.url(); }

/// Reloads whenever it is told to, and says that the hub is alive for as long as it is, until it is
/// told to stop.
void wait_for_stop(Reloading& reloading, Server& server, ServiceManager& manager,
                   sigset_t signals) {
    ::sigaddset(&signals, SIGHUP);
    const auto pulse = manager.pulse();
    auto next_pulse = pulse ? std::optional(SteadyClock::now()) : std::nullopt;
    while (true) {
        const int signal = next_signal(signals, next_pulse);
        if (signal == SIGHUP) {
            manager.reloading();
            reloading.reload_all(server);
            manager.ready(status_of(server));
        } else if (signal != 0) {
            return;
        }
        if (next_pulse && SteadyClock::now() >= *next_pulse) {
            if (server.turning()) manager.alive();
            next_pulse = SteadyClock::now() + *pulse;
        }
    }
}

bool stop_signal_pending(const sigset_t& signals) {
    const timespec now{};
    return ::sigtimedwait(&signals, nullptr, &now) > 0;
}

int serve(const ServeFlags& flags) {
    ConfigSources sources = flags.common.sources();
    if (!flags.host.empty()) {
        sources.flags.emplace_back("server.host", flags.host);
    }
    if (!flags.port.empty()) {
        sources.flags.emplace_back("server.port", flags.port);
    }
    Config config = load_config(sources);
    raise_file_limit();

    // Before any thread starts: they inherit the mask, and this thread takes the signals in turn.
    const sigset_t signals = stop_signals();
    sigset_t blocked = signals;
    ::sigaddset(&blocked, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
    ignore_the_rest();
    give_back_memory_when_idle();
    const Logging logging(config.log_level, config.log_format);

    // Later reloads are compared with what is configured.
    Config fitted = config;
    const std::uint64_t wanted = config.endpoint.limits.max_connections;
    const std::uint64_t allowed = connections_that_fit(wanted);
    fitted.endpoint.limits.max_connections = allowed;
    fitted.router.lost_log_lines = [&logging] { return logging.dropped(); };
    const core::SystemClock clock;
    ReloadDesk desk;
    Server server(std::move(fitted), clock, given_admin_token(config, sources.environment),
                  [&desk](ReloadDesk::Tell tell) { desk.ask(std::move(tell)); });
    if (allowed < wanted) {
        spdlog::warn(
            "limits.max_connections is {}, but the system allows only {} besides other files",
            wanted, allowed);
    }
    tell_of_large_bodies(config.endpoint.limits);
    spdlog::info("listening on {}", server.place());

    ServiceManager manager(sources.environment);
    manager.ready(status_of(server));
    const core::Millis shutdown_timeout = config.shutdown_timeout;
    Reloading reloading(std::move(sources), std::move(config), desk);
    wait_for_stop(reloading, server, manager, signals);
    desk.close();
    spdlog::info("stopping");
    manager.stopping(shutdown_timeout + kTimeToEnd);
    server.stop([&] { return stop_signal_pending(signals); });
    spdlog::info("stopped");
    return server.failed() ? 1 : 0;
}

}  // namespace

void add_serve_command(CLI::App& app, int& status) {
    auto* command =
        app.add_subcommand("serve", "Run the hub until SIGTERM or SIGINT; SIGHUP reloads");
    const auto flags = std::make_shared<ServeFlags>();
    add_common_flags(*command, flags->common);
    command->add_option("--host", flags->host, "Address to listen on, or a name for all of its")
        ->type_name("ADDRESS");
    command->add_option("--port", flags->port, "Port to listen on")->type_name("PORT");
    command->callback([flags, &status] { status = serve(*flags); });
}

}  // namespace agentcom::app

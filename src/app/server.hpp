#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/net/endpoint.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/store/store.hpp"
#include "app/admin_token.hpp"
#include "app/config.hpp"
#include "app/run_file.hpp"

namespace agentcom::app {

/// The hub, wired: store, event loops, router, endpoint, and the threads that run the loops. Its
/// members belong to the thread that made it.
class Server {
public:
    /// Opens everything and begins to serve. Throws std::runtime_error with one sentence for the
    /// operator (data directory in use, port taken, ...); nothing is left running then.
    /// `admin_token` as `given_admin_token` found it. `reloader` is asked by administrators to read
    /// the configuration again; it may be empty.
    Server(Config config, const core::Clock& clock, const std::optional<GivenToken>& admin_token,
           router::Router::Reloader reloader = {});
    /// Stops, as `stop`, unless that was done.
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::string url() const;
    /// For people: the url and, where the host is a name, the addresses it stands for.
    [[nodiscard]] std::string place() const;
    /// True when an event loop ended by an exception; the hub must be stopped. Raised together
    /// with SIGTERM to the process.
    [[nodiscard]] bool failed() const noexcept { return failed_.load(); }

    /// Makes ready what of this configuration may change while the hub runs; see `Prepare`.
    [[nodiscard]] std::function<void()> prepare(const Config& next);

    /// Whether its event loops turn, as GET /livez says.
    [[nodiscard]] bool turning() const { return router_.turning(); }

    /// Stops accepting, closes the connections, waits for them until the configured time has passed
    /// or `hurry` says so (asked a hundred times a second), commits what was submitted, ends the
    /// threads.
    void stop(const std::function<bool()>& hurry);

private:
    void write_run_file();
    void start_loops();
    void run_loop(delivery::EventLoop& loop);
    void announce_turning(std::size_t loops) noexcept;
    void stop_loops();
    bool wait_for_connections(core::Millis most, const std::function<bool()>& hurry);

    // In the order of dependence; destroyed in reverse.
    Config config_;
    const bool store_is_new_;  // made by this start
    std::unique_ptr<store::Store> store_;
    delivery::LoopGroup loops_;
    router::Router router_;
    net::Endpoint endpoint_;
    std::optional<RunFile> run_file_;
    std::vector<std::thread> threads_;
    std::atomic<std::size_t> turning_{0};  // loops that have begun to turn; all, when one failed
    std::atomic<bool> failed_{false};
    bool stopped_ = false;
};

}  // namespace agentcom::app

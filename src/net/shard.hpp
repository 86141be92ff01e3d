#pragma once

#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/log_limit.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/net/endpoint.hpp"
#include "agentcom/router/router.hpp"
#include "net/await.hpp"

namespace agentcom::net {

class Connection;

/// What a storm of connections may write to the log, per kind of line and event loop.
struct ConnectionLog {
    static constexpr std::uint32_t kLines = 10;
    static constexpr core::Millis kInterval{1'000};
    core::LogLimit opened{kLines, kInterval};
    core::LogLimit identified{kLines, kInterval};
    core::LogLimit ended{kLines, kInterval};
    core::LogLimit failed_handshakes{kLines, kInterval};
    core::LogLimit exceptions{kLines, kInterval};
};

/// What all loops of one endpoint share. Constant once the endpoint accepts, except the counter.
struct Shared {
    router::Router& router;
    const core::Clock& clock;
    Limits limits;
    std::string dashboard_html;
    std::optional<asio::ssl::context> tls;
    /// Accepted and not yet closed, over all loops.
    std::shared_ptr<std::atomic<std::uint64_t>> open =
        std::make_shared<std::atomic<std::uint64_t>>(0);
};

/// The connections of one event loop; its members are for that loop's thread. A connection is owned
/// by its coroutine and listed here for as long as it exists.
class Shard {
public:
    Shard(std::shared_ptr<Shared> shared, delivery::EventLoop& loop);

    [[nodiscard]] delivery::EventLoop& loop() noexcept { return loop_; }
    [[nodiscard]] router::Router& router() noexcept { return shared_->router; }
    [[nodiscard]] const core::Clock& clock() const noexcept { return shared_->clock; }
    [[nodiscard]] const Limits& limits() const noexcept { return shared_->limits; }
    [[nodiscard]] const std::string& dashboard_html() const noexcept {
        return shared_->dashboard_html;
    }
    [[nodiscard]] ConnectionLog& log() noexcept { return log_; }
    [[nodiscard]] bool shutting_down() const noexcept { return shutting_down_; }

    /// Starts to serve an accepted socket, which has been counted in `Shared::open`.
    static void adopt(const std::shared_ptr<Shard>& shard, Socket socket);

    void add(Connection& connection);
    void remove(Connection& connection);

    /// About once a second: time-outs.
    void sweep();
    void begin_shutdown();
    void abort_all();
    /// Lets go of every suspended coroutine. Only when the loop does not run any more.
    void drop_suspended();

    /// Wakes the connections that hold back requests because the pipeline was saturated, once it
    /// is not any more. Called whenever a reply comes.
    void reply_came();
    void wait_for_pipeline(const std::shared_ptr<Connection>& connection);

private:
    std::shared_ptr<Shared> shared_;
    delivery::EventLoop& loop_;
    std::vector<Connection*> connections_;
    std::vector<std::weak_ptr<Connection>> held_back_;
    ConnectionLog log_;
    bool shutting_down_ = false;
};

}  // namespace agentcom::net

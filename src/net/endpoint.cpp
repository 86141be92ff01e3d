#include "agentcom/net/endpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "agentcom/core/log_limit.hpp"
#include "net/http_answer.hpp"
#include "net/shard.hpp"
#include "net/tls.hpp"

namespace agentcom::net {

namespace {

using asio::ip::tcp;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// When the system has no file descriptor or memory left, try again after this long.
constexpr std::chrono::milliseconds kAcceptBackOff{100};
/// And tell so once in this time.
constexpr core::Millis kAcceptErrorsInterval{10'000};

tcp::endpoint resolve(asio::io_context& context, const std::string& host, std::uint16_t port) {
    error_code error;
    const auto address = asio::ip::make_address(host, error);
    if (!error) return {address, port};
    tcp::resolver resolver(context);
    const auto found = resolver.resolve(host, std::to_string(port), error);
    if (error || found.empty()) {
        throw std::runtime_error("cannot find the address of the host " + host + ": " +
                                 error.message());
    }
    return found.begin()->endpoint();
}

void listen(Acceptor& acceptor, const tcp::endpoint& where, const EndpointOptions& options) {
    error_code error;
    acceptor.open(where.protocol(), error);
    if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
    // Accepted sockets inherit it. Without, the system keeps megabytes for each slow reader.
    if (!error && options.limits.socket_send_buffer > 0) {
        acceptor.set_option(asio::socket_base::send_buffer_size(
                                static_cast<int>(options.limits.socket_send_buffer / 2)),
                            error);
    }
    if (!error) acceptor.bind(where, error);
    if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
    if (error) {
        throw std::runtime_error("cannot listen on " + options.host + ":" +
                                 std::to_string(options.port) + ": " + error.message());
    }
}

/// Tells a client that there is no place for it, as far as that goes without waiting.
void turn_away(Socket socket, bool tls, core::Timestamp now) {
    error_code ignored;
    if (!tls) {
        const HttpAnswer answer = error_answer(core::ErrorCode::too_many_connections);
        const std::string text =
            answer_head(answer, {.http_1_0 = false, .keep_alive = false, .now = now}) +
            answer.body.str();
        socket.native_non_blocking(true, ignored);
        socket.non_blocking(true, ignored);
        socket.write_some(asio::buffer(text), ignored);
        socket.shutdown(Socket::shutdown_send, ignored);
    }
    socket.close(ignored);
}

}  // namespace

class Endpoint::Impl : public std::enable_shared_from_this<Endpoint::Impl> {
public:
    Impl(EndpointOptions options, delivery::LoopGroup& loops, router::Router& router,
         const core::Clock& clock, std::string dashboard_html);
    void start();
    void begin_shutdown();
    void abort_all();
    [[nodiscard]] std::function<void()> prepare(const EndpointOptions& options);
    void sweep() { on_all_shards(&Shard::sweep); }
    /// Lets go of what still waits. Only when the loops do not run any more.
    void drop_suspended();
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::uint64_t open_connections() const noexcept { return *shared_->open; }

private:
    static Awaitable<void> accept_all(std::shared_ptr<Impl> self);
    void place(Socket socket, const Address& from, std::size_t shard);
    [[nodiscard]] std::shared_ptr<const SitePolicy> read_sites(
        const EndpointOptions& options) const {
        return std::make_shared<const SitePolicy>(options.allowed_origins, options.allowed_hosts,
                                                  host_, on_loopback_);
    }
    /// Any thread: runs the member function on every shard's loop.
    void on_all_shards(void (Shard::*action)());

    delivery::LoopGroup& loops_;
    std::shared_ptr<Shared> shared_;
    std::vector<std::shared_ptr<Shard>> shards_;
    Acceptor acceptor_;
    Timer back_off_;
    core::LogLimit accept_errors_{1, kAcceptErrorsInterval};
    std::string host_;
    bool on_loopback_ = false;
    std::uint16_t port_ = 0;
    std::size_t next_shard_ = 0;
};

Endpoint::Impl::Impl(EndpointOptions options, delivery::LoopGroup& loops, router::Router& router,
                     const core::Clock& clock, std::string dashboard_html)
    : loops_(loops),
      shared_(std::make_shared<Shared>(options, router, clock, std::move(dashboard_html),
                                       loops.output().limit())),
      acceptor_(loops[0].context()),
      back_off_(loops[0].context()) {
    const tcp::endpoint where = resolve(loops[0].context(), options.host, options.port);
    host_ = options.host;
    on_loopback_ = where.address().is_loopback();
    const auto sites = read_sites(options);
    listen(acceptor_, where, options);
    // Behind a proxy it is the proxy's business.
    if (!where.address().is_loopback() && !options.tls && options.trusted_proxies.empty()) {
        spdlog::warn(
            "listening on {} without TLS: tokens and messages can be read on their way; set "
            "tls.certificate and tls.private_key, or name the proxy that does it in "
            "server.trusted_proxies",
            options.host);
    }
    port_ = acceptor_.local_endpoint().port();
    for (std::size_t i = 0; i < loops.size(); ++i) {
        shards_.push_back(std::make_shared<Shard>(shared_, loops[i], sites));
    }
}

void Endpoint::Impl::drop_suspended() {
    for (const auto& shard : shards_) shard->drop_suspended();
}

void Endpoint::Impl::start() {
    for (const auto& shard : shards_) {
        shard->loop().post([shard] {
            shard->loop().on_room([weak = std::weak_ptr(shard)] {
                if (const auto alive = weak.lock()) alive->reply_came();
            });
            shard->loop().on_tick([weak = std::weak_ptr(shard)] {
                if (const auto alive = weak.lock()) alive->sweep();
            });
        });
    }
    asio::co_spawn(loops_[0].context().get_executor(), accept_all(shared_from_this()),
                   [](const std::exception_ptr& failure) {
                       if (failure) spdlog::critical("the listener has ended unexpectedly");
                   });
}

Awaitable<void> Endpoint::Impl::accept_all(std::shared_ptr<Impl> self) {
    while (self->acceptor_.is_open()) {
        const std::size_t shard = self->next_shard_++ % self->shards_.size();
        Socket socket(self->loops_[shard].context());
        tcp::endpoint from;
        const auto [error] = co_await self->acceptor_.async_accept(socket, from, kAsTuple);
        if (!self->acceptor_.is_open()) break;
        if (!error) {
            self->place(std::move(socket), from.address(), shard);
        } else if (error != asio::error::connection_aborted) {
            if (const auto line = self->accept_errors_.admit(self->shared_->clock.steady())) {
                spdlog::warn("cannot accept connections: {}{}", error.message(), line->note());
            }
            self->back_off_.expires_after(kAcceptBackOff);
            (void)co_await self->back_off_.async_wait(kAsTuple);
        }
    }
}

void Endpoint::Impl::place(Socket socket, const Address& from, std::size_t index) {
    Visitor visitor{from, {}};
    const bool counts = !shared_->proxies.trusts(from);
    if (counts) visitor.place = shared_->addresses->take_place(address_key(from));
    if (open_connections() >= shared_->limits.max_connections || (counts && !visitor.place)) {
        return turn_away(std::move(socket), shared_->tls != nullptr, shared_->clock.now());
    }
    ++*shared_->open;
    const std::shared_ptr<Shard>& shard = shards_[index];
    if (index == 0) return Shard::adopt(shard, std::move(socket), std::move(visitor));
    struct Parcel {
        Socket socket;
        Visitor visitor;
    };
    // A socket that never arrives because its loop has stopped takes its count with it.
    shard->loop().post(
        [shard, parcel = std::make_shared<Parcel>(std::move(socket), std::move(visitor))] {
            Shard::adopt(shard, std::move(parcel->socket), std::move(parcel->visitor));
        });
}

void Endpoint::Impl::on_all_shards(void (Shard::*action)()) {
    for (const auto& shard : shards_) {
        shard->loop().post([shard, action] { ((*shard).*action)(); });
    }
}

void Endpoint::Impl::begin_shutdown() {
    loops_[0].post([self = shared_from_this()] {
        error_code ignored;
        self->acceptor_.close(ignored);
        self->back_off_.cancel();
    });
    on_all_shards(&Shard::begin_shutdown);
}

std::function<void()> Endpoint::Impl::prepare(const EndpointOptions& options) {
    ServerTls::Context tls;
    if (shared_->tls && options.tls) tls = ServerTls::read(*options.tls, shared_->clock.now());
    // Which part of all connections strangers may have follows from how many there may be in all.
    Limits limits = options.limits;
    limits.max_connections = shared_->limits.max_connections;
    return [self = shared_from_this(), tls = std::move(tls), sites = read_sites(options),
            strangers = limits_of_strangers(limits)] {
        if (tls) self->shared_->tls->replace(tls);
        self->shared_->addresses->set_limits(strangers);
        for (const auto& shard : self->shards_) {
            shard->loop().post([shard, sites] { shard->set_sites(sites); });
        }
    };
}

void Endpoint::Impl::abort_all() { on_all_shards(&Shard::abort_all); }

Endpoint::Endpoint(EndpointOptions options, delivery::LoopGroup& loops, router::Router& router,
                   const core::Clock& clock, std::string dashboard_html)
    : impl_(std::make_shared<Impl>(std::move(options), loops, router, clock,
                                   std::move(dashboard_html))) {}
Endpoint::~Endpoint() { impl_->drop_suspended(); }
std::uint16_t Endpoint::port() const noexcept { return impl_->port(); }
void Endpoint::start() { impl_->start(); }
void Endpoint::begin_shutdown() { impl_->begin_shutdown(); }
std::uint64_t Endpoint::open_connections() const noexcept { return impl_->open_connections(); }
std::function<void()> Endpoint::prepare(const EndpointOptions& options) {
    return impl_->prepare(options);
}
void Endpoint::abort_all() { impl_->abort_all(); }
void Endpoint::sweep() { impl_->sweep(); }

}  // namespace agentcom::net

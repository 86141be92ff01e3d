#include "agentcom/net/endpoint.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
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
#include "net/listeners.hpp"
#include "net/shard.hpp"
#include "net/tls.hpp"

namespace agentcom::net {

namespace {

using asio::ip::tcp;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// When the system has no file descriptor or memory left, try again after this long.
constexpr std::chrono::milliseconds kAcceptBackOff{100};
/// And tell so once in this time.
constexpr core::Millis kAcceptErrorsInterval{10'000};

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

void check_usable(const EndpointOptions& options, core::Timestamp now) {
    if (options.tls) (void)ServerTls::read(*options.tls, now);
    check_host(options.host);
}

class Endpoint::Impl : public std::enable_shared_from_this<Endpoint::Impl> {
public:
    Impl(EndpointOptions options, delivery::LoopGroup& loops, router::Router& router,
         const core::Clock& clock, Site site);
    void start();
    void begin_shutdown();
    void abort_all();
    [[nodiscard]] std::function<void()> prepare(const EndpointOptions& options);
    void sweep() { on_all_shards(&Shard::sweep); }
    /// Lets go of what still waits. Only when the loops do not run any more.
    void drop_suspended();
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] const std::vector<std::string>& addresses() const noexcept { return addresses_; }
    [[nodiscard]] std::uint64_t open_connections() const noexcept { return *shared_->open; }

private:
    static Awaitable<void> accept_all(std::shared_ptr<Impl> self, std::size_t listener);
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
    std::vector<Acceptor> acceptors_;  // touched by the first loop alone once they accept
    std::vector<Timer> back_offs_;     // of each
    core::LogLimit accept_errors_{1, kAcceptErrorsInterval};
    std::string host_;
    std::vector<std::string> addresses_;
    bool on_loopback_ = true;
    std::uint16_t port_ = 0;
    std::size_t next_shard_ = 0;
};

Endpoint::Impl::Impl(EndpointOptions options, delivery::LoopGroup& loops, router::Router& router,
                     const core::Clock& clock, Site site)
    : loops_(loops),
      shared_(std::make_shared<Shared>(options, router, clock, std::move(site),
                                       loops.output().limit())),
      acceptors_(listen_on(loops[0].context(), options)),
      host_(options.host) {
    for (const Acceptor& acceptor : acceptors_) {
        back_offs_.emplace_back(loops[0].context());
        addresses_.push_back(acceptor.local_endpoint().address().to_string());
        on_loopback_ = on_loopback_ && acceptor.local_endpoint().address().is_loopback();
    }
    const auto sites = read_sites(options);
    // Behind a proxy it is the proxy's business.
    if (!on_loopback_ && !options.tls && options.trusted_proxies.empty()) {
        spdlog::warn(
            "listening on {} without TLS: tokens and messages can be read on their way; set "
            "tls.certificate and tls.private_key, or name the proxy that does it in "
            "server.trusted_proxies",
            options.host);
    }
    port_ = acceptors_.front().local_endpoint().port();
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
    for (std::size_t i = 0; i < acceptors_.size(); ++i) {
        asio::co_spawn(loops_[0].context().get_executor(), accept_all(shared_from_this(), i),
                       [](const std::exception_ptr& failure) {
                           if (failure) spdlog::critical("the listener has ended unexpectedly");
                       });
    }
}

Awaitable<void> Endpoint::Impl::accept_all(std::shared_ptr<Impl> self, std::size_t listener) {
    Acceptor& acceptor = self->acceptors_[listener];
    Timer& back_off = self->back_offs_[listener];
    while (acceptor.is_open()) {
        const std::size_t shard = self->next_shard_++ % self->shards_.size();
        Socket socket(self->loops_[shard].context());
        tcp::endpoint from;
        const auto [error] = co_await acceptor.async_accept(socket, from, kAsTuple);
        if (!acceptor.is_open()) break;
        if (!error) {
            self->place(std::move(socket), from.address(), shard);
        } else if (error != asio::error::connection_aborted) {
            if (const auto line = self->accept_errors_.admit(self->shared_->clock.steady())) {
                spdlog::warn("cannot accept connections: {}{}", error.message(), line->note());
            }
            back_off.expires_after(kAcceptBackOff);
            (void)co_await back_off.async_wait(kAsTuple);
        }
    }
}

void Endpoint::Impl::place(Socket socket, const Address& from, std::size_t index) {
    Visitor visitor{from, {}, shared_->proxies.trusts(from)};
    const bool counts = !visitor.through_proxy;
    if (counts) visitor.place = shared_->addresses->take_place(address_key(from));
    if (open_connections() >= shared_->limits.max_connections || (counts && !visitor.place)) {
        constexpr auto kCode = core::ErrorCode::too_many_connections;
        delivery::LoopFigures& figures = loops_[0].figures();
        figures.count_refusal(delivery::Elsewhere::none, kCode);
        if (!shared_->tls) figures.count_status(core::error_info(kCode).http_status);
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
        for (Acceptor& acceptor : self->acceptors_) acceptor.close(ignored);
        for (Timer& back_off : self->back_offs_) back_off.cancel();
    });
    on_all_shards(&Shard::begin_shutdown);
}

std::function<void()> Endpoint::Impl::prepare(const EndpointOptions& options) {
    ServerTls::Context tls;
    if (shared_->tls && options.tls) {
        tls = shared_->tls->read_next(*options.tls, shared_->clock.now());
    }
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
                   const core::Clock& clock, Site site)
    : impl_(std::make_shared<Impl>(std::move(options), loops, router, clock, std::move(site))) {}
Endpoint::~Endpoint() { impl_->drop_suspended(); }
std::uint16_t Endpoint::port() const noexcept { return impl_->port(); }
const std::vector<std::string>& Endpoint::addresses() const noexcept { return impl_->addresses(); }
void Endpoint::start() { impl_->start(); }
void Endpoint::begin_shutdown() { impl_->begin_shutdown(); }
std::uint64_t Endpoint::open_connections() const noexcept { return impl_->open_connections(); }
std::function<void()> Endpoint::prepare(const EndpointOptions& options) {
    return impl_->prepare(options);
}
void Endpoint::abort_all() { impl_->abort_all(); }
void Endpoint::sweep() { impl_->sweep(); }

}  // namespace agentcom::net

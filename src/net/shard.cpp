#include "net/shard.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "net/buffered_stream.hpp"
#include "net/connection.hpp"
#include "net/http_session.hpp"
#include "net/tls.hpp"

namespace agentcom::net {

namespace {

constexpr core::Millis kSweepInterval{1'000};
/// Of what there is for all, one may hold a part of this many.
constexpr std::uint64_t kShareOfOne = 4;
/// HTTP connections that an agent may have however few there are for all.
constexpr std::uint64_t kConnectionsOfAnyAgent = 100;

TrustedProxies read_proxies(const std::vector<std::string>& texts) {
    std::vector<AddressRange> ranges;
    for (const std::string& text : texts) {
        const auto range = AddressRange::parse(text);
        if (!range) throw std::runtime_error(text + " is not an address or a range of addresses");
        ranges.push_back(*range);
    }
    return TrustedProxies(std::move(ranges));
}

}  // namespace

Shared::Shared(const EndpointOptions& options, router::Router& the_router,
               const core::Clock& the_clock, std::string html)
    : router(the_router),
      clock(the_clock),
      limits(options.limits),
      dashboard_html(std::move(html)),
      proxies(read_proxies(options.trusted_proxies)) {
    if (options.tls) tls.emplace(make_tls_context(*options.tls));
    AddressTable::Limits strangers;
    if (limits.max_unidentified_per_address > 0) {
        strangers.places = strangers.loopback_places = limits.max_unidentified_per_address;
    }
    strangers.per_second = static_cast<double>(limits.anonymous_requests_per_second);
    addresses = std::make_shared<AddressTable>(strangers);
    // A buffer that grows by doubling may be twice as large as what is in it.
    const std::uint64_t largest = 2 * std::max(limits.max_frame_bytes, limits.max_body_bytes) +
                                  kInputAtHand + 4 * std::uint64_t{limits.max_header_bytes};
    input = std::make_shared<Shares>(std::max(limits.input_bytes, largest),
                                     std::max(limits.input_bytes / kShareOfOne, largest));
    connections = std::make_shared<Shares>(
        limits.max_connections,
        std::max<std::uint64_t>(limits.max_connections / kShareOfOne, kConnectionsOfAnyAgent));
}

Shard::Shard(std::shared_ptr<Shared> shared, delivery::EventLoop& loop)
    : shared_(std::move(shared)), loop_(loop), clock_(shared_->clock, kSweepInterval) {}

void Shard::adopt(const std::shared_ptr<Shard>& shard, Socket socket, Visitor visitor) {
    auto stream = std::make_shared<BufferedStream>(
        std::move(socket), shard->shared_->tls ? &*shard->shared_->tls : nullptr,
        std::shared_ptr<const core::Clock>(shard, &shard->clock_), shard->max_input_of_strangers(),
        shard->shared_->open);
    if (shard->shutting_down_) return;
    HttpSession::start(std::make_shared<HttpSession>(shard, std::move(stream), std::move(visitor)));
}

void Shard::add(Connection& connection) {
    connection.place = connections_.size();
    connections_.push_back(&connection);
}

void Shard::remove(Connection& connection) {
    connections_.back()->place = connection.place;
    connections_[connection.place] = connections_.back();
    connections_.pop_back();
}

// What is called on the connections below neither adds nor removes any: coroutines are resumed
// later, by the loop.

void Shard::sweep() {
    clock_.tick();
    const core::SteadyTime now = clock().steady();
    for (Connection* connection : connections_) connection->sweep(now);
    reply_came();
}

void Shard::begin_shutdown() {
    shutting_down_ = true;
    for (Connection* connection : connections_) connection->begin_shutdown();
}

void Shard::abort_all() {
    shutting_down_ = true;
    for (Connection* connection : connections_) connection->abort();
}

void Shard::drop_suspended() {
    // Dropping posts the destruction of the coroutine to the loop, so the list does not change yet.
    for (Connection* connection : connections_) connection->drop_suspended();
}

void Shard::wait_for_pipeline(const std::shared_ptr<Connection>& connection) {
    held_back_.push_back(connection);
}

void Shard::reply_came() {
    if (held_back_.empty() || router().saturated()) return;
    for (const auto& weak : std::exchange(held_back_, {})) {
        if (const auto connection = weak.lock()) connection->notify();
    }
}

}  // namespace agentcom::net

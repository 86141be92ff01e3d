#include "net/shard.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <stdexcept>
#include <utility>

#include "net/buffered_stream.hpp"
#include "net/connection.hpp"
#include "net/cookie.hpp"
#include "net/http_session.hpp"
#include "net/tls.hpp"

namespace agentcom::net {

namespace {

constexpr core::Millis kSweepInterval{1'000};
constexpr core::Millis kWrongTokensInterval{60'000};
constexpr std::uint32_t kGentlerToLoopback = 5;
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

AddressTable::Limits limits_of_strangers(const Limits& limits) {
    AddressTable::Limits strangers;
    if (limits.max_unidentified_per_address > 0) {
        strangers.places = strangers.loopback_places = limits.max_unidentified_per_address;
    }
    // Some are left for those who are known, however few there are.
    strangers.places = std::min<std::uint32_t>(
        strangers.places, static_cast<std::uint32_t>(limits.max_connections / kShareOfOne + 1));
    strangers.loopback_places = std::min<std::uint32_t>(
        strangers.loopback_places, static_cast<std::uint32_t>(limits.max_connections / 2 + 1));
    strangers.wrong_tokens = limits.wrong_tokens_per_minute;
    strangers.loopback_wrong_tokens = limits.wrong_tokens_per_minute * kGentlerToLoopback;
    strangers.longest_wait = limits.wrong_token_wait;
    strangers.first_wait = std::min(strangers.first_wait, limits.wrong_token_wait);
    strangers.per_second = static_cast<double>(limits.anonymous_requests_per_second);
    return strangers;
}

Shared::Shared(const EndpointOptions& options, router::Router& the_router,
               const core::Clock& the_clock, Site site, std::size_t output_bytes)
    : router(the_router),
      clock(the_clock),
      limits(options.limits),
      documents(std::move(site), options),
      base_path(options.base_path),
      cookie_name(session_cookie_name(the_router.epoch())),
      proxies(read_proxies(options.trusted_proxies)) {
    if (options.tls) tls = std::make_unique<ServerTls>(*options.tls, clock.now());
    addresses = std::make_shared<AddressTable>(limits_of_strangers(limits));
    // A buffer that grows by doubling may be twice as large as what is in it.
    const std::uint64_t largest = 2 * std::max(limits.max_frame_bytes, limits.max_body_bytes) +
                                  kInputAtHand + 4 * std::uint64_t{limits.max_header_bytes};
    input = std::make_shared<Shares>(std::max(limits.input_bytes, largest),
                                     std::max(limits.input_bytes / kShareOfOne, largest));
    // What all hold together is bounded where it is held: there the largest debts are called in.
    output = std::make_shared<Shares>(std::numeric_limits<std::uint64_t>::max(),
                                      output_bytes / kShareOfOne);
    connections = std::make_shared<Shares>(
        limits.max_connections,
        std::max<std::uint64_t>(limits.max_connections / kShareOfOne, kConnectionsOfAnyAgent));
}

void Shared::report_wrong_tokens() {
    const core::SteadyTime now = clock.steady();
    core::SteadyTime last = wrong_tokens_reported.load();
    // Every loop asks; one of them is the first.
    if (now - last < kWrongTokensInterval ||
        !wrong_tokens_reported.compare_exchange_strong(last, now)) {
        return;
    }
    const auto failures = addresses->take_failures();
    for (const auto& [key, count] : failures.of) {
        spdlog::warn("{} more wrong tokens from {} in the last minute", count, to_text(key));
    }
    if (failures.of_others > 0) {
        spdlog::warn("{} wrong tokens from other addresses in the last minute", failures.of_others);
    }
}

core::Millis Shard::note_wrong_token(const Address& address,
                                     std::span<const core::LogField> fields) {
    const AddressKey key = address_key(address);
    loop_.figures().wrong_tokens.add();
    const auto failure = addresses().note_failure(key, shared_->clock.steady());
    if (failure.first) {
        // What it was is told nobody: it may be a mistyped good one.
        if (const auto line = log_.wrong_tokens.admit(clock().steady())) {
            spdlog::warn(
                core::with_fields(fields, "a wrong token from " + to_text(key) + line->note()));
        }
    }
    return failure.wait;
}

core::Millis Shard::wait_before_token(const Address& address) const {
    const AddressKey key = address_key(address);
    return key.is_loopback() ? core::Millis{0} : addresses().wait(key, shared_->clock.steady());
}

Shard::Shard(std::shared_ptr<Shared> shared, delivery::EventLoop& loop,
             std::shared_ptr<const SitePolicy> sites)
    : shared_(std::move(shared)),
      loop_(loop),
      sites_(std::move(sites)),
      shared_answers_(&loop.output().budget()),
      clock_(shared_->clock, kSweepInterval) {}

void Shard::adopt(const std::shared_ptr<Shard>& shard, Socket socket, Visitor visitor) {
    const auto tls = shard->shared_->tls ? shard->shared_->tls->context() : nullptr;
    auto stream = std::make_shared<BufferedStream>(
        std::move(socket), tls.get(), std::shared_ptr<const core::Clock>(shard, &shard->clock_),
        shard->max_input_of_strangers(), shard->shared_->open);
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
    shared_answers_.forget();
    shared_->report_wrong_tokens();
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

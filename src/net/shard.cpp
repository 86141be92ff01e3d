#include "net/shard.hpp"

#include <algorithm>
#include <utility>

#include "net/buffered_stream.hpp"
#include "net/connection.hpp"
#include "net/http_session.hpp"

namespace agentcom::net {

namespace {

/// What a connection may have sent ahead of what its session has taken.
constexpr std::size_t kInputAtHand = std::size_t{64} * 1024;

}  // namespace

Shard::Shard(std::shared_ptr<Shared> shared, delivery::EventLoop& loop)
    : shared_(std::move(shared)), loop_(loop) {}

void Shard::adopt(const std::shared_ptr<Shard>& shard, Socket socket) {
    // A header must fit as a whole; everything else is consumed as it comes.
    const std::size_t max_input =
        std::max<std::size_t>(kInputAtHand, shard->limits().max_header_bytes);
    auto stream = std::make_shared<BufferedStream>(
        std::move(socket), shard->shared_->tls ? &*shard->shared_->tls : nullptr, shard->clock(),
        max_input, shard->shared_->open);
    if (shard->shutting_down_) return;
    HttpSession::start(std::make_shared<HttpSession>(shard, std::move(stream)));
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

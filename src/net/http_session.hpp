#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agentcom/protocol/replies.hpp"
#include "net/connection.hpp"
#include "net/http_request.hpp"

namespace agentcom::net {

/// One HTTP/1.1 connection: keep-alive, requests one after the other (what a client pipelines waits
/// in the stream). At /ws it hands its stream to a WsSession.
class HttpSession final : public Connection, private delivery::Debtor {
public:
    HttpSession(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream);
    static void start(std::shared_ptr<HttpSession> session);

    void sweep(core::SteadyTime now) override;
    void begin_shutdown() override { notify(); }
    [[nodiscard]] delivery::Outbox& output() override { return outbox_; }

private:
    enum class Phase : std::uint8_t { handshake, idle, reading, working, lingering, over };
    enum class Next : std::uint8_t { another_request, close, abandon, upgrade };
    struct Incoming;  // the request being read, in Beast's terms
    enum class Received : std::uint8_t { complete, refused, gone };

    static Awaitable<void> run(std::shared_ptr<HttpSession> self);
    /// False when the connection ended, or has been idle for too long.
    Awaitable<bool> first_byte(core::Millis patience);
    Awaitable<Next> one_request();
    /// Reads a request; a bad one is answered with an error.
    Awaitable<Received> receive(Incoming& incoming);
    /// Waits for more than is at hand. An error when the request will not be completed.
    Awaitable<std::optional<core::ErrorCode>> more_input();
    Awaitable<Next> respond(Incoming& incoming);
    /// Nothing when the client has gone away meanwhile.
    Awaitable<std::optional<protocol::Reply>> ask(RouterCall call);
    void on_reply(std::uint64_t number, protocol::Reply&& reply);
    void refuse(core::ErrorCode code);
    void send(HttpAnswer answer, AnswerForm form);
    [[nodiscard]] HttpAnswer encode(const protocol::Reply& reply, bool hint);
    /// An answer cannot be ended in the middle: the connection is.
    void foreclose() override;
    void enter(Phase phase, std::optional<core::Millis> limit = {});
    void become_websocket();

    delivery::Outbox outbox_;
    Phase phase_ = Phase::idle;
    bool timed_out_ = false;  // the deadline of `idle` or `reading` has passed
    std::optional<core::SteadyTime> deadline_;
    std::uint64_t asked_ = 0;  // number of the newest question to the router
    std::optional<protocol::Reply> reply_;
    std::optional<Upgrade> upgrade_;
};

}  // namespace agentcom::net

#pragma once

#include <memory>

#include "agentcom/delivery/session.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/router/router.hpp"
#include "net/connection.hpp"
#include "net/http_request.hpp"

namespace agentcom::net {

/// One stream of an agent's messages as server-sent events: the body of an HTTP answer that ends
/// with the connection. What the client sends meanwhile means nothing. A comment keeps it alive
/// when there is nothing else to say.
class SseSession final : public Connection, public delivery::Session {
public:
    /// How long a stream is silent before a comment is sent.
    static constexpr core::Millis kKeepAlive{15'000};

    SseSession(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream,
               Shares::Holding agents_place, StreamWish wish);
    static void start(std::shared_ptr<SseSession> session);

    void sweep(core::SteadyTime now) override;
    void begin_shutdown() override { close(protocol::CloseCode::going_away); }
    [[nodiscard]] delivery::Outbox& output() override { return outbox(); }
    void on_output(core::Seq seq) override;
    void foreclose() override;

protected:
    void request_flush() override { flush_soon(); }
    void begin_close(protocol::CloseCode code) override;

private:
    static Awaitable<void> run(std::shared_ptr<SseSession> self);
    /// Opens the stream, or answers why not.
    Awaitable<void> begin();
    void send(std::string_view bytes);
    void send_event(std::string_view type, const protocol::StreamOpened& opened);
    void send_data(std::string_view text);
    /// The stream tells of what has come, and shows nothing (MCP).
    void begin_subscription(mcp::Subscription& subscription, core::Seq last_seq);
    void unregister() override { shard().router().disconnected(loop(), *this); }

    Shares::Holding agents_place_;
    StreamWish wish_;
    core::SteadyTime last_sent_;
    core::SteadyTime close_deadline_{};
    bool open_ = false;  // its head is in the outbox, and the client is there
};

}  // namespace agentcom::net

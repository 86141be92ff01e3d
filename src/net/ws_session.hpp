#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agentcom/delivery/session.hpp"
#include "agentcom/protocol/codec.hpp"
#include "agentcom/router/router.hpp"
#include "net/connection.hpp"
#include "net/http_request.hpp"
#include "net/reply_queue.hpp"

namespace agentcom::net {

/// One WebSocket connection. Its coroutine reads frames and hands their requests to the router,
/// many at a time; replies and pushed frames go straight into the outbox. Beast parses frames and
/// answers pings and the other side's close; what it writes takes its place in the same outbox.
/// Closing from this side is a close frame in the outbox, after which nothing is appended any more
/// and the reader goes on until the other side has answered.
class WsSession final : public Connection, public delivery::Session {
public:
    WsSession(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream,
              Visitor visitor);
    static void start(std::shared_ptr<WsSession> session, Upgrade upgrade);

    void sweep(core::SteadyTime now) override;
    void begin_shutdown() override { close(protocol::CloseCode::going_away); }
    [[nodiscard]] delivery::Outbox& output() override { return outbox(); }
    void on_input() override;
    void on_output(core::Seq seq) override;
    void drop_suspended() noexcept override;

protected:
    void request_flush() override { flush_soon(); }
    void begin_close(protocol::CloseCode code) override;

private:
    class BeastLayer;
    class WebSocket;

    static Awaitable<void> run(std::shared_ptr<WsSession> self, Upgrade upgrade);
    Awaitable<bool> accept(WebSocket& socket, Upgrade upgrade);
    Awaitable<void> read_frames(WebSocket& socket);
    /// So many bytes of a message that is not complete are kept. Closes when there is no memory
    /// left for them.
    void hold(std::size_t bytes);
    /// The connection has identified itself: it leaves its address's place and gets more room.
    void become_known(WebSocket& socket);
    /// It has sent something else: that counts against its address.
    void charge_stranger();
    /// Input is left alone while this holds: back pressure reaches the sender through its socket.
    [[nodiscard]] bool must_pause();

    /// Beast has something to write: the handshake's answer, a pong, a close frame.
    void write_from_beast(std::string_view bytes);
    [[nodiscard]] bool has_room() { return outbox().bytes() < kOutputHighWater; }
    void release_beast_writer();

    void hand_over(protocol::Frame frame);
    void identify(ReplyQueue::Ticket ticket, const protocol::Identify& request);
    void on_reply(ReplyQueue::Ticket ticket, bool write, const protocol::Reply& reply);
    void answer(ReplyQueue::Ticket ticket, const protocol::Reply& reply);
    void append_close_frame(protocol::CloseCode code);
    void watch_silence(core::SteadyTime now);
    /// Unregisters, once.
    void leave();
    void log_end() const;

    /// With so much waiting to be written nothing more is read: whoever asks must also listen.
    static constexpr std::size_t kOutputHighWater = std::size_t{1} << 20;
    /// With less than that the backlog of an acks session goes on.
    static constexpr std::size_t kBacklogLowWater = std::size_t{256} << 10;

    Visitor visitor_;
    Shares::Holding held_;  // bytes of an incomplete message, of the agent or the address
    ReplyQueue replies_;
    router::Caller caller_;
    core::SteadyTime opened_;
    core::SteadyTime last_ping_{};
    core::SteadyTime close_deadline_{};
    HandlerSlot<error_code, std::size_t> beast_writer_;
    std::size_t beast_written_ = 0;
    std::uint32_t writes_in_flight_ = 0;
    std::uint16_t close_code_ = 0;  // of the close frame that was sent or received
    bool open_ = false;             // the handshake's answer is in the outbox
    bool closed_by_peer_ = false;   // the other side closed first, or broke the protocol
    bool output_sealed_ = false;    // a close frame is in the outbox: nothing may follow it
    bool paused_ = false;
    bool left_ = false;
};

}  // namespace agentcom::net

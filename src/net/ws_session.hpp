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
#include "net/ws_reader.hpp"

namespace agentcom::net {

/// One WebSocket connection. Its coroutine reads frames and hands their requests to the router,
/// many at a time; replies, pushed frames and pongs go straight into the outbox.
/// Closing from this side stops the taking of requests, lets those in flight be answered, and then
/// puts a close frame into the outbox, after which nothing is appended any more; the reader goes on
/// until the other side has answered.
class WsSession final : public Connection, public delivery::Session {
public:
    WsSession(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream,
              Visitor visitor);
    static void start(std::shared_ptr<WsSession> session, Upgrade upgrade);

    void sweep(core::SteadyTime now) override;
    void begin_shutdown() override { close(protocol::CloseCode::going_away); }
    [[nodiscard]] delivery::Outbox& output() override { return outbox(); }
    void on_output(core::Seq seq) override;
    void foreclose() override;

protected:
    void request_flush() override { flush_soon(); }
    void begin_close(protocol::CloseCode code) override;

private:
    static Awaitable<void> run(std::shared_ptr<WsSession> self, Upgrade upgrade);
    void accept(const Upgrade& upgrade);
    /// Until nothing more is to come.
    Awaitable<void> read_frames();
    /// One text frame, decoded.
    void take(protocol::Frame&& frame);
    /// So many bytes of a message that is not complete are kept. Closes when there is no memory
    /// left for them.
    void hold(std::size_t bytes);
    /// The connection has identified itself: it leaves its address's place and gets more room.
    void become_known();
    /// Whatever a connection sends that is not known counts against its address.
    void charge_stranger();
    /// Input is left alone while this holds: back pressure reaches the sender through its socket.
    /// `wrote`: the last frame was a write, so that the next may have to wait for the pipeline.
    [[nodiscard]] bool must_pause(bool wrote);

    /// False: ask again in the next turn of the loop. What its mailbox throws becomes the answer.
    [[nodiscard]] bool may_identify(core::result<protocol::Request>& request);
    void hand_over(protocol::Frame&& frame);
    /// Ends a connection from an address that has shown too many wrong tokens.
    void refuse_tokens(ReplyQueue::Ticket ticket);
    void identify(ReplyQueue::Ticket ticket, const protocol::Identify& request);
    void on_reply(ReplyQueue::Ticket ticket, bool write, const protocol::Reply& reply);
    /// Never throws: an answer that cannot be made becomes an error.
    void answer(ReplyQueue::Ticket ticket, const protocol::Reply& reply);
    /// With an error of a request that no operation has been asked for.
    void refuse(ReplyQueue::Ticket ticket, core::Error error);
    /// Whether something is in flight that is to be answered before the connection ends.
    [[nodiscard]] bool owes_answers() const noexcept {
        return !output_sealed_ && !heedless_ && replies_.in_flight() > 0;
    }
    /// Once nothing is in flight that is to be answered before it: the close frame that `close`
    /// asked for. To be called whenever that may have come true.
    void say_goodbye();
    /// A ping, a pong or a close frame.
    void append_control(char opcode, std::string_view payload);
    void watch_silence(core::SteadyTime now);
    void unregister() override { shard().router().disconnected(loop(), *this); }
    /// Where it comes from, for the log. Behind a proxy that is its client, whose port is not
    /// known.
    [[nodiscard]] std::string from() const;
    void log_end();

    /// With so much waiting to be written nothing more is read: whoever asks must also listen.
    static constexpr std::size_t kOutputHighWater = std::size_t{1} << 20;
    /// Whoever is foreclosed may finish a frame that has begun if no more than this is left of it.
    static constexpr std::size_t kLastWords = std::size_t{256} << 10;

    /// What ended the connection first: a close frame of either side, or no more input.
    enum class End : std::uint8_t { none, by_hub, by_peer, broken_off };

    Visitor visitor_;
    WsReader reader_;
    Shares::Holding held_;  // bytes of an incomplete message, of the agent or the address
    ReplyQueue replies_;
    router::Caller caller_;
    core::SteadyTime opened_;
    core::SteadyTime last_ping_{};
    core::SteadyTime close_deadline_{};  // from when all that was asked has been answered
    std::uint32_t writes_in_flight_ = 0;
    std::uint32_t reads_in_flight_ = 0;
    std::uint16_t close_code_ = 0;  // that the hub closes with
    End end_ = End::none;
    bool output_sealed_ = false;  // a close frame is in the outbox: nothing may follow it
    bool heedless_ = false;       // it does not read: its answers are not waited for
    bool paused_ = false;
};

}  // namespace agentcom::net

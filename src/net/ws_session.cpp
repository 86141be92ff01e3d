#include "net/ws_session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/append.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffers_iterator.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "agentcom/core/version.hpp"
#include "net/ws_framing.hpp"

namespace agentcom::net {

namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

namespace {

/// Beast asks for room before a frame has come, so this is what an idle connection's read buffer
/// takes; most messages fit. The rest of a larger one is read as it comes.
constexpr std::size_t kReadStep = 512;
/// A read buffer that has grown past this for one large frame is given back after it.
constexpr std::size_t kKeptReadBuffer = std::size_t{8} * 1024;
constexpr char kCloseOpcode = '\x88';
constexpr std::string_view kPing("\x89\x00", 2);

}  // namespace

/// The "socket" Beast sees: reads come from the buffered stream, writes go to the outbox.
class WsSession::BeastLayer {
public:
    using executor_type = Executor;
    explicit BeastLayer(WsSession* session) : session_(session) {}
    [[nodiscard]] executor_type get_executor() noexcept { return session_->stream().executor(); }

    template <class Buffers, class Token>
    auto async_read_some(const Buffers& buffers, Token&& token) {
        asio::mutable_buffer into;
        for (auto it = asio::buffer_sequence_begin(buffers);
             it != asio::buffer_sequence_end(buffers) && into.size() == 0; ++it) {
            into = *it;
        }
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [](auto handler, WsSession* session, asio::mutable_buffer buffer) {
                session->stream().read_some(buffer, std::move(handler));
            },
            token, session_, into);
    }

    template <class Buffers, class Token>
    auto async_write_some(const Buffers& buffers, Token&& token) {
        const std::string bytes(asio::buffers_begin(buffers), asio::buffers_end(buffers));
        session_->write_from_beast(bytes);
        return asio::async_initiate<Token, void(error_code, std::size_t)>(
            [](auto handler, WsSession* session, std::size_t written) {
                if (!session->has_room() && !session->stream().broken()) {
                    session->beast_written_ = written;
                    session->beast_writer_.hold(std::move(handler));
                    return;
                }
                asio::post(session->stream().executor(),
                           asio::append(std::move(handler), error_code(), written));
            },
            token, session_, bytes.size());
    }

    /// The end of the connection is the session's business.
    template <class Handler>
    friend void async_teardown(beast::role_type, BeastLayer& layer, Handler&& handler) {
        asio::post(layer.get_executor(),
                   asio::append(std::forward<Handler>(handler), error_code()));
    }
    friend void beast_close_socket(BeastLayer& layer) { layer.session_->abort(); }

private:
    WsSession* session_;
};

/// Without the deflate extension, which costs each connection more memory than all the rest.
class WsSession::WebSocket : public websocket::stream<WsSession::BeastLayer, false> {
public:
    using stream::stream;
};

WsSession::WsSession(std::shared_ptr<Shard> the_shard, std::shared_ptr<BufferedStream> the_stream,
                     Visitor visitor)
    : Connection(std::move(the_shard), std::move(the_stream)),
      Session(WsFraming::instance(), shard().limits().outbox, &loop().output()),
      visitor_(std::move(visitor)),
      replies_(outbox(), shard().shared_answers(), loop().registry().faults()),
      opened_(now()) {}

void WsSession::start(std::shared_ptr<WsSession> session, Upgrade upgrade) {
    const Executor executor = session->stream().executor();
    asio::co_spawn(
        executor, run(session, std::move(upgrade)), [session](const std::exception_ptr& failure) {
            session->leave();
            session->finish();
            if (!failure) return;
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& error) {
                if (const auto line = session->shard().log().exceptions.admit(session->now())) {
                    spdlog::error("a WebSocket connection ended unexpectedly: {}{}", error.what(),
                                  line->note());
                }
            }
        });
}

Awaitable<void> WsSession::run(std::shared_ptr<WsSession> self, Upgrade upgrade) {
    {
        WebSocket socket(BeastLayer(self.get()));
        if (co_await self->accept(socket, std::move(upgrade))) co_await self->read_frames(socket);
    }
    // Whatever ended the reading, nothing is to be sent any more.
    self->closed_by_peer_ = true;
    self->close(protocol::CloseCode::normal);
    self->leave();
    self->log_end();
    self->close_deadline_ = self->now() + self->shard().limits().close_timeout;
    co_await self->linger();
}

Awaitable<bool> WsSession::accept(WebSocket& socket, Upgrade upgrade) {
    http::request<http::empty_body> request(http::verb::get, upgrade.target, 11);
    request.set(http::field::host, "agentcom");
    request.set(http::field::upgrade, "websocket");
    request.set(http::field::connection, "upgrade");
    request.set(http::field::sec_websocket_version, "13");
    request.set(http::field::sec_websocket_key, upgrade.key);
    socket.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
        response.set(http::field::server, "agentcom/" + std::string(core::kVersion));
    }));
    socket.read_message_max(
        std::min(shard().limits().max_unidentified_frame_bytes, shard().limits().max_frame_bytes));
    const auto [error] = co_await socket.async_accept(request, kAsTuple);
    if (error) co_return false;
    open_ = true;
    if (closing()) append_close_frame(static_cast<protocol::CloseCode>(close_code_));
    if (const auto line = shard().log().opened.admit(now())) {
        spdlog::info("WebSocket connection from {}{}", stream().peer(), line->note());
    }
    co_return true;
}

Awaitable<void> WsSession::read_frames(WebSocket& socket) {
    beast::flat_buffer buffer;
    while (true) {
        error_code error;
        do {
            // Never as much as the frame claims to have: room for as much again as has come.
            const std::size_t step =
                buffer.size() == 0 ? kReadStep : std::max(kKeptReadBuffer, buffer.size());
            const auto [failed, bytes] = co_await socket.async_read_some(buffer, step, kAsTuple);
            error = failed;
            if (!error && !socket.is_message_done()) hold(buffer.size());
            if (closing()) {
                // What comes after that is of no use to anybody.
                buffer.consume(buffer.size());
                buffer.shrink_to_fit();
                held_.give_back();
            }
        } while (!error && !socket.is_message_done());
        held_.give_back();
        if (error) {
            if (error == websocket::error::closed && close_code_ == 0) {
                close_code_ = socket.reason().code;
            }
            co_return;
        }
        if (!closing() && !socket.got_text()) {
            answer(replies_.open({}), core::Error(core::ErrorCode::binary_not_supported));
        } else if (!closing()) {
            const auto data = buffer.cdata();
            protocol::Frame frame = protocol::decode_frame(
                {static_cast<const char*>(data.data()), data.size()}, identity().has_value());
            // A client reads its own writes: what it sent before is answered first.
            while (frame.request && writes_in_flight_ > 0 && !stream().broken() &&
                   protocol::policy_of(*frame.request).effect == protocol::Effect::read) {
                paused_ = true;
                co_await changed();
            }
            while (frame.request && !closing() && !stream().broken() &&
                   !may_identify(*frame.request)) {
                paused_ = true;
                asio::post(stream().executor(), [self = shared_from_this()] { self->notify(); });
                co_await changed();
            }
            const bool was_unknown = !identity();
            hand_over(std::move(frame));
            if (was_unknown && identity()) {
                become_known(socket);
            } else if (was_unknown) {
                charge_stranger();
            }
        }
        buffer.consume(buffer.size());
        if (buffer.capacity() > kKeptReadBuffer) buffer.shrink_to_fit();
        while (must_pause()) {
            paused_ = true;
            co_await changed();
        }
        paused_ = false;
    }
}

void WsSession::become_known(WebSocket& socket) {
    visitor_.place.give_back();
    held_ = {};
    socket.read_message_max(shard().limits().max_frame_bytes);
    stream().limit_input(kInputAtHand);
}

void WsSession::charge_stranger() {
    if (closing() || shard().admit_stranger(visitor_.address)) return;
    answer(replies_.open({}), core::Error(core::ErrorCode::rate_limited));
    close(protocol::CloseCode::rate_limited);
}

void WsSession::hold(std::size_t bytes) {
    // A small one is no more than what any connection may keep.
    if (bytes <= kKeptReadBuffer) return held_.give_back();
    if (!held_) {
        const AddressKey key = address_key(visitor_.address);
        held_ =
            shard().input().holding(identity() ? std::string(identity()->agent.str())
                                               : std::string(key.bytes.begin(), key.bytes.end()));
    }
    if (held_.resize(bytes)) return;
    held_.give_back();
    answer(replies_.open({}), core::Error(core::ErrorCode::overloaded));
    close(protocol::CloseCode::going_away);
}

bool WsSession::must_pause() {
    if (closing() || stream().broken()) return false;
    // An answer that has yet to come may be large: there is only one such beyond the high water.
    if (reads_in_flight_ > 0 || outbox().debt() >= kOutputHighWater) return true;
    if (replies_.in_flight() >= shard().limits().max_requests_in_flight) return true;
    if (!shard().router().saturated()) return false;
    shard().wait_for_pipeline(shared_from_this());
    return true;
}

bool WsSession::may_identify(const protocol::Request& request) {
    const auto* identify = std::get_if<protocol::Identify>(&request);
    return identify == nullptr || shard().router().ready_to_identify(loop(), *this, *identify);
}

void WsSession::hand_over(protocol::Frame frame) {
    if (closing()) return;
    const ReplyQueue::Ticket ticket = replies_.open(std::move(frame.ref));
    if (!frame.request) return answer(ticket, frame.request.error());
    if (const auto* request = std::get_if<protocol::Identify>(&*frame.request)) {
        return identify(ticket, *request);
    }
    const bool write = protocol::policy_of(*frame.request).effect == protocol::Effect::write;
    ++(write ? writes_in_flight_ : reads_in_flight_);
    auto self = std::static_pointer_cast<WsSession>(shared_from_this());
    try {
        // Nothing that a frame asks for waits for long, so nothing is ever given up.
        (void)shard().router().handle(
            loop(), caller_, this, std::move(*frame.request),
            [self = std::move(self), ticket, write](protocol::Reply&& reply) {
                self->on_reply(ticket, write, reply);
            });
    } catch (const std::exception&) {
        loop().registry().faults().report("request");
        if (replies_.is_open(ticket)) {
            on_reply(ticket, write, core::Error(core::ErrorCode::internal));
        }
    }
}

void WsSession::identify(ReplyQueue::Ticket ticket, const protocol::Identify& request) {
    const protocol::Reply reply = shard().router().identify(loop(), *this, request);
    if (reply) {
        caller_ = router::Caller{identity()->agent, identity()->role, identity()->token};
        if (const auto line = shard().log().identified.admit(now())) {
            spdlog::info("{} identified as {}{}", stream().peer(), identity()->agent.str(),
                         line->note());
        }
    }
    answer(ticket, reply);
    if (reply) shard().router().continue_backlog(loop(), *this);
}

void WsSession::on_reply(ReplyQueue::Ticket ticket, bool write, const protocol::Reply& reply) {
    --(write ? writes_in_flight_ : reads_in_flight_);
    answer(ticket, reply);
    shard().reply_came();
}

void WsSession::answer(ReplyQueue::Ticket ticket, const protocol::Reply& value) {
    if (!closing()) {
        const bool was_empty = outbox().empty();
        replies_.complete(ticket, value);
        appended(was_empty);
    }
    notify();
}

void WsSession::write_from_beast(std::string_view bytes) {
    if (output_sealed_) return;
    if (open_ && bytes.size() >= 2 && bytes.front() == kCloseOpcode) {
        if (bytes.size() >= 4 && close_code_ == 0) {
            close_code_ = static_cast<std::uint16_t>((static_cast<unsigned char>(bytes[2]) << 8) |
                                                     static_cast<unsigned char>(bytes[3]));
        }
        closed_by_peer_ = true;
        output_sealed_ = true;
        close(protocol::CloseCode::normal);
    }
    outbox().append(bytes, {}, true);
    flush_soon();
}

void WsSession::release_beast_writer() {
    if (!beast_writer_.waiting() || !(has_room() || stream().broken())) return;
    auto self = std::static_pointer_cast<WsSession>(shared_from_this());
    asio::post(stream().executor(), [self = std::move(self)] {
        self->beast_writer_.resume(error_code(), self->beast_written_);
    });
}

void WsSession::on_input() {
    Connection::on_input();
    release_beast_writer();
}

void WsSession::on_output(core::Seq seq) {
    on_written(seq);
    Connection::on_output(seq);
    release_beast_writer();
    if (closing()) {
        // All has been said: others are told at once, not when the other side has answered.
        if (outbox().empty()) leave();
    } else if (catching_up() && outbox().bytes() < kBacklogLowWater) {
        shard().router().continue_backlog(loop(), *this);
    }
}

void WsSession::drop_suspended() noexcept {
    beast_writer_.drop();
    Connection::drop_suspended();
}

void WsSession::begin_close(protocol::CloseCode code) {
    close_deadline_ = now() + shard().limits().close_timeout;
    replies_.drop_held();
    notify();
    if (closed_by_peer_) return;
    close_code_ = static_cast<std::uint16_t>(code);
    // What a slow consumer has not been sent waits in its mailbox.
    if (code == protocol::CloseCode::slow_consumer) outbox().drop_unsent();
    if (open_) append_close_frame(code);
}

void WsSession::foreclose() {
    close(protocol::CloseCode::slow_consumer);
    if (outbox().debt() <= kLastWords) return;
    abort();
    outbox().clear();
}

void WsSession::append_close_frame(protocol::CloseCode code) {
    const std::string_view reason = protocol::close_reason(code);
    const auto number = static_cast<std::uint16_t>(code);
    std::string frame{kCloseOpcode};
    frame.push_back(static_cast<char>(2 + reason.size()));
    frame.push_back(static_cast<char>(number >> 8));
    frame.push_back(static_cast<char>(number & 0xff));
    frame += reason;
    outbox().append(frame, {}, true);
    output_sealed_ = true;
    flush_soon();
}

void WsSession::sweep(core::SteadyTime now) {
    const Limits& limits = shard().limits();
    if (closing()) {
        if (now >= close_deadline_) abort();
        return;
    }
    if (is_too_slow(now, limits.liveness_timeout)) return close(protocol::CloseCode::slow_consumer);
    if (!identity() && now - opened_ >= limits.identify_timeout) {
        answer(replies_.open({}), core::Error(core::ErrorCode::identify_timeout));
        return close(protocol::CloseCode::identify_timeout);
    }
    if (!paused_) watch_silence(now);
}

void WsSession::watch_silence(core::SteadyTime now) {
    const core::Millis limit = shard().limits().liveness_timeout;
    const core::SteadyTime heard = stream().last_input();
    if (now - heard < limit / 2) return;
    // Whoever has not been asked since, or has answered what was not read yet, is not judged.
    if (last_ping_ > heard) {
        if (now - heard >= limit && now - last_ping_ >= limit / 2 && !stream().input_waits()) {
            close(protocol::CloseCode::stale);
        }
        return;
    }
    last_ping_ = now;
    outbox().append(kPing, {}, true);
    flush_soon();
}

void WsSession::leave() {
    if (std::exchange(left_, true)) return;
    shard().router().disconnected(loop(), *this);
}

void WsSession::log_end() {
    const auto line = shard().log().ended.admit(now());
    if (!line) return;
    const std::string_view who =
        identity() ? std::string_view(identity()->agent.str()) : "an unidentified connection";
    if (close_code_ == 0) {
        spdlog::info("connection of {} broke off{}", who, line->note());
    } else {
        spdlog::info("connection of {} closed with {} {}{}", who, close_code_,
                     protocol::close_reason(static_cast<protocol::CloseCode>(close_code_)),
                     line->note());
    }
}

}  // namespace agentcom::net

#include "net/ws_session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "net/http_answer.hpp"
#include "net/ws_framing.hpp"
#include "net/ws_handshake.hpp"

namespace agentcom::net {

namespace {

/// A message that has come in part and is no larger is no more than what any connection may keep.
constexpr std::size_t kFreeToHold = std::size_t{8} * 1024;
/// Frames of one connection that are taken up in one turn, where one counts for more by each so
/// many bytes: few enough for others, many enough to spare the way through the loop's queue.
constexpr std::size_t kFramesATurn = 8;
constexpr std::size_t kBytesOfFrame = 1'024;
constexpr char kCloseOpcode = '\x88';
constexpr char kPongOpcode = '\x8a';
constexpr char kPingOpcode = '\x89';

}  // namespace

WsSession::WsSession(std::shared_ptr<Shard> the_shard, std::shared_ptr<BufferedStream> the_stream,
                     Visitor visitor)
    : Connection(std::move(the_shard), std::move(the_stream), delivery::ConnectionKind::websocket),
      Session(WsFraming::instance(), shard().limits().outbox, &loop().output()),
      visitor_(std::move(visitor)),
      reader_(std::min(shard().limits().max_unidentified_frame_bytes,
                       shard().limits().max_frame_bytes)),
      replies_(outbox(), shard().shared_answers(), loop().registry().faults()),
      opened_(now()) {}

void WsSession::start(std::shared_ptr<WsSession> session, Upgrade upgrade) {
    session->run_to_end(run(session, std::move(upgrade)), "a WebSocket connection");
}

Awaitable<void> WsSession::run(std::shared_ptr<WsSession> self, Upgrade upgrade) {
    self->accept(upgrade);
    try {
        co_await self->read_frames();
    } catch (const std::exception&) {
        self->loop().registry().faults().report("WebSocket connection");
        self->close(protocol::CloseCode::internal_error);
    }
    // Whatever ended the reading, there will be no more requests. Those in flight are answered: the
    // other side may have closed its sending half only.
    self->close(protocol::CloseCode::normal);
    self->leave();
    self->log_end();
    while (self->owes_answers() && !self->stream().broken()) co_await self->changed();
    self->close_deadline_ = self->now() + self->shard().limits().close_timeout;
    co_await self->linger();
}

void WsSession::accept(const Upgrade& upgrade) {
    outbox().append(websocket_answer(upgrade.key, shard().clock().now()), {}, true);
    flush_soon();
    if (const auto line = shard().log().opened.admit(now())) {
        spdlog::info("WebSocket connection from {}{}", from(), line->note());
    }
    // The hub began to stop while the connection was on its way here.
    if (shard().shutting_down()) begin_shutdown();
}

Awaitable<void> WsSession::read_frames() {
    using Event = WsReader::Event;
    std::size_t done = 0;  // of this turn, in small frames
    while (true) {
        bool writes = false;
        stream().consume(reader_.take(stream().input()));
        // What comes after the hub has closed is of no use to anybody.
        if (closing()) reader_.pass_over_messages();
        switch (reader_.event()) {
            case Event::none:
                if (stream().input_ended()) {
                    end_ = end_ == End::none ? End::broken_off : end_;
                    co_return;
                }
                hold(reader_.held());
                stream().want_input();
                co_await changed_but_output();
                done = 0;
                continue;
            case Event::close:
                if (!closing()) end_ = End::by_peer;
                co_return;
            case Event::broken:
                close(reader_.failure());
                co_return;
            case Event::ping:
                append_control(kPongOpcode, reader_.payload());
                break;
            case Event::pong:
                break;
            case Event::binary:
                held_.give_back();
                if (!closing()) {
                    refuse(replies_.open({}), core::Error(core::ErrorCode::binary_not_supported));
                }
                break;
            case Event::text: {
                held_.give_back();
                if (closing()) break;
                protocol::Frame frame =
                    protocol::decode_frame(reader_.payload(), identity().has_value());
                const auto effect = frame.request ? protocol::policy_of(*frame.request).effect
                                                  : protocol::Effect::none;
                writes = effect == protocol::Effect::write;
                // A client reads its own writes: what it sent before is answered first.
                while (effect == protocol::Effect::read && writes_in_flight_ > 0 &&
                       !stream().broken()) {
                    paused_ = true;
                    co_await changed();
                }
                while (frame.request && !closing() && !stream().broken() &&
                       !may_identify(frame.request)) {
                    paused_ = true;
                    co_await asio::post(stream().executor(), UseAwaitable{});
                }
                take(std::move(frame));
            }
        }
        charge_stranger();
        done += 1 + reader_.payload().size() / kBytesOfFrame;
        reader_.next();
        while (must_pause(writes)) {
            paused_ = true;
            co_await changed();
            done = 0;
        }
        paused_ = false;
        // Others get their turn, however much has come at once. (Whoever waits for input gives it
        // to them anyway.)
        if (done < kFramesATurn && identity()) continue;
        done = 0;
        co_await asio::post(stream().executor(), UseAwaitable{});
    }
}

void WsSession::take(protocol::Frame&& frame) {
    const bool was_unknown = !identity();
    hand_over(std::move(frame));
    if (was_unknown && identity()) become_known();
}

void WsSession::become_known() {
    visitor_.place.give_back();
    held_ = {};
    reader_.limit(shard().limits().max_frame_bytes);
    stream().limit_input(kInputAtHand);
}

void WsSession::charge_stranger() {
    if (identity() || closing() || shard().admit_stranger(visitor_.address)) return;
    refuse(replies_.open({}), core::Error(core::ErrorCode::rate_limited));
    close(protocol::CloseCode::rate_limited);
}

void WsSession::hold(std::size_t bytes) {
    if (bytes <= kFreeToHold) return held_.give_back();
    if (!held_) {
        const AddressKey key = address_key(visitor_.address);
        held_ =
            shard().input().holding(identity() ? std::string(identity()->agent.str())
                                               : std::string(key.bytes.begin(), key.bytes.end()));
    }
    if (held_.resize(bytes)) return;
    held_.give_back();
    refuse(replies_.open({}), core::Error(core::ErrorCode::overloaded));
    close(protocol::CloseCode::going_away);
}

bool WsSession::must_pause(bool wrote) {
    if (closing() || stream().broken()) return false;
    // An answer that has yet to come may be large: there is only one such beyond the high water.
    if (reads_in_flight_ > 0 || outbox().debt() >= kOutputHighWater) return true;
    if (replies_.in_flight() >= shard().limits().max_requests_in_flight) return true;
    // Who only asks is heard on, whoever fills the pipeline.
    if (!wrote || !shard().router().saturated()) return false;
    shard().wait_for_pipeline(shared_from_this());
    return true;
}

bool WsSession::may_identify(core::result<protocol::Request>& request) {
    const auto* identify = std::get_if<protocol::Identify>(&*request);
    try {
        // Whoever has to wait is refused, and no mailbox is read for that.
        return identify == nullptr || shard().wait_before_token(visitor_.address).count() > 0 ||
               shard().router().ready_to_identify(*this, *identify);
    } catch (const std::exception&) {
        loop().registry().faults().report("identify");
        request = core::Error(core::ErrorCode::internal);
        return true;
    }
}

void WsSession::hand_over(protocol::Frame&& frame) {
    if (closing()) return;
    const ReplyQueue::Ticket ticket = replies_.open(std::move(frame.ref));
    if (!frame.request) return refuse(ticket, frame.request.error());
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
            figures().count_refusal(delivery::Elsewhere::websocket, core::ErrorCode::internal);
            on_reply(ticket, write, core::Error(core::ErrorCode::internal));
        }
    }
}

void WsSession::identify(ReplyQueue::Ticket ticket, const protocol::Identify& request) {
    if (shard().wait_before_token(visitor_.address).count() > 0) return refuse_tokens(ticket);
    protocol::Reply reply = core::Error(core::ErrorCode::internal);
    try {
        reply = shard().router().identify(loop(), *this, request);
    } catch (const std::exception&) {
        loop().registry().faults().report("identify");
        refuse(ticket, reply.error());
        // One that is known by half is of no use.
        if (identity()) close(protocol::CloseCode::internal_error);
        return;
    }
    if (!reply && reply.error().code == core::ErrorCode::invalid_token &&
        shard().note_wrong_token(visitor_.address).count() > 0) {
        return refuse_tokens(ticket);
    }
    if (reply) {
        caller_ = router::Caller{identity()->agent, identity()->role, identity()->token};
        if (const auto line = shard().log().identified.admit(now())) {
            spdlog::info("{} identified as {}{}", from(), identity()->agent.str(), line->note());
        }
    }
    answer(ticket, reply);
    if (reply) shard().router().continue_backlog(loop(), *this);
}

void WsSession::refuse_tokens(ReplyQueue::Ticket ticket) {
    refuse(ticket, too_many_wrong_tokens());
    close(protocol::CloseCode::rate_limited);
}

void WsSession::on_reply(ReplyQueue::Ticket ticket, bool write, const protocol::Reply& reply) {
    --(write ? writes_in_flight_ : reads_in_flight_);
    answer(ticket, reply);
    shard().reply_came();
}

void WsSession::answer(ReplyQueue::Ticket ticket, const protocol::Reply& value) {
    if (!output_sealed_ && !stream().broken()) {
        const bool was_empty = outbox().empty();
        replies_.complete(ticket, value);
        appended(was_empty);
        if (closing()) say_goodbye();
    }
    notify();
}

void WsSession::refuse(ReplyQueue::Ticket ticket, core::Error error) {
    figures().count_refusal(delivery::Elsewhere::websocket, error.code);
    answer(ticket, std::move(error));
}

void WsSession::on_output(core::Seq seq) {
    on_written(seq);
    Connection::on_output(seq);
    if (closing()) {
        // All has been said: others are told at once, not when the other side has answered.
        if (output_sealed_ && outbox().empty()) leave();
    } else {
        shard().router().continue_backlog(loop(), *this);
    }
}

void WsSession::begin_close(protocol::CloseCode code) {
    notify();
    if (end_ == End::none) {
        end_ = End::by_hub;
        close_code_ = static_cast<std::uint16_t>(code);
        // What a slow consumer has not been sent waits in its mailbox.
        heedless_ = code == protocol::CloseCode::slow_consumer;
        if (heedless_) {
            count_slow();
            outbox().drop_unsent();
        }
    }
    say_goodbye();
}

void WsSession::say_goodbye() {
    if (output_sealed_ || owes_answers()) return;
    close_deadline_ = now() + shard().limits().close_timeout;
    if (end_ == End::broken_off) return;
    replies_.drop_held();
    std::string payload;
    const auto put_code = [&payload](unsigned code) {
        payload.push_back(static_cast<char>(code >> 8));
        payload.push_back(static_cast<char>(code & 0xff));
    };
    if (end_ == End::by_hub) {
        put_code(close_code_);
        payload += protocol::close_reason(static_cast<protocol::CloseCode>(close_code_));
    } else if (reader_.close_code() != 0) {
        put_code(reader_.close_code());
    }
    append_control(kCloseOpcode, payload);
    output_sealed_ = true;
}

void WsSession::append_control(char opcode, std::string_view payload) {
    if (output_sealed_) return;
    std::string frame{opcode, static_cast<char>(payload.size())};
    frame += payload;
    const bool was_empty = outbox().empty();
    outbox().append(frame, {}, true);
    appended(was_empty);
}

void WsSession::foreclose() {
    close(protocol::CloseCode::slow_consumer);
    if (outbox().debt() <= kLastWords) return;
    abort();
    outbox().clear();
}

void WsSession::sweep(core::SteadyTime now) {
    const Limits& limits = shard().limits();
    if (closing()) {
        // How long its answers take is the hub's business; how long it takes to read them is not.
        if (owes_answers() ? is_too_slow(now, limits.liveness_timeout) : now >= close_deadline_) {
            abort();
        }
        return;
    }
    if (is_too_slow(now, limits.liveness_timeout)) return close(protocol::CloseCode::slow_consumer);
    if (!identity() && now - opened_ >= limits.identify_timeout) {
        refuse(replies_.open({}), core::Error(core::ErrorCode::identify_timeout));
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
    append_control(kPingOpcode, {});
}

std::string WsSession::from() const {
    return visitor_.through_proxy ? to_text(address_key(visitor_.address)) : stream().peer();
}

void WsSession::log_end() {
    const auto line = shard().log().ended.admit(now());
    if (!line) return;
    const std::string_view who =
        identity() ? std::string_view(identity()->agent.str()) : "an unidentified connection";
    if (end_ == End::broken_off) {
        return spdlog::info("connection of {} broke off{}", who, line->note());
    }
    const std::uint16_t code = end_ == End::by_hub ? close_code_ : reader_.close_code();
    spdlog::info("connection of {} closed with {} {}{}", who, code,
                 protocol::close_reason(static_cast<protocol::CloseCode>(code)), line->note());
}

}  // namespace agentcom::net

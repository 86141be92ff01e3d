#include "net/http_session.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/rfc7230.hpp>
#include <boost/beast/http/string_body.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "net/ws_session.hpp"

namespace agentcom::net {

namespace http = boost::beast::http;

namespace {

/// So many answers may wait to be written before the next pipelined request is looked at.
constexpr std::size_t kOutputHighWater = std::size_t{256} << 10;
/// What a client may send ahead while its request is being answered.
constexpr std::size_t kInputHighWater = std::size_t{64} << 10;

using Fields = http::request<http::string_body>;

std::optional<std::string_view> header(const Fields& fields, http::field name) {
    const auto found = fields.find(name);
    if (found == fields.end()) return std::nullopt;
    return std::string_view(found->value().data(), found->value().size());
}

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

/// The key of a handshake that RFC 6455, 4.2.1 accepts.
std::optional<std::string_view> websocket_key(const Fields& request) {
    constexpr std::size_t kKeyLength = 24;  // base64 of 16 bytes
    if (request.method() != http::verb::get || request.version() < 11) return std::nullopt;
    if (!boost::beast::iequals(request[http::field::upgrade], "websocket") ||
        !http::token_list(request[http::field::connection]).exists("upgrade") ||
        request[http::field::sec_websocket_version] != "13") {
        return std::nullopt;
    }
    const auto key = header(request, http::field::sec_websocket_key);
    return key && key->size() == kKeyLength ? key : std::nullopt;
}

HttpRequest to_request(const Fields& fields) {
    HttpRequest request;
    request.verb = view(fields.method_string());
    request.target = view(fields.target());
    request.body = fields.body();
    request.authorization = header(fields, http::field::authorization);
    request.content_type = header(fields, http::field::content_type);
    const auto key = fields.find("Idempotency-Key");
    if (key != fields.end()) request.idempotency_key = view(key->value());
    request.websocket_key = websocket_key(fields);
    return request;
}

core::ErrorCode parse_error(const error_code& error) {
    if (error == http::error::body_limit) return core::ErrorCode::body_too_large;
    if (error == http::error::header_limit) return core::ErrorCode::header_too_large;
    return core::ErrorCode::bad_request;
}

}  // namespace

struct HttpSession::Incoming {
    explicit Incoming(const Limits& limits) {
        parser.header_limit(limits.max_header_bytes);
        parser.body_limit(limits.max_body_bytes);
        parser.eager(true);
    }
    http::request_parser<http::string_body> parser;
};

HttpSession::HttpSession(std::shared_ptr<Shard> the_shard, std::shared_ptr<BufferedStream> stream)
    : Connection(std::move(the_shard), std::move(stream)), outbox_(shard().limits().outbox) {}

void HttpSession::start(std::shared_ptr<HttpSession> session) {
    const Executor executor = session->stream().executor();
    asio::co_spawn(executor, run(session), [session](const std::exception_ptr& failure) {
        session->finish();
        if (!failure) return;
        try {
            std::rethrow_exception(failure);
        } catch (const std::exception& error) {
            if (const auto line = session->shard().log().exceptions.admit(session->now())) {
                spdlog::error("an HTTP connection ended unexpectedly: {}{}", error.what(),
                              line->note());
            }
        }
    });
}

void HttpSession::enter(Phase phase, std::optional<core::Millis> limit) {
    phase_ = phase;
    timed_out_ = false;
    deadline_.reset();
    if (limit) deadline_ = now() + *limit;
}

void HttpSession::sweep(core::SteadyTime now) {
    if (phase_ == Phase::over) return;
    if (is_stuck(now, shard().limits().request_timeout)) return abort();
    if (!deadline_ || now < *deadline_) return;
    if (phase_ == Phase::handshake || phase_ == Phase::lingering) return abort();
    timed_out_ = true;
    notify();
}

Awaitable<void> HttpSession::run(std::shared_ptr<HttpSession> self) {
    const Limits& limits = self->shard().limits();
    self->enter(Phase::handshake, limits.request_timeout);
    if (const error_code error = co_await self->stream().handshake()) {
        if (const auto line = self->shard().log().failed_handshakes.admit(self->now())) {
            spdlog::info("TLS handshake with {} failed: {}{}", self->stream().peer(),
                         error.message(), line->note());
        }
        self->phase_ = Phase::over;
        co_return;
    }
    core::Millis patience = limits.request_timeout;
    // Between requests nothing is unread on either side, so an idle end needs no goodbye.
    Next next = Next::another_request;
    while (next == Next::another_request) {
        // Not part of the condition: GCC 12 miscompiles co_await behind && in a loop's head.
        const bool arrived = co_await self->first_byte(patience);
        if (!arrived) break;
        next = co_await self->one_request();
        patience = limits.keep_alive_timeout;
    }
    if (next == Next::another_request && !self->stream().drained()) next = Next::close;
    if (next == Next::upgrade) {
        self->become_websocket();
    } else if (next == Next::close) {
        self->enter(Phase::lingering, limits.close_timeout);
        co_await self->linger();
    }
    self->phase_ = Phase::over;
}

Awaitable<bool> HttpSession::first_byte(core::Millis patience) {
    enter(Phase::idle, patience);
    while (stream().input().empty()) {
        if (stream().input_ended() || timed_out_ || shard().shutting_down()) co_return false;
        stream().want_input();
        co_await changed();
    }
    co_return true;
}

Awaitable<HttpSession::Next> HttpSession::one_request() {
    Incoming incoming(shard().limits());
    enter(Phase::reading, shard().limits().request_timeout);
    switch (co_await receive(incoming)) {
        case Received::gone:
            co_return Next::abandon;
        case Received::refused:
            co_return Next::close;
        case Received::complete:
            break;
    }
    enter(Phase::working);
    co_return co_await respond(incoming);
}

Awaitable<HttpSession::Received> HttpSession::receive(Incoming& incoming) {
    auto& parser = incoming.parser;
    bool told_to_continue = false;
    while (!parser.is_done()) {
        error_code error;
        const std::string_view input = stream().input();
        const std::size_t used =
            input.empty() ? 0 : parser.put(asio::buffer(input.data(), input.size()), error);
        stream().consume(used);
        if (error && error != http::error::need_more) {
            refuse(parse_error(error));
            co_return Received::refused;
        }
        if (parser.is_done()) break;
        if (used > 0 && !stream().input().empty() && !error) continue;
        if (parser.is_header_done() && !std::exchange(told_to_continue, true) &&
            boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
            outbox_.append("HTTP/1.1 100 Continue\r\n\r\n", {}, true);
            flush_soon();
        }
        if (const auto failed = co_await more_input()) {
            if (*failed != core::ErrorCode::request_timeout) co_return Received::gone;
            refuse(*failed);
            co_return Received::refused;
        }
    }
    co_return Received::complete;
}

Awaitable<std::optional<core::ErrorCode>> HttpSession::more_input() {
    const std::size_t at_hand = stream().input().size();
    while (stream().input().size() == at_hand) {
        if (stream().input_ended()) co_return core::ErrorCode::bad_request;
        if (timed_out_) co_return core::ErrorCode::request_timeout;
        stream().want_input();
        co_await changed();
    }
    co_return std::nullopt;
}

Awaitable<HttpSession::Next> HttpSession::respond(Incoming& incoming) {
    const Fields& fields = incoming.parser.get();
    const bool wants_more = incoming.parser.keep_alive();
    HttpStep step = interpret(to_request(fields), shard().router(), shard().dashboard_html());
    if (auto* upgrade = std::get_if<Upgrade>(&step)) {
        upgrade_ = std::move(*upgrade);
        // The new session has an outbox of its own, which must not overtake this one.
        while (!stream().drained() && !stream().broken()) co_await changed();
        co_return Next::upgrade;
    }
    if (auto* call = std::get_if<RouterCall>(&step)) {
        const bool hint = call->hint;
        const auto reply = co_await ask(std::move(*call));
        if (!reply) co_return Next::abandon;
        step = to_answer(protocol::encode_http(*reply, hint));
    }
    AnswerForm form;
    form.http_1_0 = fields.version() < 11;
    form.keep_alive = wants_more && !shard().shutting_down();
    form.without_body = fields.method() == http::verb::head;
    send(std::get<HttpAnswer>(step), form);
    while (outbox_.bytes() > kOutputHighWater && !stream().broken()) co_await changed();
    co_return form.keep_alive ? Next::another_request : Next::close;
}

Awaitable<std::optional<protocol::Reply>> HttpSession::ask(RouterCall call) {
    const auto* poll = std::get_if<protocol::PollMailbox>(&call.request);
    const bool long_poll = poll != nullptr && poll->wait.count() > 0;
    const bool write = protocol::policy_of(call.request).effect == protocol::Effect::write;
    while (write && shard().router().saturated()) {
        if (stream().broken()) co_return std::nullopt;
        shard().wait_for_pipeline(shared_from_this());
        co_await changed();
    }
    reply_.reset();
    const std::weak_ptr<Connection> weak = weak_from_this();
    /// However this ends, nobody goes on waiting for whom nobody is left.
    struct GiveUp {
        router::Pending pending;
        ~GiveUp() { pending.cancel(); }
    };
    const GiveUp asked{shard().router().handle(
        loop(), call.caller, nullptr, std::move(call.request),
        [weak, number = ++asked_](protocol::Reply&& reply) {
            const auto self = weak.lock();
            if (!self) return;
            static_cast<HttpSession&>(*self).on_reply(number, std::move(reply));
        })};
    while (!reply_) {
        // Who has left a long poll is not kept waiting for; other answers come soon anyway, and a
        // client may rightly close its sending side first.
        if (stream().broken() || (long_poll && stream().input_ended())) co_return std::nullopt;
        if (stream().input().size() < kInputHighWater) stream().want_input();
        co_await changed();
    }
    co_return std::exchange(reply_, std::nullopt);
}

void HttpSession::on_reply(std::uint64_t number, protocol::Reply&& reply) {
    shard().reply_came();
    if (number != asked_ || phase_ != Phase::working) return;
    reply_ = std::move(reply);
    notify();
}

void HttpSession::refuse(core::ErrorCode code) {
    send(error_answer(code), AnswerForm{.http_1_0 = false, .keep_alive = false});
}

void HttpSession::send(const HttpAnswer& answer, AnswerForm form) {
    std::string text;
    text.reserve(answer.body.size() + 256);
    append_answer(answer, form, text);
    outbox_.append(text, {}, true);
    flush_soon();
}

void HttpSession::become_websocket() {
    phase_ = Phase::over;
    auto upgrade = std::move(*upgrade_);
    const auto next_shard = shared_shard();
    WsSession::start(std::make_shared<WsSession>(next_shard, detach_stream()), std::move(upgrade));
}

}  // namespace agentcom::net

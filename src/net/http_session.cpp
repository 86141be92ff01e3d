#include "net/http_session.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <exception>
#include <utility>
#include <variant>

#include "net/request_reader.hpp"
#include "net/sse_session.hpp"
#include "net/text.hpp"
#include "net/ws_session.hpp"

namespace agentcom::net {

namespace {

/// After an answer that came before its request's body, so much of a body is passed over for the
/// sake of the connection; with more to come it is closed.
constexpr std::uint64_t kMostPassedOver = std::uint64_t{64} << 10;

}  // namespace

HttpSession::HttpSession(std::shared_ptr<Shard> the_shard, std::shared_ptr<BufferedStream> stream,
                         Visitor visitor)
    : Connection(std::move(the_shard), std::move(stream), delivery::ConnectionKind::http),
      outbox_(shard().limits().outbox, &loop().output(), this),
      visitor_(std::move(visitor)),
      from_(visitor_.address) {}

void HttpSession::start(std::shared_ptr<HttpSession> session) {
    session->run_to_end(run(session), "an HTTP connection");
}

void HttpSession::enter(Phase phase, std::optional<core::Millis> limit) {
    phase_ = phase;
    timed_out_ = false;
    deadline_.reset();
    if (limit) deadline_ = now() + *limit;
}

void HttpSession::sweep(core::SteadyTime now) {
    if (phase_ == Phase::over) return;
    if (is_too_slow(now, shard().limits().request_timeout)) {
        count_slow();
        return abort();
    }
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
    if (self->stream().got_plain_http()) self->explain_tls();
    // Between requests nothing is unread on either side, so an idle end needs no goodbye.
    Next next = self->stream().got_plain_http() ? Next::close : Next::another_request;
    while (next == Next::another_request) {
        // Not part of the condition: GCC 12 miscompiles co_await behind && in a loop's head.
        const bool arrived = co_await self->first_byte(patience);
        if (!arrived) break;
        next = co_await self->answer_one();
        self->held_.give_back();
        patience = limits.keep_alive_timeout;
        // What a client sent ahead is no reason to keep others waiting.
        const bool more_at_hand = !self->stream().input().empty();
        if (more_at_hand) co_await asio::post(self->stream().executor(), UseAwaitable{});
    }
    if (next == Next::another_request && !self->stream().drained()) next = Next::close;
    if (next == Next::hand_over) {
        self->hand_over();
    } else if (next == Next::close) {
        // The answer has as long as any other; only the goodbye is short.
        self->enter(Phase::working);
        while (!self->stream().drained() && !self->stream().broken()) co_await self->changed();
        self->enter(Phase::lingering, limits.close_timeout);
        co_await self->linger();
    }
    self->phase_ = Phase::over;
}

Awaitable<HttpSession::Next> HttpSession::answer_one() {
    try {
        // The answer may be long in coming: of the request only what was decoded is kept meanwhile.
        Taken taken = co_await take_request();
        if (auto* todo = std::get_if<BodyStep>(&taken)) {
            co_return co_await respond(std::move(*todo));
        }
        const Next next = std::get<Next>(taken);
        if (next == Next::hand_over) co_return co_await make_way();
        co_return next;
    } catch (const std::exception&) {
        loop().registry().faults().report("HTTP request", form_.tag.fields());
    }
    // What has been read of it is unknown, so nothing can follow.
    co_return after(refuse(core::ErrorCode::internal));
}

Awaitable<bool> HttpSession::first_byte(core::Millis patience) {
    enter(Phase::idle, patience);
    // An empty line before a request is left over from the one before (RFC 9112, 2.2).
    while (skip_empty_lines(), stream().input().empty() || stream().input() == "\r") {
        if (stream().input_ended() || timed_out_) co_return false;
        // What has arrived before the hub began to stop is answered.
        if (shard().shutting_down() && !stream().input_waits()) co_return false;
        stream().want_input();
        co_await changed_but_output();
    }
    co_return true;
}

Awaitable<HttpSession::Taken> HttpSession::take_request() {
    RequestReader reader(shard().limits());
    from_ = visitor_.address;
    form_ = {.keep_alive = false};
    asked_for_.clear();
    route_ = nullptr;
    asker_.reset();
    wrong_token_shown_ = false;
    stream().limit_input(shard().max_input_of_strangers());
    enter(Phase::reading, shard().limits().request_timeout);
    const Received header = co_await receive_header(reader);
    if (header != Received::complete) co_return after(header);
    const HttpHead head = reader.head();
    by_https_ = came_by_https(head);
    auto [caller, token_shown, step, route] = admit(head, {.router = shard().router(),
                                                           .limits = shard().limits(),
                                                           .sites = shard().sites(),
                                                           .documents = shard().documents(),
                                                           .base_path = shard().base_path(),
                                                           .cookie_name = shard().cookie_name(),
                                                           .https = by_https_,
                                                           .local = is_local(reader)});
    route_ = route;
    // Who has shown a good one over this connection does not wait for what others show.
    if (const auto wait =
            token_shown && !agents_place_ ? shard().wait_before_token(from_) : core::Millis{0};
        wait.count() > 0) {
        caller = {};
        step = wait_answer(wait);
    }
    wrong_token_shown_ = token_shown && !caller.agent;
    const auto* admitted = std::get_if<Admission>(&step);
    const bool unmetered = admitted != nullptr && admitted->match.route->unmetered();
    if (caller.agent) {
        if (!vouch_for(*caller.agent)) {
            co_return after(refuse(core::ErrorCode::too_many_connections));
        }
    } else if (!unmetered && !shard().admit_stranger(from_)) {
        step = error_answer(core::ErrorCode::rate_limited);
    }
    if (std::holds_alternative<Upgrade>(step) && shard().shutting_down()) {
        step = error_answer(core::ErrorCode::shutting_down);
    }
    if (auto* upgrade = std::get_if<Upgrade>(&step)) {
        upgrade->visitor = leave_as();
        if (!upgrade->visitor.place) step = error_answer(core::ErrorCode::too_many_connections);
    }
    if (auto* upgrade = std::get_if<Upgrade>(&step)) {
        successor_ = std::move(*upgrade);
        co_return Next::hand_over;
    }
    if (auto* answer = std::get_if<HttpAnswer>(&step)) {
        // Not made within the co_await, of which GCC 12 destroys such a value twice.
        *answer = judge(std::move(*answer));
        co_return co_await answer_early(reader, std::move(*answer));
    }
    auto& admission = std::get<Admission>(step);
    reader.body().limit(admission.max_body_bytes);
    if (caller.agent) stream().limit_input(kInputAtHand);
    Received body = Received::complete;
    if (!reader.complete()) body = co_await receive_body(reader);
    if (body != Received::complete) co_return after(body);
    enter(Phase::working);
    BodyStep todo = interpret_body(head, caller, admission, reader.body().body());
    if (const auto* call = std::get_if<RouterCall>(&todo);
        call != nullptr && call->caller.agent && !asker_ && !vouch_for(*call->caller.agent)) {
        co_return after(refuse(core::ErrorCode::too_many_connections));
    }
    if (auto* call = std::get_if<RouterCall>(&todo);
        call != nullptr && (std::holds_alternative<protocol::OpenStream>(call->request) ||
                            std::holds_alternative<protocol::Observe>(call->request))) {
        held_.give_back();
        successor_ = StreamWish{std::move(call->caller), std::move(call->request), form_};
        co_return Next::hand_over;
    }
    held_.give_back();
    co_return todo;
}

bool HttpSession::is_local(const RequestReader& reader) const {
    // A proxy that is not known to be one comes from this machine, too, for whomever it serves; and
    // one that is known may fail to say for whom, or say what nobody can read.
    if (!address_key(from_).is_loopback()) return false;
    return visitor_.through_proxy
               ? shard().proxies().names_client(visitor_.address, reader.forwarded_for())
               : reader.forwarded_for().empty();
}

void HttpSession::note_head(const RequestReader& reader) {
    form_.http_1_0 = reader.is_http_1_0();
    form_.keep_alive = reader.wants_keep_alive() && !shard().shutting_down();
    form_.without_body = reader.is_head();
    form_.tag = reader.tag(shard().next_request());
    if (shard().sites().lists_any()) {
        form_.by_origin = true;
        auto origin = reader.origin();
        if (origin && shard().sites().lists(*origin)) form_.readable_by = std::move(*origin);
    }
    if (!reader.verb().empty() && spdlog::should_log(spdlog::level::debug)) {
        asked_for_ = std::string(reader.verb()) + ' ' + reader.path();
    }
    // What a proxy has added may be missing, and the client's own words must not stand for it.
    if (!visitor_.through_proxy || !reader.header_complete()) return;
    from_ = shard().proxies().client(visitor_.address, reader.forwarded_for());
    // What is kept from now on is the client's, not the proxy's.
    held_ = {};
}

BodyStep HttpSession::interpret_body(const HttpHead& head, router::Caller& caller,
                                     Admission& admission, std::string_view body) {
    if (admission.match.route->page == Page::mcp) {
        return begin_mcp(head, caller, admission, body, shard().clock().now());
    }
    if (admission.match.route->page == Page::claude_hook) {
        return begin_claude_hook(head, caller, body, shard().hooked_sessions());
    }
    if (const auto token = token_in_body(admission, body)) {
        const core::Millis wait =
            agents_place_ ? core::Millis{0} : shard().wait_before_token(from_);
        if (wait.count() > 0) return wait_answer(wait);
        caller = shard().router().authenticate(*token);
        wrong_token_shown_ = !caller.agent;
    }
    return interpret(head, caller, admission, body);
}

void HttpSession::skip_empty_lines() {
    constexpr std::string_view kEmptyLine = "\r\n";
    std::size_t bytes = 0;
    while (stream().input().substr(bytes).starts_with(kEmptyLine)) bytes += kEmptyLine.size();
    if (bytes > 0) stream().consume(bytes);
}

void HttpSession::explain_tls() {
    HttpAnswer answer;
    answer.status = 400;
    answer.content = Content::text;
    answer.body.append(std::string_view("This port speaks TLS: use https:// or wss:// here.\n"));
    figures().count(delivery::Elsewhere::none, delivery::Outcome::invalid);
    send(std::move(answer), AnswerForm{.keep_alive = false});
}

bool HttpSession::came_by_https(const HttpHead& head) const {
    // What a proxy takes by https it mostly hands on without.
    return stream().is_tls() || (visitor_.through_proxy && head.forwarded_proto &&
                                 equal_ignoring_case(*head.forwarded_proto, "https"));
}

bool HttpSession::vouch_for(const core::AgentId& agent) {
    held_ = {};
    asker_ = agent;
    visitor_.place.give_back();
    // Whoever comes through a proxy is one of many on its connections.
    if (visitor_.through_proxy || agents_place_) return true;
    agents_place_ = shard().agent_connections().holding(std::string(agent.str()));
    return agents_place_.resize(1);
}

Visitor HttpSession::leave_as() {
    Visitor visitor{from_, std::move(visitor_.place), visitor_.through_proxy};
    if (!visitor.place) visitor.place = shard().addresses().take_place(address_key(from_));
    return visitor;
}

std::string HttpSession::owner() const {
    if (asker_) return asker_->str();
    const AddressKey key = address_key(from_);
    return {key.bytes.begin(), key.bytes.end()};
}

bool HttpSession::hold(std::uint64_t bytes) {
    if (!held_) {
        if (bytes == 0) return true;
        held_ = shard().input().holding(owner());
    }
    return held_.resize(bytes);
}

HttpSession::Next HttpSession::after(Received failed) noexcept {
    return failed == Received::gone ? Next::abandon : Next::close;
}

Awaitable<HttpSession::Received> HttpSession::receive_header(RequestReader& reader) {
    while (true) {
        stream().consume(reader.take(stream().input()));
        if (reader.header_complete() || reader.error()) {
            note_head(reader);
            if (reader.error()) co_return refuse(*reader.error());
            co_return Received::complete;
        }
        if (const auto failed = co_await more_input(reader)) {
            note_head(reader);
            co_return give_up(*failed);
        }
    }
}

Awaitable<HttpSession::Received> HttpSession::receive_body(RequestReader& reader) {
    bool told_to_continue = !reader.expects_continue();
    while (true) {
        stream().consume(reader.take(stream().input()));
        if (reader.error()) co_return refuse(*reader.error());
        if (reader.complete()) co_return Received::complete;
        if (!std::exchange(told_to_continue, true)) {
            outbox_.append("HTTP/1.1 100 Continue\r\n\r\n", {}, true);
            flush_soon();
        }
        if (const auto failed = co_await more_input(reader)) co_return give_up(*failed);
    }
}

Awaitable<HttpSession::Next> HttpSession::answer_early(RequestReader& reader, HttpAnswer answer) {
    // Whoever waits for permission, and has been refused, may send the body or not.
    const auto length = reader.declared_length();
    const bool stays =
        length && *length <= kMostPassedOver && (reader.complete() || !reader.expects_continue());
    AnswerForm form = form_;
    form.keep_alive = form.keep_alive && stays && !answer.ends_connection;
    send(std::move(answer), form);
    if (!form.keep_alive) co_return Next::close;
    reader.body().discard();
    while (true) {
        stream().consume(reader.take(stream().input()));
        if (reader.complete()) break;
        if (co_await more_input(reader)) co_return Next::close;
    }
    if (owes_much()) co_await let_output_drain();
    co_return Next::another_request;
}

Awaitable<std::optional<core::ErrorCode>> HttpSession::more_input(const RequestReader& reader) {
    const std::size_t at_hand = stream().input().size();
    if (!hold(at_hand + reader.held())) co_return core::ErrorCode::overloaded;
    while (stream().input().size() == at_hand) {
        if (stream().input_ended()) co_return core::ErrorCode::bad_request;
        if (timed_out_) co_return core::ErrorCode::request_timeout;
        if (shard().shutting_down() && !stream().input_waits()) {
            co_return core::ErrorCode::shutting_down;
        }
        stream().want_input();
        co_await changed();
    }
    co_return std::nullopt;
}

Awaitable<HttpSession::Next> HttpSession::make_way() {
    // The new session has an outbox of its own, which must not overtake this one.
    enter(Phase::working);
    while (!stream().drained() && !stream().broken()) co_await changed();
    co_return Next::hand_over;
}

void HttpSession::hand_over() {
    phase_ = Phase::over;
    tell("goes on as another protocol");
    auto successor = std::move(*successor_);
    const auto next_shard = shared_shard();
    if (auto* upgrade = std::get_if<Upgrade>(&successor)) {
        auto session =
            std::make_shared<WsSession>(next_shard, detach_stream(), std::move(upgrade->visitor));
        return WsSession::start(std::move(session), std::move(*upgrade));
    }
    SseSession::start(std::make_shared<SseSession>(next_shard, detach_stream(),
                                                   std::move(agents_place_),
                                                   std::move(std::get<StreamWish>(successor))));
}

}  // namespace agentcom::net

// What an HTTP session sends: it asks the router, judges and encodes the answer, and sees to it
// that answers are taken.

#include <spdlog/spdlog.h>

#include <exception>
#include <memory>
#include <utility>
#include <variant>

#include "net/cookie.hpp"
#include "net/http_session.hpp"

namespace agentcom::net {

namespace {

/// So many answers may wait to be written before the next pipelined request is looked at.
constexpr std::size_t kOutputHighWater = std::size_t{256} << 10;
/// So much of its answers a connection may leave untaken without its being counted.
constexpr std::uint64_t kFreeToOwe = std::uint64_t{64} << 10;
/// Of an answer to somebody without a token: as dear as one request more.
constexpr std::size_t kBytesOfRequest = 4'096;

delivery::Elsewhere elsewhere(Page page) noexcept {
    switch (page_info(page).kind) {
        case describe::PageKind::document:
            return delivery::Elsewhere::document;
        case describe::PageKind::websocket:
            return delivery::Elsewhere::websocket;
        case describe::PageKind::mcp:
            return delivery::Elsewhere::mcp;
        case describe::PageKind::hook:
            return delivery::Elsewhere::hook;
    }
    return delivery::Elsewhere::none;
}

}  // namespace

Awaitable<HttpSession::Next> HttpSession::respond(BodyStep step) {
    AnswerForm form = form_;
    if (auto* call = std::get_if<RouterCall>(&step)) {
        const bool hint = call->hint;
        auto reply = co_await ask(std::move(*call));
        if (!reply) co_return Next::abandon;
        step = encode(std::move(*reply), hint);
    } else if (auto* mcp_call = std::get_if<McpCall>(&step)) {
        const bool answered = co_await follow(*mcp_call);
        if (!answered) co_return Next::abandon;
        if (auto* subscription = std::get_if<mcp::Subscription>(&mcp_call->step.what)) {
            StreamWish wish{std::move(mcp_call->caller), subscription->stream, form};
            wish.subscription = std::move(*subscription);
            successor_ = std::move(wish);
            co_return co_await make_way();
        }
        HttpAnswer answer = to_answer(std::move(std::get<mcp::Answer>(mcp_call->step.what)));
        step = std::move(answer);
    } else if (auto* hook = std::get_if<HookCall>(&step)) {
        RouterCall question{hook->caller, std::move(hook->ask.request), hook->body_bytes};
        auto reply = co_await ask(std::move(question));
        if (!reply) co_return Next::abandon;
        HttpAnswer answer = hook_answer(hook->ask.then(std::move(*reply)));
        step = std::move(answer);
    }
    form.keep_alive = form.keep_alive && !shard().shutting_down();
    send(judge(std::move(std::get<HttpAnswer>(step))), form);
    if (owes_much()) co_await let_output_drain();
    co_return form.keep_alive ? Next::another_request : Next::close;
}

Awaitable<bool> HttpSession::follow(McpCall& call) {
    while (auto* question = std::get_if<mcp::Ask>(&call.step.what)) {
        const auto then = std::move(question->then);
        RouterCall next{call.caller, std::move(question->request), call.body_bytes};
        auto reply = co_await ask(std::move(next));
        if (!reply) co_return false;
        call.step = then(std::move(*reply));
    }
    co_return true;
}

Awaitable<std::optional<protocol::Reply>> HttpSession::ask(RouterCall call) {
    const auto* poll = std::get_if<protocol::PollMailbox>(&call.request);
    const bool long_poll = poll != nullptr && poll->wait.count() > 0;
    const bool write = protocol::policy_of(call.request).effect == protocol::Effect::write;
    while (write && shard().router().saturated()) {
        if (stream().broken()) co_return std::nullopt;
        if (!hold(call.body_bytes)) co_return overloaded();
        shard().wait_for_pipeline(shared_from_this());
        co_await changed();
    }
    held_.give_back();
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
        stream().want_input();
        if (long_poll && !hold(stream().input().size())) co_return overloaded();
        co_await changed();
    }
    held_.give_back();
    co_return std::exchange(reply_, std::nullopt);
}

core::Error HttpSession::overloaded() noexcept {
    count_refusal(core::ErrorCode::overloaded);
    return core::Error(core::ErrorCode::overloaded);
}

void HttpSession::count_refusal(core::ErrorCode code) noexcept {
    if (route_ == nullptr) return figures().count_refusal(delivery::Elsewhere::none, code);
    if (route_->page == Page::none) return figures().count_refusal(route_->operation, code);
    figures().count_refusal(elsewhere(route_->page), code);
}

void HttpSession::on_reply(std::uint64_t number, protocol::Reply&& reply) {
    shard().reply_came();
    if (number != asked_ || phase_ != Phase::working) return;
    reply_ = std::move(reply);
    notify();
}

HttpAnswer HttpSession::judge(HttpAnswer answer) {
    constexpr std::uint16_t kUnauthorized = 401;
    // Where no token is needed a wrong one is none.
    if (!wrong_token_shown_ || answer.status != kUnauthorized) return answer;
    const core::Millis wait = shard().note_wrong_token(from_, form_.tag.fields());
    return wait.count() > 0 ? wait_answer(wait) : std::move(answer);
}

HttpSession::Received HttpSession::refuse(core::ErrorCode code) {
    AnswerForm form = form_;
    form.keep_alive = false;
    send(error_answer(code), form);
    return Received::refused;
}

HttpSession::Received HttpSession::give_up(core::ErrorCode code) {
    // A request that ended half-way was given up by the client itself.
    return code == core::ErrorCode::bad_request ? Received::gone : refuse(code);
}

HttpAnswer HttpSession::encode(protocol::Reply&& reply, bool hint) {
    try {
        const auto shared = shard().shared_answers().body(reply);
        if (!shared) {
            std::string cookie = cookie_of(reply);
            HttpAnswer own = to_answer(protocol::encode_http(std::move(reply), hint));
            own.cookie = std::move(cookie);
            return own;
        }
        HttpAnswer answer;
        answer.body.append_shared(shared);
        if (std::holds_alternative<protocol::Shared<protocol::MetricsReport>>(*reply)) {
            answer.content = Content::metrics;
        }
        return answer;
    } catch (const std::exception&) {
        loop().registry().faults().report("HTTP answer", form_.tag.fields());
        return error_answer(core::ErrorCode::internal);
    }
}

std::string HttpSession::cookie_of(const protocol::Reply& reply) const {
    if (!reply) return {};
    const CookiePlace where{shard().cookie_name(), shard().base_path(), by_https_};
    if (std::holds_alternative<protocol::LoggedOut>(*reply)) return end_session(where);
    const auto* begun = std::get_if<protocol::LoggedIn>(&*reply);
    if (begun == nullptr) return {};
    return begin_session(begun->cookie.reveal(),
                         core::Millis(begun->session.expires_at.ms - begun->now.ms), where);
}

void HttpSession::send(HttpAnswer answer, AnswerForm form) {
    const std::size_t bytes = form.without_body ? 0 : answer.body.size();
    // Of an error in an answer's place the operation has been counted.
    const bool refused = answer.error.has_value();
    if (!owe(bytes)) answer = error_answer(core::ErrorCode::overloaded);
    if (!asker_) {
        shard().addresses().charge(address_key(from_), now(),
                                   static_cast<double>(bytes / kBytesOfRequest));
    }
    figures().count_status(answer.status);
    if (refused) {
        count_refusal(*answer.error);
    } else if (answer.error) {
        figures().count_error(*answer.error);
    }
    form.now = shard().clock().now();
    if (answer.status == error_info(core::ErrorCode::internal).http_status) {
        if (const auto line = shard().log().failed_requests.admit(now())) {
            spdlog::error(core::with_fields(form.tag.fields(),
                                            "a request was answered with 500" + line->note()));
        }
    }
    if (!asked_for_.empty()) tell("answered " + std::to_string(answer.status));
    append_answer(answer, form, outbox_);
    flush_soon();
    outbox_.settle();
}

void HttpSession::tell(std::string_view outcome) const {
    if (asked_for_.empty() || !spdlog::should_log(spdlog::level::debug)) return;
    spdlog::debug(core::with_fields(
        form_.tag.fields(),
        asked_for_ + " from " + to_text(address_key(from_)) + ' ' + std::string(outcome)));
}

bool HttpSession::owe(std::uint64_t bytes) {
    const std::uint64_t all = outbox_.debt() + bytes;
    if (all <= kFreeToOwe) return true;
    if (!owed_) owed_ = shard().output().holding(owner());
    return owed_.resize(all);
}

bool HttpSession::owes_much() { return outbox_.bytes() > kOutputHighWater && !stream().broken(); }

Awaitable<void> HttpSession::let_output_drain() {
    while (owes_much()) co_await changed();
}

void HttpSession::on_output(core::Seq seq) {
    if (owed_ && outbox_.empty()) owed_ = {};
    Connection::on_output(seq);
}

void HttpSession::foreclose() {
    if (const auto line = shard().log().ended.admit(now())) {
        spdlog::info("an HTTP connection did not take its answers and was closed{}", line->note());
    }
    count_slow();
    abort();
    outbox_.clear();
}

}  // namespace agentcom::net

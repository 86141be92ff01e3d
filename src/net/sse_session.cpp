#include "net/sse_session.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <string>
#include <utility>
#include <variant>

#include "agentcom/protocol/codec.hpp"
#include "net/http_answer.hpp"
#include "net/sse_framing.hpp"

namespace agentcom::net {

namespace {

/// A comment, which clients pass over; proxies see that the stream is alive.
constexpr std::string_view kKeepAliveComment = ": keep-alive\n\n";

}  // namespace

SseSession::SseSession(std::shared_ptr<Shard> the_shard, std::shared_ptr<BufferedStream> the_stream,
                       Shares::Holding agents_place, StreamWish wish)
    : Connection(std::move(the_shard), std::move(the_stream), delivery::ConnectionKind::stream),
      Session(SseFraming::instance(), shard().limits().outbox, &loop().output()),
      agents_place_(std::move(agents_place)),
      wish_(std::move(wish)) {
    if (!wish_.subscription) return;
    std::string notice;
    const std::string text = std::move(wish_.subscription->notice);
    if (!text.empty()) append_sse_data(notice, text);
    replace_messages(std::move(notice));
}

void SseSession::start(std::shared_ptr<SseSession> session) {
    session->run_to_end(run(session), "a stream of events");
}

Awaitable<void> SseSession::run(std::shared_ptr<SseSession> self) {
    // What comes from a client that listens means nothing, but its end does.
    self->stream().discard_input();
    co_await self->begin();
    while (self->open_ && !self->closing() && !self->stream().input_ended()) {
        co_await self->changed();
    }
    self->open_ = false;
    self->close(protocol::CloseCode::normal);
    self->leave();
    co_await self->linger();
}

Awaitable<void> SseSession::begin() {
    router::Router& router = shard().router();
    AnswerForm form = wish_.form;
    form.keep_alive = false;
    form.now = shard().clock().now();
    protocol::Reply reply = core::Error(core::ErrorCode::internal);
    try {
        const bool of_mailbox = std::holds_alternative<protocol::OpenStream>(wish_.request);
        while (of_mailbox && !router.ready_to_stream(*this, wish_.caller)) {
            if (closing() || stream().broken()) co_return;
            co_await asio::post(stream().executor(), UseAwaitable{});
        }
        if (closing()) co_return;
        // Answered at once.
        (void)router.handle(loop(), wish_.caller, this, std::move(wish_.request),
                            [&reply](protocol::Reply&& answer) { reply = std::move(answer); });
    } catch (const std::exception&) {
        loop().registry().faults().report("beginning of a stream", form.tag.fields());
        reply = core::Error(core::ErrorCode::internal);
    }
    if (!reply) {
        HttpAnswer refusal = wish_.subscription
                                 ? to_answer(wish_.subscription->refusal(reply.error()))
                                 : error_answer(reply.error());
        append_answer(refusal, form, outbox());
        flush_soon();
        co_return;
    }
    send(event_stream_head(form));
    if (form.without_body || closing()) co_return;
    open_ = true;
    const auto* begun = std::get_if<protocol::StreamOpened>(&*reply);
    // Observers are pushed events from the loop's next turn on.
    if (begun == nullptr) co_return;
    const protocol::StreamOpened& opened = *begun;
    if (wish_.subscription) {
        begin_subscription(*wish_.subscription, opened.last_seq);
    } else {
        if (opened.reset) send_event("reset", opened);
        if (opened.truncated) send_event("truncated", opened);
    }
    router.continue_backlog(loop(), *this);
}

void SseSession::begin_subscription(mcp::Subscription& subscription, core::Seq last_seq) {
    // Not needed again: a stream may live for long, and many do.
    const std::string opening = std::move(subscription.opening);
    subscription.refusal = nullptr;
    send_data(opening);
    if (subscription.notify_at_once) push_notice(std::max(last_seq, core::Seq{1}));
}

void SseSession::send_data(std::string_view text) {
    std::string event;
    append_sse_data(event, text);
    send(event);
}

void SseSession::send(std::string_view bytes) {
    const bool was_empty = outbox().empty();
    outbox().append(bytes, {}, true);
    appended(was_empty);
}

void SseSession::send_event(std::string_view type, const protocol::StreamOpened& opened) {
    std::string text;
    protocol::encode_stream_opened(opened, text);
    std::string event;
    append_sse_event(event, type, text);
    send(event);
}

void SseSession::on_output(core::Seq seq) {
    last_sent_ = now();
    on_written(seq);
    push_due_notice();
    Connection::on_output(seq);
    shard().router().continue_backlog(loop(), *this);
}

void SseSession::begin_close(protocol::CloseCode code) {
    close_deadline_ = now() + shard().limits().close_timeout;
    if (code == protocol::CloseCode::slow_consumer) {
        count_slow();
        // What it has not been sent waits in its mailbox.
        outbox().drop_unsent();
    } else if (open_ && wish_.subscription) {
        send_data(wish_.subscription->closing);
    } else if (open_) {
        std::string text;
        protocol::encode_stream_closed(code, text);
        std::string event;
        append_sse_event(event, "close", text);
        send(event);
    }
    notify();
}

void SseSession::foreclose() {
    close(protocol::CloseCode::slow_consumer);
    abort();
    outbox().clear();
}

void SseSession::sweep(core::SteadyTime now) {
    if (closing()) {
        if (now >= close_deadline_) abort();
        return;
    }
    if (is_too_slow(now, shard().limits().liveness_timeout)) {
        return close(protocol::CloseCode::slow_consumer);
    }
    if (open_ && outbox().empty() && now - last_sent_ >= kKeepAlive) send(kKeepAliveComment);
}

}  // namespace agentcom::net

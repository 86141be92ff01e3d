#include "agentcom/delivery/session.hpp"

#include <utility>

#include "agentcom/delivery/presence_feed.hpp"

namespace agentcom::delivery {

void Session::push_message(const FramedBytes& frame, core::Seq seq) {
    if (!closing_ && !notice_ && outbox_.is_half_full(frame.view().size())) {
        // Whatever takes bytes from the outbox wakes the backlog reader.
        backlog_position = core::Seq{seq.value - 1};
        catching_up_ = true;
        return;
    }
    push(frame, seq);
}

void Session::push(const SharedBytes& frame, core::Seq seq) {
    if (closing_) return;
    if (notice_) return push_notice(seq);
    const bool was_empty = outbox_.empty();
    if (!outbox_.append_shared(frame, seq)) {
        close(protocol::CloseCode::slow_consumer);
        return;
    }
    appended(was_empty);
}

void Session::push_part(const SharedBytes& frames, std::string_view part) {
    if (closing_) return;
    if (notice_) return push_notice(core::Seq{});
    const bool was_empty = outbox_.empty();
    if (!outbox_.append_shared(frames, part)) return close(protocol::CloseCode::slow_consumer);
    appended(was_empty);
}

void Session::push_event(const SharedBytes& event) {
    if (closing_) return;
    const bool was_empty = outbox_.empty();
    if (!outbox_.append_shared(event)) return close(protocol::CloseCode::slow_consumer);
    appended(was_empty);
}

void Session::push_events(const std::shared_ptr<const core::Pieces>& events) {
    if (closing_) return;
    const bool was_empty = outbox_.empty();
    core::Pieces all;
    all.append_shared(events);
    outbox_.append_pieces({}, all);
    appended(was_empty);
}

void Session::push(const FramedBytes& frame, core::Seq seq) {
    if (frame.shared) return push(frame.shared, seq);
    push(std::string_view(frame.copied), seq);
}

void Session::push(std::string_view frame, core::Seq seq) {
    if (closing_) return;
    if (notice_) return push_notice(seq);
    const bool was_empty = outbox_.empty();
    if (!outbox_.append(frame, seq)) {
        close(protocol::CloseCode::slow_consumer);
        return;
    }
    appended(was_empty);
}

void Session::push_notice(core::Seq seq) {
    if (closing_ || !notice_ || notice_->empty()) return;
    if (std::exchange(notice_waits_, true)) {
        // The earlier one may have been read already, although its writing has not been told yet.
        notice_due_ = seq;
        return;
    }
    const bool was_empty = outbox_.empty();
    outbox_.append(*notice_, seq, true);
    appended(was_empty);
}

void Session::push_due_notice() {
    if (notice_waits_ || notice_due_.value == 0) return;
    push_notice(std::exchange(notice_due_, core::Seq{}));
}

void Session::send_paced(std::string_view text, core::Seq seq) {
    if (closing_) return;
    if (notice_) return push_notice(seq);
    std::string bytes;
    framing_.append(bytes, text, seq);
    const bool was_empty = outbox_.empty();
    outbox_.append(bytes, seq, true);
    appended(was_empty);
}

void Session::appended(bool was_empty) {
    if (was_empty && !outbox_.empty()) request_flush();
    outbox_.settle();
}

void Session::close(protocol::CloseCode code) {
    if (closing_) return;
    closing_ = true;
    begin_close(code);
}

void Session::on_written(core::Seq seq) noexcept {
    if (notice_) {
        // Who was only told has been shown nothing.
        if (seq.value != 0) notice_waits_ = false;
    } else if (seq.value != 0 && read_position_) {
        read_position_->store(seq.value, std::memory_order_release);
    }
    if (listing.stalled) listing.feed->on_room(*this);
}

}  // namespace agentcom::delivery

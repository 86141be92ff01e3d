#include "net/reply_queue.hpp"

#include "agentcom/delivery/outbox.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {

namespace {

/// Memory for so many slots is kept between bursts; more is given back.
constexpr std::size_t kKeptSlots = 4;
/// Sent slots are moved out of the way once there are so many, and half of all.
constexpr std::size_t kCompactFrom = 64;

/// Reused by all connections of a loop, so that a reply at the head costs no allocation.
constexpr std::size_t kKeptText = std::size_t{64} * 1024;

void append_reply(const protocol::Reply& reply, const std::optional<core::JsonText>& ref,
                  std::string& out) {
    thread_local std::string text;
    text.clear();
    protocol::encode_frame(reply, ref, text);
    if (!text.empty()) delivery::append_text_frame(out, text);
    if (text.capacity() > kKeptText) std::string().swap(text);
}

}  // namespace

ReplyQueue::Ticket ReplyQueue::open(std::optional<core::JsonText> ref) {
    slots_.push_back(Slot{std::move(ref), {}, false});
    return first_ + in_flight() - 1;
}

void ReplyQueue::complete(Ticket ticket, const protocol::Reply& reply, std::string& due) {
    Slot& slot = slots_[head_ + static_cast<std::size_t>(ticket - first_)];
    if (ticket != first_) {
        append_reply(reply, slot.ref, slot.frame);
        slot.answered = true;
        return;
    }
    append_reply(reply, slot.ref, due);
    drop_head();
    while (in_flight() > 0 && slots_[head_].answered) {
        due += slots_[head_].frame;
        drop_head();
    }
}

void ReplyQueue::drop_head() {
    slots_[head_] = Slot{};
    ++head_;
    ++first_;
    if (head_ == slots_.size()) {
        slots_.clear();
        head_ = 0;
        if (slots_.capacity() > kKeptSlots) std::vector<Slot>().swap(slots_);
    } else if (head_ >= kCompactFrom && head_ * 2 >= slots_.size()) {
        slots_.erase(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(head_));
        head_ = 0;
    }
}

}  // namespace agentcom::net

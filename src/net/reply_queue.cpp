#include "net/reply_queue.hpp"

#include "agentcom/delivery/outbox.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {

namespace {

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
    return first_ + slots_.size() - 1;
}

void ReplyQueue::complete(Ticket ticket, const protocol::Reply& reply, std::string& due) {
    Slot& slot = slots_[static_cast<std::size_t>(ticket - first_)];
    if (ticket != first_) {
        append_reply(reply, slot.ref, slot.frame);
        slot.answered = true;
        return;
    }
    append_reply(reply, slot.ref, due);
    drop_front();
    while (!slots_.empty() && slots_.front().answered) {
        due += slots_.front().frame;
        drop_front();
    }
}

void ReplyQueue::drop_front() {
    slots_.pop_front();
    ++first_;
}

}  // namespace agentcom::net

#include "net/reply_queue.hpp"

#include <exception>
#include <string>
#include <utility>
#include <variant>

#include "agentcom/protocol/codec.hpp"
#include "net/ws_framing.hpp"

namespace agentcom::net {

ReplyQueue::Ticket ReplyQueue::open(std::optional<core::JsonText> ref) {
    slots_.push_back(Slot{std::move(ref), nullptr});
    return first_ + slots_.size() - 1;
}

void ReplyQueue::complete(Ticket ticket, const protocol::Reply& reply) {
    Slot& slot = slots_[static_cast<std::size_t>(ticket - first_)];
    if (ticket != first_) {
        slot.text = std::make_unique<core::Pieces>();
        encode(reply, slot.ref, *slot.text);
        outbox_.reserve(slot.text->size());
        return;
    }
    // Reused by all connections of a loop, so that a small reply at the front costs no allocation;
    // pieces of a large one go to the outbox, so it never holds more than one.
    thread_local core::Pieces text;
    text.clear();
    encode(reply, slot.ref, text);
    append(text);
    drop_front();
    while (!slots_.empty() && slots_.front().text) {
        outbox_.release(slots_.front().text->size());
        append(*slots_.front().text);
        drop_front();
    }
}

void ReplyQueue::drop_held() {
    for (Slot& slot : slots_) {
        if (!slot.text) continue;
        outbox_.release(slot.text->size());
        slot.text->clear();
    }
}

void ReplyQueue::encode(const protocol::Reply& reply, const std::optional<core::JsonText>& ref,
                        core::Pieces& text) {
    try {
        try_encode(reply, ref, text);
    } catch (const std::exception&) {
        faults_.report("reply");
        text.clear();
        protocol::encode_frame(core::Error(core::ErrorCode::internal), ref, text);
    }
}

void ReplyQueue::try_encode(const protocol::Reply& reply, const std::optional<core::JsonText>& ref,
                            core::Pieces& text) {
    const auto shared = shared_.frame_front(reply);
    if (!shared) return protocol::encode_frame(reply, ref, text);
    text.append_shared(shared);
    protocol::encode_frame_end(ref, text);
}

void ReplyQueue::append(core::Pieces& text) {
    if (text.empty()) return;
    thread_local std::string head;
    head.clear();
    append_text_frame_head(head, text.size());
    outbox_.append_pieces(head, text);
}

void ReplyQueue::drop_front() {
    slots_.pop_front();
    ++first_;
}

}  // namespace agentcom::net

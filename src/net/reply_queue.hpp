#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "agentcom/core/message.hpp"
#include "agentcom/delivery/fifo.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::net {

/// Puts the replies of one pipelining connection into the order of its requests, whatever order
/// they are answered in. For one thread. Empty, it owns no memory worth counting.
class ReplyQueue {
public:
    using Ticket = std::uint64_t;

    /// A place for the reply to the next request. `ref` is what the request wants repeated.
    [[nodiscard]] Ticket open(std::optional<core::JsonText> ref);

    /// Answers the request with this ticket, once. Appends to `due` the complete WebSocket frames
    /// that may now be sent: none while an earlier request is unanswered, several when this one
    /// held others up.
    void complete(Ticket ticket, const protocol::Reply& reply, std::string& due);

    /// Requests whose reply has not been appended to a `due` yet.
    [[nodiscard]] std::size_t in_flight() const noexcept { return slots_.size(); }

private:
    struct Slot {
        std::optional<core::JsonText> ref;
        std::string frame;  // complete, once answered; empty for a reply without a frame
        bool answered = false;
    };
    void drop_front();

    delivery::Fifo<Slot, 4> slots_;
    Ticket first_ = 0;  // whose slot is at the front
};

}  // namespace agentcom::net

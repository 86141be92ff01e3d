#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "agentcom/core/message.hpp"
#include "agentcom/core/pieces.hpp"
#include "agentcom/delivery/faults.hpp"
#include "agentcom/delivery/fifo.hpp"
#include "agentcom/delivery/outbox.hpp"
#include "agentcom/protocol/replies.hpp"
#include "net/shared_answers.hpp"

namespace agentcom::net {

/// Puts the replies of one pipelining connection into its outbox in the order of its requests,
/// whatever order they are answered in. What must wait for an earlier reply is counted there as
/// reserved. For one thread. Empty, it owns no memory worth counting.
class ReplyQueue {
public:
    using Ticket = std::uint64_t;

    /// All must outlive the queue.
    ReplyQueue(delivery::Outbox& outbox, SharedAnswers& shared, delivery::Faults& faults)
        : outbox_(outbox), shared_(shared), faults_(faults) {}

    /// A place for the reply to the next request. `ref` is what the request wants repeated.
    [[nodiscard]] Ticket open(std::optional<core::JsonText> ref);

    /// Answers the request with this ticket, once. Appends to the outbox the complete WebSocket
    /// frames that may now be sent: none while an earlier request is unanswered, several when this
    /// one held others up.
    void complete(Ticket ticket, const protocol::Reply& reply);

    /// Whether this ticket has not been answered.
    [[nodiscard]] bool is_open(Ticket ticket) {
        return ticket >= first_ && !slots_[static_cast<std::size_t>(ticket - first_)].text;
    }

    /// Drops the answers that wait: nothing is to be sent any more.
    void drop_held();

    /// Requests whose reply has not been appended to the outbox yet.
    [[nodiscard]] std::size_t in_flight() const noexcept { return slots_.size(); }

private:
    struct Slot {
        std::optional<core::JsonText> ref;
        std::unique_ptr<core::Pieces> text;  // once answered; empty for a reply without a frame
    };
    /// Encodes; what cannot be encoded (no memory) is answered with an error instead.
    void encode(const protocol::Reply& reply, const std::optional<core::JsonText>& ref,
                core::Pieces& text);
    void try_encode(const protocol::Reply& reply, const std::optional<core::JsonText>& ref,
                    core::Pieces& text);
    void append(core::Pieces& text);
    void drop_front();

    delivery::Outbox& outbox_;
    SharedAnswers& shared_;
    delivery::Faults& faults_;
    delivery::Fifo<Slot, 4> slots_;
    Ticket first_ = 0;  // whose slot is at the front
};

}  // namespace agentcom::net

#pragma once

#include <cstdint>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/message.hpp"
#include "agentcom/core/pieces.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::protocol {

/// Encodes the answer to a poll message by message, while they are read, so that none of them is
/// made into a value first. What comes out is, byte for byte, what `encode_http` makes of a
/// MailboxPage. For one answer, which may take several turns of a loop.
class MailboxEncoder {
public:
    explicit MailboxEncoder(const core::AgentId& agent);

    void add(const core::MessageParts& message);
    /// `page`: what is said of the messages besides; its list of messages is not looked at. To be
    /// called once, and nothing after it.
    [[nodiscard]] EncodedMailbox finish(const MailboxPage& page);

private:
    core::Pieces body_;
    std::uint64_t count_ = 0;
};

}  // namespace agentcom::protocol

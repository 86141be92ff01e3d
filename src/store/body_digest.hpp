#pragma once

#include <cstdint>

#include "agentcom/core/message.hpp"

namespace agentcom::store {

/// A digest (XXH3, 64 bits) of what makes two sends the same: destination, type, payload as it
/// came, reply_to. DO NOT CHANGE: it is on disk beside idempotency keys. Not for secrets: whoever
/// wants two bodies with one digest can make them, and only tricks itself.
[[nodiscard]] std::uint64_t body_digest(const core::Draft& draft);

}  // namespace agentcom::store

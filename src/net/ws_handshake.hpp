#pragma once

#include <string>
#include <string_view>

#include "agentcom/core/time.hpp"

namespace agentcom::net {

/// Whether the text can be a Sec-WebSocket-Key: base64 of 16 bytes (RFC 6455, 4.2.1).
[[nodiscard]] bool is_websocket_key(std::string_view text) noexcept;

/// The answer after which the connection is a WebSocket (RFC 6455, 4.2.2). Whatever subprotocols
/// and extensions were offered, none is chosen, and so none is named.
[[nodiscard]] std::string websocket_answer(std::string_view key, core::Timestamp now);

}  // namespace agentcom::net

#pragma once

#include <string_view>

/// What takes requests, frames and targets out of the bytes of a connection: however the bytes are
/// cut up, the same comes out, and what comes out is within the limits. They throw Broken.
namespace agentcom::fuzz {

/// Any text as the target of a request and as its query.
void check_target(std::string_view text);

/// Requests that follow one another on a connection.
void check_requests(std::string_view bytes);

/// Frames of one WebSocket connection, with a limit of 300 bytes for a message.
void check_websocket(std::string_view bytes);

}  // namespace agentcom::fuzz

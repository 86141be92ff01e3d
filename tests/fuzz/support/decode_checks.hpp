#pragma once

#include <string_view>

#include "agentcom/protocol/codec.hpp"

/// The decoders of frames and of HTTP requests: whatever comes is a request that keeps the limits
/// the rest of the hub relies on, or an error whose answer is well-formed. They throw Broken, and
/// return what was decoded.
namespace agentcom::fuzz {

[[nodiscard]] protocol::Frame check_frame(std::string_view text, bool identified);
[[nodiscard]] core::result<protocol::Request> check_http(const protocol::HttpInput& input);

}  // namespace agentcom::fuzz

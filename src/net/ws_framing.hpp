#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "agentcom/delivery/framing.hpp"

namespace agentcom::net {

/// Appends the beginning of an unmasked, final WebSocket text frame (RFC 6455, 5.2) whose payload,
/// of this size, follows.
void append_text_frame_head(std::string& out, std::size_t payload_bytes);
/// The whole frame.
void append_text_frame(std::string& out, std::string_view payload);

/// Events as WebSocket text frames.
class WsFraming final : public delivery::Framing {
public:
    void append(std::string& out, std::string_view text, core::Seq seq) const override;
    /// The one that all WebSocket sessions share.
    [[nodiscard]] static const WsFraming& instance() noexcept;
};

}  // namespace agentcom::net

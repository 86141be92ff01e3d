#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/delivery/framing.hpp"

namespace agentcom::net {

/// Events as server-sent events (HTML, "Server-sent events"): of a message the number as `id`, and
/// the type `message`; its text as `data`, in as many lines as it has.
class SseFraming final : public delivery::Framing {
public:
    void append(std::string& out, std::string_view text, core::Seq seq) const override;
    void append_event(std::string& out, std::string_view type, std::string_view text,
                      std::uint64_t number) const override;
    /// The one that all streams share.
    [[nodiscard]] static const SseFraming& instance() noexcept;
};

/// Appends an event that has neither type nor id.
void append_sse_data(std::string& out, std::string_view text);
/// Appends an event of this type that has no id.
void append_sse_event(std::string& out, std::string_view type, std::string_view text);

}  // namespace agentcom::net

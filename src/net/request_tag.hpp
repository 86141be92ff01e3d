#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/log_fields.hpp"

namespace agentcom::net {

/// By what one HTTP request is known in the log, and to whoever sent it.
struct RequestTag {
    std::string id;        // empty: nothing has been read of it
    std::string trace_id;  // of the trace it belongs to, 32 hexadecimal digits; or empty

    /// Views of this.
    [[nodiscard]] std::array<core::LogField, 2> fields() const noexcept {
        return {{{"request_id", id}, {"trace_id", trace_id}}};
    }
};

/// From the headers X-Request-Id and traceparent (W3C Trace Context). An id that is longer than 128
/// characters, or has others than `A-Z a-z 0-9 . _ : + / = -`, is none; then one is made of
/// `number`, which no other request of this hub should have.
[[nodiscard]] RequestTag tag_request(std::optional<std::string_view> request_id,
                                     std::optional<std::string_view> traceparent,
                                     std::uint64_t number);

}  // namespace agentcom::net

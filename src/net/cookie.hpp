#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::net {

/// What the session's cookie is called by the hub of this store: cookies know no ports, so that
/// hubs of one host name would otherwise take each other's away.
[[nodiscard]] std::string session_cookie_name(core::Epoch epoch);

/// The value of the cookie of this name in the header `Cookie` (RFC 6265, 4.2.1): of several the
/// first, which is that of the longest path. A view of the header.
[[nodiscard]] std::optional<std::string_view> session_cookie(std::string_view header,
                                                             std::string_view name) noexcept;

/// Where the cookie is shown again.
struct CookiePlace {
    std::string_view name;
    std::string_view base_path{};  // as in EndpointOptions
    bool https = false;            // how the hub was reached, and so the only way to send it back
};
/// The value of a header `Set-Cookie` that begins a session for so long, in seconds rounded down.
[[nodiscard]] std::string begin_session(std::string_view value, core::Millis lasts,
                                        const CookiePlace& place);
/// The same that ends it.
[[nodiscard]] std::string end_session(const CookiePlace& place);

}  // namespace agentcom::net

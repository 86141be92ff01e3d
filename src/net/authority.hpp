#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentcom::net {

/// `host[:port]` of a Host header, a target or an origin (RFC 3986, 3.2, without user information).
struct Authority {
    std::string host;  // lower-case; an IPv6 address without its brackets
    std::optional<std::uint16_t> port;

    /// Nothing when it is malformed or names no host.
    [[nodiscard]] static std::optional<Authority> parse(std::string_view text);
};

}  // namespace agentcom::net

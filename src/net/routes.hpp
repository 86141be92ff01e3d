#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {

/// What a route leads to that is not an operation of the router.
enum class Page : std::uint8_t { none, websocket, dashboard };

/// One row: verb and path to an operation.
struct Route {
    std::string_view verb;     // "GET" also answers HEAD
    std::string_view pattern;  // a segment that begins with ':' is the argument
    protocol::HttpOperation operation = protocol::HttpOperation::health;
    Page page = Page::none;
    bool needs_token = true;   // decides only what an undecodable request is told first
    bool query_token = false;  // `?token=` is accepted
    bool body_token = false;   // a token inside the body is accepted, as the last resort
    bool hint = false;         // a 401 says how to send a token
    bool needs_admin = false;  // like needs_token
};

[[nodiscard]] std::span<const Route> route_table() noexcept;

struct RouteMatch {
    const Route* route = nullptr;  // null: no such path, or `allow` is set
    std::string_view argument;     // of the ':' segment, not decoded
    std::string allow;             // the path exists for these verbs only, for the Allow header
};
[[nodiscard]] RouteMatch find_route(std::string_view verb,
                                    const std::vector<std::string_view>& segments);

}  // namespace agentcom::net

#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agentcom/protocol/requests.hpp"
#include "agentcom/router/router.hpp"
#include "net/http_answer.hpp"

namespace agentcom::net {

/// One HTTP request as far as the hub cares. Views are valid while the request is being handled.
struct HttpRequest {
    std::string_view verb;
    std::string_view target;
    std::string_view body;
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> content_type;
    std::optional<std::string_view> idempotency_key;
    /// The key of a well-formed WebSocket handshake (RFC 6455, 4.2.1).
    std::optional<std::string_view> websocket_key;
};

/// The router has to be asked.
struct RouterCall {
    router::Caller caller;
    protocol::Request request;
    bool hint = false;
};
/// The connection becomes a WebSocket.
struct Upgrade {
    std::string key;
    std::string target;
};
using HttpStep = std::variant<HttpAnswer, RouterCall, Upgrade>;

/// Finds the route, the caller and the request; or the answer, when there is nothing to ask.
[[nodiscard]] HttpStep interpret(const HttpRequest& request, const router::Router& router,
                                 const std::string& dashboard_html);

/// The token of `Authorization: Bearer <token>`: the scheme in any case, spaces around the token
/// forgiven. Nothing when the header is of another kind; empty when it names no token.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view header);

/// Whether a body of this content type may be JSON: `application/json`, with or without parameters.
[[nodiscard]] bool is_json_type(std::string_view content_type);

}  // namespace agentcom::net

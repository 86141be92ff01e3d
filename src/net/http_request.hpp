#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agentcom/mcp/mcp.hpp"
#include "agentcom/net/endpoint.hpp"
#include "agentcom/protocol/requests.hpp"
#include "agentcom/router/router.hpp"
#include "agentcom/webhooks/webhooks.hpp"
#include "net/authority.hpp"
#include "net/documents.hpp"
#include "net/http_answer.hpp"
#include "net/routes.hpp"
#include "net/shard.hpp"
#include "net/site_policy.hpp"

namespace agentcom::net {

/// The header of one HTTP request, as far as the hub cares. Views are valid while the request is
/// being handled.
struct HttpHead {
    std::string_view verb;
    std::string_view target;
    const Authority* authority = nullptr;  // how the hub is addressed; null: HTTP/1.0 may not say
    std::optional<std::string> origin;     // of the page that asks, in a browser
    bool preflight = false;                // whether a page may ask something, says its browser
    std::optional<std::string_view> forwarded_proto;
    std::optional<std::string_view> authorization;
    std::optional<std::string_view> cookie;
    /// X-AgentCom-Page, what pages of other sites cannot send: whom the page takes for its caller,
    /// percent-encoded; "1": it does not say.
    std::optional<std::string_view> page;
    std::optional<std::string_view> content_type;
    std::optional<std::string_view> idempotency_key;
    std::optional<std::string_view> last_event_id;
    std::optional<std::string> accept;
    std::optional<std::string> accept_encoding;
    std::optional<std::string> if_none_match;
    std::optional<std::string_view> mcp_version;  // MCP-Protocol-Version
    std::optional<std::string_view> mcp_method;
    std::optional<std::string_view> mcp_name;
    /// The key of a well-formed WebSocket handshake (RFC 6455, 4.2.1).
    std::optional<std::string_view> websocket_key;
    /// It asks for a WebSocket of the version that is spoken here, but not as it should.
    bool bad_handshake = false;
    bool has_body = false;  // a body follows
};

/// The connection becomes a WebSocket.
struct Upgrade {
    std::string key;
    Visitor visitor;  // who comes, as far as that counts; added by the session
};
/// The connection becomes a stream of events.
struct StreamWish {
    router::Caller caller;
    protocol::Request request;  // OpenStream or Observe
    AnswerForm form;
    std::optional<mcp::Subscription> subscription{};  // what is told instead of messages
};
/// What is known before the body: what is asked for, and how much may follow.
struct Admission {
    RouteMatch match;
    std::vector<std::pair<std::string, std::string>> query;
    bool token_shown = false;  // valid or not; until the body is there, none stands in it
    /// The browser's session while it logs in anew; maybe one that has ended.
    std::optional<core::TokenDigest> old_web_session{};
    std::uint64_t max_body_bytes = 0;
    std::string base_url;  // where the hub was reached, for what says so
};
struct HeadStep {
    router::Caller caller;  // whose token was shown, if it was a valid one
    bool token_shown = false;
    std::variant<HttpAnswer, Upgrade, Admission> step;
    const Route* route = nullptr;  // what was asked for, also when it is refused; null: nothing
};

/// What requests are judged by.
struct Premises {
    const router::Router& router;
    const Limits& limits;
    const SitePolicy& sites;
    const Documents& documents;
    std::string_view base_path{};    // as in EndpointOptions
    std::string_view cookie_name{};  // of sessions
    bool https = false;              // how the hub was reached
    bool local = false;              // who asks is on this machine, and no proxy for others
};
/// Finds the route and the caller; or the answer, when there is nothing to ask, or nobody who may.
/// The body of whoever shows no valid token is at most `max_unidentified_frame_bytes`.
[[nodiscard]] HeadStep admit(const HttpHead& head, const Premises& premises);

/// The router has to be asked.
struct RouterCall {
    router::Caller caller;
    protocol::Request request;
    std::size_t body_bytes = 0;  // about what the request takes
    bool hint = false;
};
/// The same for a call of MCP, maybe several times.
struct McpCall {
    router::Caller caller;
    mcp::Step step;
    std::size_t body_bytes = 0;
};
/// The same for a hook of a coding agent.
struct HookCall {
    router::Caller caller;
    webhooks::Ask ask;
    std::size_t body_bytes = 0;
};
using BodyStep = std::variant<HttpAnswer, RouterCall, McpCall, HookCall>;

/// The token that stands in the body, if the route allows that and none was shown before.
[[nodiscard]] std::optional<std::string> token_in_body(const Admission& admission,
                                                       std::string_view body);
/// Decodes an admitted request once its body is there, and it is known who asks.
[[nodiscard]] BodyStep interpret(const HttpHead& head, const router::Caller& caller,
                                 Admission& admission, std::string_view body);

/// The same at the path of MCP, whose caller is somebody.
[[nodiscard]] BodyStep begin_mcp(const HttpHead& head, const router::Caller& caller,
                                 const Admission& admission, std::string_view body,
                                 core::Timestamp now);

/// The same at the path of Claude Code's hooks. What its session is told is remembered in
/// `sessions`, which must outlive the call.
[[nodiscard]] BodyStep begin_claude_hook(const HttpHead& head, const router::Caller& caller,
                                         std::string_view body, webhooks::Sessions& sessions);

/// The token of `Authorization: Bearer <token>`: the scheme in any case, spaces around the token
/// forgiven. Nothing when the header is of another kind; empty when it names no token.
[[nodiscard]] std::optional<std::string_view> bearer_token(std::string_view header);

/// Whether a body of this content type may be JSON: `application/json`, with or without parameters.
[[nodiscard]] bool is_json_type(std::string_view content_type);

}  // namespace agentcom::net

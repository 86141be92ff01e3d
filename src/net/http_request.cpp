#include "net/http_request.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "net/cookie.hpp"
#include "net/target.hpp"
#include "net/text.hpp"

namespace agentcom::net {

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

/// Of the header, or else, where the route allows it, of the query.
std::string find_token(const HttpHead& head, const Route* route, const Query& query) {
    if (head.authorization) {
        if (const auto token = bearer_token(*head.authorization)) return std::string(*token);
    }
    if (route != nullptr && route->query_token()) {
        const auto found = std::ranges::find(query, "token", &Query::value_type::first);
        if (found != query.end()) return found->second;
    }
    return {};
}

/// Where the document is, seen from where it was asked for, so that its relative links hold; empty:
/// there.
std::string place_of(const Route& route, const Target& target, std::string_view base_path) {
    if (route.page == Page::asset) return {};
    if (route.page != Page::home) {
        return target.slash_at_end ? ".." + std::string(route.pattern) : std::string();
    }
    // Whatever stood before the path of the hub is gone, so that only the base may lack its slash.
    if (target.slash_at_end || base_path.empty()) return {};
    return std::string(base_path.substr(base_path.rfind('/') + 1)) + '/';
}

constexpr std::uint16_t kUnchanged = 304;

HttpAnswer asset_answer(const HttpHead& head, std::string_view name, const Documents& documents) {
    const bool gzip = head.accept_encoding && accepts_gzip(*head.accept_encoding);
    auto file = documents.find_asset(name, gzip);
    if (!file) return error_answer(core::ErrorCode::not_found);
    HttpAnswer answer;
    answer.content = Content::given;
    answer.media = file->media;
    answer.coding = file->coding;
    answer.tag = std::move(file->tag);
    answer.by_coding = true;
    answer.for_ever = true;
    if (head.if_none_match && matches_tag(*head.if_none_match, answer.tag)) {
        answer.status = kUnchanged;
        return answer;
    }
    // The endpoint keeps it for longer than any connection.
    answer.body.append_reference(core::SharedBytes(core::SharedBytes(), file->bytes));
    return answer;
}

HttpAnswer document_answer(const HttpHead& head, const Route& route, const Target& target,
                           const Premises& premises) {
    const Page page = route.page;
    const bool by_accept = page == Page::home;
    // Clients of the original, and scripts that look whether a hub is there, find nothing here.
    if (by_accept && !(head.accept && asks_for_html(*head.accept))) {
        HttpAnswer nothing = error_answer(core::ErrorCode::not_found);
        nothing.by_accept = true;
        return nothing;
    }
    if (std::string place = place_of(route, target, premises.base_path); !place.empty()) {
        HttpAnswer answer = redirection(std::move(place));
        answer.by_accept = by_accept;
        return answer;
    }
    const Documents::Document& document = *premises.documents.find(page);
    HttpAnswer answer;
    answer.by_accept = by_accept;
    answer.content = document.content;
    answer.tag = document.tag;
    if (head.if_none_match && !document.tag.empty() &&
        matches_tag(*head.if_none_match, document.tag)) {
        answer.status = kUnchanged;
        return answer;
    }
    // The endpoint keeps it for longer than any connection.
    answer.body.append_reference(core::SharedBytes(core::SharedBytes(), &document.text));
    return answer;
}

std::variant<HttpAnswer, Upgrade, Admission> to_websocket(const HttpHead& head) {
    // What followed would be taken for frames.
    if (head.has_body || head.bad_handshake) return error_answer(core::ErrorCode::bad_request);
    if (!head.websocket_key) return error_answer(core::ErrorCode::upgrade_required);
    return Upgrade{std::string(*head.websocket_key), {}};
}

constexpr const char* kVerbs = "GET, HEAD, POST, PUT, DELETE";

/// Where there is nothing the browser asks all the same, so that its page sees the 404.
HttpAnswer preflight_answer(const RouteMatch& match) {
    HttpAnswer answer;
    answer.status = 204;
    answer.preflight = true;
    answer.allow = match.allow.empty() ? kVerbs : match.allow;
    return answer;
}

/// What is said of the hub as a whole, or of nothing that it has.
std::optional<HttpAnswer> without_path(const HttpHead& head) {
    if (head.verb == "CONNECT") {
        HttpAnswer answer = error_answer(core::ErrorCode::method_not_allowed);
        answer.allow = kVerbs;
        // What follows is for whoever should have been connected to.
        answer.ends_connection = true;
        return answer;
    }
    if (head.target != "*") return std::nullopt;
    HttpAnswer answer;
    answer.body.append(std::string_view("{}"));
    answer.allow = std::string(kVerbs) + ", OPTIONS";
    return answer;
}

/// Whether a page of any origin may ask: it learns nothing, because its browser is not told that it
/// may show it the answer.
bool is_open_to_pages(const HttpHead& head, const Route* route) {
    if (head.verb != "GET" && head.verb != "HEAD" && head.verb != "OPTIONS") return false;
    // The dashboard is shown in the hub's own windows only.
    return route == nullptr || (is_document(route->page) && route->page != Page::dashboard) ||
           (route->policy() != nullptr && route->policy()->effect != protocol::Effect::write);
}

/// Whose session the request's cookie is; nobody when it is none that counts here. Browsers send
/// cookies of themselves, so that a page of another port of this host, which is of the same site,
/// could have them sent: such a page may as well have none, and what changes something needs a
/// header that it cannot send.
core::result<router::Caller> session_caller(const HttpHead& head, const Route* route,
                                            const Premises& premises) {
    if (route == nullptr || !route->takes_cookie() || !head.cookie) return router::Caller{};
    const auto cookie = session_cookie(*head.cookie, premises.cookie_name);
    if (!cookie) return router::Caller{};
    const bool own =
        !head.origin || premises.sites.is_own(*head.origin, head.authority, premises.https);
    const bool reads = head.verb == "GET" || head.verb == "HEAD";
    if (reads && !own) return router::Caller{};
    auto caller = premises.router.authenticate_web_session(*cookie);
    if (!caller.agent || reads) return caller;
    if (!own) return core::Error(core::ErrorCode::forbidden_origin);
    if (!head.page || head.page->empty()) {
        return core::Error(core::ErrorCode::forbidden_origin, {},
                           "by a session, what changes something needs X-AgentCom-Page");
    }
    // Somebody else may have logged in by another tab since the page was shown.
    if (*head.page != "1" && percent_decode(*head.page) != caller.agent->str()) {
        return core::Error(core::ErrorCode::session_changed);
    }
    return caller;
}

/// Of a browser that begins one; where it may, its page was looked at before.
std::optional<core::TokenDigest> old_session(const HttpHead& head, const Route* route,
                                             std::string_view cookie_name) {
    const bool begins = route != nullptr && route->page == Page::none &&
                        route->operation == protocol::Operation::log_in;
    if (!begins || !head.cookie) return std::nullopt;
    const auto cookie = session_cookie(*head.cookie, cookie_name);
    const auto parsed = cookie ? core::Token::parse(*cookie) : std::nullopt;
    if (!parsed) return std::nullopt;
    return parsed->digest();
}

HttpAnswer no_route(const RouteMatch& match) {
    if (match.allow.empty()) return error_answer(core::ErrorCode::not_found);
    HttpAnswer answer = error_answer(core::ErrorCode::method_not_allowed);
    answer.allow = match.allow;
    return answer;
}

/// Where clients reach the hub, as it was configured or as this one did; empty: it does not say.
std::string base_url(const HttpHead& head, const Premises& premises) {
    if (!premises.documents.public_url().empty()) return premises.documents.public_url();
    if (head.authority == nullptr) return {};
    const Authority& authority = *head.authority;
    const bool ipv6 = authority.host.find(':') != std::string::npos;
    std::string url = premises.https ? "https://" : "http://";
    url += ipv6 ? '[' + authority.host + ']' : authority.host;
    if (authority.port) url += ':' + std::to_string(*authority.port);
    url += premises.base_path;
    return url;
}

bool may_be_json(const HttpHead& head) {
    return !head.content_type || is_json_type(*head.content_type);
}

core::result<protocol::Request> decode(const HttpHead& head, Admission& admission,
                                       std::string_view body) {
    // A body means nothing where the path and query say it all.
    if (admission.match.route->verb == "GET") body = {};
    if (!body.empty() && !may_be_json(head)) {
        return core::Error(core::ErrorCode::unsupported_media_type);
    }
    const auto argument = percent_decode(admission.match.argument);
    if (!argument) {
        return core::Error(core::ErrorCode::bad_request, {},
                           "the path holds a broken percent escape");
    }
    return protocol::decode_http({admission.match.route->operation, *argument,
                                  std::move(admission.query), body, head.idempotency_key,
                                  head.last_event_id, admission.base_url});
}

}  // namespace

std::optional<std::string_view> bearer_token(std::string_view header) {
    constexpr std::string_view kScheme = "bearer";
    header = trim(header);
    if (!equal_ignoring_case(header.substr(0, kScheme.size()), kScheme)) return std::nullopt;
    header.remove_prefix(kScheme.size());
    if (!header.empty() && header.front() != ' ' && header.front() != '\t') return std::nullopt;
    return trim(header);
}

bool is_json_type(std::string_view content_type) {
    const auto end = std::min(content_type.find(';'), content_type.size());
    return equal_ignoring_case(trim(content_type.substr(0, end)), "application/json");
}

namespace {

HeadStep admit_to(Admission admission, const HttpHead& head, const Target& target,
                  const Premises& premises) {
    const Route* route = admission.match.route;
    const bool any_host = route != nullptr && route->any_host();
    if (!any_host && !premises.sites.knows_host(head.authority)) {
        return {{}, false, error_answer(core::ErrorCode::forbidden_host)};
    }
    if (auto answer = without_path(head)) return {{}, false, std::move(*answer)};
    if (head.preflight && premises.sites.lists(*head.origin)) {
        return {{}, false, preflight_answer(admission.match)};
    }
    admission.query = parse_query(target.query);
    if (head.origin && !is_open_to_pages(head, route) &&
        !(route != nullptr && route->is_session()
              ? premises.sites.is_own(*head.origin, head.authority, premises.https)
              : premises.sites.admits(*head.origin, head.authority, premises.https))) {
        return {{}, false, error_answer(core::ErrorCode::forbidden_origin)};
    }
    router::Caller caller;
    if (const std::string token = find_token(head, route, admission.query); !token.empty()) {
        admission.token_shown = true;
        caller = premises.router.authenticate(token);
    } else {
        auto found = session_caller(head, route, premises);
        if (!found) return {{}, false, error_answer(std::move(found.error()))};
        caller = std::move(*found);
    }
    const bool shown = admission.token_shown;
    if (route == nullptr) return {std::move(caller), shown, no_route(admission.match)};
    if (route->page == Page::asset) {
        return {std::move(caller), shown,
                asset_answer(head, admission.match.argument, premises.documents)};
    }
    if (is_document(route->page)) {
        return {std::move(caller), shown, document_answer(head, *route, target, premises)};
    }
    if (route->page == Page::websocket) return {std::move(caller), shown, to_websocket(head)};

    admission.max_body_bytes = premises.limits.max_body_bytes;
    admission.base_url = base_url(head, premises);
    admission.old_web_session = old_session(head, route, premises.cookie_name);
    caller.local = premises.local;
    // The router knows whether reads are anonymous and who may watch.
    const bool router_judges = route->right() == protocol::Right::reader ||
                               route->right() == protocol::Right::watcher ||
                               route->right() == protocol::Right::overseer;
    if (caller.agent) {
        if (const auto code = protocol::refusal(route->right(), caller.standing());
            code && !router_judges) {
            return {std::move(caller), shown, error_answer(*code, route->hint())};
        }
        return {std::move(caller), shown, std::move(admission)};
    }
    // Of a token in the body nothing is known yet.
    const bool may_go_on = route->right() == protocol::Right::anyone || router_judges ||
                           (route->body_token() && !admission.token_shown);
    if (!may_go_on) {
        return {std::move(caller), shown,
                error_answer(core::ErrorCode::unauthorized, route->hint())};
    }
    admission.max_body_bytes =
        std::min(admission.max_body_bytes, premises.limits.max_unidentified_frame_bytes);
    return {std::move(caller), shown, std::move(admission)};
}

}  // namespace

HeadStep admit(const HttpHead& head, const Premises& premises) {
    Target target = parse_target(head.target);
    remove_base(target.segments, premises.base_path);
    Admission admission;
    admission.match = find_route(head.verb, target.segments);
    const Route* route = admission.match.route;
    HeadStep made = admit_to(std::move(admission), head, target, premises);
    made.route = route;
    return made;
}

std::optional<std::string> token_in_body(const Admission& admission, std::string_view body) {
    if (admission.token_shown || !admission.match.route->body_token()) return std::nullopt;
    return protocol::token_in_ack_body(body);
}

BodyStep interpret(const HttpHead& head, const router::Caller& caller, Admission& admission,
                   std::string_view body) {
    const Route& route = *admission.match.route;
    auto decoded = decode(head, admission, body);
    if (!decoded) {
        // Whoever may not come in is not told what is wrong with the luggage.
        if (route.right() != protocol::Right::anyone && !caller.agent) {
            return error_answer(core::ErrorCode::unauthorized, route.hint());
        }
        return error_answer(decoded.error(), route.hint());
    }
    RouterCall call{caller, std::move(*decoded), body.size(), route.hint()};
    call.caller.old_web_session = admission.old_web_session;
    return call;
}

BodyStep begin_mcp(const HttpHead& head, const router::Caller& caller, const Admission& admission,
                   std::string_view body, core::Timestamp now) {
    if (!may_be_json(head)) return error_answer(core::ErrorCode::unsupported_media_type);
    const auto profile = std::ranges::find(admission.query, "profile", &Query::value_type::first);
    mcp::Step step =
        mcp::begin({.agent = *caller.agent,
                    .now = now,
                    .body = body,
                    .protocol_version = head.mcp_version,
                    .method = head.mcp_method,
                    .name = head.mcp_name,
                    .full_profile = profile != admission.query.end() && profile->second == "full"});
    return McpCall{caller, std::move(step), body.size()};
}

BodyStep begin_claude_hook(const HttpHead& head, const router::Caller& caller,
                           std::string_view body, webhooks::Sessions& sessions) {
    if (!may_be_json(head)) return error_answer(core::ErrorCode::unsupported_media_type);
    auto ask = webhooks::begin_claude(*caller.agent, body, sessions);
    if (!ask) return error_answer(ask.error());
    return HookCall{caller, std::move(*ask), body.size()};
}

}  // namespace agentcom::net

#include "net/http_request.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "net/routes.hpp"
#include "net/target.hpp"

namespace agentcom::net {

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view kBlank = " \t";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// The header first; a header of another kind gives way to the query, and that to the body.
std::string find_token(const HttpRequest& request, const Route& route, const Query& query) {
    if (request.authorization) {
        if (const auto token = bearer_token(*request.authorization)) return std::string(*token);
    }
    if (route.query_token()) {
        const auto found = std::ranges::find(query, "token", &Query::value_type::first);
        if (found != query.end()) return found->second;
    }
    if (route.body_token()) return protocol::token_in_ack_body(request.body).value_or("");
    return {};
}

HttpAnswer dashboard_page(const std::string& html) {
    HttpAnswer answer;
    answer.body.append(html);
    answer.html = true;
    return answer;
}

HttpStep to_websocket(const HttpRequest& request) {
    if (!request.websocket_key) return error_answer(core::ErrorCode::upgrade_required);
    return Upgrade{std::string(*request.websocket_key), std::string(request.target)};
}

HttpAnswer no_route(const RouteMatch& match) {
    if (match.allow.empty()) return error_answer(core::ErrorCode::not_found);
    HttpAnswer answer = error_answer(core::ErrorCode::method_not_allowed);
    answer.allow = match.allow;
    return answer;
}

core::result<protocol::Request> decode(const HttpRequest& request, const RouteMatch& match,
                                       Query query) {
    if (!request.body.empty() && request.content_type && !is_json_type(*request.content_type)) {
        return core::Error(core::ErrorCode::unsupported_media_type);
    }
    const auto argument = percent_decode(match.argument);
    if (!argument) {
        return core::Error(core::ErrorCode::bad_request, {},
                           "the path holds a broken percent escape");
    }
    return protocol::decode_http({match.route->operation, *argument, std::move(query), request.body,
                                  request.idempotency_key});
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

HttpStep interpret(const HttpRequest& request, const router::Router& router,
                   const std::string& dashboard_html) {
    const Target target = parse_target(request.target);
    const RouteMatch match = find_route(request.verb, target.segments);
    if (match.route == nullptr) return no_route(match);
    const Route& route = *match.route;
    if (route.page == Page::dashboard) return dashboard_page(dashboard_html);
    if (route.page == Page::websocket) return to_websocket(request);

    Query query = parse_query(target.query);
    const std::string token = find_token(request, route, query);
    router::Caller caller = token.empty() ? router::Caller{} : router.authenticate(token);
    auto decoded = decode(request, match, std::move(query));
    if (!decoded) {
        // Whoever may not come in is not told what is wrong with the luggage.
        if (route.right() != protocol::Right::anyone && !caller.agent) {
            return error_answer(core::ErrorCode::unauthorized, route.hint());
        }
        if (route.right() == protocol::Right::admin && !caller.is_admin()) {
            return error_answer(core::ErrorCode::admin_only, route.hint());
        }
        return error_answer(decoded.error(), route.hint());
    }
    return RouterCall{std::move(caller), std::move(*decoded), route.hint()};
}

}  // namespace agentcom::net

#include "net/routes.hpp"

#include <algorithm>
#include <array>

#include "agentcom/net/endpoint.hpp"

namespace agentcom::net {

namespace {

using enum protocol::Operation;

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "/health", health},
    {"GET", "/livez", probe_live},
    {"GET", "/readyz", probe_ready},
    {"GET", "/metrics", get_metrics},
    {"GET", "/ws", health, Page::websocket},
    {"GET", "/", health, Page::home},
    {"GET", "/dashboard", health, Page::dashboard},
    {"GET", "/dashboard/assets/:name", health, Page::asset},
    {"GET", "/llms.txt", health, Page::llms},
    {"GET", "/SKILL.md", health, Page::skill},
    {"GET", "/openapi.json", health, Page::openapi},
    {"GET", "/asyncapi.json", health, Page::asyncapi},
    {"GET", "/api/me", who_am_i},
    {"PUT", "/api/me/profile", set_profile},
    {"POST", "/api/session", log_in},
    {"GET", "/api/session", get_session},
    {"DELETE", "/api/session", log_out},
    {"POST", "/mcp", health, Page::mcp},
    {"POST", "/hooks/claude", health, Page::claude_hook},
    {"GET", "/api/agents", list_agents},
    {"GET", "/api/directory", list_directory},
    {"GET", "/api/directory/:id", get_agent},
    {"GET", "/api/directory/:id/agent-card.json", get_agent_card},
    {"GET", "/.well-known/agent-card.json", get_hub_card},
    {"GET", "/api/agents/:id/subscriptions", list_subscriptions},
    {"GET", "/api/agents/:id/waiting", list_waiting},
    {"POST", "/api/message", send_message},
    {"GET", "/api/mailbox/:id", poll_mailbox},
    {"GET", "/api/mailbox/:id/stream", open_stream},
    {"GET", "/api/mailbox/:id/unread", get_unread},
    {"POST", "/api/mailbox/:id/ack", ack_mailbox},
    {"POST", "/api/mailbox/evict", evict_mailboxes},
    {"GET", "/api/channels", list_channels},
    {"POST", "/api/channels", create_channel},
    {"GET", "/api/channels/:ch", get_channel},
    {"DELETE", "/api/channels/:ch", delete_channel},
    {"POST", "/api/channels/:ch/members", set_member},
    {"POST", "/api/channels/:ch/subscribe", subscribe},
    {"POST", "/api/channels/:ch/unsubscribe", unsubscribe},
    {"POST", "/api/channels/:ch/publish", publish},
    {"GET", "/api/channels/:ch/history", channel_history},
    {"GET", "/api/messages", query_history},
    {"GET", "/api/message/:id", get_message},
    {"GET", "/api/threads/:id", get_thread},
    {"GET", "/api/threads/:id/replies", get_replies},
    {"GET", "/api/threads/:id/root", get_thread_root},
    {"GET", "/api/config/heartbeat-interval", get_heartbeat_interval},
    {"PUT", "/api/config/heartbeat-interval", put_heartbeat_interval},
    {"GET", "/api/config/mailbox-retention", get_mailbox_retention},
    {"PUT", "/api/config/mailbox-retention", put_mailbox_retention},
    {"GET", "/api/analytics/summary", analytics_summary},
    {"GET", "/api/analytics/agents", analytics_agents},
    {"GET", "/api/analytics/agents/:id/hourly", analytics_hourly},
    {"GET", "/api/observe", observe},
    {"GET", "/api/observe/agents/:id", observe_agent},
    {"GET", "/api/observe/pairs", observe_pairs},
    {"POST", "/admin/tokens", create_token},
    {"GET", "/admin/tokens", list_tokens},
    {"DELETE", "/admin/tokens/:id", revoke_tokens},
    {"POST", "/admin/tokens/:id/rotate", rotate_token},
    {"DELETE", "/admin/agents/:id", end_agent},
    {"POST", "/admin/agents/:id/disconnect", disconnect_agent},
    {"POST", "/api/admin/reset", reset_hub},
    {"POST", "/admin/reload", reload_config},
});

using describe::PageKind;
using enum core::ErrorCode;

constexpr std::array kErrorsOfWebSocket{upgrade_required, shutting_down};
constexpr std::array kErrorsOfMcp{unsupported_media_type, body_too_large};
constexpr std::array kErrorsOfHook{invalid_json, missing_field, invalid_field,
                                   unsupported_media_type, body_too_large};
constexpr std::array kErrorsOfHome{not_found};

constexpr auto kPages = std::to_array<PageInfo>({
    {},
    {"websocket", "Becomes a WebSocket: 101, or without an upgrade 426.", PageKind::websocket, "",
     kErrorsOfWebSocket},
    {"dashboard", "A page for people who watch the hub and take part.", PageKind::document,
     "text/html"},
    {"mcp", "The Model Context Protocol: JSON-RPC in, JSON or a stream of events out.",
     PageKind::mcp, "", kErrorsOfMcp},
    {"claude_hook", "The input of one of Claude Code's hooks in, its output out.", PageKind::hook,
     "", kErrorsOfHook},
    {"home", "A page with links; 404 for who does not name text/html.", PageKind::document,
     "text/html", kErrorsOfHome},
    {"llms", "What there is, for language models.", PageKind::document, "text/plain"},
    {"skill", "How an agent uses this hub.", PageKind::document, "text/markdown"},
    {"openapi", "The description of every path (OpenAPI 3.1).", PageKind::document,
     "application/json"},
    {"asyncapi", "The description of the WebSocket (AsyncAPI 3.0).", PageKind::document,
     "application/json"},
    {"dashboard_asset", "A file that the dashboard links to; its name changes with its content.",
     PageKind::document, "text/javascript text/css image/svg+xml", kErrorsOfHome},
});
static_assert(kPages.size() == kPageCount, "every page has its row");

/// How many segments each pattern has: a request's path is compared with those that have as many.
constexpr auto kSegments = [] {
    std::array<std::size_t, kRoutes.size()> counts{};
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::string_view pattern = kRoutes[i].pattern;
        if (pattern == "/") continue;
        for (const char c : pattern) counts[i] += c == '/' ? 1 : 0;
    }
    return counts;
}();

/// Whether the path has this pattern's shape; `argument` becomes its ':' segment.
bool matches(std::string_view pattern, const std::vector<std::string_view>& segments,
             std::string_view& argument) {
    if (pattern == "/") return segments.empty();
    std::size_t used = 0;
    while (!pattern.empty()) {
        pattern.remove_prefix(1);  // the slash
        const auto end = std::min(pattern.find('/'), pattern.size());
        if (used == segments.size()) return false;
        if (pattern.front() == ':') {
            argument = segments[used];
        } else if (pattern.substr(0, end) != segments[used]) {
            return false;
        }
        ++used;
        pattern.remove_prefix(end);
    }
    return used == segments.size();
}

void add_verb(std::string& allow, std::string_view verb) {
    if (!allow.empty()) allow += ", ";
    allow += verb;
    if (verb == "GET") allow += ", HEAD";
}

/// RFC 3986, 2.3.
bool is_unreserved(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-._~").find(c) != std::string_view::npos;
}

}  // namespace

bool is_base_path(std::string_view text) {
    for (bool first = true; !text.empty(); first = false) {
        if (text.front() != '/') return false;
        text.remove_prefix(1);
        const std::string_view segment = text.substr(0, text.find('/'));
        text.remove_prefix(segment.size());
        // Whoever passes a request on may have resolved the dots (RFC 3986, 5.2.4).
        if (segment.empty() || segment == "." || segment == ".." ||
            !std::ranges::all_of(segment, is_unreserved)) {
            return false;
        }
        if (first && std::ranges::any_of(kRoutes, [segment](const Route& route) {
                std::string_view own = route.pattern.substr(1);
                return own.substr(0, own.find('/')) == segment;
            })) {
            return false;
        }
    }
    return true;
}

std::span<const Route> route_table() noexcept { return kRoutes; }

const PageInfo& page_info(Page page) noexcept { return kPages[static_cast<std::size_t>(page)]; }

RouteMatch find_route(std::string_view verb, const std::vector<std::string_view>& segments) {
    if (verb == "HEAD") verb = "GET";
    RouteMatch match;
    bool hidden = false;
    for (std::size_t i = 0; i < kRoutes.size(); ++i) {
        if (kSegments[i] != segments.size()) continue;
        const Route& route = kRoutes[i];
        std::string_view argument;
        if (!matches(route.pattern, segments, argument)) continue;
        if (route.verb == verb) return {&route, argument, {}};
        // The WebSocket path is no HTTP resource, and the first page is there for browsers only:
        // another verb there finds nothing.
        hidden = hidden || route.page == Page::websocket || route.page == Page::home;
        add_verb(match.allow, route.verb);
    }
    return hidden ? RouteMatch{} : match;
}

}  // namespace agentcom::net

#include "net/routes.hpp"

#include <algorithm>
#include <array>

namespace agentcom::net {

namespace {

using enum protocol::HttpOperation;

constexpr Route open(std::string_view pattern, protocol::HttpOperation operation) {
    return {"GET", pattern, operation, Page::none, false, true, false, false};
}
constexpr Route page(std::string_view pattern, Page what) {
    return {"GET", pattern, health, what, false, false, false, false};
}
constexpr Route read(std::string_view pattern, protocol::HttpOperation operation) {
    return {"GET", pattern, operation, Page::none, true, true, false, false};
}
constexpr Route write(std::string_view verb, std::string_view pattern,
                      protocol::HttpOperation operation) {
    return {verb, pattern, operation, Page::none, true, false, false, true};
}

constexpr Route administer(std::string_view verb, std::string_view pattern,
                           protocol::HttpOperation operation) {
    return {verb, pattern, operation, Page::none, true, false, false, true, true};
}

constexpr auto kRoutes = std::to_array<Route>({
    open("/health", health),
    page("/ws", Page::websocket),
    page("/dashboard", Page::dashboard),
    read("/api/agents", list_agents),
    read("/api/agents/:id/subscriptions", list_subscriptions),
    write("POST", "/api/message", send_message),
    read("/api/mailbox/:id", poll_mailbox),
    // Ack is the one writing route that clients of the original call with a token elsewhere.
    {"POST", "/api/mailbox/:id/ack", ack_mailbox, Page::none, true, true, true, false},
    administer("POST", "/api/mailbox/evict", evict_mailboxes),
    read("/api/channels", list_channels),
    write("POST", "/api/channels", create_channel),
    read("/api/channels/:ch", get_channel),
    write("POST", "/api/channels/:ch/subscribe", subscribe),
    write("POST", "/api/channels/:ch/unsubscribe", unsubscribe),
    write("POST", "/api/channels/:ch/publish", publish),
    read("/api/channels/:ch/history", channel_history),
    read("/api/messages", query_history),
    read("/api/threads/:id", get_thread),
    read("/api/threads/:id/replies", get_replies),
    read("/api/threads/:id/root", get_thread_root),
    read("/api/config/heartbeat-interval", get_heartbeat_interval),
    administer("PUT", "/api/config/heartbeat-interval", put_heartbeat_interval),
    read("/api/config/mailbox-retention", get_mailbox_retention),
    administer("PUT", "/api/config/mailbox-retention", put_mailbox_retention),
    read("/api/analytics/summary", analytics_summary),
    read("/api/analytics/agents", analytics_agents),
    read("/api/analytics/agents/:id/hourly", analytics_hourly),
    administer("POST", "/admin/tokens", create_token),
    // Reads, but with the hint that the original gives for everything below /admin.
    {"GET", "/admin/tokens", list_tokens, Page::none, true, true, false, true},
    administer("DELETE", "/admin/tokens/:id", revoke_tokens),
    administer("POST", "/api/admin/reset", reset_hub),
});

/// Whether the path has this pattern's shape; `argument` becomes its ':' segment.
bool matches(std::string_view pattern, const std::vector<std::string_view>& segments,
             std::string_view& argument) {
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

}  // namespace

std::span<const Route> route_table() noexcept { return kRoutes; }

RouteMatch find_route(std::string_view verb, const std::vector<std::string_view>& segments) {
    if (verb == "HEAD") verb = "GET";
    RouteMatch match;
    bool hidden = false;
    for (const Route& route : kRoutes) {
        std::string_view argument;
        if (!matches(route.pattern, segments, argument)) continue;
        if (route.verb == verb) return {&route, argument, {}};
        // The WebSocket path is no HTTP resource: another verb there finds nothing.
        hidden = hidden || route.page == Page::websocket;
        add_verb(match.allow, route.verb);
    }
    return hidden ? RouteMatch{} : match;
}

}  // namespace agentcom::net

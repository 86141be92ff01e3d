#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/error.hpp"
#include "agentcom/describe/describe.hpp"
#include "agentcom/protocol/operations.hpp"

namespace agentcom::net {

/// What a route leads to that is not an operation of the router.
enum class Page : std::uint8_t {
    none,
    websocket,
    dashboard,
    mcp,
    claude_hook,
    home,
    llms,
    skill,
    openapi,
    asyncapi,
    asset,
};
inline constexpr std::size_t kPageCount = static_cast<std::size_t>(Page::asset) + 1;

/// What descriptions say of a page.
struct PageInfo {
    std::string_view name;   // unique
    std::string_view about;  // in a sentence
    describe::PageKind kind = describe::PageKind::document;
    std::string_view media{};                   // of a document
    std::span<const core::ErrorCode> errors{};  // its own
};
[[nodiscard]] const PageInfo& page_info(Page page) noexcept;

/// Whether it is a text that is the same for everybody.
[[nodiscard]] constexpr bool is_document(Page page) noexcept {
    return page == Page::dashboard || page >= Page::home;
}

/// One row: verb and path to an operation. What the operation needs is in the table of operations.
struct Route {
    std::string_view verb;     // "GET" also answers HEAD
    std::string_view pattern;  // a segment that begins with ':' is the argument
    protocol::Operation operation = protocol::Operation::health;
    Page page = Page::none;

    /// Of its operation; null: it leads to a page.
    [[nodiscard]] const protocol::Policy* policy() const noexcept {
        return page == Page::none ? &protocol::operation_info(operation).policy : nullptr;
    }
    [[nodiscard]] protocol::Right right() const noexcept {
        if (page == Page::mcp || page == Page::claude_hook) return protocol::Right::holder;
        return policy() != nullptr ? policy()->right : protocol::Right::anyone;
    }
    [[nodiscard]] bool any_host() const noexcept {
        return policy() != nullptr && policy()->any_host;
    }
    [[nodiscard]] bool unmetered() const noexcept {
        return policy() != nullptr && policy()->unmetered;
    }
    /// Ack is the one writing route that clients of the original call with a token elsewhere than
    /// in the header: in the query, as wherever something is read, or inside the body. Whoever logs
    /// in has it in the body, too.
    [[nodiscard]] bool body_token() const noexcept {
        return operation == protocol::Operation::ack_mailbox ||
               operation == protocol::Operation::log_in;
    }
    [[nodiscard]] bool query_token() const noexcept {
        return page == Page::none && !is_session() && (verb == "GET" || body_token());
    }
    /// Begins, shows or ends a person's session in a browser: for the hub's own pages alone.
    [[nodiscard]] bool is_session() const noexcept {
        return page == Page::none && (operation == protocol::Operation::log_in ||
                                      operation == protocol::Operation::get_session ||
                                      operation == protocol::Operation::log_out);
    }
    /// The cookie of such a session stands for a token. One begins with the token itself.
    [[nodiscard]] bool takes_cookie() const noexcept {
        return page == Page::none && operation != protocol::Operation::log_in;
    }
    /// A 401 says how to send a token: where the original did, which is at what writes and at
    /// everything below /admin.
    [[nodiscard]] bool hint() const noexcept {
        return (verb != "GET" || pattern.starts_with("/admin")) && !body_token();
    }
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

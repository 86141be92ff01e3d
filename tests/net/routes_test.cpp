#include "net/routes.hpp"

#include <gtest/gtest.h>

#include <set>

#include "agentcom/net/endpoint.hpp"
#include "net/documents.hpp"
#include "net/target.hpp"

namespace agentcom::net {
namespace {

using Operation = protocol::Operation;

RouteMatch find(std::string_view verb, std::string_view path) {
    return find_route(verb, parse_target(path).segments);
}

TEST(Routes, EveryOperationHasExactlyOneRoute) {
    std::multiset<Operation> seen;
    for (const Route& route : route_table()) {
        if (route.page == Page::none) seen.insert(route.operation);
    }
    // What only makes sense on a connection has frames alone.
    for (const Operation frame : {Operation::identify, Operation::ping, Operation::set_status}) {
        seen.insert(frame);
    }
    for (const protocol::OperationInfo& info : protocol::operations()) {
        EXPECT_EQ(seen.count(info.id), 1U) << info.name;
    }
}

TEST(Routes, FindTheOperationAndItsArgument) {
    const RouteMatch match = find("GET", "/api/channels/dev%2Fops/history");
    ASSERT_NE(match.route, nullptr);
    EXPECT_EQ(match.route->operation, Operation::channel_history);
    EXPECT_EQ(match.argument, "dev%2Fops");
}

TEST(Routes, VerbDecidesBetweenThePathsThatLookAlike) {
    ASSERT_NE(find("POST", "/api/mailbox/evict").route, nullptr);
    EXPECT_EQ(find("POST", "/api/mailbox/evict").route->operation, Operation::evict_mailboxes);
    ASSERT_NE(find("GET", "/api/mailbox/evict").route, nullptr);
    EXPECT_EQ(find("GET", "/api/mailbox/evict").route->operation, Operation::poll_mailbox);
}

TEST(Routes, ABasePathIsNoneOfTheirs) {
    for (const char* good : {"", "/hub", "/a/b", "/A-1.2_~", "/hub/api", "/healthy"}) {
        EXPECT_TRUE(is_base_path(good)) << good;
    }
    for (const char* bad : {"/", "hub", "/hub/", "//hub", "/a//b", "/a/../b", "/.", "/a b", "/a%20",
                            "/a?b", "/api", "/api/hub", "/ws", "/health", "/admin/x"}) {
        EXPECT_FALSE(is_base_path(bad)) << bad;
    }
}

TEST(Routes, HeadFindsWhatGetFinds) {
    EXPECT_EQ(find("HEAD", "/health").route, find("GET", "/health").route);
}

TEST(Routes, UnknownPathsAndOtherSpellingsFindNothing) {
    for (const char* path : {"/api", "/api/mailbox", "/Health", "/api/channels/x/nowhere",
                             "/api/messages/x", "/healthy", "/api/agents/x", "/api/agents/x/y"}) {
        const RouteMatch match = find("GET", path);
        EXPECT_EQ(match.route, nullptr) << path;
        EXPECT_EQ(match.allow, "") << path;
    }
}

TEST(Routes, TheFirstPageIsThereForGetOnly) {
    ASSERT_NE(find("GET", "/").route, nullptr);
    EXPECT_EQ(find("HEAD", "/").route->page, Page::home);
    EXPECT_EQ(find("POST", "/").route, nullptr);
    EXPECT_EQ(find("POST", "/").allow, "");
}

TEST(Routes, EveryPageThatAnswersHttpIsDescribed) {
    std::set<std::string_view> names;
    for (const Route& route : route_table()) {
        if (route.page == Page::none) continue;
        const PageInfo& page = page_info(route.page);
        EXPECT_TRUE(names.insert(page.name).second) << route.pattern;
        EXPECT_FALSE(page.about.empty()) << route.pattern;
        EXPECT_EQ(page.media.empty(), !is_document(route.page)) << route.pattern;
    }
}

TEST(Routes, AnotherVerbIsToldWhatIsAllowed) {
    EXPECT_EQ(find("DELETE", "/api/channels").allow, "GET, HEAD, POST");
    EXPECT_EQ(find("GET", "/api/message").allow, "POST");
    EXPECT_EQ(find("PUT", "/admin/tokens").route, nullptr);
}

TEST(Routes, TheWebSocketPathHidesFromOtherVerbs) {
    EXPECT_EQ(find("POST", "/ws").route, nullptr);
    EXPECT_EQ(find("POST", "/ws").allow, "");
    ASSERT_NE(find("GET", "/ws").route, nullptr);
    EXPECT_EQ(find("GET", "/ws").route->page, Page::websocket);
}

TEST(Routes, QueryTokensAreForReadingAndForAck) {
    for (const Route& route : route_table()) {
        if (route.page != Page::none) continue;
        const bool ack = route.operation == Operation::ack_mailbox;
        const bool session = route.pattern == "/api/session";
        EXPECT_EQ(route.query_token(), !session && (route.verb == "GET" || ack)) << route.pattern;
        EXPECT_EQ(route.body_token(), ack || (session && route.verb == "POST")) << route.pattern;
    }
}

TEST(Routes, ACookieStandsForATokenButWhereASessionBeginsAndInOtherProtocols) {
    for (const Route& route : route_table()) {
        const bool begins = route.pattern == "/api/session" && route.verb == "POST";
        EXPECT_EQ(route.takes_cookie(), route.page == Page::none && !begins) << route.pattern;
        EXPECT_EQ(route.is_session(), route.pattern == "/api/session") << route.pattern;
    }
}

TEST(Documents, AreNotSentAgainToWhoNamesTheirTag) {
    EXPECT_TRUE(matches_tag("\"a\"", "\"a\""));
    EXPECT_TRUE(matches_tag("\"b\", W/\"a\"", "\"a\""));
    EXPECT_TRUE(matches_tag("*", "\"a\""));
    EXPECT_FALSE(matches_tag("", "\"a\""));
    EXPECT_FALSE(matches_tag("a, \"ab\"", "\"a\""));
}

TEST(Documents, GzipIsForWhoTakesIt) {
    for (const char* header : {"gzip", "deflate, GZIP;q=0.5", "*", "br, *;q=0.1", "x-gzip"}) {
        EXPECT_TRUE(accepts_gzip(header)) << header;
    }
    for (const char* header :
         {"", "identity", "br", "gzip;q=0", "*;q=0", "gzip;q=0.000, *", "gzi"}) {
        EXPECT_FALSE(accepts_gzip(header)) << header;
    }
}

TEST(Documents, ABrowserAsksForHtml) {
    EXPECT_TRUE(asks_for_html("text/html,application/xhtml+xml,*/*;q=0.8"));
    EXPECT_TRUE(asks_for_html("application/json, Text/HTML;level=1"));
    EXPECT_TRUE(asks_for_html("text/html;q=0.001"));
    EXPECT_TRUE(asks_for_html("text/html;q=0, text/html;level=1"));
    for (const char* accept : {"", "*/*", "text/*", "application/json", "text/htmlx",
                               "text/html;q=0", "text/html; level=1 ; Q=0.000, */*"}) {
        EXPECT_FALSE(asks_for_html(accept)) << accept;
    }
}

TEST(Documents, HaveATagOfTheirTextAndABound) {
    Site site;
    site.home_html = "a";
    site.llms_txt = "b";
    const Documents one(site, {});
    site.llms_txt = "c";
    EndpointOptions elsewhere;
    elsewhere.public_url = "https://hub.example";
    const Documents other(site, elsewhere);
    EXPECT_EQ(one.find(Page::home)->tag, other.find(Page::home)->tag);
    EXPECT_NE(one.find(Page::llms)->tag, other.find(Page::llms)->tag);
    EXPECT_NE(one.find(Page::openapi)->tag, other.find(Page::openapi)->tag);
    EXPECT_EQ(one.find(Page::mcp), nullptr);
    for (const Page page : {Page::openapi, Page::asyncapi}) {
        EXPECT_LT(one.find(page)->text.size(), std::size_t{256} << 10);
    }
}

}  // namespace
}  // namespace agentcom::net

#include "net/request_tag.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>
#include <string>

#include "support/hub_fixture.hpp"

namespace agentcom::net {
namespace {

constexpr const char* kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";

std::string trace_of(const std::string& parent) { return tag_request({}, parent, 1).trace_id; }

TEST(RequestTag, TakesOverAnIdThatIsSaneAndMakesOneOtherwise) {
    for (const std::string& id :
         {std::string("a"), std::string("A-z.0_9:+/="), std::string(128, 'x')}) {
        EXPECT_EQ(tag_request(id, {}, 1).id, id);
    }
    for (const std::string& id :
         {std::string(), std::string(129, 'x'), std::string("a b"), std::string("a\"b"),
          std::string("a,b"), std::string("caf\xc3\xa9"), std::string("<script>")}) {
        const std::string made = tag_request(id, {}, 1).id;
        EXPECT_EQ(made.size(), 13U) << id;
        EXPECT_EQ(made, tag_request({}, {}, 1).id);
    }
}

TEST(RequestTag, NoTwoNumbersMakeTheSameId) {
    std::set<std::string> ids;
    for (std::uint64_t number = 0; number < 10'000; ++number) {
        ids.insert(tag_request({}, {}, number).id);
        ids.insert(tag_request({}, {}, ~number).id);
    }
    EXPECT_EQ(ids.size(), 20'000U);
}

TEST(RequestTag, TakesOverATraceThatIsWellFormed) {
    const std::string rest = std::string("-") + kTrace + "-00f067aa0ba902b7-01";
    EXPECT_EQ(trace_of("00" + rest), kTrace);
    EXPECT_EQ(trace_of("cc" + rest), kTrace);
    EXPECT_EQ(trace_of("cc" + rest + "-what-the-future-brings"), kTrace);
    for (const std::string& text :
         {std::string(), "ff" + rest, "00" + rest + "-more", "cc" + rest + ".more", "0" + rest,
          "00" + rest.substr(1), "0G" + rest,
          std::string("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
          std::string("00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
          std::string("00-") + kTrace + "-0000000000000000-01",
          std::string("00-") + kTrace + "-00f067aa0ba902b7-0x"}) {
        EXPECT_EQ(trace_of(text), "") << text;
    }
}

TEST(RequestTag, IsAnsweredAlsoWhereTheRequestIsRefused) {
    test::Hub hub;
    test::HttpClient client(hub.port());
    const auto ask = [&](const std::string& path, const std::string& id) {
        return client.request("GET", path, {}, {"X-Request-Id: " + id}).headers.at("x-request-id");
    };
    EXPECT_EQ(ask("/health", "order-66"), "order-66");
    EXPECT_EQ(ask("/nowhere", "order-67"), "order-67");
    EXPECT_EQ(ask("/api/me", "order-68"), "order-68");
    const std::string first = ask("/health", "not sane");
    const std::string second = ask("/health", "not sane");
    EXPECT_EQ(first.size(), 13U);
    EXPECT_NE(first, second);
}

/// What a request is answered whose header has come as far as that.
std::map<std::string, std::string> headers_for(
    test::Hub& hub, const std::string& header, const std::function<void()>& then = [] {}) {
    test::HttpClient client(hub.port());
    client.send_raw(header);
    EXPECT_TRUE(hub.wait_for_connections(1));
    hub.settle();
    then();
    return client.read_response().headers;
}

TEST(RequestTag, IsAnsweredAlsoWhereTheHeaderIsWrong) {
    test::Hub hub;
    const std::string begun = "GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: order-69\r\n";
    for (const std::string& rest :
         {std::string("Expect: much\r\n\r\n"),
          std::string("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
          std::string("no field\r\n"), "X: " + std::string(20'000, 'x') + "\r\n"}) {
        EXPECT_EQ(headers_for(hub, begun + rest).at("x-request-id"), "order-69");
        ASSERT_TRUE(hub.wait_for_connections(0));
    }
    // Of this one nothing could be read.
    EXPECT_EQ(headers_for(hub, "\x16\x03\x01").at("x-request-id").size(), 13U);
}

TEST(RequestTag, IsAnsweredAlsoWhereTheHeaderNeverEnds) {
    test::Hub hub;
    const std::string begun = "GET /health HTTP/1.1\r\nHost: x\r\nX-Request-Id: order-70\r\n";
    const auto late = headers_for(hub, begun, [&] { hub.pass(core::Millis{31'000}); });
    EXPECT_EQ(late.at("x-request-id"), "order-70");
    ASSERT_TRUE(hub.wait_for_connections(0));
    const auto stopping = headers_for(hub, begun, [&] { hub.endpoint().begin_shutdown(); });
    EXPECT_EQ(stopping.at("x-request-id"), "order-70");
    EXPECT_EQ(stopping.at("connection"), "close");
}

}  // namespace
}  // namespace agentcom::net

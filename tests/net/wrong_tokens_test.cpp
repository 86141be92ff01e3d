// Wrong tokens against a live endpoint: whoever shows too many has to wait, over either transport,
// and nobody else does.

#include <gtest/gtest.h>

#include <string>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using core::Millis;

class WrongTokens : public ::testing::Test {
protected:
    static HubSettings settings() {
        HubSettings settings;
        settings.limits.wrong_tokens_per_minute = 2;  // from loopback 10
        settings.trusted_proxies = {"127.0.0.1"};
        return settings;
    }
    /// A request that comes through a proxy from this address; from loopback without one.
    HttpClient::Response ask(const std::string& token, const std::string& from = {}) {
        HttpClient client(hub_.port(), token);
        return client.request(
            "GET", "/api/mailbox/alice", {},
            from.empty() ? std::vector<std::string>{} : std::vector{"X-Forwarded-For: " + from});
    }
    const std::string wrong_ = std::string(64, '0');
    Hub hub_{settings()};
    std::string alice_ = hub_.create_token("alice");
};

TEST_F(WrongTokens, AreAnsweredWithAWaitAfterTheFirstFew) {
    for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(wrong_, "192.0.2.1").status, 401);
    for (const char* wait : {"1", "2", "4", "8"}) {
        const auto refused = ask(wrong_, "192.0.2.1");
        EXPECT_EQ(refused.status, 429);
        EXPECT_EQ(refused.json().at("error"), "rate_limited");
        EXPECT_EQ(refused.headers.at("retry-after"), wait);
        hub_.pass(Millis{std::stoi(wait) * 1'000});
    }
    EXPECT_EQ(ask(alice_, "192.0.2.1").status, 200);
}

TEST_F(WrongTokens, OfOneAddressConcernNoOther) {
    for (int i = 0; i < 20; ++i) (void)ask(wrong_, "192.0.2.1");
    EXPECT_EQ(ask(alice_, "192.0.2.1").status, 429);
    EXPECT_EQ(ask(alice_, "192.0.2.2").status, 200);
    EXPECT_EQ(ask(alice_, "2001:db8::1").status, 200);
    HttpClient nobody(hub_.port());
    EXPECT_EQ(nobody.request("GET", "/health", {}, {"X-Forwarded-For: 192.0.2.1"}).status, 200);
}

TEST_F(WrongTokens, OnLoopbackAGoodTokenIsAlwaysTaken) {
    Hub hub({.limits = settings().limits});
    const std::string bob = hub.create_token("bob");
    HttpClient guesser(hub.port(), wrong_);
    int refused = 0;
    for (int i = 0; i < 50; ++i) refused += guesser.get("/api/mailbox/bob").status == 429 ? 1 : 0;
    EXPECT_EQ(refused, 40);
    HttpClient good(hub.port(), bob);
    EXPECT_EQ(good.get("/api/mailbox/bob").status, 200);
    WsClient client(hub.port());
    EXPECT_EQ(client.identify("bob", bob).at("type"), "identified");
    // Nor is who comes without a token.
    EXPECT_EQ(HttpClient(hub.port()).get("/api/mailbox/bob").status, 401);
}

TEST_F(WrongTokens, WhereNoneIsNeededAreNoMatter) {
    HttpClient client(hub_.port(), wrong_);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(client.get("/health").status, 200);
    EXPECT_EQ(client.get("/api/mailbox/alice").status, 401);
}

TEST_F(WrongTokens, InBodiesAndFramesCountAsWell) {
    Hub hub({.limits = settings().limits});
    const std::string bob = hub.create_token("bob");
    HttpClient http(hub.port());
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(http.post("/api/mailbox/bob/ack", {{"seq", 0}, {"token", wrong_}}).status, 401);
    }
    for (int i = 0; i < 5; ++i) {
        WsClient client(hub.port());
        EXPECT_EQ(client.identify("bob", wrong_).at("error"), "invalid_token");
    }
    EXPECT_EQ(http.post("/api/mailbox/bob/ack", {{"seq", 0}, {"token", wrong_}}).status, 429);
    WsClient refused(hub.port());
    EXPECT_EQ(refused.identify("bob", wrong_).at("error"), "rate_limited");
    EXPECT_EQ(refused.wait_closed().code, 4008);
    EXPECT_EQ(http.post("/api/mailbox/bob/ack", {{"seq", 0}, {"token", bob}}).status, 200);
}

TEST_F(WrongTokens, InBodiesCountAgainstTheClientBehindAProxy) {
    const auto acknowledge = [&](const std::string& token, const std::string& from) {
        HttpClient client(hub_.port());
        return client.request("POST", "/api/mailbox/alice/ack",
                              nlohmann::json{{"seq", 0}, {"token", token}}.dump(),
                              {"X-Forwarded-For: " + from});
    };
    for (int i = 0; i < 2; ++i) EXPECT_EQ(acknowledge(wrong_, "192.0.2.1").status, 401);
    for (const char* wait : {"1", "2"}) {
        const auto refused = acknowledge(wrong_, "192.0.2.1");
        EXPECT_EQ(refused.status, 429);
        EXPECT_EQ(refused.headers.at("retry-after"), wait);
        // While it waits nobody there is told which token would be a good one.
        EXPECT_EQ(acknowledge(alice_, "192.0.2.1").status, 429);
        EXPECT_EQ(ask(alice_, "192.0.2.1").status, 429);
        EXPECT_EQ(acknowledge(alice_, "192.0.2.2").status, 200);
        hub_.pass(Millis{std::stoi(wait) * 1'000});
    }
    EXPECT_EQ(acknowledge(alice_, "192.0.2.1").status, 200);
}

}  // namespace
}  // namespace agentcom::test

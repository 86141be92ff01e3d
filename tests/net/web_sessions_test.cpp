// People's sessions in browsers over HTTP: the cookie, where it counts, and what pages of other
// origins can do with it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using core::Millis;
using Response = HttpClient::Response;

constexpr const char* kPageMark = "X-AgentCom-Page: 1";
constexpr const char* kOwn = "Origin: http://hub";  // which the client says that it asks

class WebSessions : public ::testing::Test {
protected:
    static HubSettings settings() {
        HubSettings settings;
        settings.router.session_lifetime = Millis{60'000};
        settings.router.reset_cooldown = Millis{0};
        settings.trusted_proxies = {"127.0.0.1"};
        settings.allowed_origins = {"https://friend.example"};
        return settings;
    }
    Response log_in(const std::string& token, std::vector<std::string> headers = {}) {
        return HttpClient(hub_.port())
            .request("POST", "/api/session", nlohmann::json({{"token", token}}).dump(), headers);
    }
    /// The header that shows the cookie which this answer has set.
    static std::string cookie_of(const Response& answer) {
        const std::string& line = answer.headers.at("set-cookie");
        return "Cookie: " + line.substr(0, line.find(';'));
    }
    static std::string value_of(const std::string& shown) {
        return shown.substr(shown.find('=') + 1);
    }
    std::string cookie_name() {
        const auto epoch =
            HttpClient(hub_.port(), alice_).get("/api/mailbox/alice").json().at("epoch");
        return "agentcom_session_" + epoch.get<std::string>().substr(0, 8);
    }
    std::string cookie(const std::string& token) { return cookie_of(log_in(token)); }
    Response ask(const std::string& verb, const std::string& path, std::vector<std::string> headers,
                 const std::string& token = {}) {
        HttpClient client(hub_.port(), token);
        const bool message = verb == "POST" && path == "/api/message";
        return client.request(verb, path,
                              message
                                  ? std::optional<std::string>(R"({"to":"bob","payload":{"a":1}})")
                                  : std::nullopt,
                              headers);
    }
    int status(const std::string& verb, const std::string& path, std::vector<std::string> headers,
               const std::string& token = {}) {
        return ask(verb, path, std::move(headers), token).status;
    }

    Hub hub_{settings()};
    std::string alice_ = hub_.create_token("alice");
};

TEST_F(WebSessions, TheCookieStandsForTheTokenItWasGotFor) {
    const Response begun = log_in(alice_);
    ASSERT_EQ(begun.status, 200) << begun.body;
    const auto session = begun.json();
    EXPECT_EQ(session.at("agent_id"), "alice");
    EXPECT_EQ(session.at("role"), "agent");
    EXPECT_EQ(session.at("expires_at"), hub_.clock().now().ms + 60'000);
    EXPECT_EQ(session.size(), 3U);
    EXPECT_EQ(begun.headers.at("cache-control"), "no-store");
    const std::string line = begun.headers.at("set-cookie");
    const std::string value = line.substr(0, line.find(';'));
    EXPECT_EQ(value.substr(0, value.find('=')), cookie_name());
    EXPECT_EQ(value.size(), cookie_name().size() + 1 + 64);
    EXPECT_EQ(line.substr(line.find(';')), "; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
    EXPECT_EQ(value.find(alice_), std::string::npos);

    const std::string shown = cookie_of(begun);
    EXPECT_EQ(ask("GET", "/api/session", {shown}).json(), session);
    EXPECT_EQ(ask("GET", "/api/me", {"Cookie: theme=dark; " + shown.substr(8) + "; x=y"})
                  .json()
                  .at("agent_id"),
              "alice");
    EXPECT_EQ(status("GET", "/api/mailbox/alice", {shown}), 200);
    EXPECT_EQ(status("GET", "/api/mailbox/bob", {shown}), 401);
    EXPECT_EQ(status("GET", "/api/me", {}), 401);
    EXPECT_EQ(status("GET", "/api/me", {"Cookie: " + cookie_name() + "=" + alice_}), 401);
    EXPECT_EQ(status("GET", "/api/me", {"Cookie: x" + cookie_name() + "=" + value_of(shown)}), 401);
    // Not the other way round.
    EXPECT_EQ(status("GET", "/api/me", {}, value_of(shown)), 401);
    EXPECT_EQ(status("GET", "/api/session", {}, alice_), 404);
    // A token that is shown counts, good or not.
    EXPECT_EQ(status("GET", "/api/me", {shown}, std::string(64, '0')), 401);
    EXPECT_EQ(ask("GET", "/api/me", {shown}, hub_.admin_token()).json().at("agent_id"), "admin");
}

TEST_F(WebSessions, IsBegunByAGoodTokenAlone) {
    EXPECT_EQ(log_in(std::string(64, '0')).status, 401);
    EXPECT_EQ(log_in("").status, 401);
    EXPECT_EQ(log_in(std::string(64, '0')).headers.count("set-cookie"), 0U);
    EXPECT_EQ(status("POST", "/api/session", {}), 401);
    EXPECT_EQ(status("POST", "/api/session?token=" + alice_, {}), 401);
    // No session begets another.
    EXPECT_EQ(status("POST", "/api/session", {cookie(alice_), kPageMark}), 401);
    EXPECT_EQ(status("POST", "/api/session", {}, alice_), 200);
    const std::string observer = hub_.create_token("watcher", core::Role::observer);
    EXPECT_EQ(log_in(observer).json().at("role"), "observer");
    // Guesses are counted as anywhere: so many, and then whoever guesses waits.
    HubSettings strict = settings();
    strict.limits.wrong_tokens_per_minute = 1;
    hub_.reload(strict);
    const std::vector<std::string> far{"X-Forwarded-For: 192.0.2.9"};
    EXPECT_EQ(log_in(std::string(64, '1'), far).status, 401);
    EXPECT_EQ(log_in(std::string(64, '1'), far).status, 429);
    EXPECT_EQ(log_in(alice_, far).status, 429);
}

TEST_F(WebSessions, WhatChangesSomethingNeedsTheHubsOwnPage) {
    const std::string shown = cookie(alice_);
    struct Case {
        std::vector<std::string> headers;
        int write;
        int read;
    };
    const std::vector<Case> cases{
        {{shown, kPageMark}, 200, 200},
        {{shown, kPageMark, kOwn}, 200, 200},
        {{shown}, 403, 200},
        {{shown, kOwn}, 403, 200},
        {{shown, kOwn, "X-AgentCom-Page:"}, 403, 200},
        {{shown, kOwn, "X-AgentCom-Page: alice"}, 200, 200},
        {{shown, kPageMark, "Origin: https://friend.example"}, 403, 401},
        {{shown, kPageMark, "Origin: https://stranger.example"}, 403, 401},
        {{shown, kPageMark, "Origin: null"}, 403, 401},
        {{shown, kPageMark, "Origin: https://hub"}, 403, 401},
        {{shown, kPageMark, "Origin: http://hub:81"}, 403, 401},
        {{shown, kPageMark, "Origin: http://localhost"}, 403, 401},
    };
    for (const Case& each : cases) {
        std::string what;
        for (const std::string& header : each.headers) what += header + '\n';
        const Response write = ask("POST", "/api/message", each.headers);
        EXPECT_EQ(write.status, each.write) << what;
        if (write.status == 403) {
            EXPECT_EQ(write.json().at("error"), "forbidden_origin") << what;
        }
        EXPECT_EQ(status("GET", "/api/me", each.headers), each.read) << what;
    }
    // A page of a listed origin has its own token, as before.
    EXPECT_EQ(status("POST", "/api/message", {shown, "Origin: https://friend.example"}, alice_),
              200);
    // But nobody is logged in, or out, by it.
    for (const char* verb : {"POST", "DELETE"}) {
        EXPECT_EQ(status(verb, "/api/session", {"Origin: https://friend.example"}, alice_), 403);
    }
    EXPECT_EQ(status("DELETE", "/api/session", {shown}), 403);
    EXPECT_EQ(status("GET", "/api/session", {shown}), 200);
    // What a page of another origin may ask for does not name the header.
    const Response preflight =
        ask("OPTIONS", "/api/message",
            {"Origin: https://friend.example", "Access-Control-Request-Method: POST"});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.headers.at("access-control-allow-headers").find("AgentCom-Page"),
              std::string::npos);
    EXPECT_EQ(preflight.headers.count("access-control-allow-credentials"), 0U);
}

TEST_F(WebSessions, APageThatShowsSomebodyElseChangesNothing) {
    const std::string shown = cookie(hub_.create_token("Zoe-1"));
    const auto send = [&](const std::string& page) {
        return ask("POST", "/api/message", {shown, kOwn, "X-AgentCom-Page: " + page});
    };
    EXPECT_EQ(send("Zo%65-1").status, 200);
    for (const char* other : {"alice", "zoe-1", "Zoe-1%2", "0"}) {
        const Response refused = send(other);
        EXPECT_EQ(refused.status, 409) << other;
        EXPECT_EQ(refused.json().at("error"), "session_changed") << other;
    }
    // Nobody is logged out by a tab that shows somebody else.
    EXPECT_EQ(status("DELETE", "/api/session", {shown, "X-AgentCom-Page: alice"}), 409);
    EXPECT_EQ(status("GET", "/api/session", {shown, "X-AgentCom-Page: alice"}), 200);
}

TEST_F(WebSessions, AHubBesideThisOneHasItsOwn) {
    Hub beside(settings());
    const std::string here = cookie(alice_);
    HttpClient client(beside.port());
    const Response there = client.post("/api/session", {{"token", beside.create_token("carol")}});
    // As a browser shows them to both.
    const std::string both = here + "; " + cookie_of(there).substr(8);
    EXPECT_EQ(ask("GET", "/api/me", {both}).json().at("agent_id"), "alice");
    EXPECT_EQ(client.request("GET", "/api/me", {}, {both}).json().at("agent_id"), "carol");
}

TEST_F(WebSessions, OtherProtocolsTakeNoCookie) {
    const std::string shown = cookie(alice_);
    EXPECT_EQ(status("POST", "/mcp", {shown, kPageMark}), 401);
    EXPECT_EQ(status("POST", "/hooks/claude", {shown, kPageMark}), 401);
    WsClient socket(hub_.port());
    EXPECT_EQ(socket.identify("alice", value_of(shown)).at("error"), "invalid_token");
}

TEST_F(WebSessions, EndsWhenThePersonLogsOut) {
    const std::string shown = cookie(alice_);
    const std::string other = cookie(alice_);
    const Response out = ask("DELETE", "/api/session", {shown, kPageMark});
    EXPECT_EQ(out.status, 204);
    EXPECT_EQ(out.body, "");
    EXPECT_EQ(out.headers.at("set-cookie"),
              cookie_name() + "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    EXPECT_EQ(status("GET", "/api/me", {shown}), 401);
    EXPECT_EQ(status("GET", "/api/me", {other}), 200);
    // Whoever is logged out already is so.
    const Response again = ask("DELETE", "/api/session", {shown});
    EXPECT_EQ(again.status, 204);
    EXPECT_EQ(again.headers.count("set-cookie"), 1U);
    EXPECT_EQ(status("DELETE", "/api/session", {}), 204);
}

TEST_F(WebSessions, ANewOneEndsTheOneWhoseCookieCameWithIt) {
    const std::string first = cookie(alice_);
    const std::string elsewhere = cookie(alice_);
    const Response next = log_in(hub_.admin_token(), {first, kOwn});
    ASSERT_EQ(next.status, 200) << next.body;
    EXPECT_EQ(status("GET", "/api/me", {first}), 401);
    EXPECT_EQ(status("GET", "/api/me", {elsewhere}), 200);
    EXPECT_EQ(ask("GET", "/api/me", {cookie_of(next)}).json().at("agent_id"), "admin");
    // A login that fails ends nothing, nor does a cookie that is none.
    EXPECT_EQ(log_in(std::string(64, '0'), {elsewhere}).status, 401);
    EXPECT_EQ(status("GET", "/api/me", {elsewhere}), 200);
    EXPECT_EQ(log_in(alice_, {first}).status, 200);
    EXPECT_EQ(log_in(alice_, {"Cookie: " + cookie_name() + "=nonsense"}).status, 200);
    EXPECT_EQ(status("GET", "/api/me", {elsewhere}), 200);
}

TEST_F(WebSessions, EndsWithItsTimeAndWithItsToken) {
    const std::string shown = cookie(alice_);
    const std::string admins = cookie(hub_.admin_token());
    hub_.clock().advance(Millis{59'999});
    EXPECT_EQ(status("GET", "/api/me", {shown}), 200);
    hub_.clock().advance(Millis{1});
    EXPECT_EQ(status("GET", "/api/me", {shown}), 401);
    EXPECT_EQ(status("GET", "/api/session", {admins}), 401);

    const std::string fresh = cookie(alice_);
    EXPECT_EQ(status("GET", "/api/me", {fresh}), 200);
    EXPECT_EQ(status("DELETE", "/admin/tokens/alice", {}, hub_.admin_token()), 200);
    EXPECT_EQ(status("GET", "/api/me", {fresh}), 401);
    // A new token of the agent does not bring it back.
    const std::string next = hub_.create_token("alice");
    EXPECT_EQ(status("GET", "/api/me", {fresh}), 401);
    EXPECT_EQ(status("GET", "/api/me", {}, next), 200);
}

TEST_F(WebSessions, LastsNoLongerThanItsToken) {
    const auto made = HttpClient(hub_.port(), hub_.admin_token())
                          .post("/admin/tokens", {{"agent_id", "brief"}, {"expires_in", 10}});
    const Response begun = log_in(made.json().at("token"));
    EXPECT_EQ(begun.json().at("expires_at"), hub_.clock().now().ms + 10'000);
    EXPECT_NE(begun.headers.at("set-cookie").find("; Max-Age=10"), std::string::npos);
    hub_.clock().advance(Millis{10'000});
    EXPECT_EQ(status("GET", "/api/me", {cookie_of(begun)}), 401);
}

TEST_F(WebSessions, TheSeventeenthOfATokenEndsTheFirst) {
    std::vector<std::string> cookies;
    for (int i = 0; i < 16; ++i) {
        cookies.push_back(cookie(alice_));
        hub_.clock().advance(Millis{10});
    }
    for (const std::string& each : cookies) EXPECT_EQ(status("GET", "/api/me", {each}), 200);
    cookies.push_back(cookie(alice_));
    EXPECT_EQ(status("GET", "/api/me", {cookies.front()}), 401);
    for (std::size_t i = 1; i < cookies.size(); ++i) {
        EXPECT_EQ(status("GET", "/api/me", {cookies[i]}), 200) << i;
    }
}

TEST_F(WebSessions, TheCookieIsForTheHubsPathAndComesBackByTlsAlone) {
    const auto flags = [&](std::vector<std::string> headers) {
        const std::string line = log_in(alice_, std::move(headers)).headers.at("set-cookie");
        return line.substr(line.find(';'));
    };
    const std::string plain = "; Path=/; HttpOnly; SameSite=Strict; Max-Age=60";
    EXPECT_EQ(flags({"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"}),
              plain + "; Secure");
    EXPECT_EQ(flags({"X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http"}), plain);
    const Response out = ask("DELETE", "/api/session", {"X-Forwarded-Proto: https"});
    EXPECT_NE(out.headers.at("set-cookie").find("; Max-Age=0; Secure"), std::string::npos);
    // Behind the proxy the hub's own origin is https.
    const std::string shown = cookie(alice_);
    const std::string https = "Origin: https://hub";
    EXPECT_EQ(status("POST", "/api/message", {shown, kPageMark, https, "X-Forwarded-Proto: https"}),
              200);

    HubSettings below;
    below.base_path = "/far/hub";
    Hub hub(below);
    HttpClient client(hub.port());
    const Response begun =
        client.post("/far/hub/api/session", {{"token", hub.create_token("bob")}});
    EXPECT_NE(begun.headers.at("set-cookie").find("; Path=/far/hub; "), std::string::npos);
    // Who is no trusted proxy is not believed.
    const Response claimed = client.request(
        "POST", "/api/session", nlohmann::json({{"token", hub.create_token("bob")}}).dump(),
        {"X-Forwarded-Proto: https"});
    EXPECT_EQ(claimed.headers.at("set-cookie").find("Secure"), std::string::npos);
}

}  // namespace
}  // namespace agentcom::test

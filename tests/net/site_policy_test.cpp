// What pages in a browser may ask, and under which names: the rules, and at a live hub.

#include "net/site_policy.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using net::Authority;
using net::SitePolicy;

bool knows(const SitePolicy& policy, const char* host) {
    const auto authority = Authority::parse(host);
    if (!authority) throw std::runtime_error(host);
    return policy.knows_host(&*authority);
}

bool admits(const SitePolicy& policy, const char* origin, const char* host, bool https = false) {
    const auto authority = Authority::parse(host);
    return policy.admits(origin, &*authority, https);
}

TEST(SitePolicy, OnLoopbackOnlyNamesOfThisMachineAreKnown) {
    const SitePolicy policy({}, {}, "127.0.0.1", true);
    for (const char* host : {"localhost", "LOCALHOST:4000", "localhost.", "127.0.0.1",
                             "127.1.2.3:1", "[::1]:4000", "hub", "app.localhost"}) {
        EXPECT_TRUE(knows(policy, host)) << host;
    }
    for (const char* host :
         {"evil.example", "evil.example:4000", "localhost.evil.example", "127.0.0.1.evil.example",
          "192.0.2.1", "10.0.0.1:4000", "[2001:db8::1]", "[::]", "0.0.0.0"}) {
        EXPECT_FALSE(knows(policy, host)) << host;
    }
    EXPECT_TRUE(policy.knows_host(nullptr));
}

TEST(SitePolicy, NamesThatWereConfiguredAreKnown) {
    const SitePolicy policy({}, {"Hub.Example", "2001:db8::1"}, "127.0.0.1", true);
    EXPECT_TRUE(knows(policy, "hub.example:443"));
    EXPECT_TRUE(knows(policy, "hub.example."));
    EXPECT_TRUE(knows(policy, "[2001:DB8::1]"));
    EXPECT_TRUE(knows(policy, "localhost"));
    EXPECT_FALSE(knows(policy, "x.hub.example"));
    EXPECT_TRUE(knows(SitePolicy({}, {"*"}, "127.0.0.1", true), "evil.example"));
}

TEST(SitePolicy, OnTheNetworkAnyNameWillDoUntilSomeAreConfigured) {
    EXPECT_TRUE(knows(SitePolicy({}, {}, "0.0.0.0", false), "any.example"));
    const SitePolicy policy({}, {"hub.example"}, "0.0.0.0", false);
    EXPECT_FALSE(knows(policy, "any.example"));
    EXPECT_TRUE(knows(policy, "hub.example"));
}

TEST(SitePolicy, TheSameOriginIsSchemeHostAndPort) {
    const SitePolicy policy({}, {}, "127.0.0.1", true);
    EXPECT_TRUE(admits(policy, "http://127.0.0.1:4000", "127.0.0.1:4000"));
    EXPECT_TRUE(admits(policy, "http://HUB", "hub:80"));
    EXPECT_TRUE(admits(policy, "https://hub", "hub:443", true));
    EXPECT_TRUE(admits(policy, "http://[::1]:4000", "[::1]:4000"));
    for (const char* origin :
         {"http://127.0.0.1:4001", "http://localhost:4000", "https://127.0.0.1:4000", "null", "",
          "127.0.0.1:4000", "http://127.0.0.1:4000/", "http://127.0.0.1:4000@evil.example",
          "http://evil.example,http://127.0.0.1:4000", "://127.0.0.1:4000", "*"}) {
        EXPECT_FALSE(admits(policy, origin, "127.0.0.1:4000")) << origin;
    }
    EXPECT_FALSE(policy.admits("http://127.0.0.1:4000", nullptr, false));
}

TEST(SitePolicy, OriginsThatWereConfiguredAreAdmitted) {
    const SitePolicy policy({"https://App.Example", "http://tool.example:8080"}, {}, "::", false);
    EXPECT_TRUE(admits(policy, "https://app.example", "hub"));
    EXPECT_TRUE(admits(policy, "https://app.example:443", "hub"));
    EXPECT_TRUE(admits(policy, "http://tool.example:8080", "hub"));
    EXPECT_FALSE(admits(policy, "http://app.example", "hub"));
    EXPECT_FALSE(admits(policy, "https://x.app.example", "hub"));
    EXPECT_FALSE(admits(policy, "null", "hub"));
    EXPECT_TRUE(admits(SitePolicy({"null"}, {}, "::", false), "null", "hub"));
    EXPECT_TRUE(admits(SitePolicy({"*"}, {}, "::", false), "null", "hub"));
    EXPECT_TRUE(admits(SitePolicy({"*"}, {}, "::", false), "http://evil.example", "hub"));
}

TEST(SitePolicy, MistakesInTheListsAreTold) {
    for (const char* text :
         {"app.example", "https://", "https://a/b", "", "https://me@a", "https://*.app.example"}) {
        EXPECT_FALSE(SitePolicy::is_origin(text)) << text;
        EXPECT_THROW(SitePolicy({text}, {}, "::", false), std::runtime_error) << text;
    }
    for (const char* text : {"", "a:80", "http://a", "a/b", "[::1]:80"}) {
        EXPECT_FALSE(SitePolicy::is_host(text)) << text;
    }
    for (const char* text : {"*", "a", "::1", "[::1]", "127.0.0.1"}) {
        EXPECT_TRUE(SitePolicy::is_host(text)) << text;
    }
}

class Pages : public ::testing::Test {
protected:
    HttpClient::Response ask(const std::string& verb, const std::string& path,
                             const std::string& headers, const std::string& host = {}) {
        HttpClient client(hub_.port());
        const std::string own = "127.0.0.1:" + std::to_string(hub_.port());
        client.send_raw(verb + ' ' + path + " HTTP/1.1\r\nHost: " + (host.empty() ? own : host) +
                        "\r\nAuthorization: Bearer " + hub_.admin_token() + "\r\n" + headers +
                        "\r\n");
        return client.read_response();
    }
    std::string own_origin() { return "http://127.0.0.1:" + std::to_string(hub_.port()); }

    static HubSettings settings() {
        HubSettings settings;
        settings.allowed_origins = {"https://app.example"};
        return settings;
    }
    static constexpr const char* kUpgrade =
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    Hub hub_{settings()};
};

TEST_F(Pages, OfAnotherOriginMayNotWriteOrConnect) {
    for (const char* origin : {"Origin: http://evil.example\r\n", "Origin: null\r\n",
                               "Origin: http://evil.example\r\nOrigin: https://app.example\r\n"}) {
        for (const auto& [verb, path, headers] :
             {std::tuple{"POST", "/api/message", "Content-Length: 0\r\n"},
              {"POST", "/api/channels", "Content-Length: 0\r\n"},
              {"PUT", "/api/config/heartbeat-interval", "Content-Length: 0\r\n"},
              {"DELETE", "/admin/tokens/alice", ""},
              {"POST", "/api/mailbox/admin/ack", "Content-Length: 0\r\n"},
              {"POST", "/nowhere", "Content-Length: 0\r\n"},
              {"GET", "/ws", kUpgrade},
              {"GET", "/dashboard", ""}}) {
            const auto answer = ask(verb, path, origin + std::string(headers));
            EXPECT_EQ(answer.status, 403) << verb << ' ' << path << ' ' << origin;
            EXPECT_EQ(answer.json().at("error"), "forbidden_origin");
            EXPECT_FALSE(answer.headers.contains("access-control-allow-origin"));
        }
    }
}

TEST_F(Pages, OfTheSameOrAnAllowedOriginMay) {
    for (const std::string& origin : {own_origin(), std::string("https://app.example")}) {
        const std::string header = "Origin: " + origin + "\r\n";
        EXPECT_EQ(ask("GET", "/dashboard", header).status, 200) << origin;
        EXPECT_EQ(ask("GET", "/ws", header + kUpgrade).status, 101) << origin;
        EXPECT_EQ(ask("POST", "/api/mailbox/evict", header + "Content-Length: 0\r\n").status, 200);
    }
    EXPECT_EQ(ask("GET", "/ws", kUpgrade).status, 101);
    EXPECT_EQ(ask("GET", "/health", "Origin: http://evil.example\r\n").status, 200);
}

constexpr const char* kOfApp = "Origin: https://app.example\r\n";

TEST_F(Pages, OfAnAllowedOriginMayReadWhateverTheyAreAnswered) {
    for (const auto& [verb, path, headers, status] :
         {std::tuple{"GET", "/health", "", 200},
          {"GET", "/openapi.json", "", 200},
          {"GET", "/openapi.json", "If-None-Match: *\r\n", 304},
          {"GET", "/nowhere", "", 404},
          {"DELETE", "/health", "", 405},
          {"POST", "/api/message", "Content-Length: 1\r\n\r\n{", 400},
          {"POST", "/api/message", "Content-Length: 1000000000\r\n", 413},
          {"POST", "/api/message", "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415},
          {"GET", "/ws", "", 426},
          {"GET", "/api/mailbox/admin/stream", "", 200}}) {
        const auto answer = ask(verb, path, std::string(kOfApp) + headers);
        EXPECT_EQ(answer.status, status) << path;
        EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://app.example") << path;
        EXPECT_EQ(answer.headers.at("vary"), "Origin");
        EXPECT_NE(answer.headers.at("access-control-expose-headers").find("Retry-After"),
                  std::string::npos);
        EXPECT_FALSE(answer.headers.contains("access-control-allow-credentials"));
    }
    HttpClient stranger(hub_.port(), std::string(64, '0'));
    const auto refused = stranger.request("GET", "/api/me", {}, {"Origin: https://app.example"});
    EXPECT_EQ(refused.status, 401);
    EXPECT_EQ(refused.headers.at("access-control-allow-origin"), "https://app.example");
    for (int i = 0; i < 200; ++i) {
        const auto answer = stranger.request("GET", "/api/me", {}, {"Origin: https://app.example"});
        EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://app.example");
        if (answer.status == 429) break;
        EXPECT_LT(i, 199) << "nobody had to wait";
    }
}

TEST_F(Pages, OfAnAllowedOriginMayReadWhyTheirHeaderWasRefused) {
    for (const auto& [rest, status] : {std::pair{std::string("Expect: much\r\n"), 417},
                                       {"Content-Length: 1\r\nContent-Length: 2\r\n", 400},
                                       {"no field\r\n", 400},
                                       {"X: " + std::string(20'000, 'x') + "\r\n", 431}}) {
        const auto answer = ask("GET", "/health", kOfApp + rest);
        EXPECT_EQ(answer.status, status);
        EXPECT_EQ(answer.headers.at("access-control-allow-origin"), "https://app.example");
        EXPECT_EQ(answer.headers.at("vary"), "Origin");
        const auto others = ask("GET", "/health", "Origin: http://evil.example\r\n" + rest);
        EXPECT_EQ(others.status, status);
        EXPECT_EQ(others.headers.at("vary"), "Origin");
        EXPECT_FALSE(others.headers.contains("access-control-allow-origin"));
    }
}

TEST_F(Pages, OfOtherOriginsAreToldNothingThatLetsThemRead) {
    for (const std::string& header :
         {std::string(), std::string("Origin: http://evil.example\r\n"),
          std::string("Origin: null\r\n"), std::string("Origin: https://app.example:444\r\n"),
          std::string(kOfApp) + kOfApp, "Origin: " + own_origin() + "\r\n"}) {
        const auto answer = ask("GET", "/health", header);
        EXPECT_EQ(answer.status, 200);
        EXPECT_EQ(answer.headers.at("vary"), "Origin");  // a cache must not mix them up
        EXPECT_FALSE(answer.headers.contains("access-control-allow-origin")) << header;
        EXPECT_FALSE(answer.headers.contains("access-control-expose-headers")) << header;
    }
}

TEST_F(Pages, AskBeforeTheyAsk) {
    const std::string preflight =
        "Access-Control-Request-Method: PUT\r\n"
        "Access-Control-Request-Headers: authorization,content-type\r\n";
    const auto allowed = ask("OPTIONS", "/api/config/heartbeat-interval", kOfApp + preflight);
    EXPECT_EQ(allowed.status, 204);
    EXPECT_EQ(allowed.body, "");
    EXPECT_EQ(allowed.headers.at("access-control-allow-origin"), "https://app.example");
    EXPECT_EQ(allowed.headers.at("access-control-allow-methods"), "GET, HEAD, PUT");
    EXPECT_NE(allowed.headers.at("access-control-allow-headers").find("Authorization"),
              std::string::npos);
    EXPECT_EQ(allowed.headers.at("access-control-max-age"), "600");
    EXPECT_EQ(allowed.headers.at("vary"), "Origin");
    EXPECT_EQ(ask("OPTIONS", "/nowhere", kOfApp + preflight).status, 204);
    const auto described = ask("OPTIONS", "/openapi.json", kOfApp + preflight);
    EXPECT_EQ(described.headers.at("access-control-allow-methods"), "GET, HEAD");
    EXPECT_NE(described.headers.at("access-control-allow-headers").find("If-None-Match"),
              std::string::npos);
    // Without the browser's question it is a verb like another that the path does not know.
    EXPECT_EQ(ask("OPTIONS", "/api/channels", kOfApp).status, 405);
    const auto evil =
        ask("OPTIONS", "/api/channels", "Origin: http://evil.example\r\n" + preflight);
    EXPECT_EQ(evil.status, 405);
    EXPECT_FALSE(evil.headers.contains("access-control-allow-methods"));
}

TEST_F(Pages, WhereNoOriginIsAllowedAnswersDoNotDependOnAny) {
    hub_.reload({});
    for (const char* header : {"", kOfApp}) {
        const auto answer = ask("GET", "/health", header);
        EXPECT_EQ(answer.status, 200);
        EXPECT_FALSE(answer.headers.contains("vary"));
        EXPECT_FALSE(answer.headers.contains("access-control-allow-origin"));
    }
    EXPECT_EQ(ask("GET", "/ws", std::string(kOfApp) + kUpgrade).status, 403);
    EXPECT_EQ(
        ask("OPTIONS", "/health", std::string(kOfApp) + "Access-Control-Request-Method: GET\r\n")
            .status,
        405);
}

TEST_F(Pages, WhereAllAreAllowedEachIsNamed) {
    HubSettings all;
    all.allowed_origins = {"*"};
    hub_.reload(all);
    for (const char* origin : {"http://one.example", "https://two.example:8443", "null"}) {
        const auto answer = ask("GET", "/health", "Origin: " + std::string(origin) + "\r\n");
        EXPECT_EQ(answer.headers.at("access-control-allow-origin"), origin);
    }
    EXPECT_EQ(ask("GET", "/ws", "Origin: http://one.example\r\n" + std::string(kUpgrade)).status,
              101);
}

TEST_F(Pages, OfANameThatWasPointedHereAreRefusedWhateverTheyAsk) {
    for (const char* path : {"/metrics", "/dashboard", "/api/agents", "/ws", "/nowhere"}) {
        const auto answer = ask("GET", path, "", "evil.example:4000");
        EXPECT_EQ(answer.status, 403) << path;
        EXPECT_EQ(answer.json().at("error"), "forbidden_host");
    }
    EXPECT_EQ(ask("GET", "/dashboard", "", "localhost:1").status, 200);
    // The target counts, not the header.
    EXPECT_EQ(ask("GET", "http://evil.example/dashboard", "").status, 403);
    EXPECT_EQ(ask("GET", "http://localhost/dashboard", "", "evil.example").status, 200);
    for (const char* form : {"OPTIONS * HTTP/1.1", "CONNECT evil.example:4000 HTTP/1.1"}) {
        HttpClient client(hub_.port());
        client.send_raw(std::string(form) + "\r\nHost: evil.example:4000\r\n\r\n");
        EXPECT_EQ(client.read_response().status, 403) << form;
    }
}

TEST_F(Pages, ProbesAreAnsweredByWhateverNameOrAddressTheHubIsAsked) {
    HubSettings settings;
    settings.allowed_hosts = {"hub.example"};
    hub_.reload(settings);
    const std::string pod = "10.244.0.7:4000";
    for (const char* path : {"/livez", "/readyz", "/health"}) {
        EXPECT_EQ(ask("GET", path, "", pod).status, 200) << path;
        EXPECT_EQ(ask("DELETE", path, "", pod).status, 403) << path;
    }
    // Whoever may see these can be told the hub's name.
    for (const char* path : {"/metrics", "/health/x", "/api/agents", "/"}) {
        EXPECT_EQ(ask("GET", path, "", pod).status, 403) << path;
        EXPECT_NE(ask("GET", path, "", "hub.example").status, 403) << path;
    }
}

TEST_F(Pages, BehindAProxyTheSchemeIsThatOfTheClient) {
    HubSettings settings;
    settings.trusted_proxies = {"127.0.0.1"};
    settings.allowed_hosts = {"hub.example"};
    Hub hub(settings);
    const auto status = [&](const std::string& headers) {
        HttpClient client(hub.port());
        client.send_raw("GET /dashboard HTTP/1.1\r\nHost: hub.example\r\n" + headers + "\r\n");
        return client.read_response().status;
    };
    EXPECT_EQ(status("Origin: https://hub.example\r\nX-Forwarded-Proto: https\r\n"), 200);
    EXPECT_EQ(status("Origin: https://hub.example\r\n"), 403);
    EXPECT_EQ(status("Origin: http://hub.example\r\n"), 200);
}

}  // namespace
}  // namespace agentcom::test

// GET /metrics and the probes over HTTP: who is taken for local, and what connections are counted
// as.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using core::Millis;

class Metrics : public ::testing::Test {
protected:
    static HubSettings with_proxies(std::vector<std::string> proxies) {
        HubSettings settings;
        settings.trusted_proxies = std::move(proxies);
        return settings;
    }
    /// A fresh page, as an observer is shown it.
    std::string page(Hub& hub) {
        hub.clock().advance(Millis(1'000));
        HttpClient client(hub.port(), hub.create_token("eye", core::Role::observer));
        const auto answer = client.get("/metrics");
        EXPECT_EQ(answer.status, 200) << answer.body;
        return answer.body;
    }
    /// The value of a series; -1 when there is none.
    static double value(const std::string& page, const std::string& series) {
        const auto at = page.find('\n' + series + ' ');
        return at == std::string::npos ? -1 : std::stod(page.substr(at + series.size() + 2));
    }
    /// Over both loops.
    static double open(const std::string& page, const std::string& kind) {
        return value(page, "agentcom_connections{kind=\"" + kind + "\",loop=\"0\"}") +
               value(page, "agentcom_connections{kind=\"" + kind + "\",loop=\"1\"}");
    }
    static int status(const Hub& hub, const std::vector<std::string>& headers) {
        return HttpClient(hub.port()).request("GET", "/metrics", {}, headers).status;
    }
};

TEST_F(Metrics, AreTextForPrometheus) {
    Hub hub;
    HttpClient client(hub.port());
    const auto answer = client.get("/metrics");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_TRUE(answer.body.starts_with("# HELP agentcom_build_info "))
        << answer.body.substr(0, 80);
    EXPECT_EQ(client.request("POST", "/metrics").status, 405);
}

TEST_F(Metrics, WhoAsksFromThisMachineIsShownThemAndAProxyIsNot) {
    Hub hub;
    EXPECT_EQ(status(hub, {}), 200);
    // A proxy that nobody told the hub of, for whomever.
    EXPECT_EQ(status(hub, {"X-Forwarded-For: 203.0.113.7"}), 401);
    EXPECT_EQ(status(hub, {"X-Forwarded-For: 127.0.0.1"}), 401);
    HttpClient agent(hub.port(), hub.create_token("alice"));
    EXPECT_EQ(agent.get("/metrics").status, 200);
    const auto forbidden = agent.request("GET", "/metrics", {}, {"X-Forwarded-For: 203.0.113.7"});
    EXPECT_EQ(forbidden.status, 403);
    EXPECT_EQ(forbidden.json().at("error"), "forbidden");
}

TEST_F(Metrics, BehindATrustedProxyTheClientsAddressCounts) {
    Hub hub(with_proxies({"127.0.0.1"}));
    EXPECT_EQ(status(hub, {"X-Forwarded-For: 203.0.113.7"}), 401);
    EXPECT_EQ(status(hub, {"X-Forwarded-For: 127.0.0.1, 203.0.113.7"}), 401);
    // It should say for whom it asks.
    EXPECT_EQ(status(hub, {}), 401);
    EXPECT_EQ(status(hub, {"X-Forwarded-For: ::1"}), 200);
}

TEST_F(Metrics, AWrongTokenIsNoneForWhomNeedsNone) {
    Hub hub;
    HttpClient wrong(hub.port(), std::string(64, '0'));
    EXPECT_EQ(wrong.get("/metrics").status, 200);
    EXPECT_EQ(wrong.request("GET", "/metrics", {}, {"X-Forwarded-For: 203.0.113.7"}).status, 401);
}

TEST_F(Metrics, ConnectionsAreCountedByWhatTheyAre) {
    Hub hub;
    const std::string token = hub.create_token("alice");
    WsClient live(hub.port());
    ASSERT_EQ(live.identify("alice", token).at("type"), "identified");
    Socket stream(hub.port());
    stream.send(
        "GET /api/mailbox/alice/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " +
        token + "\r\n\r\n");
    ASSERT_TRUE(stream.receive_some().starts_with("HTTP/1.1 200"));
    std::string made = page(hub);
    EXPECT_EQ(open(made, "http"), 1);  // which asks
    EXPECT_EQ(open(made, "websocket"), 1);
    EXPECT_EQ(open(made, "stream"), 1);
    EXPECT_EQ(value(made, "agentcom_streams"), 1);
    EXPECT_EQ(value(made, "agentcom_agents_connected"), 1);
    live.close();
    stream.close();
    ASSERT_TRUE(hub.wait_for_connections(0));
    made = page(hub);
    EXPECT_EQ(open(made, "http"), 1);
    EXPECT_EQ(open(made, "websocket"), 0);
    EXPECT_EQ(open(made, "stream"), 0);
    EXPECT_EQ(value(made, "agentcom_connections_opened_total{kind=\"websocket\"}"), 1);
    EXPECT_EQ(value(made, "agentcom_connections_opened_total{kind=\"stream\"}"), 1);
}

TEST_F(Metrics, ErrorsAreCountedThoughNoOperationIsReached) {
    Hub hub;
    HttpClient nobody(hub.port());
    EXPECT_EQ(nobody.get("/nowhere").status, 404);
    EXPECT_EQ(nobody.get("/api/me").status, 401);
    HttpClient alice(hub.port(), hub.create_token("alice"));
    EXPECT_EQ(alice.request("POST", "/api/message", "{").status, 400);
    WsClient live(hub.port());
    EXPECT_EQ(live.ask({{"type", "no-such"}}).at("error"), "not_identified");
    live.send_text("{");
    EXPECT_EQ(live.receive("error").at("error"), "invalid_json");
    const std::string made = page(hub);
    const auto errors = [&](const std::string& code) {
        return value(made, "agentcom_errors_total{code=\"" + code + "\"}");
    };
    EXPECT_EQ(errors("not_found"), 1);
    EXPECT_EQ(errors("unauthorized"), 1);
    EXPECT_EQ(errors("invalid_json"), 2);
    EXPECT_EQ(errors("not_identified"), 1);
    EXPECT_EQ(value(made, "agentcom_http_responses_total{status=\"404\"}"), 1);
    EXPECT_EQ(value(made, "agentcom_http_responses_total{status=\"401\"}"), 1);
}

TEST_F(Metrics, WhatIsRefusedOnTheWayIsCountedByWhatItWasFor) {
    HubSettings settings;
    settings.limits.max_connections = 2;
    Hub hub(settings);
    const auto of = [](const std::string& made, const std::string& operation,
                       const std::string& outcome) {
        return value(made, "agentcom_operations_total{operation=\"" + operation + "\",outcome=\"" +
                               outcome + "\"}");
    };
    {
        HttpClient nobody(hub.port());
        EXPECT_EQ(nobody.get("/api/me").status, 401);
        EXPECT_EQ(nobody.get("/nowhere").status, 404);
        EXPECT_EQ(nobody.get("/ws").status, 426);
        EXPECT_EQ(nobody.post("/mcp", Json::object()).status, 401);
        WsClient live(hub.port());
        live.send_text("{");
        EXPECT_EQ(live.receive("error").at("error"), "invalid_json");
        EXPECT_EQ(HttpClient(hub.port()).get("/health").status, 503) << "one too many";
    }
    ASSERT_TRUE(hub.wait_for_connections(0));
    {
        HttpClient alice(hub.port(), hub.create_token("alice"));
        EXPECT_EQ(alice.request("POST", "/api/message", "{").status, 400);
        EXPECT_EQ(alice.get("/api/me").status, 200);
        Socket rude(hub.port());
        rude.send("GET / HTTP/1.1\r\nno header\r\n\r\n");
        EXPECT_TRUE(rude.receive_some().starts_with("HTTP/1.1 400"));
    }
    ASSERT_TRUE(hub.wait_for_connections(0));
    const std::string made = page(hub);
    EXPECT_EQ(of(made, "who_am_i", "denied"), 1);
    EXPECT_EQ(of(made, "who_am_i", "ok"), 1);
    EXPECT_EQ(of(made, "send_message", "invalid"), 1);
    EXPECT_EQ(of(made, "websocket", "invalid"), 2);  // no handshake, and a frame
    EXPECT_EQ(of(made, "mcp", "denied"), 1);
    EXPECT_EQ(of(made, "none", "invalid"), 2);  // an unknown path, and what is no header
    EXPECT_EQ(of(made, "none", "unavailable"), 1);
    EXPECT_EQ(of(made, "none", "ok"), -1) << "there is no such thing";
    EXPECT_EQ(value(made, "agentcom_http_responses_total{status=\"503\"}"), 1);
}

TEST_F(Metrics, WhoDoesNotTakeWhatItIsSentIsCounted) {
    Hub hub;
    const std::string token = hub.create_token("alice");
    WsClient live(hub.port());
    ASSERT_EQ(live.identify("alice", token).at("type"), "identified");
    hub.settle();
    for (std::size_t i = 0; i < hub.loops().size(); ++i) {
        hub.loops()[i].post([&loop = hub.loops()[i]] {
            loop.registry().for_each([](delivery::Session& session) {
                session.close(protocol::CloseCode::slow_consumer);
                session.close(protocol::CloseCode::slow_consumer);
            });
        });
    }
    EXPECT_EQ(live.wait_closed().code, 4004);
    EXPECT_EQ(value(page(hub), "agentcom_slow_consumers_total{kind=\"websocket\"}"), 1);
}

TEST_F(Metrics, ProbesAreForEverybody) {
    Hub hub;
    hub.settle();  // every loop has begun
    HttpClient nobody(hub.port());
    for (const char* path : {"/livez", "/readyz"}) {
        const auto answer = nobody.get(path);
        EXPECT_EQ(answer.status, 200) << path;
        EXPECT_EQ(answer.body, R"({"status":"ok"})") << path;
    }
    hub.router().begin_shutdown();
    EXPECT_EQ(nobody.get("/livez").status, 200);
    const auto stopping = nobody.get("/readyz");
    EXPECT_EQ(stopping.status, 503);
    EXPECT_EQ(stopping.json(), (Json{{"status", "unavailable"}, {"reason", "shutting_down"}}));
}

}  // namespace
}  // namespace agentcom::test

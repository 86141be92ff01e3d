// What the real daemon's log tells of HTTP requests, and of connections that one of them begins.
#include <csignal>
#include <nlohmann/json.hpp>

#include "app/command_fixture.hpp"
#include "support/socket_client.hpp"

namespace agentcom::app {
namespace {

using nlohmann::json;

class RequestLog : public CommandTest {
protected:
    void start(const char* level, const char* proxies = "") {
        hub_ = serve({std::string("AGENTCOM_LOG_LEVEL=") + level, "AGENTCOM_LOG_FORMAT=json",
                      std::string("AGENTCOM_SERVER_TRUSTED_PROXIES=") + proxies,
                      std::string("AGENTCOM_ADMIN_TOKEN=") + kSomeToken});
        const std::string line = hub_->wait_for_line("listening on ");
        const std::string message = json::parse(line).at("message");
        port_ = static_cast<std::uint16_t>(std::stoul(message.substr(message.rfind(':') + 1)));
    }
    json line_with(const std::string& text) { return json::parse(hub_->wait_for_line(text)); }
    void stop() {
        hub_->signal(SIGTERM);
        EXPECT_EQ(hub_->wait(), 0) << hub_->errors();
    }
    std::unique_ptr<test::Program> hub_;
    std::uint16_t port_ = 0;
};

TEST_F(RequestLog, ALineNamesItsRequestAndItsTrace) {
    start("debug");
    test::HttpClient client(port_, std::string(64, 'f'));
    const auto answer =
        client.request("GET", "/api/me?token=secret", {},
                       {"X-Request-Id: order-66",
                        "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"});
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.headers.at("x-request-id"), "order-66");
    for (const auto& [text, level] : {std::pair{"a wrong token from 127.0.0.1", "warning"},
                                      {"GET /api/me from 127.0.0.1 answered 401", "debug"}}) {
        const json line = line_with(text);
        EXPECT_EQ(line.at("level"), level);
        EXPECT_EQ(line.at("message"), text);
        EXPECT_EQ(line.at("request_id"), "order-66");
        EXPECT_EQ(line.at("trace_id"), "4bf92f3577b34da6a3ce929d0e0e4736");
    }
    EXPECT_EQ(hub_->errors().find("secret"), std::string::npos);
    const auto made = client.get("/health").headers.at("x-request-id");
    const json line = line_with("GET /health ");
    EXPECT_EQ(line.at("request_id"), made);
    EXPECT_FALSE(line.contains("trace_id"));
    stop();
}

TEST_F(RequestLog, AWebSocketBehindAProxyComesFromItsClient) {
    start("info", "127.0.0.1");
    auto proxy = std::make_unique<test::HttpClient>(port_);
    proxy->send_raw(
        "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "X-Forwarded-For: 192.0.2.7\r\n\r\n");
    EXPECT_EQ(proxy->read_response().status, 101);
    EXPECT_EQ(line_with("WebSocket connection").at("message"),
              "WebSocket connection from 192.0.2.7");
    const std::string identify =
        json{{"type", "identify"}, {"agent_id", "admin"}, {"token", kSomeToken}}.dump();
    ASSERT_LT(identify.size(), 126U);  // so that one byte says so
    // The key of its mask is zero.
    const std::string head{'\x81', static_cast<char>(0x80 | identify.size()), 0, 0, 0, 0};
    proxy->send_raw(head + identify);
    EXPECT_EQ(line_with("identified as").at("message"), "192.0.2.7 identified as admin");
    proxy.reset();
    stop();
}

TEST_F(RequestLog, AtInfoOrdinaryRequestsLeaveNoLine) {
    start("info");
    test::HttpClient client(port_, kSomeToken);
    EXPECT_EQ(client.get("/api/me").status, 200);
    EXPECT_EQ(client.get("/nowhere").status, 404);
    stop();
    EXPECT_EQ(hub_->errors().find("/api/me"), std::string::npos);
    EXPECT_EQ(hub_->errors().find("/nowhere"), std::string::npos);
}

}  // namespace
}  // namespace agentcom::app

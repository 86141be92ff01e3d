// The endpoint as a whole: listening, limits on connections, shutdown, what fuzz leaves of it.

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

TEST(Endpoint, SaysInOneSentenceThatThePortIsTaken) {
    Hub hub;
    const net::EndpointOptions options{
        .host = "127.0.0.1", .port = hub.port(), .limits = {}, .tls = {}};
    try {
        net::Endpoint second(options, hub.loops(), hub.router(), hub.clock(), "");
        FAIL() << "two endpoints on one port";
    } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()),
                  "cannot listen on 127.0.0.1:" + std::to_string(hub.port()) +
                      ": Address already in use");
    }
}

TEST(Endpoint, NamesTheCertificateItCannotRead) {
    Hub hub;
    net::EndpointOptions options;
    options.port = 0;
    options.tls = net::TlsOptions{"/nowhere/cert.pem", "/nowhere/key.pem"};
    try {
        net::Endpoint second(options, hub.loops(), hub.router(), hub.clock(), "");
        FAIL() << "an endpoint without its certificate";
    } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("/nowhere/cert.pem"), std::string::npos);
    }
}

TEST(Endpoint, TurnsAwayWhoComesAfterTheLastPlaceIsTaken) {
    HubSettings settings;
    settings.limits.max_connections = 2;
    Hub hub(settings);
    HttpClient first(hub.port());
    auto second = std::make_unique<HttpClient>(hub.port());
    ASSERT_EQ(first.get("/health").status, 200);
    ASSERT_EQ(second->get("/health").status, 200);
    HttpClient third(hub.port());
    const auto answer = third.read_response();
    EXPECT_EQ(answer.status, 503);
    EXPECT_EQ(answer.json().at("error"), "too_many_connections");
    second.reset();
    ASSERT_TRUE(hub.wait_for_connections(1));
    HttpClient fourth(hub.port());
    EXPECT_EQ(fourth.get("/health").status, 200);
}

TEST(Endpoint, ShutdownClosesWebSocketsAndIdleConnectionsAndListensNoMore) {
    Hub hub;
    WsClient alice(hub.port());
    ASSERT_EQ(alice.identify("alice", hub.create_token("alice")).at("type"), "identified");
    WsClient unknown(hub.port());
    HttpClient idle(hub.port());
    ASSERT_EQ(idle.get("/health").status, 200);
    hub.router().begin_shutdown();
    hub.endpoint().begin_shutdown();
    EXPECT_EQ(alice.wait_closed().code, 1001);
    EXPECT_EQ(unknown.wait_closed().code, 1001);
    EXPECT_TRUE(idle.closed_by_peer());
    alice.cut();
    unknown.cut();
    EXPECT_TRUE(hub.wait_for_connections(0));
    EXPECT_THROW(HttpClient(hub.port()).get("/health"), std::runtime_error);
}

TEST(Endpoint, ShutdownLetsALongPollAnswerFirst) {
    Hub hub;
    const std::string token = hub.create_token("alice");
    HttpClient waiting(hub.port());
    waiting.send_raw(
        "GET /api/mailbox/alice?wait=60 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
        "\r\n\r\n");
    // Answered by the same loop after the poll has been taken in, when there is one loop only;
    // either way the poll is answered and its connection then closed.
    ASSERT_TRUE(hub.wait_for_connections(1));
    hub.router().begin_shutdown();
    hub.endpoint().begin_shutdown();
    const bool closed = waiting.closed_by_peer();
    EXPECT_TRUE(closed);
}

TEST(Endpoint, AbortEndsWhateverIsOpen) {
    Hub hub;
    WsClient alice(hub.port());
    HttpClient http(hub.port());
    ASSERT_EQ(http.get("/health").status, 200);
    hub.endpoint().abort_all();
    EXPECT_TRUE(hub.wait_for_connections(0));
    EXPECT_EQ(alice.wait_closed().code, 1006);
}

TEST(Endpoint, SurvivesRandomBytesAndHandshakesThatStopHalfway) {
    Hub hub;
    std::mt19937 random(4000);
    const std::string handshake =
        "GET /ws HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    for (int round = 0; round < 300; ++round) {
        Socket socket(hub.port());
        std::string bytes = handshake.substr(0, random() % (handshake.size() + 1));
        if (round % 3 == 1) bytes = handshake;
        if (round % 3 != 2) {
            const std::size_t count = random() % 600;
            for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(random()));
        }
        try {
            socket.send(bytes);
        } catch (const std::runtime_error&) {
            // The hub may have hung up before the last byte.
        }
        if (round % 2 == 0) socket.cut();
    }
    EXPECT_TRUE(hub.wait_for_connections(0));
    HttpClient client(hub.port());
    EXPECT_EQ(client.get("/health").status, 200);
}

TEST(Endpoint, SurvivesWebSocketFramesWithRandomBits) {
    Hub hub;
    const std::string token = hub.create_token("alice");
    std::mt19937 random(4001);
    for (int round = 0; round < 200; ++round) {
        WsClient client(hub.port());
        ASSERT_EQ(client.identify("alice", token).at("type"), "identified");
        std::string bytes;
        for (int frame = 0; frame < 4; ++frame) {
            bytes.push_back(static_cast<char>(random()));
            const std::size_t size = random() % 100;
            bytes.push_back(static_cast<char>((random() % 8 == 0 ? 0U : 0x80U) | size));
            for (std::size_t i = 0; i < size + 4; ++i) bytes.push_back(static_cast<char>(random()));
        }
        client.send_raw(bytes);
        client.cut();
    }
    EXPECT_TRUE(hub.wait_for_connections(0));
    HttpClient client(hub.port());
    EXPECT_EQ(client.get("/health").json().at("agents_connected"), 0);
}

}  // namespace
}  // namespace agentcom::test

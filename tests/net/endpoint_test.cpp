// The endpoint as a whole: listening, limits on connections, shutdown, what fuzz leaves of it.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

TEST(Endpoint, SaysInOneSentenceThatThePortIsTaken) {
    Hub hub;
    const net::EndpointOptions options{.host = "127.0.0.1",
                                       .port = hub.port(),
                                       .trusted_proxies = {},
                                       .allowed_origins = {},
                                       .allowed_hosts = {},
                                       .public_url = {},
                                       .limits = {},
                                       .tls = {}};
    try {
        net::Endpoint second(options, hub.loops(), hub.router(), hub.clock(), net::Site{});
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
        net::Endpoint second(options, hub.loops(), hub.router(), hub.clock(), net::Site{});
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

TEST(Endpoint, AnAddressHoldsSoManyConnectionsThatNobodyHasVouchedFor) {
    HubSettings settings;
    settings.limits.max_unidentified_per_address = 3;
    Hub hub(settings);
    const std::string token = hub.create_token("alice");
    Socket silent(hub.port());
    HttpClient http(hub.port());
    const std::vector<std::string> shown{"Authorization: Bearer " + token};
    WsClient socket(hub.port());
    ASSERT_TRUE(hub.wait_for_connections(3));
    {
        HttpClient fourth(hub.port());
        const auto answer = fourth.read_response();
        EXPECT_EQ(answer.status, 503);
        EXPECT_EQ(answer.json().at("error"), "too_many_connections");
    }
    // A valid token gives the place back, over HTTP and over WebSocket; an invalid one does not.
    EXPECT_EQ(http.request("GET", "/health", {}, {"Authorization: Bearer wrong"}).status, 200);
    EXPECT_EQ(HttpClient(hub.port()).read_response().status, 503);
    EXPECT_EQ(http.request("GET", "/api/agents", {}, shown).status, 200);
    ASSERT_EQ(socket.identify("alice", token).at("type"), "identified");
    HttpClient fifth(hub.port());
    EXPECT_EQ(fifth.get("/health").status, 200);
    HttpClient sixth(hub.port());
    EXPECT_EQ(sixth.get("/health").status, 200);
    EXPECT_EQ(HttpClient(hub.port()).read_response().status, 503);
    // Another place is needed for a WebSocket on a connection that had given its place back.
    EXPECT_EQ(
        http.request("GET", "/ws", {},
                     {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="})
            .status,
        503);
    silent.close();
    ASSERT_TRUE(hub.wait_for_connections(4));
    EXPECT_EQ(HttpClient(hub.port()).get("/health").status, 200);
}

TEST(Endpoint, WhoShowsNoTokenHasARateForItsAddress) {
    HubSettings settings;
    settings.limits.anonymous_requests_per_second = 1;  // 20 from loopback
    Hub hub(settings);
    HttpClient stranger(hub.port());
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(stranger.get(i % 2 == 0 ? "/health" : "/nowhere").status, i % 2 == 0 ? 200 : 404);
    }
    const auto refused = stranger.get("/health");
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.json().at("error"), "rate_limited");
    EXPECT_TRUE(refused.headers.contains("retry-after"));
    EXPECT_EQ(stranger.post("/api/message", {{"payload", Json::object()}}).status, 429);
    HttpClient alice(hub.port(), hub.create_token("alice"));
    for (int i = 0; i < 30; ++i) ASSERT_EQ(alice.get("/health").status, 200);
    hub.clock().advance(core::Millis{1'000});
    for (int i = 0; i < 20; ++i) ASSERT_EQ(stranger.get("/health").status, 200);
    EXPECT_EQ(stranger.get("/health").status, 429);
}

TEST(Endpoint, ProbesAreAnsweredHoweverMuchOthersOfTheirAddressAsk) {
    HubSettings settings;
    settings.limits.anonymous_requests_per_second = 1;  // 20 from loopback
    Hub hub(settings);
    hub.settle();  // every loop has begun
    HttpClient stranger(hub.port());
    const auto probe = [&] {
        for (int i = 0; i < 15; ++i) {
            ASSERT_EQ(stranger.get("/livez").status, 200);
            ASSERT_EQ(stranger.get("/readyz").status, 200);
        }
    };
    // They take nothing from the others either.
    probe();
    for (int i = 0; i < 20; ++i) ASSERT_EQ(stranger.get("/health").status, 200);
    ASSERT_EQ(stranger.get("/health").status, 429);
    probe();
    // What is no probe is charged, wherever it is asked.
    EXPECT_EQ(stranger.post("/livez", Json::object()).status, 429);
    EXPECT_EQ(stranger.get("/livez/x").status, 429);
}

TEST(Endpoint, ATrustedProxySaysWhoAsks) {
    HubSettings settings;
    settings.limits.anonymous_requests_per_second = 1;
    settings.limits.max_unidentified_per_address = 1;
    settings.trusted_proxies = {"127.0.0.0/8"};
    Hub hub(settings);
    HttpClient proxy(hub.port());
    const auto ask = [&](const std::string& forwarded) {
        return proxy.request("GET", "/health", {}, {"X-Forwarded-For: " + forwarded}).status;
    };
    EXPECT_EQ(ask("192.0.2.1"), 200);
    EXPECT_EQ(ask("192.0.2.1"), 429);
    EXPECT_EQ(ask("192.0.2.2"), 200);
    EXPECT_EQ(ask("192.0.2.3, 192.0.2.2"), 429) << "what the client wrote itself is not believed";
    const auto upgrade = [&](const std::string& forwarded) {
        auto client = std::make_unique<HttpClient>(hub.port());
        client->send_raw(
            "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            "X-Forwarded-For: " +
            forwarded + "\r\n\r\n");
        return std::pair(client->read_response().status, std::move(client));
    };
    const auto first = upgrade("192.0.2.11");
    EXPECT_EQ(first.first, 101);
    hub.clock().advance(core::Millis{1'000});
    EXPECT_EQ(upgrade("192.0.2.11").first, 503);
    EXPECT_EQ(upgrade("192.0.2.12").first, 101);
}

TEST(Endpoint, BehindAProxyALargeAnswerIsChargedToWhoAskedForIt) {
    HubSettings settings;
    settings.router.anonymous_reads = true;
    settings.limits.anonymous_requests_per_second = 10;
    settings.trusted_proxies = {"127.0.0.0/8"};
    Hub hub(settings);
    HttpClient admin(hub.port(), hub.admin_token());
    ASSERT_EQ(admin.post("/api/channels", {{"name", "large"}}).status, 201);
    const Json body{{"payload", {{"text", std::string(100'000, 'x')}}}};
    ASSERT_EQ(admin.post("/api/channels/large/publish", body).status, 200);
    HttpClient proxy(hub.port());
    const auto ask = [&](const std::string& path, const std::string& client) {
        return proxy.request("GET", path, {}, {"X-Forwarded-For: " + client}).status;
    };
    EXPECT_EQ(ask("/api/channels/large/history", "192.0.2.1"), 200);
    EXPECT_EQ(ask("/health", "192.0.2.1"), 429);
    EXPECT_EQ(ask("/health", "192.0.2.2"), 200);
    EXPECT_EQ(proxy.get("/health").status, 200);
}

TEST(Endpoint, BehindAProxyWhatHasComeInPartIsHeldByItsClient) {
    HubSettings settings;
    settings.limits.max_frame_bytes = 20'000;
    settings.limits.max_body_bytes = 20'000;
    settings.limits.max_unidentified_frame_bytes = 20'000;
    settings.limits.input_bytes = 2'000'000;  // of which everybody's share is a quarter
    settings.trusted_proxies = {"127.0.0.0/8"};
    Hub hub(settings);
    std::vector<std::unique_ptr<Socket>> sockets;
    const auto begin = [&](int client) {
        sockets.push_back(std::make_unique<Socket>(hub.port()));
        sockets.back()->send(
            "POST /api/mailbox/bob/ack HTTP/1.1\r\nHost: x\r\n"
            "Content-Length: 20000\r\nX-Forwarded-For: 192.0.2." +
            std::to_string(client) + "\r\n\r\n" + std::string(19'000, ' '));
    };
    // More than one share, less than the whole.
    for (int i = 0; i < 30; ++i) begin(i);
    // All of them are held at once before the first one is completed.
    for (int i = 0; i < 50; ++i) hub.settle();
    for (const auto& socket : sockets) socket->send(std::string(1'000, ' '));
    for (const auto& socket : sockets) EXPECT_EQ(socket->receive_some().substr(9, 3), "401");
}

TEST(Endpoint, BodiesThatAreNotCompleteHaveABudget) {
    HubSettings settings;
    settings.limits.max_frame_bytes = 20'000;
    settings.limits.max_body_bytes = 20'000;
    settings.limits.input_bytes = 0;  // so as much as the largest request may take, about 170 kB
    Hub hub(settings);
    const std::string begun = "POST /api/message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
                              hub.create_token("alice") + "\r\nContent-Length: 20000\r\n\r\n" +
                              std::string(19'000, ' ');
    std::vector<std::unique_ptr<Socket>> sockets;
    for (int i = 0; i < 20; ++i) {
        sockets.push_back(std::make_unique<Socket>(hub.port()));
        sockets.back()->send(begun);
    }
    const auto refused = [&] {
        return std::ranges::count_if(sockets, [](const auto& s) { return s->available() > 0; });
    };
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (refused() < 11 && std::chrono::steady_clock::now() < deadline) hub.settle();
    EXPECT_GE(refused(), 11);
    const auto first =
        std::ranges::find_if(sockets, [](const auto& s) { return s->available() > 0; });
    ASSERT_NE(first, sockets.end());
    const std::string answer = (*first)->receive_some();
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_NE(answer.find("overloaded"), std::string::npos) << answer;
    sockets.clear();
    ASSERT_TRUE(hub.wait_for_connections(0));
    HttpClient alice(hub.port());
    alice.send_raw(begun);
    alice.send_raw(std::string(1'000, ' '));
    EXPECT_EQ(alice.read_response().status, 400);
}

TEST(Endpoint, TheSystemKeepsABoundedAmountOfOutputForEachConnection) {
    HubSettings settings;
    settings.limits.socket_send_buffer = 64 * 1024;
    Hub hub(settings);
    HttpClient client(hub.port());
    ASSERT_EQ(client.get("/health").status, 200);
    // The hub is in this process, so its end of the connection is among the process's sockets.
    int found = 0;
    for (int fd = 0; fd < 1'024; ++fd) {
        sockaddr_in local{};
        sockaddr_in peer{};
        socklen_t size = sizeof local;
        if (::getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size) != 0) continue;
        size = sizeof peer;
        if (ntohs(local.sin_port) != hub.port() ||
            ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) {
            continue;
        }
        int bytes = 0;
        size = sizeof bytes;
        ASSERT_EQ(::getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &size), 0);
        EXPECT_EQ(bytes, 64 * 1024);
        ++found;
    }
    EXPECT_EQ(found, 1);
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

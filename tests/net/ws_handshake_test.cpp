// The opening handshake of RFC 6455, section 4, at a live endpoint.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

constexpr const char* kKey = "dGhlIHNhbXBsZSBub25jZQ==";

class WebSocketHandshake : public ::testing::Test {
protected:
    /// The answer to a handshake with these lines besides the request line and Host.
    HttpClient::Response knock(const std::vector<std::string>& lines,
                               const std::string& request = "GET /ws HTTP/1.1") {
        std::string text = request + "\r\nHost: localhost\r\n";
        for (const std::string& line : lines) text += line + "\r\n";
        HttpClient client(hub_.port());
        client.send_raw(text + "\r\n");
        return client.read_response();
    }
    static std::vector<std::string> lines(const std::string& key = kKey,
                                          const std::string& version = "13") {
        return {"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: " + key,
                "Sec-WebSocket-Version: " + version};
    }
    static std::vector<std::string> with(const std::string& line) {
        std::vector<std::string> all = lines();
        all.push_back(line);
        return all;
    }
    Hub hub_;
};

TEST_F(WebSocketHandshake, IsAnsweredWithTheAcceptValueAndNothingThatWasNotAgreedOn) {
    for (const auto& request :
         {lines(), with("Sec-WebSocket-Protocol: chat, superchat"),
          with("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
          std::vector<std::string>{"upgrade: WebSocket", "connection: keep-alive, upgrade",
                                   std::string("sec-websocket-key:   ") + kKey + "  ",
                                   "sec-websocket-version: 13"},
          std::vector<std::string>{"Upgrade: h2c, websocket", "Connection: keep-alive",
                                   "Connection: Upgrade", std::string("Sec-WebSocket-Key: ") + kKey,
                                   "Sec-WebSocket-Version: 13"}}) {
        const HttpClient::Response response = knock(request);
        ASSERT_EQ(response.status, 101);
        EXPECT_EQ(response.headers.at("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        EXPECT_EQ(response.headers.at("upgrade"), "websocket");
        EXPECT_EQ(response.headers.at("connection"), "Upgrade");
        EXPECT_TRUE(response.headers.contains("server"));
        EXPECT_TRUE(response.headers.contains("date"));
        EXPECT_FALSE(response.headers.contains("sec-websocket-protocol"));
        EXPECT_FALSE(response.headers.contains("sec-websocket-extensions"));
        EXPECT_FALSE(response.headers.contains("content-length"));
    }
}

TEST_F(WebSocketHandshake, ABrokenKeyOrOneTooManyIsABadRequest) {
    for (const char* key :
         {"", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZTE=",
          "dGhlIHNhbXBsZSBub25jZTEy", "dGhlIHNhbXBsZSBub2 jZQ==", "dGhlIHNhbXBsZSBub2-jZQ==",
          "dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="}) {
        EXPECT_EQ(knock(lines(key)).status, 400) << key;
    }
    EXPECT_EQ(knock(with(std::string("Sec-WebSocket-Key: ") + kKey)).status, 400);
    EXPECT_EQ(
        knock({"Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"}).status,
        400);
    EXPECT_EQ(knock(with("Content-Length: 3")).status, 400);
    EXPECT_EQ(knock(with("Transfer-Encoding: chunked")).status, 400);
}

TEST_F(WebSocketHandshake, AnotherVersionIsToldWhichOneThereIs) {
    for (const char* version : {"13, 13", "", "0", "8", "12", "14", "013", "13x", "99", "13, 8"}) {
        const HttpClient::Response response = knock(lines(kKey, version));
        EXPECT_EQ(response.status, 426) << version;
        EXPECT_EQ(response.headers.at("sec-websocket-version"), "13") << version;
        EXPECT_EQ(response.headers.at("upgrade"), "websocket") << version;
        EXPECT_EQ(response.headers.at("connection"), "keep-alive, Upgrade") << version;
    }
}

TEST_F(WebSocketHandshake, WithoutTheWishToUpgradeItIsAnOrdinaryRequest) {
    const std::string key = std::string("Sec-WebSocket-Key: ") + kKey;
    const std::string version = "Sec-WebSocket-Version: 13";
    EXPECT_EQ(knock({}).status, 426);
    EXPECT_EQ(knock({"Connection: close"}).headers.at("connection"), "close, Upgrade");
    EXPECT_EQ(knock({"Connection: Upgrade", key, version}).status, 426);
    EXPECT_EQ(knock({"Upgrade: websocket", key, version}).status, 426);
    EXPECT_EQ(knock({"Upgrade: websocket", "Connection: keep-alive", key, version}).status, 426);
    EXPECT_EQ(knock({"Upgrade: h2c", "Connection: Upgrade", key, version}).status, 426);
    EXPECT_EQ(knock({"Upgrade: websockets", "Connection: Upgrade", key, version}).status, 426);
    EXPECT_EQ(knock(lines(), "GET /ws HTTP/1.0").status, 426);
    EXPECT_EQ(knock(lines(), "POST /ws HTTP/1.1").status, 404);
    EXPECT_EQ(knock(lines(), "GET /health HTTP/1.1").status, 200);
}

}  // namespace
}  // namespace agentcom::test

// HTTP against a live endpoint: routes, tokens, limits, time-outs, keep-alive, long polls.

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using core::Millis;

class Http : public ::testing::Test {
protected:
    // The whole answer to these bytes, up to the end of the connection.
    std::string raw(std::string_view bytes) const { return raw(hub_, bytes); }
    static std::string raw(const Hub& hub, std::string_view bytes) {
        Socket socket(hub.port());
        socket.send(bytes);
        std::string all;
        while (true) {
            const std::string some = socket.receive_some();
            if (some.empty()) return all;
            all += some;
        }
    }
    static HubSettings small_limits() {
        HubSettings settings;
        settings.limits.max_body_bytes = 2'000;
        settings.limits.max_header_bytes = 1'000;
        return settings;
    }
    Hub hub_{small_limits()};
    std::string alice_ = hub_.create_token("alice");
};

TEST_F(Http, AnswersCarryTheHeadersThatKeepThemPrivate) {
    HttpClient client(hub_.port());
    const auto answer = client.get("/health");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("content-type"), "application/json");
    EXPECT_EQ(answer.headers.at("cache-control"), "no-store");
    EXPECT_EQ(answer.headers.at("x-content-type-options"), "nosniff");
    EXPECT_EQ(answer.json().at("service"), "agent_com");
}

TEST_F(Http, UnknownPathsAndWrongMethodsAreTold) {
    HttpClient client(hub_.port(), alice_);
    EXPECT_EQ(client.get("/nowhere").json().at("error"), "not_found");
    const auto wrong = client.request("DELETE", "/api/channels");
    EXPECT_EQ(wrong.status, 405);
    EXPECT_EQ(wrong.headers.at("allow"), "GET, HEAD, POST");
    EXPECT_EQ(wrong.json().at("error"), "method_not_allowed");
}

TEST_F(Http, TheDashboardIsAPageThatMayOnlyUseWhatIsItsOwn) {
    HttpClient client(hub_.port());
    const auto page = client.get("/dashboard");
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body, Hub::kDashboard);
    EXPECT_EQ(page.headers.at("content-type"), "text/html; charset=utf-8");
    EXPECT_EQ(page.headers.at("content-security-policy"),
              "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
              "connect-src 'self'; font-src 'none'; base-uri 'none'; form-action 'none'; "
              "frame-ancestors 'none'");
    EXPECT_EQ(page.headers.at("cache-control"), "no-cache");
    const auto again =
        client.request("GET", "/dashboard", {}, {"If-None-Match: " + page.headers.at("etag")});
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
    // Its links are relative, so that it has one address.
    const auto elsewhere = client.get("/dashboard/");
    EXPECT_EQ(elsewhere.status, 308);
    EXPECT_EQ(elsewhere.headers.at("location"), "../dashboard");
}

TEST_F(Http, WhatTheDashboardLinksToMayBeKeptForEver) {
    HttpClient client(hub_.port());
    const std::string path = "/dashboard/assets/" + std::string(Hub::kAsset.name);
    const auto plain = client.get(path);
    EXPECT_EQ(plain.status, 200);
    EXPECT_EQ(plain.body, Hub::kAsset.text);
    EXPECT_EQ(plain.headers.at("content-type"), Hub::kAsset.media);
    EXPECT_EQ(plain.headers.at("cache-control"), "public, max-age=31536000, immutable");
    EXPECT_EQ(plain.headers.at("vary"), "Accept-Encoding");
    EXPECT_EQ(plain.headers.count("content-encoding"), 0U);
    const auto packed =
        client.request("GET", path, {}, {"Accept-Encoding: br;q=1.0, gzip;q=0.8, *;q=0"});
    EXPECT_EQ(packed.body, Hub::kAsset.gzip);
    EXPECT_EQ(packed.headers.at("content-encoding"), "gzip");
    EXPECT_EQ(packed.headers.at("vary"), "Accept-Encoding");
    EXPECT_NE(packed.headers.at("etag"), plain.headers.at("etag"));
    for (const auto& [answer, coding] :
         {std::pair(&plain, "identity"), std::pair(&packed, "gzip")}) {
        const auto again = client.request("GET", path, {},
                                          {"If-None-Match: " + answer->headers.at("etag"),
                                           std::string("Accept-Encoding: ") + coding});
        EXPECT_EQ(again.status, 304);
        EXPECT_EQ(again.headers.at("etag"), answer->headers.at("etag"));
        EXPECT_EQ(again.headers.count("content-encoding"), 0U);
    }
    EXPECT_EQ(client.get("/dashboard/assets/dashboard-0.js").status, 404);
    EXPECT_EQ(client.get("/dashboard/assets").status, 404);
    EXPECT_EQ(client.request("POST", path, "{}").status, 405);
}

TEST_F(Http, ThePathOfTheWebSocketAsksForAnUpgrade) {
    HttpClient client(hub_.port());
    const auto answer = client.get("/ws");
    EXPECT_EQ(answer.status, 426);
    EXPECT_EQ(answer.json().at("error"), "upgrade_required");
    EXPECT_EQ(client.request("POST", "/ws", "{}").status, 404);
}

TEST_F(Http, HeadSendsTheHeadersOfGetAlone) {
    const std::string answer = raw("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    EXPECT_EQ(answer.find("Content-Length: 0\r\n"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
}

/// The answer up to its body, without the id that each request has of its own.
std::string head_of(const std::string& answer) {
    std::string head = answer.substr(0, answer.find("\r\n\r\n") + 4);
    const auto id = head.find("X-Request-Id: ");
    if (id != std::string::npos) head.erase(id, head.find('\n', id) + 1 - id);
    return head;
}
bool has_body(const std::string& answer) { return !answer.ends_with("\r\n\r\n"); }

TEST_F(Http, WhateverHeadIsRefusedWithIsTheHeadOfWhatGetIsTold) {
    const std::string close = "Connection: close\r\n\r\n";
    const std::string usual = " HTTP/1.1\r\nHost: x\r\n";
    const std::vector<std::pair<std::string, std::string>> refused{
        {"401", " /api/mailbox/alice" + usual + close},
        {"403", " /dashboard HTTP/1.1\r\nHost: evil.example\r\n" + close},
        {"404", " /nowhere" + usual + close},
        {"405", " /api/message" + usual + close},
        {"413", " /health" + usual + "Content-Length: 5000\r\n" + close},
        {"417", " /health" + usual + "Expect: much\r\n" + close},
        {"426", " /ws" + usual + close},
        {"431", " /health" + usual + "X: " + std::string(1'000, 'x') + "\r\n" + close},
        {"400", " /health" + usual + "no field\r\n" + close},
        {"413", " /health HTTP/1.0\r\nContent-Length: 5000\r\n" + close},
    };
    for (const auto& [status, rest] : refused) {
        const std::string get = raw("GET" + rest);
        EXPECT_EQ(get.substr(9, 3), status);
        EXPECT_TRUE(has_body(get)) << rest;
        const std::string head = raw("HEAD" + rest);
        EXPECT_FALSE(has_body(head)) << head;
        EXPECT_EQ(head_of(head), head_of(get));
    }
}

TEST_F(Http, HeadOfWhoeverAsksTooOftenIsRefusedWithoutABody) {
    HubSettings settings;
    settings.limits.anonymous_requests_per_second = 1;  // 20 from loopback
    Hub hub(settings);
    for (HttpClient client(hub.port()); client.get("/health").status == 200;) {
    }
    const std::string rest = " /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const std::string get = raw(hub, "GET" + rest);
    EXPECT_EQ(get.substr(9, 3), "429");
    const std::string head = raw(hub, "HEAD" + rest);
    EXPECT_FALSE(has_body(head)) << head;
    EXPECT_EQ(head_of(head), head_of(get));
}

TEST_F(Http, AStreamIsRefusedInTheFormThatWasAskedFor) {
    HubSettings settings;
    settings.router.max_streams = 1;
    Hub hub(settings);
    const std::string bob = hub.create_token("bob");
    for (const char* version : {"1.1", "1.0"}) {
        const std::string rest = " /api/mailbox/bob/stream HTTP/" + std::string(version) +
                                 "\r\nHost: x\r\nAuthorization: Bearer " + bob + "\r\n\r\n";
        ASSERT_TRUE(hub.wait_for_connections(0));
        Socket listener(hub.port());
        listener.send("GET" + rest);
        ASSERT_FALSE(listener.receive_some().empty());
        const std::string get = raw(hub, "GET" + rest);
        EXPECT_TRUE(get.starts_with("HTTP/" + std::string(version) + " 503 ")) << get;
        EXPECT_TRUE(has_body(get));
        const std::string head = raw(hub, "HEAD" + rest);
        EXPECT_FALSE(has_body(head)) << head;
        EXPECT_EQ(head_of(head), head_of(get));
    }
}

TEST_F(Http, ATokenInTheQueryIsForReadingAndForAckOnly) {
    HttpClient client(hub_.port());
    const std::string token = "?token=" + alice_;
    EXPECT_EQ(client.get("/api/mailbox/alice" + token).status, 200);
    EXPECT_EQ(client.post("/api/mailbox/alice/ack" + token, {{"seq", 0}}).status, 200);
    EXPECT_EQ(client.post("/api/mailbox/alice/ack", {{"seq", 0}, {"token", alice_}}).status, 200);
    const auto refused = client.post("/api/message" + token, {{"payload", Json::object()}});
    EXPECT_EQ(refused.status, 401);
    EXPECT_TRUE(refused.json().contains("hint"));
}

TEST_F(Http, ABearerHeaderComesBeforeTheQueryAndAnotherKindGivesWay) {
    HttpClient client(hub_.port());
    const std::string path = "/api/mailbox/alice?token=" + alice_;
    EXPECT_EQ(client.request("GET", path, {}, {"Authorization: Bearer wrong"}).status, 401);
    EXPECT_EQ(client.request("GET", path, {}, {"Authorization: Basic abc"}).status, 200);
}

TEST_F(Http, StrangersLearnNothingAboutTheirMistakes) {
    HttpClient stranger(hub_.port());
    EXPECT_EQ(stranger.request("POST", "/api/message", "{oops").status, 401);
    EXPECT_EQ(stranger.get("/api/mailbox/alice?since=abc").status, 401);
    HttpClient client(hub_.port(), alice_);
    EXPECT_EQ(client.request("POST", "/api/message", "{oops").json().at("error"), "invalid_json");
    EXPECT_EQ(client.get("/api/mailbox/alice?since=abc").status, 400);
}

TEST_F(Http, ABodyMustBeJsonByItsTypeIfItNamesOne) {
    HttpClient client(hub_.port(), alice_);
    const std::string body = R"({"payload":{}})";
    const auto refused = client.request("POST", "/api/message", body, {"Content-Type: text/plain"});
    EXPECT_EQ(refused.status, 415);
    EXPECT_EQ(refused.json().at("error"), "unsupported_media_type");
    EXPECT_EQ(client
                  .request("POST", "/api/message", body,
                           {"Content-Type: application/json; charset=utf-8"})
                  .status,
              200);
    client.send_raw("POST /api/message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + alice_ +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(Http, ALargeBodyIsRefusedBeforeItIsRead) {
    HttpClient client(hub_.port(), alice_);
    client.send_raw("POST /api/message HTTP/1.1\r\nHost: x\r\nContent-Length: 2001\r\n\r\n");
    const auto answer = client.read_response();
    EXPECT_EQ(answer.status, 413);
    EXPECT_EQ(answer.json().at("error"), "body_too_large");
    EXPECT_EQ(answer.headers.at("connection"), "close");
}

TEST_F(Http, ALargeChunkedBodyIsRefusedToo) {
    HttpClient client(hub_.port(), alice_);
    client.send_raw("POST /api/message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + alice_ +
                    "\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send_raw("bb8\r\n" + std::string(3'000, 'x') + "\r\n0\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 413);
}

TEST_F(Http, WhoShowsNoTokenIsToldBeforeTheBodyComes) {
    for (const char* framing : {"Content-Length: 1500", "Transfer-Encoding: chunked",
                                "Content-Length: 1500\r\nExpect: 100-continue"}) {
        for (const std::string& token :
             {std::string(), "Authorization: Bearer " + std::string(64, '0') + "\r\n"}) {
            HttpClient client(hub_.port());
            client.send_raw("POST /api/message HTTP/1.1\r\nHost: x\r\n" + token + framing +
                            "\r\n\r\n");
            const auto answer = client.read_response();
            EXPECT_EQ(answer.status, 401) << framing;
            EXPECT_TRUE(answer.json().contains("hint"));
        }
    }
}

TEST_F(Http, WhoMayNotAdministerIsToldBeforeTheBodyComes) {
    HttpClient client(hub_.port());
    client.send_raw("POST /admin/tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + alice_ +
                    "\r\nContent-Length: 1500\r\n\r\n");
    EXPECT_EQ(client.read_response().json().at("error"), "admin_only");
}

TEST_F(Http, ABodyThatNobodyWantsIsPassedOverAndTheConnectionStays) {
    HttpClient client(hub_.port());
    const std::string body(1'500, 'x');
    client.send_raw("POST /api/message HTTP/1.1\r\nHost: x\r\nContent-Length: 1500\r\n\r\n");
    EXPECT_EQ(client.read_response().headers.at("connection"), "keep-alive");
    client.send_raw(body + "POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 1500\r\n\r\n" +
                    body + "GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 404);
    EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(Http, AnUnansweredExpectationEndsTheConnectionThatWasRefused) {
    HttpClient client(hub_.port());
    client.send_raw(
        "POST /api/message HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
        "Content-Length: 10\r\n\r\n");
    const auto answer = client.read_response();
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Http, ATokenInTheBodyOfAnAckMakesItNoLargerThanAStrangersBody) {
    HubSettings settings;
    settings.limits.max_unidentified_frame_bytes = 1'000;
    Hub hub(settings);
    const std::string token = hub.create_token("alice");
    const std::string start = R"({"seq":0,"token":")" + token + R"(","padding":")";
    const auto body = [&](std::size_t size) {
        return start + std::string(size - start.size() - 2, 'x') + "\"}";
    };
    HttpClient stranger(hub.port());
    EXPECT_EQ(stranger.request("POST", "/api/mailbox/alice/ack", body(1'000)).status, 200);
    EXPECT_EQ(stranger.request("POST", "/api/mailbox/alice/ack", body(1'001)).status, 413);
    HttpClient alice(hub.port(), token);
    EXPECT_EQ(alice.request("POST", "/api/mailbox/alice/ack", body(1'001)).status, 200);
    // A wrong token in the header is not made good by one in the body.
    HttpClient wrong(hub.port(), std::string(64, '0'));
    EXPECT_EQ(wrong.request("POST", "/api/mailbox/alice/ack", body(500)).status, 401);
}

TEST_F(Http, AnUpgradeHasNoBody) {
    const std::string answer =
        raw("GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Transfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
}

TEST_F(Http, ChunkFramingThatNeverEndsIsRefusedWhileItComes) {
    const std::string header =
        "POST /api/mailbox/alice/ack HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const auto& [start, endless, status] :
         {std::tuple{"1;", "x", 431}, {"0\r\n", "X: y\r\n", 431}, {"0", "0", 400}}) {
        Socket socket(hub_.port());
        socket.send(header + start);
        std::string flood;
        while (flood.size() < 10'000) flood += endless;
        std::string answer;
        socket.send(flood);
        while (answer.find("\r\n\r\n") == std::string::npos) {
            const std::string some = socket.receive_some();
            ASSERT_FALSE(some.empty());
            answer += some;
        }
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status))) << answer;
    }
}

TEST_F(Http, ALargeHeaderIsRefused) {
    HttpClient client(hub_.port());
    client.send_raw("GET /health HTTP/1.1\r\nX-Padding: " + std::string(1'500, 'x'));
    const auto answer = client.read_response();
    EXPECT_EQ(answer.status, 431);
    EXPECT_EQ(answer.json().at("error"), "header_too_large");
    EXPECT_TRUE(client.closed_by_peer());
}

TEST_F(Http, GarbageIsABadRequest) {
    for (const char* bytes : {"\x16\x03\x01 hello\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                              "POST /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n"}) {
        const std::string answer = raw(bytes);
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << bytes << answer;
        EXPECT_NE(answer.find("bad_request"), std::string::npos) << bytes;
    }
}

TEST_F(Http, ABodyThatStopsComingIsGivenUp) {
    HttpClient client(hub_.port(), alice_);
    client.send_raw(
        "POST /api/message HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nAuthorization: Bearer " +
        alice_ + "\r\nContent-Length: 100\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 100);
    client.send_raw("{");
    hub_.pass(Millis{31'000});
    const auto answer = client.read_response();
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(answer.json().at("error"), "request_timeout");
}

TEST_F(Http, ABodyMayWaitForPermission) {
    HttpClient client(hub_.port(), alice_);
    const std::string body = R"({"payload":{}})";
    client.send_raw("POST /api/message HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n" +
                    ("Authorization: Bearer " + alice_) +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n");
    EXPECT_EQ(client.read_response().status, 100);
    client.send_raw(body);
    EXPECT_EQ(client.read_response().status, 200);
}

TEST_F(Http, OneConnectionServesManyRequestsAlsoPipelined) {
    HttpClient client(hub_.port(), alice_);
    std::string requests;
    for (int i = 0; i < 100; ++i) {
        const std::string body = R"({"to":"alice","payload":{"n":)" + std::to_string(i) + "}}";
        requests += "POST /api/message HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + alice_ +
                    "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    client.send_raw(requests + "GET /api/mailbox/alice HTTP/1.1\r\nHost: x\r\n" +
                    "Authorization: Bearer " + alice_ + "\r\n\r\n");
    for (int i = 0; i < 100; ++i) ASSERT_EQ(client.read_response().status, 200);
    const Json page = client.read_response().json();
    ASSERT_EQ(page.at("count"), 100);
    EXPECT_EQ(page.at("messages").at(99).at("payload").at("n"), 99);
}

TEST_F(Http, OthersAreServedBetweenPipelinedRequests) {
    HubSettings settings;
    settings.loops = 1;
    settings.limits.max_header_bytes = 64 * 1024;  // so much is read ahead: all of it
    Hub hub(settings);
    boost::asio::io_context& loop = hub.loops()[0].context();
    constexpr int kRequests = 300;
    const std::string token = hub.create_token("alice");
    std::string requests;
    for (int i = 0; i < kRequests; ++i) {
        requests += "GET /api/mailbox/alice HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + token +
                    "\r\n\r\n";
    }
    Socket greedy(hub.port());
    ASSERT_TRUE(hub.wait_for_connections(1));
    // The loop stands still until all requests have arrived; then, between its other handlers, it
    // looks at what the client has got so far. Were the requests served in one go, the first answer
    // would not come before the last.
    std::promise<void> arrived;
    std::promise<std::size_t> first_seen;
    boost::asio::post(loop, [&] { arrived.get_future().wait(); });
    std::function<void()> look = [&] {
        if (const std::size_t bytes = greedy.available()) return first_seen.set_value(bytes);
        boost::asio::post(loop, look);
    };
    boost::asio::post(loop, look);
    greedy.send(requests);
    arrived.set_value();
    const std::size_t first = first_seen.get_future().get();
    hub.settle();
    std::string answers;
    int complete = 0;
    while (complete < kRequests) {
        const std::string some = greedy.receive_some();
        ASSERT_FALSE(some.empty());
        answers += some;
        complete = 0;
        for (auto at = answers.find("HTTP/1.1 200"); at != std::string::npos;
             at = answers.find("HTTP/1.1 200", at + 1)) {
            ++complete;
        }
    }
    EXPECT_LT(first, answers.size() * 3 / 4);
}

TEST_F(Http, OldAndClosingClientsAreAnsweredAndThenLeft) {
    EXPECT_TRUE(raw("GET /health HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 200 "));
    EXPECT_TRUE(raw("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    .starts_with("HTTP/1.1 200 "));
}

TEST_F(Http, AnIdleConnectionIsClosedWithoutAWord) {
    HttpClient client(hub_.port());
    EXPECT_EQ(client.get("/health").status, 200);
    hub_.pass(Millis{60'000});
    EXPECT_EQ(client.get("/health").status, 200);
    hub_.pass(Millis{76'000});
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_TRUE(hub_.wait_for_connections(0));
}

TEST_F(Http, AConnectionThatNeverSpeaksIsClosed) {
    Socket silent(hub_.port());
    ASSERT_TRUE(hub_.wait_for_connections(1));
    hub_.pass(Millis{31'000});
    EXPECT_EQ(silent.receive_some(), "");
}

TEST_F(Http, PathArgumentsAreDecoded) {
    HttpClient client(hub_.port(), alice_);
    EXPECT_EQ(client.get("/api/mailbox/%61lice").json().at("agent_id"), "alice");
    EXPECT_EQ(client.get("/api/mailbox/a%2").json().at("error"), "bad_request");
    EXPECT_EQ(client.get("/api/threads/x%2Fy/root").json().at("message_id"), "x/y");
}

TEST_F(Http, ALongPollIsAnsweredWhenSomethingComes) {
    HttpClient waiting(hub_.port(), alice_);
    waiting.send_raw("GET /api/mailbox/alice?wait=60 HTTP/1.1\r\nAuthorization: Bearer " + alice_ +
                     "\r\nHost: x\r\n\r\n");
    HttpClient sender(hub_.port(), hub_.admin_token());
    EXPECT_EQ(sender.post("/api/message", {{"to", "alice"}, {"payload", {{"n", 1}}}}).status, 200);
    EXPECT_EQ(waiting.read_response().json().at("count"), 1);
}

TEST_F(Http, ALongPollThatItsClientHasLeftEnds) {
    HttpClient other(hub_.port());
    {
        Socket waiting(hub_.port());
        waiting.send("GET /api/mailbox/alice?wait=60 HTTP/1.1\r\nAuthorization: Bearer " + alice_ +
                     "\r\nHost: x\r\n\r\n");
        ASSERT_TRUE(hub_.wait_for_connections(2));
    }
    EXPECT_TRUE(hub_.wait_for_connections(1));
    EXPECT_EQ(other.get("/health").status, 200);
}

}  // namespace
}  // namespace agentcom::test

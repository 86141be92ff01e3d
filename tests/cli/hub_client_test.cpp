// The HTTP client against servers that behave as real hubs seldom do.
#include "agentcom/cli/hub_client.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "cli/event_stream.hpp"
#include "cli/support/stand_in.hpp"

namespace agentcom::cli {
namespace {

using std::chrono::seconds;
using Kind = HubError::Kind;

HubClient client_of(const StandIn& server, const std::string& path = {}) {
    return HubClient({.url = server.url() + path}, "secret");
}

HttpRequest get(const std::string& target) { return {.verb = "GET", .target = target}; }

Kind kind_of(HubClient& client, const HttpRequest& request, core::Millis time = seconds(30)) {
    try {
        (void)client.ask(request, from_now(time));
    } catch (const HubError& error) {
        EXPECT_EQ(std::string(error.what()).find("secret"), std::string::npos);
        return error.kind();
    }
    ADD_FAILURE() << "no error";
    return Kind::refused;
}

TEST(HubClient, ReadsBodiesHoweverTheyAreFramed) {
    StandIn server([](const StandIn::Request& request, const StandIn::Peer& peer) {
        if (request.line.find("/chunks") != std::string::npos) {
            peer.send(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
                "Content-Type: application/json; charset=utf-8\r\n\r\n"
                "4;x=y\r\nab\r\n\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n");
            return true;
        }
        if (request.line.find("/end") != std::string::npos) {
            peer.send("HTTP/1.0 200 OK\r\n\r\nuntil the end");
            return false;
        }
        peer.answer(200, "application/json", "{}");
        return true;
    });
    HubClient client = client_of(server);
    const HttpAnswer chunks = client.send(get("/chunks"), from_now(seconds(30)));
    EXPECT_EQ(chunks.body, "ab\r\n0123456789");
    EXPECT_EQ(chunks.content_type, "application/json");
    EXPECT_EQ(client.send(get("/length"), from_now(seconds(30))).body, "{}");
    EXPECT_EQ(client.send(get("/end"), from_now(seconds(30))).body, "until the end");
}

TEST(HubClient, SaysWhoAsksAndWhere) {
    StandIn server([](const StandIn::Request&, const StandIn::Peer& peer) {
        peer.answer(200, "application/json", "{}");
        return true;
    });
    HubClient client = client_of(server, "/hub/");
    (void)client.ask({.verb = "POST", .target = "/api/x", .body = "{}"}, from_now(seconds(30)));
    const auto request = server.requests().at(0);
    EXPECT_EQ(request.line, "POST /hub/api/x HTTP/1.1");
    EXPECT_EQ("http://" + request.headers.at("host"), server.url());
    EXPECT_EQ(request.headers.at("authorization"), "Bearer secret");
    EXPECT_EQ(request.headers.at("content-type"), "application/json");
    EXPECT_EQ(request.body, "{}");
}

TEST(HubClient, AKeptConnectionThatIsGoneIsReplacedUnlessThatCouldDoHarm) {
    std::atomic<int> connections{0};
    StandIn server([&](const StandIn::Request&, const StandIn::Peer& peer) {
        // Every connection answers once, and then ends in the middle of the next request.
        if (connections++ % 2 == 1) {
            return false;
        }
        peer.answer(200, "application/json", "{}");
        return true;
    });
    HubClient client = client_of(server);
    EXPECT_EQ(client.ask(get("/1"), from_now(seconds(30))), "{}");
    EXPECT_EQ(client.ask(get("/2"), from_now(seconds(30))), "{}");
    EXPECT_EQ(server.requests().size(), 3U) << "the second was sent twice";
    const HttpRequest once{.verb = "POST", .target = "/3", .body = "{}", .repeatable = false};
    EXPECT_EQ(kind_of(client, once), Kind::broken);
    EXPECT_EQ(server.requests().size(), 4U);
}

TEST(HubClient, EveryWayToFailHasItsName) {
    StandIn server([](const StandIn::Request& request, const StandIn::Peer& peer) {
        const auto asked = [&](const char* path) {
            return request.line.find(path) != std::string::npos;
        };
        if (asked("/silent")) {
            peer.wait_for_end();
        } else if (asked("/half")) {
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        } else if (asked("/ssh")) {
            peer.send("SSH-2.0-OpenSSH_9.2p1\r\n\r\n");
        } else if (asked("/chunk")) {
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
        } else if (asked("/head")) {
            peer.send("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'));
        } else if (asked("/busy")) {
            peer.answer(503, "application/json", R"({"error":"overloaded","message":"too much"})");
        } else if (asked("/no")) {
            peer.answer(404, "text/html", "<p>no");
        }
        return false;
    });
    HubClient client = client_of(server);
    EXPECT_EQ(kind_of(client, get("/silent"), core::Millis(50)), Kind::late);
    EXPECT_EQ(kind_of(client, get("/half")), Kind::broken);
    EXPECT_EQ(kind_of(client, get("/close")), Kind::broken);
    EXPECT_EQ(kind_of(client, get("/ssh")), Kind::malformed);
    EXPECT_EQ(kind_of(client, get("/chunk")), Kind::malformed);
    EXPECT_EQ(kind_of(client, get("/head")), Kind::malformed);
    EXPECT_EQ(kind_of(client, get("/no")), Kind::refused);
    try {
        (void)client.ask(get("/busy"), from_now(seconds(30)));
        ADD_FAILURE();
    } catch (const HubError& error) {
        EXPECT_EQ(error.status(), 503);
        EXPECT_EQ(error.code(), "overloaded");
        EXPECT_TRUE(error.may_pass());
        EXPECT_STREQ(error.what(), "the hub answers 503 overloaded: too much");
    }
}

TEST(HubClient, NobodyThereIsNotWaitedFor) {
    std::string url;
    {
        url = StandIn([](const auto&, const auto&) { return false; }).url();
    }
    HubClient client({.url = url}, "");
    EXPECT_EQ(kind_of(client, get("/")), Kind::unreachable);
    EXPECT_FALSE(client.reaches(from_now(seconds(30))));
}

TEST(HubClient, AFileOfAuthoritiesThatIsNoneIsSaid) {
    HubClient client({.url = "https://127.0.0.1:1", .ca_file = "/nonexistent.pem"}, "");
    EXPECT_EQ(kind_of(client, get("/")), Kind::address);
}

TEST(EventStream, GoesOnAfterADeadlineAndEndsWithTheConnection) {
    std::promise<void> more;
    auto told = more.get_future();
    StandIn server([&](const StandIn::Request&, const StandIn::Peer& peer) {
        peer.send(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nid: 1\ndata: a\n\nid: ");
        told.wait();
        peer.send("2\ndata: b\n\n");
        return false;
    });
    HubClient client = client_of(server);
    EventStream stream(client, "/stream", from_now(seconds(30)));
    EXPECT_EQ(stream.next(from_now(seconds(30)))->data, "a");
    EXPECT_FALSE(stream.next(from_now(core::Millis(20))));
    more.set_value();
    const auto event = stream.next(from_now(seconds(30)));
    ASSERT_TRUE(event);
    EXPECT_EQ(event->id, "2");
    EXPECT_THROW((void)stream.next(from_now(seconds(30))), HubError);
}

TEST(EventStream, AnAnswerThatIsNoStreamIsAnError) {
    StandIn server([](const StandIn::Request& request, const StandIn::Peer& peer) {
        const bool refused = request.line.find("/refused") != std::string::npos;
        peer.answer(refused ? 401 : 200, "application/json", R"({"error":"unauthorized"})");
        return true;
    });
    HubClient client = client_of(server);
    try {
        const EventStream stream(client, "/refused", from_now(seconds(30)));
        ADD_FAILURE();
    } catch (const HubError& error) {
        EXPECT_EQ(error.status(), 401);
        EXPECT_EQ(error.code(), "unauthorized");
    }
    EXPECT_THROW(EventStream(client, "/document", from_now(seconds(30))), HubError);
}

}  // namespace
}  // namespace agentcom::cli

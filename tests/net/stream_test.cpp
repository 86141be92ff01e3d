// Streams of a mailbox as server-sent events, and its summary, against a live endpoint.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/event_source.hpp"
#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using core::Millis;

class MailboxStream : public ::testing::Test {
protected:
    static HubSettings settings() {
        HubSettings settings;
        settings.limits.outbox.max_bytes = 256 * 1024;
        settings.router.max_streams_per_agent = 3;
        settings.router.max_streams = 5;
        return settings;
    }
    MailboxStream() { tokens_ = {hub_.create_token("alice"), hub_.create_token("bob")}; }

    [[nodiscard]] const std::string& alice() const { return tokens_[0]; }
    [[nodiscard]] const std::string& bob() const { return tokens_[1]; }
    /// Alice writes to bob; the seq.
    std::uint64_t write(const Json& payload, const Json& to = "bob") {
        HttpClient http(hub_.port(), alice());
        return http.post("/api/message", {{"to", to}, {"payload", payload}}).json().at("seq");
    }
    std::unique_ptr<EventSource> listen(const std::string& query = {},
                                        const std::string& headers = {}) {
        auto source = std::make_unique<EventSource>(hub_.port(), "/api/mailbox/bob/stream" + query,
                                                    bob(), headers);
        EXPECT_EQ(source->status(), 200) << source->head();
        return source;
    }
    Hub hub_{settings()};
    std::vector<std::string> tokens_;
};

TEST_F(MailboxStream, ShowsWhatWaitsAndThenWhatComesAsItIsPushed) {
    HttpClient http(hub_.port(), bob());
    HttpClient admin(hub_.port(), hub_.admin_token());
    ASSERT_EQ(admin.post("/api/channels", {{"name", "dev"}}).status, 201);
    ASSERT_EQ(http.post("/api/channels/dev/subscribe", Json::object()).status, 200);
    const auto first = write({{"n", 1}});
    const auto stream = listen();
    EXPECT_TRUE(stream->says("Content-Type: text/event-stream")) << stream->head();
    EXPECT_TRUE(stream->says("Cache-Control: no-store")) << stream->head();
    EXPECT_TRUE(stream->says("X-Accel-Buffering: no")) << stream->head();
    WsClient socket(hub_.port());
    ASSERT_EQ(socket.identify("bob", bob(), {{"acks", true}}).at("type"), "identified");
    write({{"n", 2}});
    write({{"n", 3}}, "broadcast");
    HttpClient alice_http(hub_.port(), alice());
    ASSERT_EQ(alice_http.post("/api/channels/dev/publish", {{"payload", {{"n", 4}}}}).status, 200);
    for (int n = 1; n <= 4; ++n) {
        const Json frame = stream->message();
        const Json pushed = socket.receive(n == 4 ? "channel_message" : "message");
        EXPECT_EQ(frame, pushed);
        EXPECT_EQ(frame.at("payload").at("n"), n);
        if (n == 1) {
            EXPECT_EQ(frame.at("seq"), first);
        }
    }
}

TEST_F(MailboxStream, MarksNothingAsReadAndGoesOnWhereItIsTold) {
    const auto first = write({{"n", 1}});
    const auto second = write({{"n", 2}});
    write({{"n", 3}});
    {
        const auto stream = listen();
        for (int n = 1; n <= 3; ++n) EXPECT_EQ(stream->message().at("payload").at("n"), n);
    }
    HttpClient http(hub_.port(), bob());
    EXPECT_EQ(http.get("/api/mailbox/bob").json().at("count"), 3);
    EXPECT_EQ(listen()->message().at("payload").at("n"), 1);
    EXPECT_EQ(listen("?since=" + std::to_string(first))->message().at("payload").at("n"), 2);
    // A browser that comes back asks with the address of the first time.
    const std::string last = "Last-Event-ID: " + std::to_string(second) + "\r\n";
    EXPECT_EQ(listen("?since=" + std::to_string(first), last)->message().at("payload").at("n"), 3);
    EXPECT_EQ(listen("", last)->message().at("payload").at("n"), 3);
    ASSERT_EQ(http.post("/api/mailbox/bob/ack", {{"seq", first}}).status, 200);
    EXPECT_EQ(listen()->message().at("payload").at("n"), 2);
    EXPECT_EQ(listen("?since=0", "Last-Event-ID:\r\n")->message().at("payload").at("n"), 2);
}

TEST_F(MailboxStream, WhatAStreamHasShownMayBeAcknowledged) {
    write({{"n", 1}});
    const auto stream = listen();
    EXPECT_EQ(stream->message().at("payload").at("n"), 1);
    write({{"n", 2}});
    const Json live = stream->message();
    HttpClient http(hub_.port(), bob());
    ASSERT_EQ(http.post("/api/mailbox/bob/ack", {{"seq", live.at("seq")}}).status, 200);
    EXPECT_EQ(http.get("/api/mailbox/bob").json().at("count"), 0);
}

TEST_F(MailboxStream, LineBreaksOfAPayloadAreKept) {
    HttpClient http(hub_.port(), alice());
    const std::string body =
        "{\"to\":\"bob\",\"payload\":{\n  \"text\": \"a\\nb\",\r\n  \"n\":\r1\n}}";
    ASSERT_EQ(http.request("POST", "/api/message", body).status, 200);
    const auto stream = listen();
    const Json frame = stream->message();
    EXPECT_EQ(frame.at("payload"), (Json{{"text", "a\nb"}, {"n", 1}}));
    write({{"after", true}});
    EXPECT_EQ(stream->message().at("payload"), (Json{{"after", true}}));
}

TEST_F(MailboxStream, OnesOwnMessagesAreNotAmongThem) {
    const auto stream = listen();
    HttpClient http(hub_.port(), bob());
    ASSERT_EQ(http.post("/api/message", {{"to", "broadcast"}, {"payload", {{"n", 1}}}}).status,
              200);
    write({{"n", 2}}, "broadcast");
    EXPECT_EQ(stream->message().at("payload").at("n"), 2);
}

TEST_F(MailboxStream, ACommentKeepsASilentStreamAlive) {
    const auto stream = listen();
    write({{"n", 1}});
    EXPECT_EQ(stream->message().at("payload").at("n"), 1);
    hub_.pass(Millis{10'000});
    EXPECT_FALSE(stream->has_input());
    hub_.pass(Millis{6'000});
    stream->await_comments(1);
    hub_.pass(Millis{120'000});
    stream->await_comments(8);
    write({{"n", 2}});
    EXPECT_EQ(stream->message().at("payload").at("n"), 2);
}

TEST_F(MailboxStream, IsForTheAgentOnly) {
    const std::string path = "/api/mailbox/bob/stream";
    EXPECT_EQ(EventSource(hub_.port(), path, "").status(), 401);
    EXPECT_EQ(EventSource(hub_.port(), path, alice()).status(), 401);
    EXPECT_EQ(EventSource(hub_.port(), path, hub_.admin_token()).status(), 401);
    EXPECT_EQ(EventSource(hub_.port(), path + "?token=" + bob(), "").status(), 200);
    EXPECT_EQ(EventSource(hub_.port(), path + "?since=x", bob()).status(), 400);
    EXPECT_EQ(EventSource(hub_.port(), path, bob(), "Last-Event-ID: x\r\n").status(), 400);
    EXPECT_EQ(EventSource(hub_.port(), path, bob(), "", "POST").status(), 405);
    EventSource head(hub_.port(), path, bob(), "", "HEAD");
    EXPECT_EQ(head.status(), 200);
    EXPECT_TRUE(head.says("Content-Type: text/event-stream"));
    EXPECT_FALSE(head.next());
}

TEST_F(MailboxStream, ThereAreSoManyOfAnAgentAndOfAll) {
    const auto answer_for_another = [&](const std::string& agent, const std::string& token) {
        return EventSource(hub_.port(), "/api/mailbox/" + agent + "/stream", token).status();
    };
    std::vector<std::unique_ptr<EventSource>> streams;
    for (int i = 0; i < 3; ++i) streams.push_back(listen());
    EXPECT_EQ(answer_for_another("bob", bob()), 503);
    for (int i = 0; i < 2; ++i) {
        streams.push_back(
            std::make_unique<EventSource>(hub_.port(), "/api/mailbox/alice/stream", alice()));
        EXPECT_EQ(streams.back()->status(), 200);
    }
    EXPECT_EQ(answer_for_another("alice", alice()), 503);
    write({{"n", 1}});
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(streams[static_cast<std::size_t>(i)]->message().at("payload").at("n"), 1);
    }
    streams.clear();
    ASSERT_TRUE(hub_.wait_for_connections(0));
    EXPECT_EQ(answer_for_another("bob", bob()), 200);
}

TEST_F(MailboxStream, DoesNotMakeItsAgentPresent) {
    const auto stream = listen();
    HttpClient http(hub_.port(), alice());
    EXPECT_TRUE(http.get("/api/agents").json().at("agents").empty());
    EXPECT_EQ(
        http.post("/api/message", {{"to", "bob"}, {"payload", {{"n", 1}}}}).json().at("delivery"),
        "queued");
    WsClient socket(hub_.port());
    ASSERT_EQ(socket.identify("bob", bob()).at("type"), "identified");
    EXPECT_EQ(stream->message().at("payload").at("n"), 1);
    EXPECT_EQ(socket.ask({{"type", "ping"}}).at("type"), "pong");
    const auto another = listen();
    write({{"n", 2}});
    EXPECT_EQ(socket.receive("message").at("payload").at("n"), 2);
    EXPECT_EQ(stream->message().at("payload").at("n"), 2);
}

TEST_F(MailboxStream, EndsWithItsTokenWithAResetAndWithTheHub) {
    HttpClient admin(hub_.port(), hub_.admin_token());
    const auto why = [](EventSource& stream) {
        const auto event = stream.next();
        EXPECT_TRUE(event && event->type == "close");
        EXPECT_FALSE(stream.next());
        return event ? Json::parse(event->data).at("code") : Json();
    };
    auto stream = listen();
    ASSERT_EQ(admin.post("/api/admin/reset", Json::object()).status, 200);
    EXPECT_EQ(why(*stream), 1001);
    stream = listen();
    ASSERT_EQ(admin.request("DELETE", "/admin/tokens/bob").status, 200);
    EXPECT_EQ(why(*stream), 4001);
    EXPECT_EQ(EventSource(hub_.port(), "/api/mailbox/bob/stream", bob()).status(), 401);
    tokens_[1] = hub_.create_token("bob");
    stream = listen();
    hub_.endpoint().begin_shutdown();
    EXPECT_EQ(why(*stream), 1001);
}

TEST_F(MailboxStream, WhoDoesNotReadIsClosedAndLosesNothing) {
    auto stream = listen();
    const std::string padding(30'000, 'x');
    constexpr int kMessages = 1'000;
    HttpClient http(hub_.port(), alice());
    for (int n = 0; n < kMessages; ++n) {
        ASSERT_EQ(
            http.post("/api/message", {{"to", "bob"}, {"payload", {{"n", n}, {"p", padding}}}})
                .status,
            200);
    }
    hub_.pass(Millis{61'000});
    std::string last = "0";
    int next = 0;
    // It ends before the end, and another goes on behind what it has shown.
    for (int streams = 0; next < kMessages; ++streams) {
        ASSERT_LT(streams, 50);
        while (const auto event = stream->next()) {
            if (event->type != "message") break;
            EXPECT_EQ(Json::parse(event->data).at("payload").at("n"), next++);
            last = event->id;
            if (next == kMessages) break;
        }
        if (streams == 0) {
            EXPECT_LT(next, kMessages);
        }
        stream->close();
        stream = listen("", "Last-Event-ID: " + last + "\r\n");
    }
}

TEST_F(MailboxStream, EveryMessageComesOnceAndInOrderWhileStreamsComeAndGo) {
    constexpr int kMessages = 2'000;
    std::thread sender([&] {
        WsClient socket(hub_.port());
        (void)socket.identify("alice", alice(), {{"presence", false}});
        for (int n = 0; n < kMessages; ++n) {
            socket.send({{"type", "message"}, {"to", "bob"}, {"payload", {{"n", n}}}});
        }
        for (int n = 0; n < kMessages; ++n) (void)socket.receive("message_sent");
    });
    std::string last = "0";
    int next = 0;
    while (next < kMessages) {
        const auto stream = listen("", "Last-Event-ID: " + last + "\r\n");
        for (int i = 0; i < 90 && next < kMessages; ++i) {
            const Json frame = stream->message();
            ASSERT_EQ(frame.at("payload").at("n"), next++);
            last = frame.at("seq").dump();
        }
    }
    sender.join();
}

TEST_F(MailboxStream, UnreadIsCountedWithoutBeingRead) {
    HttpClient http(hub_.port(), bob());
    Json summary = http.get("/api/mailbox/bob/unread").json();
    EXPECT_EQ(summary.at("agent_id"), "bob");
    EXPECT_EQ(summary.at("count"), 0);
    EXPECT_TRUE(summary.at("senders").empty());
    EXPECT_TRUE(summary.at("oldest").is_null());
    EXPECT_TRUE(summary.at("newest").is_null());
    const auto oldest = hub_.clock().now().ms;
    const auto first = write({{"secret", 1}});
    hub_.pass(Millis{5'000});
    write({{"secret", 2}}, "broadcast");
    HttpClient admin(hub_.port(), hub_.admin_token());
    ASSERT_EQ(admin.post("/api/message", {{"to", "bob"}, {"payload", {{"secret", 3}}}}).status,
              200);
    const HttpClient::Response response = http.get("/api/mailbox/bob/unread");
    EXPECT_EQ(response.body.find("secret"), std::string::npos);
    summary = response.json();
    EXPECT_EQ(summary.at("count"), 3);
    EXPECT_EQ(summary.at("senders"), (Json::array({"alice", "admin"})));
    EXPECT_EQ(summary.at("by_sender"), (Json::array({{{"agent_id", "alice"}, {"count", 2}},
                                                     {{"agent_id", "admin"}, {"count", 1}}})));
    EXPECT_EQ(summary.at("oldest"), oldest);
    EXPECT_EQ(summary.at("newest"), oldest + 5'000);
    EXPECT_FALSE(summary.contains("more"));
    EXPECT_EQ(http.get("/api/mailbox/bob").json().at("count"), 3);
    ASSERT_EQ(http.post("/api/mailbox/bob/ack", {{"seq", first}}).status, 200);
    EXPECT_EQ(http.get("/api/mailbox/bob/unread").json().at("count"), 2);
    HttpClient stranger(hub_.port(), alice());
    EXPECT_EQ(stranger.get("/api/mailbox/bob/unread").status, 401);
}

TEST_F(MailboxStream, UnreadIsCountedUpToTheCap) {
    HubSettings small = settings();
    small.router.mailbox_cap = 10;
    Hub hub(small);
    const std::string bob = hub.create_token("bob");
    HttpClient alice(hub.port(), hub.create_token("alice"));
    for (int n = 0; n < 11; ++n) {
        if (n == 10) {
            const Json full = HttpClient(hub.port(), bob).get("/api/mailbox/bob/unread").json();
            EXPECT_EQ(full.at("count"), 10);
            EXPECT_FALSE(full.contains("more"));
        }
        ASSERT_EQ(alice.post("/api/message", {{"to", "bob"}, {"payload", {{"n", n}}}}).status, 200);
    }
    const Json capped = HttpClient(hub.port(), bob).get("/api/mailbox/bob/unread").json();
    EXPECT_EQ(capped.at("count"), 10);
    EXPECT_EQ(capped.at("more"), true);
}

}  // namespace
}  // namespace agentcom::test

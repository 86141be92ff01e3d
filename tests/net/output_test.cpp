// What goes out: large answers, readers that are slow or do not read, messages of the largest size.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using core::Millis;

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::string get_request(const std::string& path, const std::string& token) {
    return "GET " + path + " HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + token + "\r\n\r\n";
}

std::unique_ptr<WsClient> join(Hub& hub, const std::string& agent, Json extra = Json::object()) {
    auto client = std::make_unique<WsClient>(hub.port());
    const Json answer = client->identify(agent, hub.create_token(agent), std::move(extra));
    EXPECT_EQ(answer.at("type"), "identified") << answer;
    return client;
}

/// Lets the hub work until the condition holds. False when patience runs out.
bool eventually(Hub& hub, const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        hub.settle();
    }
    return true;
}

/// Puts so many messages with payloads of this size into the channel "large".
void fill_channel(Hub& hub, int messages, std::size_t bytes) {
    HttpClient admin(hub.port(), hub.admin_token());
    ASSERT_EQ(admin.post("/api/channels", {{"name", "large"}}).status, 201);
    const Json body{{"payload", {{"text", std::string(bytes, 'x')}}}};
    for (int i = 0; i < messages; ++i) {
        ASSERT_EQ(admin.post("/api/channels/large/publish", body).status, 200);
    }
}

TEST(Output, ReadersThatDoNotReadCannotHoldMoreThanTheBudgetAndOthersAreServed) {
    HubSettings settings;
    settings.output_bytes = 16 * kMiB;
    Hub hub(std::move(settings));
    fill_channel(hub, 8, 500'000);
    const auto innocent = join(hub, "innocent");
    std::vector<std::unique_ptr<Socket>> sockets;
    for (int i = 0; i < 40; ++i) {
        sockets.push_back(std::make_unique<Socket>(hub.port()));
        // Each somebody else, so that it is not one's share that is used up first.
        sockets.back()->send(get_request("/api/channels/large/history?limit=200",
                                         hub.create_token("reader-" + std::to_string(i))));
        ASSERT_EQ(innocent->ask({{"type", "ping"}}).at("type"), "pong");
        // One answer may be appended before the budget is looked at.
        ASSERT_LE(hub.loops().output().used(), 16 * kMiB + 4 * kMiB);
    }
    // Those that are left may read what they asked for.
    EXPECT_TRUE(eventually(hub, [&] { return hub.open_connections() < 35; }));
    EXPECT_EQ(innocent->ask({{"type", "ping"}}).at("type"), "pong");
    sockets.clear();
    EXPECT_TRUE(eventually(hub, [&] { return hub.loops().output().used() == 0; }));
}

TEST(Output, OneAgentHoldsNoMoreThanItsShareOverAllItsConnections) {
    HubSettings settings;
    settings.output_bytes = 16 * kMiB;
    Hub hub(std::move(settings));
    fill_channel(hub, 8, 500'000);
    const std::string greedy = hub.create_token("greedy");
    std::vector<std::unique_ptr<Socket>> sockets;
    for (int i = 0; i < 20; ++i) {
        sockets.push_back(std::make_unique<Socket>(hub.port()));
        sockets.back()->send(get_request("/api/channels/large/history?limit=200", greedy));
    }
    HttpClient again(hub.port(), greedy);
    EXPECT_EQ(again.get("/api/channels/large/history?limit=200").status, 503);
    EXPECT_LE(hub.loops().output().used(), 5 * kMiB);
    HttpClient other(hub.port(), hub.create_token("other"));
    EXPECT_EQ(other.get("/api/channels/large/history?limit=200").status, 200);
    // What it had is not taken from it, and what it gives back it may have again.
    EXPECT_EQ(hub.open_connections(), 22U);
    sockets.clear();
    ASSERT_TRUE(hub.wait_for_connections(2));
    EXPECT_EQ(again.get("/api/channels/large/history?limit=200").status, 200);
}

TEST(Output, AnswersBehindAnUnfinishedWriteAreCountedAndStopTheReading) {
    Hub hub;
    const auto alice = join(hub, "alice", {{"presence", false}});
    std::vector<std::unique_ptr<WsClient>> others;
    for (int i = 0; i < 20; ++i) {
        others.push_back(join(hub, "other-" + std::to_string(i),
                              {{"presence", false}, {"name", std::string(4'000, 'n')}}));
    }
    // Asked without reading: two hundred answers of 80 KiB.
    for (int i = 0; i < 200; ++i) {
        alice->send({{"type", "message"}, {"to", "nobody"}, {"payload", i}});
        alice->send({{"type", "list_agents"}, {"ref", i}});
    }
    const auto innocent = join(hub, "innocent", {{"presence", false}});
    for (int i = 0; i < 50; ++i) {
        ASSERT_EQ(innocent->ask({{"type", "ping"}}).at("type"), "pong");
        ASSERT_LE(hub.loops().output().used(), 2 * kMiB);
    }
    for (int i = 0; i < 200; ++i) {
        ASSERT_EQ(alice->receive("agents").at("ref"), i);
    }
}

TEST(Output, ALargeReplyComesWholeOverAWebSocket) {
    Hub hub;
    fill_channel(hub, 5, 180'000);
    const auto alice = join(hub, "alice");
    for (int i = 0; i < 3; ++i) {
        const Json page = alice->ask(
            {{"type", "channel_history"}, {"channel", "large"}, {"limit", 200}, {"ref", i}});
        ASSERT_EQ(page.at("ref"), i);
        ASSERT_EQ(page.at("messages").size(), 5U);
        for (const Json& entry : page.at("messages")) {
            EXPECT_EQ(entry.at("message").at("payload").at("text"), std::string(180'000, 'x'));
        }
    }
    EXPECT_TRUE(eventually(hub, [&] { return hub.loops().output().used() == 0; }));
}

class Deadline : public ::testing::Test {
protected:
    static HubSettings settings() {
        HubSettings settings;
        settings.loops = 1;
        settings.limits.write_timeout = Millis(60'000);
        settings.limits.liveness_timeout = Millis(3'600'000);
        settings.limits.request_timeout = Millis(3'600'000);
        return settings;
    }
    /// Takes a little every twenty seconds of the hub's clock, until the hub has ended the
    /// connection or so many rounds are over.
    int take_slowly(Socket& socket, std::uint64_t others, int rounds) {
        for (int round = 0; round < rounds; ++round) {
            if (hub_.open_connections() <= others) return round;
            try {
                if (socket.receive_some().empty()) return round;
            } catch (const std::exception&) {
                return round;
            }
            hub_.pass(Millis(20'000));
        }
        return rounds;
    }
    Hub hub_{settings()};
};

TEST_F(Deadline, AnHttpClientThatTakesALittleNowAndThenIsCutOff) {
    fill_channel(hub_, 12, 1'000'000);
    Socket slow(hub_.port());
    ASSERT_TRUE(hub_.wait_for_connections(1));
    slow.send(get_request("/api/channels/large/history?limit=200", hub_.admin_token()));
    // Less than a minute, though never without progress for long.
    EXPECT_LE(take_slowly(slow, 0, 12), 5);
    EXPECT_TRUE(hub_.wait_for_connections(0));
    EXPECT_EQ(hub_.loops().output().used(), 0U);
}

class LargestMessage : public ::testing::Test {
protected:
    static constexpr std::size_t kFrame = 100'000;
    static constexpr std::size_t kPayload = kFrame - router::kFrameOverheadBytes;
    static HubSettings settings() {
        HubSettings settings;
        settings.limits.max_frame_bytes = kFrame;
        settings.limits.max_body_bytes = kMiB;
        return settings;
    }
    /// An object whose text has exactly this many bytes.
    static Json payload(std::size_t bytes) { return {{"t", std::string(bytes - 8, 'x')}}; }
    Hub hub_{settings()};
};

TEST_F(LargestMessage, FitsOneFrameInEveryForm) {
    ASSERT_EQ(payload(kPayload).dump().size(), kPayload);
    const std::string sender(128, 's');
    const std::string receiver(128, 'r');
    const std::string channel(64, 'c');
    const std::string token = hub_.create_token(receiver);
    HttpClient alice(hub_.port(), hub_.create_token(sender));
    HttpClient http(hub_.port(), token);
    ASSERT_EQ(alice.post("/api/channels", {{"name", channel}}).status, 201);
    ASSERT_EQ(http.post("/api/channels/" + channel + "/subscribe", Json::object()).status, 200);
    WsClient live(hub_.port());
    ASSERT_EQ(live.identify(receiver, token).at("type"), "identified");
    // Control characters, and quotes where those are refused, are what grows most as JSON.
    const Json common{{"payload", payload(kPayload)},
                      {"message_type", std::string(128, '\1')},
                      {"type", std::string(128, '\1')},
                      {"reply_to", std::string(128, '"')}};
    Json direct = common;
    direct["to"] = receiver;
    ASSERT_EQ(alice.post("/api/message", direct).status, 200);
    EXPECT_LE(live.receive("message").dump().size(), kFrame);
    ASSERT_EQ(alice.post("/api/channels/" + channel + "/publish", common).status, 200);
    EXPECT_LE(live.receive("channel_message").dump().size(), kFrame);
    const Json page = live.ask({{"type", "channel_history"},
                                {"channel", channel},
                                {"limit", 1},
                                {"ref", std::string(254, 'f')}});
    EXPECT_EQ(page.at("messages").size(), 1U);
    EXPECT_LE(page.dump().size(), kFrame);
    const Json mailbox = http.get("/api/mailbox/" + receiver + "?since=0").json();
    for (const Json& message : mailbox.at("messages")) EXPECT_LE(message.dump().size(), kFrame);
    const Json history = http.get("/api/messages").json();
    ASSERT_EQ(history.at("messages").size(), 2U);
    for (const Json& message : history.at("messages")) EXPECT_LE(message.dump().size(), kFrame);
}

TEST_F(LargestMessage, OneByteMoreIsRefusedWhateverTheTransport) {
    HttpClient alice(hub_.port(), hub_.create_token("alice"));
    ASSERT_EQ(alice.post("/api/channels", {{"name", "dev"}}).status, 201);
    const Json body{{"to", "bob"}, {"payload", payload(kPayload + 1)}};
    for (const char* path : {"/api/message", "/api/channels/dev/publish"}) {
        const auto answer = alice.post(path, body);
        EXPECT_EQ(answer.status, 413) << path;
        EXPECT_EQ(answer.json().at("error"), "payload_too_large") << path;
    }
    WsClient live(hub_.port());
    ASSERT_EQ(live.identify("bob", hub_.create_token("bob")).at("type"), "identified");
    const Json direct{{"type", "message"}, {"to", "alice"}, {"payload", payload(kPayload + 1)}};
    EXPECT_EQ(live.ask(direct).at("error"), "payload_too_large");
    const Json publish{
        {"type", "channel_publish"}, {"channel", "dev"}, {"payload", payload(kPayload + 1)}};
    EXPECT_EQ(live.ask(publish).at("error"), "payload_too_large");
}

TEST(Output, AFrameLargerThanTheOutboxReachesAReceiverThatReads) {
    HubSettings settings;
    settings.limits.outbox.max_bytes = 64 * 1024;
    Hub hub(std::move(settings));
    const auto bob = join(hub, "bob");
    HttpClient alice(hub.port(), hub.create_token("alice"));
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(
            alice.post("/api/message", {{"to", "bob"}, {"payload", std::string(1'000'000, 'x')}})
                .status,
            200);
        EXPECT_EQ(bob->receive("message").at("payload").get<std::string>().size(), 1'000'000U);
    }
}

}  // namespace
}  // namespace agentcom::test

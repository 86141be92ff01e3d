// WebSocket against a live endpoint: framing, order, back pressure, closing, time-outs.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using core::Millis;

class WebSocket : public ::testing::Test {
protected:
    std::unique_ptr<WsClient> join(const std::string& agent, Json extra = Json::object()) {
        auto client = std::make_unique<WsClient>(hub_.port());
        const Json answer = client->identify(agent, hub_.create_token(agent), std::move(extra));
        EXPECT_EQ(answer.at("type"), "identified") << answer;
        return client;
    }
    static HubSettings settings() {
        HubSettings settings;
        settings.limits.max_frame_bytes = 100'000;
        settings.limits.outbox.max_bytes = 256 * 1024;
        return settings;
    }
    Hub hub_{settings()};
};

TEST_F(WebSocket, RepeatsTheRefOfEveryRequest) {
    const auto alice = join("alice");
    EXPECT_EQ(alice->ask({{"type", "ping"}, {"ref", "x"}}).at("ref"), "x");
    EXPECT_EQ(alice->ask({{"type", "dance"}, {"ref", 7}}).at("ref"), 7);
}

TEST_F(WebSocket, RepliesLeaveInTheOrderOfTheRequestsHoweverManyAreInFlight) {
    const auto alice = join("alice", {{"echo", false}});
    constexpr int kRequests = 2'000;
    for (int i = 0; i < kRequests; ++i) {
        Json frame{{"ref", i}};
        switch (i % 4) {
            case 0:
                frame["type"] = "ping";
                break;
            case 1:
                frame["type"] = "list_channels";
                break;
            case 2:
                frame["type"] = "dance";
                break;
            default:
                frame["type"] = "message";
                frame["to"] = "bob";
                frame["payload"] = {{"n", i}};
        }
        alice->send(frame);
    }
    for (int i = 0; i < kRequests; ++i) ASSERT_EQ(alice->receive().at("ref"), i);
}

TEST_F(WebSocket, AReadSeesTheWritesThatWereSentBeforeIt) {
    const auto alice = join("alice");
    HttpClient http(hub_.port(), hub_.admin_token());
    ASSERT_EQ(http.post("/api/channels", {{"name", "dev"}}).status, 201);
    for (int round = 1; round <= 20; ++round) {
        for (int i = 0; i < 5; ++i) {
            alice->send({{"type", "channel_publish"}, {"channel", "dev"}, {"payload", {{"n", i}}}});
        }
        alice->send({{"type", "channel_history"}, {"channel", "dev"}, {"limit", 200}});
        const Json history = alice->receive("channel_history");
        ASSERT_EQ(history.at("messages").size(), static_cast<std::size_t>(round * 5));
    }
}

TEST_F(WebSocket, WhoAsksWithoutListeningIsNotReadFromAndLosesNothing) {
    const auto alice = join("alice");
    constexpr int kRequests = 60'000;
    std::thread sender([&] {
        for (int i = 0; i < kRequests; ++i) {
            alice->send_text(R"({"type":"list_agents","ref":)" + std::to_string(i) + "}");
        }
    });
    // Answers far beyond what the sockets hold are waiting before the first is read.
    sender.join();
    for (int i = 0; i < kRequests; ++i) ASSERT_EQ(alice->receive().at("ref"), i);
}

TEST_F(WebSocket, BinaryFramesAreAnErrorAndTheConnectionStays) {
    const auto alice = join("alice");
    alice->send_frame(0x2, R"({"type":"ping"})");
    EXPECT_EQ(alice->receive().at("error"), "binary_not_supported");
    EXPECT_EQ(alice->ask({{"type", "ping"}}).at("type"), "pong");
}

TEST_F(WebSocket, EmptyAndBrokenTextIsInvalidJson) {
    const auto alice = join("alice");
    for (const char* text : {"", "{oops", "\xff"}) {
        if (std::string_view(text) == "\xff") continue;
        alice->send_text(text);
        EXPECT_EQ(alice->receive().at("error"), "invalid_json") << text;
    }
}

TEST_F(WebSocket, TextThatIsNotUtf8EndsTheConnection) {
    const auto alice = join("alice");
    const auto bob = join("bob");
    alice->send_text("{\"type\":\"\xff\"}");
    EXPECT_EQ(alice->wait_closed().code, 1007);
    EXPECT_EQ(bob->ask({{"type", "ping"}}).at("type"), "pong");
}

TEST_F(WebSocket, AFrameThatIsTooBigClosesWith1009) {
    const auto alice = join("alice");
    alice->send_text(std::string(100'001, ' '));
    EXPECT_EQ(alice->wait_closed().code, 1009);
}

TEST_F(WebSocket, TheLargestFrameIsStillRead) {
    const auto alice = join("alice");
    std::string text = R"({"type":"ping","padding":")";
    text += std::string(100'000 - text.size() - 2, 'x') + "\"}";
    alice->send_text(text);
    EXPECT_EQ(alice->receive().at("type"), "pong");
}

TEST_F(WebSocket, BeforeIdentifyAFrameIsSmallAndAfterwardsItIsNot) {
    HubSettings settings;
    settings.limits.max_unidentified_frame_bytes = 2'000;
    Hub hub(settings);
    const std::string token = hub.create_token("alice");
    const auto padded = [](Json frame, std::size_t size) {
        frame["padding"] = "";
        frame["padding"] = std::string(size - frame.dump().size(), 'x');
        return frame.dump();
    };
    const Json identify{{"type", "identify"}, {"agent_id", "alice"}, {"token", token}};
    WsClient fits(hub.port());
    // What follows at once is read with the limit of those who are known.
    fits.send_text(padded(identify, 2'000));
    fits.send_text(padded({{"type", "ping"}}, 200'000));
    EXPECT_EQ(fits.receive("identified").at("agent_id"), "alice");
    EXPECT_EQ(fits.receive("pong").at("type"), "pong");
    WsClient large(hub.port());
    large.send_text(padded(identify, 2'001));
    EXPECT_EQ(large.wait_closed().code, 1009);
}

TEST_F(WebSocket, StrangersWhoKeepTalkingAreToldToSlowDownAndClosed) {
    HubSettings settings;
    settings.limits.anonymous_requests_per_second = 1;  // 20 from loopback
    Hub hub(settings);
    WsClient stranger(hub.port());
    for (int i = 0; i < 30; ++i) stranger.send({{"type", "ping"}});
    int refused = 0;
    while (stranger.receive().at("error") == "not_identified") ++refused;
    EXPECT_EQ(refused, 20);  // the last of them was one too many
    EXPECT_EQ(stranger.wait_closed().code, 4008);
}

TEST_F(WebSocket, ControlAndBinaryFramesOfStrangersCountAsWell) {
    for (const unsigned opcode : {0x2U, 0x9U, 0xAU}) {
        HubSettings settings;
        settings.limits.anonymous_requests_per_second = 1;  // 20 from loopback
        Hub hub(settings);
        WsClient stranger(hub.port());
        for (int i = 0; i < 30; ++i) stranger.send_frame(opcode, "x");
        EXPECT_EQ(stranger.wait_closed().code, 4008) << opcode;
        EXPECT_EQ(HttpClient(hub.port()).get("/health").status, 429) << opcode;
    }
}

TEST_F(WebSocket, MessagesThatAreNotCompleteCountForTheirAddressAndTheirAgent) {
    HubSettings settings;
    settings.limits.max_frame_bytes = 20'000;
    settings.limits.max_body_bytes = 1'000;
    settings.limits.max_unidentified_frame_bytes = 20'000;
    settings.limits.input_bytes = 0;  // so as much as the largest request may take, about 170 kB
    Hub hub(settings);
    const std::string begun =
        std::string("\x81\xfe\x4e\x20", 4) + std::string(4, '\0') + std::string(19'000, ' ');
    std::vector<std::unique_ptr<WsClient>> strangers;
    for (int i = 0; i < 20; ++i) {
        strangers.push_back(std::make_unique<WsClient>(hub.port()));
        strangers.back()->send_raw(begun);
    }
    const auto refused = [&] {
        return std::ranges::count_if(strangers, [](const auto& s) { return s->has_input(); });
    };
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (refused() < 11 && std::chrono::steady_clock::now() < deadline) hub.settle();
    EXPECT_GE(refused(), 11);
    const auto first =
        std::ranges::find_if(strangers, [](const auto& s) { return s->has_input(); });
    ASSERT_NE(first, strangers.end());
    EXPECT_EQ((*first)->receive().at("error"), "overloaded");
    EXPECT_EQ((*first)->wait_closed().code, 1001);
    // What came in one piece was never counted, and the others' end gives everything back.
    strangers.clear();
    ASSERT_TRUE(hub.wait_for_connections(0));
    WsClient alice(hub.port());
    ASSERT_EQ(alice.identify("alice", hub.create_token("alice")).at("type"), "identified");
    alice.send_raw(begun);
    alice.send_raw(std::string(1'000, ' '));
    EXPECT_EQ(alice.receive().at("error"), "invalid_json");
}

TEST_F(WebSocket, FragmentsAndControlFramesBetweenThemAreOneMessage) {
    WsClient client(hub_.port());
    const auto frame = [](int first, std::string_view payload) {
        std::string out{static_cast<char>(first), static_cast<char>(0x80U | payload.size())};
        out += std::string(4, '\0');  // a mask that changes nothing
        return out + std::string(payload);
    };
    client.send_raw(frame(0x01, R"({"type":)") + frame(0x89, "hi") + frame(0x80, R"("ping"})"));
    EXPECT_EQ(client.receive().at("error"), "not_identified");
}

TEST_F(WebSocket, ASecondIdentifyChangesNothing) {
    const auto alice = join("alice");
    EXPECT_EQ(alice->identify("alice", hub_.create_token("alice")).at("error"),
              "already_identified");
    EXPECT_EQ(alice->ask({{"type", "ping"}}).at("type"), "pong");
}

TEST_F(WebSocket, ANewerConnectionTakesOver) {
    const auto older = join("alice");
    const auto bob = join("bob");
    const auto newer = join("alice");
    const auto closed = older->wait_closed();
    EXPECT_EQ(closed.code, 4000);
    EXPECT_EQ(closed.reason, "replaced");
    EXPECT_EQ(bob->ask({{"type", "list_agents"}}).at("agents").size(), 2U);
}

TEST_F(WebSocket, ARevokedTokenEndsItsConnection) {
    const auto alice = join("alice");
    HttpClient admin(hub_.port(), hub_.admin_token());
    EXPECT_EQ(admin.request("DELETE", "/admin/tokens/alice").status, 200);
    EXPECT_EQ(alice->wait_closed().code, 4001);
}

TEST_F(WebSocket, OthersHearWhenAConnectionIsCut) {
    const auto bob = join("bob");
    join("alice")->cut();
    EXPECT_EQ(bob->receive("agent_left").at("agent_id"), "alice");
}

TEST_F(WebSocket, AnOrderlyCloseIsAnsweredWithItsCode) {
    auto alice = join("alice");
    alice->send_frame(0x8, std::string("\x03\xe8", 2));
    EXPECT_EQ(alice->wait_closed().code, 1000);
    alice.reset();
    EXPECT_TRUE(hub_.wait_for_connections(0));
}

TEST_F(WebSocket, WhoNeverIdentifiesIsClosedAlsoAThousandAtOnce) {
    std::vector<std::unique_ptr<WsClient>> silent;
    for (int i = 0; i < 1'000; ++i) silent.push_back(std::make_unique<WsClient>(hub_.port()));
    const auto alice = join("alice");
    hub_.pass(Millis{11'000});
    for (const auto& client : silent) {
        EXPECT_EQ(client->receive().at("error"), "identify_timeout");
        ASSERT_EQ(client->wait_closed().code, 4002);
    }
    silent.clear();
    EXPECT_TRUE(hub_.wait_for_connections(1));
    EXPECT_EQ(alice->ask({{"type", "ping"}}).at("type"), "pong");
}

TEST_F(WebSocket, ASilentConnectionIsPingedAndThenClosedAsStale) {
    const auto alice = join("alice");
    hub_.pass(Millis{62'000});
    EXPECT_EQ(alice->wait_closed().code, 4003);
}

TEST_F(WebSocket, WhoAnswersPingsStaysHoweverLongItHasNothingToSay) {
    const auto alice = join("alice");
    for (int i = 0; i < 4; ++i) {
        hub_.pass(Millis{31'000});
        // The client answers the ping on the way to this answer.
        EXPECT_EQ(alice->ask({{"type", "ping"}}).at("type"), "pong");
    }
}

TEST_F(WebSocket, ATimeInWhichTheHubItselfWasHeldUpIsHeldAgainstNobody) {
    const auto alice = join("alice");
    WsClient unknown(hub_.port());
    hub_.pass(Millis{5'000});
    for (int i = 0; i < 3; ++i) {
        hub_.clock().advance(Millis{3'600'000});
        hub_.endpoint().sweep();
        hub_.settle();
    }
    EXPECT_EQ(alice->ask({{"type", "ping"}}).at("type"), "pong");
    EXPECT_EQ(unknown.ask({{"type", "ping"}}).at("error"), "not_identified");
    // The stalls counted for a second each; what is left of the ten still ends.
    hub_.pass(Millis{3'000});
    EXPECT_EQ(unknown.receive().at("error"), "identify_timeout");
}

TEST_F(WebSocket, APingIsSentOnceHalfTheTimeHasPassed) {
    Socket socket(hub_.port());
    socket.send(
        "GET /ws?token=ignored HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\n"
        "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n");
    std::string got;
    const auto read_until = [&](std::string_view what) {
        while (got.find(what) == std::string::npos) {
            const std::string some = socket.receive_some();
            if (some.empty()) return false;
            got += some;
        }
        return true;
    };
    ASSERT_TRUE(read_until("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));  // the example of RFC 6455, 1.3
    const std::string token = hub_.create_token("alice");
    // Long enough for the two-byte form of the length.
    const std::string text =
        R"({"type":"identify","agent_id":"alice","status":"reading","token":")" + token + R"("})";
    const std::string frame{'\x81', '\xfe', static_cast<char>(text.size() >> 8),
                            static_cast<char>(text.size() & 0xff)};
    socket.send(frame + std::string(4, '\0') + text);
    ASSERT_TRUE(read_until("\"identified\""));
    hub_.pass(Millis{31'000});
    EXPECT_TRUE(read_until(std::string_view("\x89\x00", 2)));
}

TEST_F(WebSocket, ASlowConsumerIsClosedAndItsMailboxKeepsTheRest) {
    const auto alice = join("alice");
    const auto bob = join("bob");
    constexpr int kMessages = 1'000;
    const std::string padding(30'000, 'x');
    for (int i = 0; i < kMessages; ++i) {
        const Json sent = bob->ask(
            {{"type", "message"}, {"to", "alice"}, {"payload", {{"n", i}, {"padding", padding}}}});
        ASSERT_EQ(sent.at("type"), "message_sent");
    }
    hub_.pass(Millis{61'000});
    EXPECT_EQ(alice->wait_closed().code, 4004);
    const std::size_t received = static_cast<std::size_t>(
        std::ranges::count_if(alice->others, [](const Json& f) { return f["type"] == "message"; }));
    EXPECT_LT(received, static_cast<std::size_t>(kMessages));
    HttpClient http(hub_.port(), hub_.create_token("alice"));
    // A page holds so many bytes; the next one goes on behind it.
    Json page;
    std::string since = "0";
    do {
        page = http.get("/api/mailbox/alice?limit=1000&since=" + since).json();
        ASSERT_FALSE(page.at("messages").empty());
        since = std::to_string(page.at("last_seq").get<std::uint64_t>());
    } while (page.contains("more"));
    EXPECT_EQ(page.at("messages").back().at("payload").at("n"), kMessages - 1);
}

}  // namespace
}  // namespace agentcom::test

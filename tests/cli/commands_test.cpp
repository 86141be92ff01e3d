// The client's commands against a real hub: what they print, and the status they end with.
#include <gtest/gtest.h>

#include <atomic>
#include <csignal>

#include "cli/support/client_fixture.hpp"
#include "cli/support/stand_in.hpp"

namespace agentcom::cli {
namespace {

class Commands : public ClientTest {
protected:
    void SetUp() override {
        serve();
        alice_ = as(token("alice"));
        bob_ = as(token("bob"));
    }
    json send_to_bob(const std::string& text) {
        const Ran ran = run({"send", "bob", text, "--json"}, alice_);
        EXPECT_EQ(ran.status, 0) << ran.errors;
        return ran.line();
    }
    std::vector<std::string> alice_;
    std::vector<std::string> bob_;
};

TEST_F(Commands, AMessageIsSentPolledAnsweredAndAcknowledged) {
    const Ran sent = run({"send", "bob", "are", "you there?"}, alice_);
    EXPECT_EQ(sent.status, 0) << sent.errors;
    EXPECT_NE(sent.output.find(" to bob (queued: bob is not connected)\n"), std::string::npos);

    const Ran polled = run({"poll"}, bob_);
    EXPECT_EQ(polled.status, 0);
    EXPECT_NE(polled.output.find("  alice to bob  seq 1  id "), std::string::npos) << polled.output;
    EXPECT_NE(polled.output.find("\n    are you there?\n"), std::string::npos);

    const json message = run({"poll", "--json"}, bob_).line();
    EXPECT_EQ(message["from"], "alice");
    EXPECT_EQ(message["payload"], (json{{"text", "are you there?"}}));
    const json answer = run({"send", "alice", "yes", "--type", "answer", "--reply-to",
                             message["id"].get<std::string>(), "--json"},
                            bob_)
                            .line();
    EXPECT_EQ(answer["status"], "sent");
    const auto thread = run({"thread", answer["id"].get<std::string>(), "--json"}, bob_).lines();
    ASSERT_EQ(thread.size(), 2U);
    EXPECT_EQ(thread[0]["id"], message["id"]);
    EXPECT_EQ(thread[1]["type"], "answer");

    const Ran acked = run({"ack", message["seq"].dump()}, bob_);
    EXPECT_EQ(acked.output, "acknowledged up to 1\n");
    EXPECT_EQ(run({"poll"}, bob_).output, "no unread messages\n");
    EXPECT_EQ(run({"poll", "--json"}, bob_).output, "");
}

TEST_F(Commands, TextComesFromWordsAFileOrStandardInput) {
    std::ofstream(directory_ / "text") << "from a file\nwith two lines\n";
    EXPECT_EQ(run({"send", "bob"}, alice_, "from standard input\n").status, 0);
    EXPECT_EQ(run({"send", "bob", "-"}, alice_, "\xC3\xA9").status, 0);
    EXPECT_EQ(run({"send", "bob", "--file", directory_ / "text"}, alice_).status, 0);
    EXPECT_EQ(run({"send", "bob", "--", "--file"}, alice_).status, 0);
    EXPECT_EQ(run({"send", "bob", "--payload", R"({"n": 1.50, "huge": 1e999})"}, alice_).status, 2)
        << "a number that nobody can read";
    EXPECT_EQ(run({"send", "bob", "--payload", R"({"n": 1.50})"}, alice_).status, 0);
    const auto messages = run({"poll", "--json", "--ack"}, bob_).lines();
    ASSERT_EQ(messages.size(), 5U);
    EXPECT_EQ(messages[0]["payload"]["text"], "from standard input");
    EXPECT_EQ(messages[1]["payload"]["text"], "\xC3\xA9");
    EXPECT_EQ(messages[2]["payload"]["text"], "from a file\nwith two lines");
    EXPECT_EQ(messages[3]["payload"]["text"], "--file");
    EXPECT_EQ(messages[4]["payload"], (json{{"n", 1.5}}));
    EXPECT_EQ(run({"poll"}, bob_).output, "no unread messages\n") << "--ack acknowledged them";

    for (const std::vector<std::string>& wrong :
         {std::vector<std::string>{"send", "bob", "x", "--file", "y"},
          {"send", "bob", "--payload", "{\"a\":1},\"to\":\"eve\",\"b\":{}"},
          {"send"},
          {"ack"},
          {"ack", "1", "--all"},
          {"ack", "x"},
          {"history", "--since", "1"},
          {"poll", "--limit", "0"},
          {"completion", "csh"}}) {
        EXPECT_EQ(run(wrong, alice_).status, 2) << wrong.back();
    }
    const Ran bytes = run({"send", "bob", "\xFF"}, alice_);
    EXPECT_EQ(bytes.status, 1);
    expect_complaint(bytes.errors, "not UTF-8");
    EXPECT_EQ(run({"send", "bob", "--file", directory_ / "none"}, alice_).status, 1);
}

TEST_F(Commands, APollSaysWhatItLeavesOut) {
    for (int i = 0; i < 3; ++i) {
        send_to_bob(std::to_string(i));
    }
    const Ran first = run({"poll", "--limit", "2", "--json"}, bob_);
    EXPECT_EQ(first.lines().size(), 2U);
    expect_complaint(first.errors, "--since 2");
    EXPECT_EQ(run({"poll", "--since", "2", "--json"}, bob_).line()["seq"], 3);
    const Ran acked = run({"ack", "--all"}, bob_);
    EXPECT_EQ(acked.output, "3 acknowledged\n") << acked.errors;
    EXPECT_EQ(run({"ack", "--all", "--json"}, bob_).line()["up_to"], 0);
    EXPECT_EQ(run({"poll"}, bob_).output, "no unread messages\n");
}

TEST_F(Commands, ChannelsAreMadeSubscribedPublishedAndRead) {
    const Ran none = run({"publish", "build", "x"}, alice_);
    EXPECT_EQ(none.status, 7);
    expect_complaint(none.errors, "channel_not_found");
    EXPECT_EQ(run({"subscribe", "build"}, bob_).status, 7);
    EXPECT_EQ(run({"subscribe", "build", "--create"}, bob_).output, "subscribed #build\n");
    EXPECT_EQ(run({"subscribe", "build"}, bob_).output, "already subscribed #build\n");
    EXPECT_EQ(run({"publish", "build", "--create", "green"}, alice_).status, 0);
    const json second = run({"publish", "build", "red", "--json"}, alice_).line();
    EXPECT_EQ(second["seq"], 2);

    const auto history = run({"history", "build", "--json"}, alice_).lines();
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history[1]["channel_seq"], 2);
    EXPECT_EQ(history[1]["payload"]["text"], "red");
    EXPECT_EQ(run({"history", "build", "--limit", "1", "--json"}, alice_).line(), history[1]);
    EXPECT_EQ(run({"history", "build", "--before", "2", "--json"}, alice_).line(), history[0]);
    EXPECT_NE(run({"poll"}, bob_).output.find("alice in #build  number 1  seq "),
              std::string::npos);

    EXPECT_EQ(run({"channels", "--mine"}, bob_).output, "#build\n");
    EXPECT_EQ(run({"channels", "--json"}, alice_).line()["subscriber_count"], 1);
    EXPECT_NE(run({"channels"}, alice_).output.find("1 subscribed"), std::string::npos);
    EXPECT_EQ(run({"unsubscribe", "build"}, bob_).output, "unsubscribed #build\n");
    EXPECT_EQ(run({"channels", "--mine"}, bob_).output, "no subscriptions\n");
}

TEST_F(Commands, TheHistoryOfEverythingIsFilteredAndTheNewestWin) {
    for (int i = 0; i < 5; ++i) {
        send_to_bob(std::to_string(i));
    }
    EXPECT_EQ(run({"send", "broadcast", "all"}, bob_).output.find("sent "), 0U);
    const auto from_alice =
        run({"history", "--from", "alice", "--limit", "2", "--json"}, bob_).lines();
    ASSERT_EQ(from_alice.size(), 2U);
    EXPECT_EQ(from_alice[0]["payload"]["text"], "3");
    EXPECT_EQ(from_alice[1]["payload"]["text"], "4");
    EXPECT_EQ(run({"history", "--json"}, bob_).lines().size(), 6U);
    EXPECT_NE(run({"history"}, bob_).output.find("  bob to everyone  "), std::string::npos);
}

TEST_F(Commands, WhoOneIsAndHowTheHubFares) {
    const Ran me = run({"whoami"}, bob_);
    EXPECT_EQ(me.output.find("agent    bob (agent)\n"), 0U) << me.output;
    EXPECT_EQ(run({"whoami", "--json"}, bob_).line()["agent_id"], "bob");
    send_to_bob("x");
    const json status = run({"status", "--json"}, bob_).line();
    EXPECT_EQ(status["health"]["status"], "ok");
    EXPECT_EQ(status["unread"]["count"], 1);
    EXPECT_NE(run({"status"}, bob_).output.find("unread   1\n"), std::string::npos);
    const Ran nobody = run({"status"}, {"AGENTCOM_URL=" + url_, "HOME=" + home()});
    EXPECT_EQ(nobody.status, 0);
    EXPECT_NE(nobody.output.find("there is no token"), std::string::npos);
    EXPECT_EQ(run({"agents"}, bob_).output, "no agent is connected\n");
}

TEST_F(Commands, TheStatusSaysWhatWentWrong) {
    const Ran refused = run({"send", "not an agent", "x"}, alice_);
    EXPECT_EQ(refused.status, 7);
    expect_complaint(refused.errors, "invalid_recipient");
    const Ran wrong_token = run({"poll"}, as(std::string(64, '0')));
    EXPECT_EQ(wrong_token.status, 6);
    expect_complaint(wrong_token.errors, "AGENTCOM_TOKEN");
    EXPECT_EQ(wrong_token.errors.find("0000"), std::string::npos);
    const Ran no_token = run({"poll"}, {"AGENTCOM_URL=" + url_, "HOME=" + home()});
    EXPECT_EQ(no_token.status, 6);
    const Ran half_token = run({"poll"}, as("abc"));
    EXPECT_EQ(half_token.status, 1);
    EXPECT_EQ(half_token.errors.find("abc"), std::string::npos);
    EXPECT_EQ(run({"thread", "nope"}, bob_).status, 7);
    EXPECT_EQ(run({"poll", "--url", "localhost"}, bob_).status, 1);
    stop();
    const Ran gone = run({"poll"}, bob_);
    EXPECT_EQ(gone.status, 5);
    expect_complaint(gone.errors, url_);
}

TEST_F(Commands, AMessageIsShownWithoutWhatItWouldDoToTheTerminal) {
    send_to_bob(
        "\x1b]0;title\x07\xC2\x9B"
        "2Jnext\n    agentcom: forged");
    for (const std::vector<std::string>& arguments :
         {std::vector<std::string>{"poll"}, {"poll", "--json"}, {"history"}}) {
        const Ran ran = run(arguments, bob_);
        for (const char c : ran.output) {
            EXPECT_TRUE(c == '\n' || (c >= ' ' && c < 0x7F)) << static_cast<int>(c);
        }
    }
    EXPECT_EQ(run({"poll", "--json"}, bob_).line()["payload"]["text"],
              "\x1b]0;title\x07\xC2\x9B"
              "2Jnext\n    agentcom: forged");
}

TEST_F(Commands, TheSameKeyIsTheSameMessage) {
    const std::vector<std::string> command{"send", "bob", "once", "--json", "--idempotency-key",
                                           "k"};
    EXPECT_EQ(run(command, alice_).line()["id"], run(command, alice_).line()["id"]);
    EXPECT_EQ(run({"poll", "--json"}, bob_).lines().size(), 1U);
}

TEST(SendCommand, WhatWasNotAnsweredIsSentAgainWithTheSameKey) {
    std::atomic<int> count{0};
    StandIn server([&](const StandIn::Request&, const StandIn::Peer& peer) {
        if (count++ == 0) {
            return false;  // taken, perhaps, and not answered
        }
        if (count == 2) {
            peer.answer(503, "application/json", R"({"error":"shutting_down"})");
        } else {
            peer.answer(200, "application/json", R"({"id":"x","delivery":"queued","seq":1})");
        }
        return true;
    });
    test::Program program(
        {"send", "bob", "hi", "--json"},
        {"AGENTCOM_URL=" + server.url(), "AGENTCOM_TOKEN=" + std::string(64, 'a')});
    EXPECT_EQ(program.wait(), 0) << program.errors();
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 3U);
    const auto key = json::parse(requests[0].body).at("idempotency_key");
    EXPECT_GE(key.get<std::string>().size(), 16U);
    EXPECT_EQ(requests[1].body, requests[0].body);
    EXPECT_EQ(requests[2].body, requests[0].body);
}

}  // namespace
}  // namespace agentcom::cli

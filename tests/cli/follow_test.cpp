// Commands that stay: `listen`, `wait` and `tail`, across restarts of a real hub.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <memory>

#include "cli/support/client_fixture.hpp"
#include "cli/support/stand_in.hpp"

namespace agentcom::cli {
namespace {

class Follow : public ClientTest {
protected:
    void SetUp() override {
        serve();
        alice_ = as(token("alice"));
        bob_ = as(token("bob"));
    }
    void send(const std::string& text) const {
        const Ran ran = run({"send", "bob", text}, alice_);
        EXPECT_EQ(ran.status, 0) << ran.errors;
    }
    [[nodiscard]] std::size_t unread() const {
        return run({"poll", "--json"}, bob_).lines().size();
    }
    std::vector<std::string> alice_;
    std::vector<std::string> bob_;
};

TEST_F(Follow, ListenPrintsWhatWaitsAndWhatComes) {
    send("first");
    const auto listener = start({"listen", "--count", "2"}, bob_);
    (void)listener->wait_for_output("first");
    send("second");
    EXPECT_EQ(listener->wait(), 0) << listener->errors();
    EXPECT_NE(listener->output().find("\n    second\n"), std::string::npos);
    EXPECT_EQ(unread(), 2U) << "nothing was acknowledged";
    EXPECT_EQ(run({"listen", "--since", "1", "--count", "1", "--json"}, bob_).line()["seq"], 2);
    EXPECT_EQ(run({"listen", "--count", "2", "--ack", "--json"}, bob_).lines().size(), 2U);
    EXPECT_EQ(unread(), 0U);
}

TEST_F(Follow, ListenOutlivesTheHubAndMissesNothing) {
    const auto listener = start({"listen", "--ack", "--json"}, bob_);
    for (int round = 0; round < 3; ++round) {
        const std::string before = "before " + std::to_string(round);
        send(before);
        (void)listener->wait_for_output(before);
        round == 1 ? kill() : stop();
        (void)listener->wait_for_line("trying again");
        serve();
        const std::string after = "after " + std::to_string(round);
        send(after);
        (void)listener->wait_for_output(after);
    }
    listener->signal(SIGTERM);
    EXPECT_EQ(listener->wait(), 128 + SIGTERM);
    const Ran whole{0, listener->output(), ""};
    EXPECT_EQ(whole.lines().size(), 6U) << "each once: " << listener->output();
}

TEST_F(Follow, ListenRunsACommandForEachMessageAndAcknowledgesWhatItDid) {
    const std::string inbox = directory_ / "inbox";
    send("one");
    send("two");
    EXPECT_EQ(run({"listen", "--count", "2", "--exec", "cat >>'" + inbox + "'"}, bob_).status, 0);
    EXPECT_EQ(unread(), 0U);
    std::ifstream stream(inbox);
    std::string line;
    ASSERT_TRUE(std::getline(stream, line));
    EXPECT_EQ(json::parse(line)["payload"]["text"], "one");

    send("three");
    send("four");
    const Ran failed = run({"listen", "--exec", "grep -q three"}, bob_);  // which four is not
    EXPECT_EQ(failed.status, 9);
    expect_complaint(failed.errors, "ended with 1; its message, number 4, stays unread");
    EXPECT_EQ(run({"poll", "--json"}, bob_).line()["payload"]["text"], "four");
    // One that does not look at its input is as good.
    EXPECT_EQ(run({"listen", "--count", "1", "--exec", "exec true"}, bob_).status, 0);
    EXPECT_EQ(unread(), 0U);
}

TEST_F(Follow, ListenEndsWhenTheTokenIsRevoked) {
    const auto listener = start({"listen"}, bob_);
    send("x");
    (void)listener->wait_for_output("x");
    EXPECT_EQ(run({"token", "revoke", "bob", "--data-dir", data()}, {}).status, 0);
    EXPECT_EQ(listener->wait(), 6) << listener->errors();
}

TEST_F(Follow, ListenAcknowledgesNothingThatCouldNotBeWritten) {
    send("x");
    std::string command = "'" + test::built_binary() + "' listen --ack >/dev/full 2>'" +
                          (directory_ / "errors") + "'";
    for (const std::string& variable : bob_) {
        command = "export '" + variable + "'; " + command;
    }
    EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
    std::ifstream stream(directory_ / "errors");
    std::string line;
    std::getline(stream, line);
    EXPECT_NE(line.find("cannot write to standard output"), std::string::npos) << line;
    EXPECT_EQ(unread(), 1U);
}

TEST_F(Follow, WaitSaysThatThereIsMail) {
    const auto waiter = start({"wait"}, bob_);
    send("x");
    EXPECT_EQ(waiter->wait(), 0) << waiter->errors();
    EXPECT_EQ(waiter->output(), "1 unread, from alice\n");
    const json unread = run({"wait", "--json"}, bob_).line();
    EXPECT_EQ(unread["count"], 1);
    EXPECT_EQ(unread["senders"], json::array({"alice"}));
    // What was seen before does not count.
    EXPECT_EQ(run({"wait", "--since", "1", "--timeout", "0.1"}, bob_).status, 4);
    const auto newer = start({"wait", "--since", "1"}, bob_);
    send("y");
    EXPECT_EQ(newer->wait(), 0);
    EXPECT_EQ(this->unread(), 2U) << "waiting reads nothing";
}

TEST_F(Follow, WaitSaysHowItEndedOtherwise) {
    const Ran late = run({"wait", "--timeout", "0.2"}, bob_);
    EXPECT_EQ(late.status, 4);
    expect_complaint(late.errors, "no mail");
    EXPECT_EQ(run({"wait", "--timeout", "0"}, bob_).status, 4);
    EXPECT_EQ(run({"wait"}, as(std::string(64, '0'))).status, 6);
    stop();
    EXPECT_EQ(run({"wait"}, bob_).status, 5);
}

/// A hub whose first streams end before anything has come.
class HubThatComesBack {
public:
    explicit HubThatComesBack(int empty_streams) : empty_streams_(empty_streams) {}
    [[nodiscard]] StandIn& server() { return server_; }

private:
    bool answer(const StandIn::Request& request, const StandIn::Peer& peer) {
        if (request.line.find("/unread") != std::string::npos) {
            peer.answer(200, "application/json",
                        streams_ <= empty_streams_
                            ? R"({"count":0,"senders":[],"last_seq":0})"
                            : R"({"count":1,"senders":["alice"],"last_seq":7})");
            return true;
        }
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
        if (++streams_ > empty_streams_) {
            peer.send("id: 7\ndata: {\"seq\":7}\n\n");
            peer.wait_for_end();
        }
        return false;
    }
    const int empty_streams_;
    std::atomic<int> streams_{0};
    StandIn server_{
        [this](const auto& request, const auto& peer) { return answer(request, peer); }};
};

TEST(WaitCommand, OutlivesTheHub) {
    HubThatComesBack hub(1);
    test::Program waiter({"wait"}, {"AGENTCOM_URL=" + hub.server().url(), "AGENTCOM_AGENT=bob",
                                    "AGENTCOM_TOKEN=" + std::string(64, 'a')});
    EXPECT_EQ(waiter.wait(), 0) << waiter.errors();
    EXPECT_EQ(waiter.output(), "1 unread, from alice\n");
    EXPECT_NE(waiter.errors().find("trying again"), std::string::npos);
    EXPECT_NE(waiter.errors().find("connected again"), std::string::npos);
}

TEST(WaitCommand, SaysThatTheHubWentAwayAndDidNotComeBack) {
    auto hub = std::make_unique<HubThatComesBack>(1'000);
    test::Program waiter({"wait", "--timeout", "1"},
                         {"AGENTCOM_URL=" + hub->server().url(), "AGENTCOM_AGENT=bob",
                          "AGENTCOM_TOKEN=" + std::string(64, 'a')});
    ASSERT_TRUE(hub->server().wait_for_requests(2));
    hub.reset();
    EXPECT_EQ(waiter.wait(), 5) << waiter.errors();
}

TEST_F(Follow, TailPrintsAChannelWithoutBeingSubscribed) {
    ASSERT_EQ(run({"tail", "build"}, bob_).status, 7);
    for (const char* text : {"one", "two", "three"}) {
        ASSERT_EQ(run({"publish", "build", "--create", text}, bob_).status, 0);
    }
    const auto tail = start({"tail", "build", "--lines", "2", "--count", "4", "--json"}, bob_);
    (void)tail->wait_for_output("three");
    EXPECT_EQ(run({"publish", "build", "four"}, bob_).status, 0);
    (void)tail->wait_for_output("four");
    stop();
    (void)tail->wait_for_line("trying again");
    serve();
    EXPECT_EQ(run({"publish", "build", "five"}, alice_).status, 0);
    EXPECT_EQ(tail->wait(), 0) << tail->errors();
    const Ran whole{0, tail->output(), ""};
    ASSERT_EQ(whole.lines().size(), 4U) << tail->output();
    EXPECT_EQ(whole.lines()[0]["payload"]["text"], "two");
    EXPECT_EQ(whole.lines()[3]["payload"]["text"], "five");
    EXPECT_EQ(unread(), 0U);
}

}  // namespace
}  // namespace agentcom::cli

// Kills the real daemon in the middle of a stream of sends and looks at what a restart finds. What
// was acknowledged must be there, once and in order; what was not may be there or not, but never
// twice and never with a hole before it.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

constexpr int kRounds = 24;
/// Messages of a sender that have no answer yet. Of many the hub hands over parts, see
/// store::Store::Burst.
constexpr int kWindow = 64;
constexpr int kWideWindow = 500;

/// One pipelining sender: numbers its messages and remembers the id of each acknowledged one.
struct Sender {
    std::string agent;
    std::string token;
    std::unique_ptr<WsClient> socket;
    int sent = 0;
    std::vector<std::string> acknowledged;  // ids, in the order of the messages

    void send_next(const std::string& to) {
        socket->send({{"type", "message"},
                      {"to", to},
                      {"payload", {{"n", sent}}},
                      {"idempotency_key", "n" + std::to_string(sent)}});
        ++sent;
    }
    void connect(std::uint16_t port) {
        socket = std::make_unique<WsClient>(port);
        ASSERT_EQ(socket->identify(agent, token, {{"presence", false}}).at("type"), "identified");
    }
    /// Takes what the hub had still said before it was killed.
    void drain_after_kill() {
        try {
            for (;;) acknowledged.push_back(socket->receive().at("id"));
        } catch (const std::runtime_error&) {
            socket.reset();
        }
    }
};

/// All messages of the sender as the history has them.
std::vector<nlohmann::json> history_of(HttpClient& http, const std::string& sender) {
    std::vector<nlohmann::json> all;
    std::uint64_t cursor = 0;
    for (;;) {
        const auto page =
            http.get("/api/messages?limit=200&from=" + sender + "&cursor=" + std::to_string(cursor))
                .json();
        for (const auto& message : page.at("messages")) all.push_back(message);
        if (page.at("messages").empty()) return all;
        cursor = page.at("cursor");
    }
}

void expect_nothing_lost(HttpClient& http, const Sender& sender) {
    const auto stored = history_of(http, sender.agent);
    ASSERT_GE(stored.size(), sender.acknowledged.size()) << "acknowledged messages are missing";
    for (std::size_t i = 0; i < stored.size(); ++i) {
        ASSERT_EQ(stored[i].at("payload").at("n"), i) << "out of order, doubled or with a hole";
        if (i < sender.acknowledged.size()) {
            ASSERT_EQ(stored[i].at("id"), sender.acknowledged[i]);
        }
    }
}

class Kill : public testing::TestWithParam<std::string> {};

TEST_P(Kill, EveryAcknowledgedMessageSurvivesOnceAndInOrder) {
    const TempDir dir;
    const std::vector<std::string> environment{"AGENTCOM_STORE_DURABILITY=" + GetParam()};
    auto hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, environment);
    for (int round = 0; round < kRounds; ++round) {
        SCOPED_TRACE("round " + std::to_string(round));
        const std::string receiver = "receiver-" + std::to_string(round);
        const std::string receiver_token = hub->create_token(receiver);
        std::vector<Sender> senders(3);
        for (std::size_t i = 0; i < senders.size(); ++i) {
            senders[i].agent = "sender-" + std::to_string(round) + "-" + std::to_string(i);
            senders[i].token = hub->create_token(senders[i].agent);
            senders[i].connect(hub->port());
        }
        const int window = round % 2 == 0 ? kWindow : kWideWindow;
        for (int k = 0; k < window; ++k) {
            for (Sender& sender : senders) sender.send_next(receiver);
        }
        // The rounds differ in how much has been stored when the hub dies.
        const std::size_t enough = 1 + static_cast<std::size_t>(round * 53 % 400);
        while (senders[0].acknowledged.size() < enough) {
            for (Sender& sender : senders) {
                sender.acknowledged.push_back(sender.socket->receive("message_sent").at("id"));
                sender.send_next(receiver);
            }
        }
        hub->kill();
        for (Sender& sender : senders) sender.drain_after_kill();

        hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, environment);
        HttpClient reader(hub->port(), receiver_token);
        for (const Sender& sender : senders) expect_nothing_lost(reader, sender);
        // What was not acknowledged is sent again with its key: nothing may come to stand twice.
        for (Sender& sender : senders) {
            sender.connect(hub->port());
            const int unanswered = sender.sent;
            sender.sent = static_cast<int>(sender.acknowledged.size());
            while (sender.sent < unanswered) sender.send_next(receiver);
            while (sender.acknowledged.size() < static_cast<std::size_t>(unanswered)) {
                sender.acknowledged.push_back(sender.socket->receive("message_sent").at("id"));
            }
            expect_nothing_lost(reader, sender);
        }
        const auto mailbox = reader.get("/api/mailbox/" + receiver).json();
        EXPECT_EQ(mailbox.at("count"), 100);
        EXPECT_TRUE(mailbox.at("more"));
    }
    EXPECT_EQ(hub->terminate(), 0);
}

/// A reader with acks that the hub's death interrupts: what it had acknowledged, and been told so,
/// stays read; all else comes again, in order and without a hole.
TEST_P(Kill, AReaderWithAcksGoesOnWhereItHadAcknowledged) {
    constexpr int kMessages = 80;  // fewer than a mailbox holds
    const TempDir dir;
    const std::vector<std::string> environment{"AGENTCOM_STORE_DURABILITY=" + GetParam()};
    auto hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, environment);
    for (const std::size_t acknowledged : {0U, 1U, 37U, 80U}) {
        SCOPED_TRACE(std::to_string(acknowledged) + " acknowledged");
        const std::string name = "reader-" + std::to_string(acknowledged);
        const std::string token = hub->create_token(name);
        Sender sender;
        sender.agent = "writer-" + std::to_string(acknowledged);
        sender.token = hub->create_token(sender.agent);
        sender.connect(hub->port());
        WsClient before(hub->port());
        ASSERT_EQ(before.identify(name, token, {{"acks", true}}).at("type"), "identified");
        std::vector<std::uint64_t> seqs;
        for (int i = 0; i < kMessages; ++i) sender.send_next(name);
        for (int i = 0; i < kMessages; ++i) {
            sender.acknowledged.push_back(sender.socket->receive("message_sent").at("id"));
            seqs.push_back(before.receive("message").at("seq"));
        }
        if (acknowledged > 0) {
            HttpClient http(hub->port(), token);
            const auto answer =
                http.post("/api/mailbox/" + name + "/ack", {{"seq", seqs[acknowledged - 1]}});
            ASSERT_EQ(answer.status, 200) << answer.body;
        }
        hub->kill();
        hub = std::make_unique<HubProcess>(dir.path(), std::vector<std::string>{}, environment);

        WsClient after(hub->port());
        ASSERT_EQ(after.identify(name, token, {{"acks", true}}).at("type"), "identified");
        for (std::size_t i = acknowledged; i < seqs.size(); ++i) {
            const auto message = after.receive();
            ASSERT_EQ(message.at("type"), "message");
            ASSERT_EQ(message.at("seq"), seqs[i]);
            ASSERT_EQ(message.at("id"), sender.acknowledged[i]);
        }
        // A sender that has lost the answer asks again and is told of the same message.
        sender.connect(hub->port());
        sender.sent = kMessages - 1;
        sender.send_next(name);
        EXPECT_EQ(sender.socket->receive("message_sent").at("id"), sender.acknowledged.back());
        EXPECT_EQ(after.ask({{"type", "ping"}}).at("type"), "pong");
        for (const auto& other : after.others) EXPECT_NE(other.at("type"), "message") << other;
    }
    EXPECT_EQ(hub->terminate(), 0);
}

// A kill leaves the operating system's cache alone, so even relaxed durability loses nothing here;
// it is a power cut that may take its last moments.
INSTANTIATE_TEST_SUITE_P(Durability, Kill, testing::Values("commit", "relaxed"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace agentcom::test

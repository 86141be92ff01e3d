#include "crash/support/senders.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace agentcom::test {

FrameSender::FrameSender(Tally& tally, std::string token, Stream stream,
                         std::string toggled_channel)
    : WsParty(tally, stream.agent(), std::move(token), {{"presence", false}, {"echo", false}}),
      stream_(std::move(stream)),
      toggled_channel_(std::move(toggled_channel)) {}

void FrameSender::send(Random& random) {
    switch (random.below(24)) {
        case 0:
            return ask({{"type", "ping"}});
        case 1:
            return ask({{"type", "status"}, {"status", {{"load", random.below(100)}}}});
        case 2:
            return ask({{"type", "list_agents"}, {"limit", 3}});
        case 3:
            return ask({{"type", "list_channels"}, {"limit", 3}});
        case 4:
            return ask({{"type", "channel_history"}, {"channel", toggled_channel_}, {"limit", 5}});
        case 5:
            return ask({{"type", "channel_delete"}, {"channel", "was-never-there"}},
                       [](const nlohmann::json& answer) { EXPECT_EQ(answer.at("type"), "error"); });
        case 6:
        case 7:
            if (!subscribed_.in_doubt()) return toggle();
            break;
        default:
            break;
    }
    const std::size_t number = stream_.next(random);
    ask(stream_.frame(number), [this, number](const nlohmann::json& answer) {
        switch (outcome(answer)) {
            case Outcome::done:
                return stream_.acknowledged(number, answer);
            case Outcome::refused:
                return stream_.refused(number);
            case Outcome::unknown:
                return;
        }
    });
}

void FrameSender::toggle() {
    const bool wanted = !subscribed_.sure();
    subscribed_.ask(wanted);
    ask({{"type", wanted ? "channel_subscribe" : "channel_unsubscribe"},
         {"channel", toggled_channel_}},
        [this](const nlohmann::json& answer) {
            const Outcome what = outcome(answer);
            if (what == Outcome::done) subscribed_.confirmed();
            if (what == Outcome::refused) subscribed_.refused();
        });
}

void FrameSender::verify(const Stored& stored, std::uint16_t port) {
    stream_.verify(stored);
    HttpClient http(port, token());
    const auto channels = http.get("/api/agents/" + agent() + "/subscriptions").json();
    const bool subscribed = channels.at("channels").size() == 1;
    EXPECT_LE(channels.at("channels").size(), 1U);
    EXPECT_TRUE(subscribed_.allows(subscribed)) << "subscription of " << agent();
    // Both sides of it agree.
    const auto channel = http.get("/api/channels/" + toggled_channel_).json();
    bool listed = false;
    for (const auto& name : channel.at("subscribers")) listed = listed || name == agent();
    EXPECT_EQ(listed, subscribed) << "a subscription is half there: " << channel;
    subscribed_.settle(subscribed);
}

HttpSender::HttpSender(Tally& tally, std::string token, Stream stream)
    : HttpParty(tally, std::move(token)), stream_(std::move(stream)) {}

void HttpSender::send(Random& random) {
    const std::string known = stream_.some_id(random);
    switch (random.below(16)) {
        case 0:
            return get("/api/messages?limit=5&from=" + stream_.agent());
        case 1:
            if (!known.empty()) return get("/api/threads/" + known + "?limit=5");
            break;
        case 2:
            if (!known.empty()) return get("/api/threads/" + known + "/replies?limit=5");
            break;
        case 3:
            if (!known.empty()) return get("/api/threads/" + known + "/root");
            break;
        case 4:
            return get("/api/channels?limit=3");
        case 5:
            return get("/api/config/mailbox-retention");
        default:
            break;
    }
    const std::size_t number = stream_.next(random);
    const auto [path, body] = stream_.request(number);
    post(path, body, [this, number](const HttpClient::Response& answer) {
        switch (outcome(answer, "a send")) {
            case Outcome::done:
                return stream_.acknowledged(number, answer.json());
            case Outcome::refused:
                return stream_.refused(number);
            case Outcome::unknown:
                return;
        }
    });
}

void HttpSender::verify(const Stored& stored, std::uint16_t /*port*/) { stream_.verify(stored); }

PollingReader::PollingReader(Tally& tally, std::string token, MailboxLedger ledger)
    : HttpParty(tally, std::move(token)), ledger_(std::move(ledger)) {}

void PollingReader::send(Random& random) {
    if (random.one_in(3) && ledger_.newest_shown() > ledger_.asked()) return acknowledge();
    get("/api/mailbox/" + ledger_.agent() + "?limit=" + std::to_string(1 + random.below(20)),
        [this](const HttpClient::Response& answer) {
            ASSERT_EQ(answer.status, 200) << answer.body;
            std::uint64_t last = ledger_.confirmed();
            const nlohmann::json page = answer.json();
            for (const auto& message : page.at("messages")) {
                const std::uint64_t seq = message.at("seq");
                EXPECT_GT(seq, last) << "shown after it was acknowledged, or out of order";
                last = seq;
                ledger_.shown(seq);
            }
        });
}

void PollingReader::acknowledge() {
    const std::uint64_t seq = ledger_.newest_shown();
    ledger_.ack_sent(seq);
    post("/api/mailbox/" + ledger_.agent() + "/ack", {{"seq", seq}},
         [this, seq](const HttpClient::Response& answer) {
             if (outcome(answer, "an ack") == Outcome::done) ledger_.ack_confirmed(seq);
         });
}

void PollingReader::verify(const Stored& stored, std::uint16_t port) {
    HttpClient http(port, token());
    ledger_.verify(stored, read_mailbox(http, ledger_.agent()));
}

AcksReader::AcksReader(Tally& tally, std::string token, MailboxLedger ledger)
    : WsParty(tally, ledger.agent(), std::move(token), {{"presence", false}, {"acks", true}}),
      ledger_(std::move(ledger)) {}

void AcksReader::connection_lost() {
    pushes_.emplace_back();
    told_ = 0;
}

void AcksReader::ack_refused() {
    ++refusals_;
    told_ = 0;
}

void AcksReader::pushed(const nlohmann::json& frame) {
    if (!frame.contains("seq")) return;
    const std::uint64_t seq = frame.at("seq");
    EXPECT_GT(seq, ledger_.confirmed()) << "pushed after it was acknowledged";
    pushes_.back().push_back(seq);
    ledger_.shown(seq);
}

void AcksReader::send(Random& random) {
    take_pushes();
    if (random.one_in(2) && ledger_.newest_shown() > told_) {
        told_ = ledger_.newest_shown();
        ledger_.ack_sent(told_);
        tell({{"type", "ack"}, {"seq", told_}, {"ref", kAckRef}});
    }
    // A read is answered after the writes before it, and after what went wrong with them.
    ask({{"type", "channel_history"}, {"channel", "c0"}, {"limit", 1}},
        [this, told = told_, refusals = refusals_](const nlohmann::json& answer) {
            if (outcome(answer) == Outcome::done && refusals == refusals_) {
                ledger_.ack_confirmed(told);
            }
        });
}

void AcksReader::verify(const Stored& stored, std::uint16_t port) {
    HttpClient http(port, token());
    ledger_.verify(stored, read_mailbox(http, ledger_.agent()));
    for (const auto& seqs : pushes_) ledger_.verify_pushes(stored, seqs);
}

}  // namespace agentcom::test

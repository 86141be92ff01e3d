// What the history says is what was acknowledged, message for message: over both transports, across
// a reset, an orderly restart and a kill.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crash/support/stored.hpp"
#include "crash/support/traffic.hpp"
#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

/// What was sent, with what the answer said of it.
struct AnsweredSend {
    nlohmann::json frame;
    std::string from;
    std::string id;
    std::uint64_t seq = 0;          // of the log; 0 where the answer has the channel's
    std::uint64_t channel_seq = 0;  // 0 where it has none
};

class HistoryEqualsAnswers : public testing::Test {
protected:
    void start() { hub_ = std::make_unique<HubProcess>(dir_.path(), NoArguments{}, settings()); }
    static std::vector<std::string> settings() { return roomy_settings(); }
    using NoArguments = std::vector<std::string>;

    void make_agents() {
        alice_ = hub_->create_token("alice");
        bob_ = hub_->create_token("bob");
        HttpClient http(hub_->port(), alice_);
        ASSERT_EQ(http.post("/api/channels", {{"name", "dev"}}).status, 201);
    }
    /// The n-th message, of every kind in turn.
    [[nodiscard]] nlohmann::json message(std::size_t n) const {
        nlohmann::json frame{{"payload", {{"n", n}}}};
        switch (n % 4) {
            case 0:
                frame["to"] = "bob";
                break;
            case 1:
                frame["to"] = "broadcast";
                break;
            case 2:
                frame["channel"] = "dev";
                break;
            default:
                frame["to"] = "carol-without-a-token";
                break;
        }
        if (n % 3 == 0 && !answered_.empty()) frame["reply_to"] = answered_.front().id;
        return frame;
    }
    /// Many at once over a WebSocket, all of which are answered.
    void send_frames(std::size_t count) {
        WsClient socket(hub_->port());
        ASSERT_EQ(socket.identify("alice", alice_, {{"echo", false}}).at("type"), "identified");
        std::vector<nlohmann::json> sent;
        for (std::size_t i = 0; i < count; ++i) {
            nlohmann::json frame = message(next_++);
            const bool channel = frame.contains("channel");
            frame["type"] = channel ? "channel_publish" : "message";
            socket.send(frame);
            sent.push_back(std::move(frame));
        }
        for (nlohmann::json& frame : sent) {
            const bool channel = frame.contains("channel");
            const auto answer = socket.receive(channel ? "channel_published" : "message_sent");
            const std::uint64_t seq = answer.at("seq");
            answered_.push_back(
                {std::move(frame), "alice", answer.at("id"), channel ? 0 : seq, channel ? seq : 0});
        }
    }
    void send_requests(std::size_t count) {
        HttpClient http(hub_->port(), bob_);
        for (std::size_t i = 0; i < count; ++i) {
            nlohmann::json body = message(next_++);
            const bool channel = body.contains("channel");
            const auto answer =
                http.post(channel ? "/api/channels/dev/publish" : "/api/message", body);
            ASSERT_EQ(answer.status, 200) << answer.body;
            const std::uint64_t seq = answer.json().at("seq");
            answered_.push_back({std::move(body), "bob", answer.json().at("id"), channel ? 0 : seq,
                                 channel ? seq : 0});
        }
    }
    void send_all() {
        ASSERT_NO_FATAL_FAILURE(send_frames(120));
        ASSERT_NO_FATAL_FAILURE(send_requests(40));
    }
    void expect_history_is_what_was_answered() {
        const Stored stored(hub_->port(), hub_->admin_token());
        ASSERT_EQ(stored.messages().size(), answered_.size());
        for (std::size_t i = 0; i < answered_.size(); ++i) {
            const AnsweredSend& sent = answered_[i];
            const nlohmann::json& shown = stored.messages()[i];
            SCOPED_TRACE(shown.dump());
            ASSERT_EQ(shown.at("id"), sent.id);
            EXPECT_EQ(shown.at("from"), sent.from);
            EXPECT_EQ(shown.at("payload").at("n"), sent.frame.at("payload").at("n"));
            EXPECT_EQ(shown.at("reply_to"), sent.frame.value("reply_to", nlohmann::json()));
            if (sent.seq != 0) {
                EXPECT_EQ(shown.at("seq"), sent.seq);
            }
            if (sent.channel_seq != 0) {
                EXPECT_EQ(shown.at("channel"), "dev");
                EXPECT_EQ(shown.at("channel_seq"), sent.channel_seq);
            } else {
                EXPECT_EQ(shown.at("to"), sent.frame.at("to"));
            }
        }
        // The channel's own history and the thread have the same, in the same order.
        ASSERT_NO_FATAL_FAILURE(stored.verify({"dev"}));
        ASSERT_NO_FATAL_FAILURE(stored.verify_thread(answered_.front().id));
    }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
    std::string alice_;
    std::string bob_;
    std::size_t next_ = 0;
    std::vector<AnsweredSend> answered_;
};

TEST_F(HistoryEqualsAnswers, AcrossAResetARestartAndAKill) {
    start();
    ASSERT_NO_FATAL_FAILURE(make_agents());
    send_all();
    ASSERT_NO_FATAL_FAILURE(expect_history_is_what_was_answered());

    {
        WsClient live(hub_->port());
        ASSERT_EQ(live.identify("bob", bob_).at("type"), "identified");
        HttpClient admin(hub_->port(), hub_->admin_token());
        ASSERT_EQ(admin.post("/api/admin/reset", nlohmann::json::object()).status, 200);
        EXPECT_EQ(live.wait_closed().code, 1001);
    }
    ASSERT_NO_FATAL_FAILURE(expect_history_is_what_was_answered());
    send_all();
    ASSERT_NO_FATAL_FAILURE(expect_history_is_what_was_answered());

    EXPECT_EQ(hub_->terminate(), 0) << hub_->log();
    start();
    ASSERT_NO_FATAL_FAILURE(expect_history_is_what_was_answered());
    send_all();

    hub_->kill();
    start();
    ASSERT_NO_FATAL_FAILURE(expect_history_is_what_was_answered());
    send_all();
    ASSERT_NO_FATAL_FAILURE(expect_history_is_what_was_answered());
}

}  // namespace
}  // namespace agentcom::test

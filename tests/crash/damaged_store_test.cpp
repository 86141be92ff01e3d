// Flipped bytes in the file of a stopped hub: whoever asks for what is damaged is told, the hub
// goes on and serves all others, after every restart; the doctor finds it, and mends what can be.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "agentcom/store/store.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/transaction.hpp"
#include "support/hub_process.hpp"
#include "support/program.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

std::string send_text(HttpClient& http, const std::string& to, const std::string& text) {
    const auto answer = http.post("/api/message", {{"to", to}, {"payload", text}});
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json().at("id");
}

std::vector<std::string> texts_of(const nlohmann::json& page) {
    std::vector<std::string> all;
    for (const auto& message : page.at("messages")) all.push_back(message.at("payload"));
    return all;
}

class DamagedDaemon : public testing::Test {
protected:
    void start() { hub_ = std::make_unique<HubProcess>(dir_.path()); }
    void stop() {
        EXPECT_EQ(hub_->terminate(), 0) << hub_->log();
        hub_.reset();
    }
    /// Changes a bit wherever the file has this text.
    void damage_text(const std::string& text) {
        const auto file = dir_.path() / "data.mdb";
        std::ifstream in(file, std::ios::binary);
        std::string bytes(std::istreambuf_iterator<char>(in), {});
        std::size_t found = 0;
        for (auto at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
            bytes[at] = static_cast<char>(bytes[at] ^ 1);
            ++found;
        }
        ASSERT_GT(found, 0U) << text;
        std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    }
    /// Changes a bit in the row of an agent.
    void damage_agent(const std::string& agent) {
        store::Environment environment(dir_.path(), store::StoreOptions().map_size);
        store::WriteTransaction txn(environment);
        std::string row;
        {
            store::Cursor cursor(txn, txn.tables().agents);
            ASSERT_TRUE(cursor.at_or_after(agent));
            ASSERT_EQ(cursor.key(), agent);
            row = cursor.stored_value();
        }
        row[row.size() / 2] = static_cast<char>(row[row.size() / 2] ^ 0x10);
        txn.put_plain(txn.tables().agents, agent, row);
        std::move(txn).commit();
    }
    [[nodiscard]] std::pair<int, std::string> doctor(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), "doctor");
        arguments.insert(arguments.end(), {"--data-dir", dir_.path().string()});
        Program program(std::move(arguments));
        const int status = program.wait();
        return {status, program.output() + program.errors()};
    }

    /// As each of the three, and as the doctor.
    void look_around(const std::string& alice, const std::string& bob, const std::string& victim) {
        // Whose row is damaged gets an error, over every transport; nothing is passed off as whole.
        for (const char* path : {"/api/mailbox/victim", "/api/mailbox/victim?wait=60",
                                 "/api/mailbox/victim/unread", "/api/mailbox/victim/stream"}) {
            const auto refused = HttpClient(hub_->port(), victim).get(path);
            EXPECT_EQ(refused.status, 500) << path << refused.body;
            EXPECT_EQ(refused.json().value("error", ""), "internal") << path;
        }
        const auto ack =
            HttpClient(hub_->port(), victim).post("/api/mailbox/victim/ack", {{"seq", 4}});
        EXPECT_EQ(ack.status, 500) << ack.body;
        WsClient socket(hub_->port());
        EXPECT_EQ(socket.identify("victim", victim, {{"acks", true}}).value("error", ""),
                  "internal");
        // The message that was hit is missing, and its receiver is told of a loss.
        HttpClient reads(hub_->port(), bob);
        const auto page = reads.get("/api/mailbox/bob").json();
        EXPECT_EQ(texts_of(page), (std::vector<std::string>{"mark-one", "mark-three"}));
        EXPECT_TRUE(page.value("truncated", false));
        // Everybody else is served.
        HttpClient http(hub_->port(), alice);
        EXPECT_EQ(http.get("/health").json().at("status"), "ok");
        send_text(http, "alice", "still here");
        EXPECT_EQ(http.get("/api/mailbox/alice").status, 200);
        WsClient other(hub_->port());
        EXPECT_EQ(other.identify("alice", alice).at("type"), "identified");
        EXPECT_TRUE(hub_->has_logged("the store is damaged")) << hub_->log();
        // The doctor sees both, beside the hub.
        const auto [status, said] = doctor({});
        EXPECT_EQ(status, 3) << said;
        EXPECT_NE(said.find("damaged:"), std::string::npos) << said;
        EXPECT_NE(said.find("victim"), std::string::npos) << said;
    }

    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
};

TEST_F(DamagedDaemon, WhoAsksForWhatIsDamagedIsToldAndTheRestGoesOn) {
    start();
    const std::string alice = hub_->create_token("alice");
    const std::string bob = hub_->create_token("bob");
    const std::string victim = hub_->create_token("victim");
    {
        HttpClient http(hub_->port(), alice);
        for (const char* text : {"mark-one", "mark-two", "mark-three"}) {
            send_text(http, "bob", text);
        }
        send_text(http, "victim", "mark-four");
    }
    stop();
    ASSERT_NO_FATAL_FAILURE(damage_text("mark-two"));
    ASSERT_NO_FATAL_FAILURE(damage_agent("victim"));

    for (int round = 0; round < 2; ++round) {
        SCOPED_TRACE("start " + std::to_string(round));
        start();
        look_around(alice, bob, victim);
        stop();
    }

    // What can be made again is; the message is lost.
    EXPECT_EQ(doctor({"--repair"}).first, 3);
    start();
    HttpClient asks(hub_->port(), victim);
    EXPECT_EQ(texts_of(asks.get("/api/mailbox/victim").json()),
              std::vector<std::string>{"mark-four"});
}

}  // namespace
}  // namespace agentcom::test

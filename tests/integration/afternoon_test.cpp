// A real team's afternoon: a coordinator hands tasks to three workers, who answer in threads and in
// two channels, while one of them crashes and the hub itself is restarted. In the end everybody has
// seen everything that was for them, exactly once, and history and threads agree with what was
// sent.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "support/hub_process.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

/// What an agent has seen, by message id; a second sight of one is a failure, unless it was sent
/// again because the first was not acknowledged.
class Inbox {
public:
    void take(const Json& message) {
        const std::string id = message.at("id");
        EXPECT_TRUE(seen_.insert(id).second) << "seen twice: " << message.dump();
        order_.push_back(message);
    }
    [[nodiscard]] bool has(const std::string& id) const { return seen_.contains(id); }
    [[nodiscard]] const std::set<std::string>& ids() const { return seen_; }
    /// The message whose payload's "task" and whose type are these.
    [[nodiscard]] const Json* find(const std::string& type, int task) const {
        for (const Json& message : order_) {
            const std::string its_type =
                message.contains("message_type") ? message.at("message_type") : message.at("type");
            if (its_type == type && message.at("payload").value("task", -1) == task) {
                return &message;
            }
        }
        return nullptr;
    }

private:
    std::set<std::string> seen_;
    std::vector<Json> order_;
};

/// An agent on a WebSocket with acks: what it has taken it acknowledges.
class LiveAgent {
public:
    LiveAgent(std::string name, std::string token)
        : name_(std::move(name)), token_(std::move(token)) {}

    void connect(std::uint16_t port) {
        socket_ = std::make_unique<WsClient>(port);
        const Json answer = socket_->identify(
            name_, token_, {{"acks", true}, {"presence", false}, {"echo", false}});
        ASSERT_EQ(answer.at("type"), "identified") << answer.dump();
        sort_others();
    }
    void crash() {
        socket_->cut();
        socket_.reset();
    }
    void disconnect() {
        // Everything pushed so far comes before the pong, so it is taken and acknowledged.
        EXPECT_EQ(ask({{"type", "ping"}}).at("type"), "pong");
        socket_->close();
        socket_.reset();
    }
    Json ask(const Json& frame) {
        Json answer = socket_->ask(frame);
        sort_others();
        return answer;
    }
    std::string send(const std::string& to, const std::string& type, Json payload,
                     const std::string& reply_to = {}) {
        Json frame{{"type", "message"},
                   {"to", to},
                   {"message_type", type},
                   {"payload", std::move(payload)}};
        if (!reply_to.empty()) frame["reply_to"] = reply_to;
        const Json answer = ask(frame);
        EXPECT_EQ(answer.at("type"), "message_sent") << answer.dump();
        return answer.at("id");
    }
    std::string publish(const std::string& channel, Json payload) {
        const Json answer = ask(
            {{"type", "channel_publish"}, {"channel", channel}, {"payload", std::move(payload)}});
        EXPECT_EQ(answer.at("type"), "channel_published") << answer.dump();
        return answer.at("id");
    }
    /// Takes frames until the message is there.
    void wait_for(const std::string& id) {
        while (!inbox.has(id)) take(socket_->receive());
    }

    Inbox inbox;

private:
    void sort_others() {
        for (const Json& frame : std::exchange(socket_->others, {})) take(frame);
    }
    void take(const Json& frame) {
        if (!frame.contains("seq") || !frame.contains("from")) return;
        inbox.take(frame);
        socket_->send({{"type", "ack"}, {"seq", frame.at("seq")}});
    }

    std::string name_;
    std::string token_;
    std::unique_ptr<WsClient> socket_;
};

/// An agent that wakes up, polls, acknowledges, and sleeps again.
class PollingAgent {
public:
    PollingAgent(std::string name, std::string token)
        : name_(std::move(name)), token_(std::move(token)) {}
    void wake_up(std::uint16_t port) { http_ = std::make_unique<HttpClient>(port, token_); }
    /// One visit: waits up to a few seconds for mail, takes it all, acknowledges.
    void poll() {
        const Json page = http_->get("/api/mailbox/" + name_ + "?wait=5").json();
        for (const Json& message : page.at("messages")) inbox.take(message);
        if (page.at("count") == 0) return;
        const auto ack =
            http_->post("/api/mailbox/" + name_ + "/ack", {{"seq", page.at("last_seq")}});
        EXPECT_EQ(ack.status, 200) << ack.body;
    }
    void wait_for(const std::string& id) {
        while (!inbox.has(id)) poll();
    }
    std::string send(const std::string& to, const std::string& type, Json payload,
                     const std::string& reply_to) {
        const auto response = http_->post(
            "/api/message",
            {{"to", to}, {"type", type}, {"payload", std::move(payload)}, {"reply_to", reply_to}});
        EXPECT_EQ(response.status, 200) << response.body;
        return response.json().at("id");
    }
    HttpClient& http() { return *http_; }

    Inbox inbox;

private:
    std::string name_;
    std::string token_;
    std::unique_ptr<HttpClient> http_;
};

class Afternoon : public testing::Test {
protected:
    void start_hub() {
        hub_ = std::make_unique<HubProcess>(dir_.path(), std::vector<std::string>{});
    }
    TempDir dir_;
    std::unique_ptr<HubProcess> hub_;
};

TEST_F(Afternoon, EverybodySeesEverythingOnceAndTheRecordsAgree) {
    start_hub();
    LiveAgent boss("coordinator", hub_->create_token("coordinator"));
    LiveAgent live("worker-live", hub_->create_token("worker-live"));
    PollingAgent polling("worker-polling", hub_->create_token("worker-polling"));
    LiveAgent fragile("worker-fragile", hub_->create_token("worker-fragile"));
    HttpClient admin(hub_->port(), hub_->admin_token());
    ASSERT_EQ(admin.post("/api/channels", {{"name", "#Status"}}).status, 201);
    ASSERT_EQ(admin.post("/api/channels", {{"name", "results"}}).status, 201);
    boss.connect(hub_->port());
    live.connect(hub_->port());
    fragile.connect(hub_->port());
    polling.wake_up(hub_->port());
    for (LiveAgent* agent : {&boss, &live, &fragile}) {
        EXPECT_EQ(agent->ask({{"type", "channel_subscribe"}, {"channel", "status"}}).at("type"),
                  "channel_subscribed");
    }
    EXPECT_EQ(polling.http().post("/api/channels/status/subscribe", Json::object()).status, 200);
    EXPECT_EQ(boss.ask({{"type", "channel_subscribe"}, {"channel", "results"}}).at("type"),
              "channel_subscribed");

    std::map<std::string, std::set<std::string>> expected;    // agent -> ids it must see
    std::map<std::string, std::vector<std::string>> threads;  // root -> ids in order
    std::vector<std::string> all;                             // every id, in the order sent
    const auto note = [&](const std::string& id, const std::vector<std::string>& to,
                          const std::string& root) {
        all.push_back(id);
        for (const std::string& agent : to) expected[agent].insert(id);
        if (!root.empty()) threads[root].push_back(id);
    };
    const std::vector<std::string> everybody{"coordinator", "worker-live", "worker-polling",
                                             "worker-fragile"};
    const auto others = [&](const std::string& sender) {
        std::vector<std::string> rest = everybody;
        std::erase(rest, sender);
        return rest;
    };
    const auto delegate = [&](const std::string& worker, int task) {
        const std::string id = boss.send(worker, "delegate", {{"task", task}, {"text", "please"}});
        note(id, {worker}, id);
        return id;
    };

    // The live worker does a whole task: accept, progress in a channel, result, ack.
    const std::string first = delegate("worker-live", 1);
    live.wait_for(first);
    const std::string accept = live.send("coordinator", "accept", {{"task", 1}}, first);
    note(accept, {"coordinator"}, first);
    note(live.publish("status", {{"task", 1}, {"percent", 50}}), others("worker-live"), "");
    const std::string result =
        live.send("coordinator", "result", {{"task", 1}, {"sum", 42}}, accept);
    note(result, {"coordinator"}, first);
    boss.wait_for(result);
    note(boss.send("worker-live", "ack", {{"task", 1}}, result), {"worker-live"}, first);

    // The polling worker finds its task in the mailbox and answers over HTTP.
    const std::string second = delegate("worker-polling", 2);
    polling.wait_for(second);
    const std::string progress =
        polling.send("coordinator", "progress", {{"task", 2}, {"percent", 10}}, second);
    note(progress, {"coordinator"}, second);

    // The fragile worker crashes with its task unread; more comes while it is away.
    fragile.crash();
    const std::string third = delegate("worker-fragile", 3);
    const std::string broadcast = boss.send("broadcast", "alert", {{"text", "restart at five"}});
    note(broadcast, others("coordinator"), "");
    note(boss.publish("status", {{"text", "hub goes down"}}), others("coordinator"), "");

    // The hub is restarted in the middle, in the orderly way.
    boss.wait_for(progress);
    boss.disconnect();
    live.disconnect();
    EXPECT_EQ(hub_->terminate(), 0);
    start_hub();
    boss.connect(hub_->port());
    live.connect(hub_->port());
    polling.wake_up(hub_->port());
    fragile.connect(hub_->port());

    fragile.wait_for(third);
    const std::string late = fragile.send("coordinator", "result", {{"task", 3}}, third);
    note(late, {"coordinator"}, third);
    note(fragile.publish("results", {{"task", 3}}), {"coordinator"}, "");
    const std::string last = polling.send("coordinator", "result", {{"task", 2}}, progress);
    note(last, {"coordinator"}, second);

    // Everybody has seen everything that was meant for them, exactly once.
    for (const std::string& id : expected["coordinator"]) boss.wait_for(id);
    for (const std::string& id : expected["worker-live"]) live.wait_for(id);
    for (const std::string& id : expected["worker-polling"]) polling.wait_for(id);
    for (const std::string& id : expected["worker-fragile"]) fragile.wait_for(id);
    EXPECT_EQ(boss.inbox.ids(), expected["coordinator"]);
    EXPECT_EQ(live.inbox.ids(), expected["worker-live"]);
    EXPECT_EQ(polling.inbox.ids(), expected["worker-polling"]);
    EXPECT_EQ(fragile.inbox.ids(), expected["worker-fragile"]);
    EXPECT_NE(boss.inbox.find("result", 3), nullptr);

    // History and threads agree with what was sent.
    HttpClient auditor(hub_->port(), hub_->admin_token());
    const Json history = auditor.get("/api/messages?limit=200").json();
    std::vector<std::string> recorded;
    for (const Json& message : history.at("messages")) recorded.push_back(message.at("id"));
    EXPECT_EQ(recorded, all);
    for (const auto& [root, ids] : threads) {
        const Json thread = auditor.get("/api/threads/" + ids.back()).json();
        EXPECT_EQ(thread.at("root"), root);
        std::vector<std::string> members;
        for (const Json& message : thread.at("messages")) members.push_back(message.at("id"));
        EXPECT_EQ(members, ids);
    }
    // Nothing is left unread.
    EXPECT_EQ(polling.http().get("/api/mailbox/worker-polling").json().at("count"), 0);
}

}  // namespace
}  // namespace agentcom::test

// SIGTERM in the middle of a stream of sends: what was stored has been answered, and nothing else.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/hub_process.hpp"
#include "support/program.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;
using Ids = std::set<std::string>;

/// Sends without waiting for answers until its hub has gone.
class Sender {
public:
    virtual ~Sender() = default;
    Sender() = default;
    Sender(const Sender&) = delete;
    Sender& operator=(const Sender&) = delete;

    void start() {
        sending_ = std::thread([this] { quietly([this] { send_all(); }); });
        receiving_ = std::thread([this] { quietly([this] { receive_all(); }); });
    }
    void join() {
        receiving_.join();
        ended_ = true;
        sending_.join();
        hang_up();
    }
    [[nodiscard]] std::size_t answered() const noexcept { return answered_.load(); }
    /// Of the sends that were answered with success.
    [[nodiscard]] const Ids& stored() const noexcept { return stored_; }
    /// Whether it was told that the hub ends, in the way of its transport.
    [[nodiscard]] bool told_goodbye() const noexcept { return told_; }

protected:
    virtual void send_all() = 0;
    virtual void receive_all() = 0;
    virtual void hang_up() = 0;

    [[nodiscard]] bool goes_on() const noexcept { return !ended_; }
    void take(const std::string& id) {
        stored_.insert(id);
        ++answered_;
    }
    void refused() { ++answered_; }
    std::atomic<bool> told_{false};

private:
    template <class Function>
    static void quietly(Function function) {
        try {
            function();
        } catch (const std::exception&) {
            // The connection has ended; what it was told meanwhile is what counts.
        }
    }
    std::thread sending_;
    std::thread receiving_;
    std::atomic<bool> ended_{false};
    std::atomic<std::size_t> answered_{0};
    Ids stored_;
};

class WsSender final : public Sender {
public:
    WsSender(std::uint16_t port, const std::string& agent, const std::string& token)
        : client_(port) {
        const Json answer = client_.identify(agent, token, {{"echo", false}, {"presence", false}});
        if (answer.at("type") != "identified") throw std::runtime_error(answer.dump());
    }

private:
    void send_all() override {
        while (goes_on()) client_.send_text(R"({"type":"message","to":"sink","payload":{"n":1}})");
    }
    void receive_all() override {
        try {
            for (;;) {
                const Json frame = client_.receive();
                if (frame.at("type") == "message_sent") {
                    take(frame.at("id"));
                } else {
                    refused();
                }
            }
        } catch (const std::runtime_error&) {
            told_ = client_.wait_closed().code == 1001;
        }
    }
    void hang_up() override { client_.cut(); }
    WsClient client_;
};

class HttpSender final : public Sender {
public:
    HttpSender(std::uint16_t port, const std::string& token)
        : request_("POST /api/message HTTP/1.1\r\nHost: hub\r\nAuthorization: Bearer " + token +
                   "\r\nContent-Type: application/json\r\nContent-Length: 32\r\n\r\n"
                   R"({"to":"sink","payload":{"n": 1}})"),
          client_(std::make_unique<HttpClient>(port)) {}

private:
    void send_all() override {
        while (goes_on()) client_->send_raw(request_);
    }
    void receive_all() override {
        for (;;) {
            const HttpClient::Response response = client_->read_response();
            if (response.status == 200) {
                take(response.json().at("id"));
            } else {
                refused();
            }
            told_ = response.headers.at("connection") == "close";
        }
    }
    void hang_up() override { client_.reset(); }
    const std::string request_;
    std::unique_ptr<HttpClient> client_;
};

/// Ids of all messages of the hub, by sender.
std::map<std::string, Ids> history(const HubProcess& hub) {
    std::map<std::string, Ids> found;
    HttpClient admin(hub.port(), hub.admin_token());
    for (std::string cursor = "0";;) {
        const Json page = admin.get("/api/messages?limit=200&cursor=" + cursor).json();
        for (const Json& message : page.at("messages")) {
            found[message.at("from")].insert(message.at("id").get<std::string>());
        }
        if (page.at("messages").size() < 200 && !page.contains("more")) return found;
        cursor = page.at("cursor").dump();
    }
}

TEST(GracefulStop, WhatIsStoredHasBeenAnsweredHoweverMuchWasInFlight) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    constexpr int kRounds = 3;
#else
    constexpr int kRounds = 12;
#endif
    constexpr int kOfEach = 3;  // so that each of both loops has some of either kind
    const std::vector<std::string> environment{"AGENTCOM_SERVER_THREADS=2",
                                               "AGENTCOM_HISTORY_MESSAGES=1000000",
                                               "AGENTCOM_LIMITS_MAX_CONNECTIONS=1000"};
    const TestDirectory directory;
    std::map<std::string, Ids> answered;
    std::map<std::string, std::string> tokens;
    for (int round = 0; round < kRounds; ++round) {
        HubProcess hub(directory.path(), {}, environment);
        std::vector<std::pair<std::string, std::unique_ptr<Sender>>> senders;
        for (int i = 0; i < kOfEach; ++i) {
            const std::string ws = "ws" + std::to_string(i);
            const std::string http = "http" + std::to_string(i);
            if (round == 0) {
                tokens[ws] = hub.create_token(ws);
                tokens[http] = hub.create_token(http);
            }
            senders.emplace_back(ws, std::make_unique<WsSender>(hub.port(), ws, tokens.at(ws)));
            senders.emplace_back(http, std::make_unique<HttpSender>(hub.port(), tokens.at(http)));
        }
        for (const auto& [name, sender] : senders) sender->start();
        // All are well under way, and each round stops at another point of that.
        const auto wanted = static_cast<std::size_t>(20 + 7 * round);
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (std::ranges::any_of(
            senders, [&](const auto& each) { return each.second->answered() < wanted; })) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "the senders do not get on";
            std::this_thread::yield();
        }
        ASSERT_EQ(::kill(hub.pid(), SIGTERM), 0);
        for (const auto& [name, sender] : senders) {
            sender->join();
            EXPECT_TRUE(sender->told_goodbye()) << name << " in round " << round;
            answered[name].insert(sender->stored().begin(), sender->stored().end());
        }
        EXPECT_EQ(hub.terminate(), 0);
        HubProcess again(directory.path(), {}, environment);
        const auto stored = history(again);
        for (const auto& [name, ids] : answered) {
            ASSERT_EQ(stored.at(name).size(), ids.size()) << name << " in round " << round;
            ASSERT_EQ(stored.at(name), ids) << name << " in round " << round;
        }
    }
}

TEST(GracefulStop, ARequestThatHasComeInPartDoesNotHoldTheHubUp) {
    const TestDirectory directory;
    HubProcess hub(directory.path());
    HttpClient client(hub.port(), hub.admin_token());
    client.send_raw(
        "POST /api/message HTTP/1.1\r\nHost: hub\r\nContent-Length: 100\r\n"
        "Authorization: Bearer " +
        hub.admin_token() + "\r\n\r\n{");
    HttpClient other(hub.port(), hub.admin_token());
    ASSERT_EQ(other.get("/health").status, 200);
    const auto began = std::chrono::steady_clock::now();
    ASSERT_EQ(::kill(hub.pid(), SIGTERM), 0);
    const HttpClient::Response response = client.read_response();
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(response.json().at("error"), "shutting_down");
    EXPECT_EQ(response.headers.at("connection"), "close");
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_TRUE(other.closed_by_peer());
    EXPECT_EQ(hub.terminate(), 0);
    // Well before the time after which connections are cut.
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(9));
}

}  // namespace
}  // namespace agentcom::test

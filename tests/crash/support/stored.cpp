#include "crash/support/stored.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace agentcom::test {
namespace {

nlohmann::json get(HttpClient& http, const std::string& path) {
    const auto answer = http.get(path);
    if (answer.status != 200) {
        throw std::runtime_error("GET " + path + " is answered " + std::to_string(answer.status) +
                                 " " + answer.body);
    }
    return answer.json();
}

}  // namespace

Stored::Stored(std::uint16_t port, const std::string& admin_token)
    : port_(port), admin_token_(admin_token) {
    HttpClient http(port, admin_token);
    for (std::uint64_t cursor = 0;;) {
        auto page = get(http, "/api/messages?limit=200&cursor=" + std::to_string(cursor));
        for (auto& message : page.at("messages")) messages_.push_back(std::move(message));
        const std::uint64_t next = page.at("cursor");
        if (next == cursor) break;
        cursor = next;
    }
}

std::vector<nlohmann::json> Stored::of_sender(const std::string& agent) const {
    std::vector<nlohmann::json> found;
    for (const auto& message : messages_) {
        if (message.at("from") == agent) found.push_back(message);
    }
    return found;
}

void Stored::verify(const std::vector<std::string>& channels) const {
    std::uint64_t last = 0;
    std::set<std::string> ids;
    std::map<std::string, std::vector<std::string>> by_channel;
    for (const auto& message : messages_) {
        ASSERT_GT(message.at("seq"), last) << "out of order";
        last = message.at("seq");
        ASSERT_TRUE(ids.insert(message.at("id")).second) << "twice: " << message;
        if (!message.contains("channel")) continue;
        auto& list = by_channel[message.at("channel")];
        list.push_back(message.at("id"));
        ASSERT_EQ(message.at("channel_seq"), list.size()) << "a gap in the channel: " << message;
    }
    HttpClient http(port_, admin_token_);
    for (const std::string& channel : channels) {
        std::vector<std::string> history;
        for (std::uint64_t since = 0;;) {
            const auto page = get(http, "/api/channels/" + channel +
                                            "/history?limit=200&since=" + std::to_string(since));
            for (const auto& entry : page.at("messages")) {
                history.push_back(entry.at("message").at("id"));
                ASSERT_EQ(entry.at("seq"), history.size()) << "a gap in " << channel;
            }
            if (page.at("messages").empty()) break;
            since = history.size();
        }
        ASSERT_EQ(history, by_channel[channel]) << channel;
    }
}

void Stored::verify_thread(const std::string& root) const {
    if (root.empty()) return;
    std::vector<std::string> expected;
    for (const auto& message : messages_) {
        if (message.at("reply_to") == root) expected.push_back(message.at("id"));
    }
    HttpClient http(port_, admin_token_);
    std::vector<std::string> shown;
    for (std::uint64_t cursor = 0;;) {
        const auto page = get(
            http, "/api/threads/" + root + "/replies?limit=500&cursor=" + std::to_string(cursor));
        for (const auto& message : page.at("replies")) shown.push_back(message.at("id"));
        if (!page.contains("cursor")) break;
        cursor = page.at("cursor");
    }
    ASSERT_EQ(shown, expected) << "the thread of " << root;
}

std::vector<nlohmann::json> read_mailbox(HttpClient& http, const std::string& agent) {
    std::vector<nlohmann::json> unread;
    for (std::uint64_t since = 0;;) {
        const auto page = get(http, "/api/mailbox/" + agent + "?since=" + std::to_string(since));
        EXPECT_FALSE(page.contains("truncated")) << agent << " has lost something";
        for (const auto& message : page.at("messages")) unread.push_back(message);
        if (!page.contains("more")) return unread;
        since = page.at("last_seq");
    }
}

}  // namespace agentcom::test

// Who there is, connected or not, and one message by its name.

#include <algorithm>
#include <string>
#include <vector>

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Role;

class DirectoryTest : public RouterTest {
protected:
    void SetUp() override {
        RouterTest::SetUp();
        for (const char* name : {"alice", "bob", "carol"}) (void)create_token(name);
        (void)create_token("root", Role::admin);
    }
    protocol::AgentDetails details(const std::string& name) {
        return get<protocol::AgentDetails>(as("alice"), protocol::GetAgent{.agent = name});
    }
    std::vector<std::string> names(protocol::ListDirectory request) {
        std::vector<std::string> all;
        for (;;) {
            const auto page = get<protocol::AgentDirectory>(as("alice"), request);
            for (const auto& each : page.agents) all.push_back(each.agent.str());
            if (!page.next_cursor) return all;
            request.range.cursor = *page.next_cursor;
        }
    }
};

TEST_F(DirectoryTest, AnAgentIsKnownByItsTokens) {
    EXPECT_TRUE(details("bob").known);
    EXPECT_EQ(details("bob").role, Role::agent);
    EXPECT_EQ(details("root").role, Role::admin);
    EXPECT_FALSE(details("nobody").known);
    EXPECT_EQ(error_of(as("alice"), protocol::GetAgent{.agent = ""}), ErrorCode::invalid_agent_id);
    (void)get<protocol::TokensRevoked>(as("root", Role::admin), protocol::RevokeTokens{"bob"});
    EXPECT_FALSE(details("bob").known);
}

TEST_F(DirectoryTest, OfSeveralTokensTheOneThatMayMostCounts) {
    (void)create_token("bob", Role::observer);
    EXPECT_EQ(details("bob").role, Role::agent);
    (void)create_token("bob", Role::admin);
    (void)create_token("bob", Role::observer);
    EXPECT_EQ(details("bob").role, Role::admin);
}

TEST_F(DirectoryTest, ListedAdministratorsAreAdministrators) {
    RouterOptions options;
    options.admin_agents = {agent("bob")};
    start(options);
    EXPECT_EQ(details("bob").role, Role::admin);
    const auto page = get<protocol::AgentDirectory>(as("alice"), protocol::ListDirectory{});
    const auto bob = std::ranges::find(page.agents, agent("bob"), &protocol::AgentDetails::agent);
    ASSERT_NE(bob, page.agents.end());
    EXPECT_EQ(bob->role, Role::admin);
}

TEST_F(DirectoryTest, WhatIsUnreadIsCountedWithoutBeingShown) {
    for (int i = 0; i < 3; ++i) (void)ask(as("carol"), direct("bob"));
    EXPECT_EQ(details("bob").unread, 3U);
    EXPECT_FALSE(details("bob").more_unread);
    EXPECT_EQ(get<protocol::MailboxPage>(as("bob"), poll("bob")).messages.size(), 3U);
    (void)get<protocol::Acked>(as("bob"), protocol::Ack{"bob", core::Seq{2}});
    EXPECT_EQ(details("bob").unread, 1U);
}

TEST_F(DirectoryTest, OfManyUnreadSoManyAreCounted) {
    const std::uint64_t most = protocol::AgentDetails::kMostCounted;
    for (std::uint64_t i = 0; i <= most; ++i) (void)ask(as("carol"), direct("bob"));
    EXPECT_EQ(details("bob").unread, most);
    EXPECT_TRUE(details("bob").more_unread);
}

TEST_F(DirectoryTest, LastSeenIsTheLastRequestOrTheEndOfTheConnection) {
    EXPECT_EQ(details("bob").last_seen, std::nullopt);
    (void)ask(as("bob"), poll("bob"));
    const core::Timestamp asked = clock_.now();
    clock_.advance(core::Millis{60'000});
    EXPECT_EQ(details("bob").last_seen, asked);
    EXPECT_FALSE(details("bob").connected);

    TestSession& session = join("bob");
    clock_.advance(core::Millis{60'000});
    EXPECT_TRUE(details("bob").connected);
    EXPECT_EQ(details("bob").last_seen, clock_.now());
    leave(session);
    const core::Timestamp left = clock_.now();
    clock_.advance(core::Millis{60'000});
    EXPECT_EQ(details("bob").last_seen, left);
}

TEST_F(DirectoryTest, WhoIsNotConnectedMayHaveAStatusToo) {
    (void)get<protocol::StatusUpdated>(
        as("bob"), protocol::SetProfile{{"\"building\""}, core::JsonText{R"(["C++","review"])"}});
    EXPECT_EQ(details("bob").status, core::JsonText{"\"building\""});
    EXPECT_EQ(details("bob").capabilities, core::JsonText{R"(["C++","review"])"});
    // A connection says for itself.
    (void)join("bob");
    EXPECT_EQ(details("bob").status, core::JsonText{"\"connected\""});
    EXPECT_EQ(details("bob").capabilities, core::JsonText{"[]"});
    (void)get<protocol::StatusUpdated>(as("bob"), protocol::SetProfile{{"7"}, {}});
    EXPECT_EQ(details("bob").status, core::JsonText{"7"});
}

TEST_F(DirectoryTest, AStatusIsAnnouncedToThoseWhoWatch) {
    TestSession& watcher = join("carol");
    (void)join("bob");
    (void)written(watcher);
    (void)get<protocol::StatusUpdated>(as("bob"),
                                       protocol::SetProfile{{"7"}, core::JsonText{"[1]"}});
    const auto frames = written(watcher);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].at("type"), "status_changed");
    EXPECT_EQ(frames[0].at("agent").at("status"), 7);
    EXPECT_EQ(frames[0].at("agent").at("capabilities"), Json::array({1}));
    const std::string long_text = '"' + std::string(5'000, 'x') + '"';
    EXPECT_EQ(error_of(as("bob"), protocol::SetProfile{{long_text}, {}}), ErrorCode::invalid_field);
    EXPECT_EQ(error_of(as("bob"), protocol::SetProfile{{"1"}, core::JsonText{long_text}}),
              ErrorCode::invalid_field);
}

TEST_F(DirectoryTest, EverybodyIsListedInPagesShorterNamesFirst) {
    const std::vector<std::string> all{"bob", "root", "alice", "carol"};
    EXPECT_EQ(names({}), all);
    for (std::uint64_t limit = 1; limit <= 4; ++limit) {
        EXPECT_EQ(names({.range = {.limit = limit, .cursor = {}}}), all) << limit;
    }
    // Several tokens make no several agents.
    (void)create_token("bob");
    EXPECT_EQ(names({.range = {.limit = 1, .cursor = {}}}), all);
    EXPECT_EQ(names({.range = {.limit = 9, .cursor = "zzzzzzzzz"}}), std::vector<std::string>{});
}

TEST_F(DirectoryTest, ACapabilityIsFoundWhateverItsCase) {
    for (const char* name : {"bob", "carol"}) {
        (void)ask(as(name), protocol::SetProfile{{"1"}, core::JsonText{R"(["C++", "a\"b"])"}});
    }
    const std::vector<std::string> able{"bob", "carol"};
    for (const char* wanted : {"c++", "C++", "a\"b"}) {
        EXPECT_EQ(names({.range = {.limit = 1, .cursor = {}}, .capability = wanted}), able)
            << wanted;
    }
    EXPECT_EQ(names({.range = {}, .capability = "c"}), std::vector<std::string>{});
}

TEST_F(DirectoryTest, ANameThatIsNobodysHasThoseThatLookLikeIt) {
    const auto similar = [&](const std::string& name) { return details(name).similar; };
    EXPECT_EQ(similar("Bob"), std::vector<std::string>{"bob"});
    EXPECT_EQ(similar("alcie"), std::vector<std::string>{"alice"});
    EXPECT_EQ(similar("car"), std::vector<std::string>{"carol"});
    EXPECT_EQ(similar("xyz"), std::vector<std::string>{});
    EXPECT_EQ(similar("alice"), std::vector<std::string>{});
    // Three slips of a long name, near its ends and far apart; a fourth is too many.
    const std::string middle(100, 'm');
    (void)create_token("worker-" + middle + "-west");
    const std::vector<std::string> worker{"worker-" + middle + "-west"};
    EXPECT_EQ(similar("wroker-" + middle + "-wets"), worker);
    EXPECT_EQ(similar("orker-" + middle + "-wester"), worker);
    EXPECT_EQ(similar("aaworker-" + middle + "-est"), worker);
    EXPECT_EQ(similar("owrker-" + middle.substr(2) + "-ewst"), std::vector<std::string>{});
    EXPECT_EQ(similar("orker-" + middle + "-westerly"), std::vector<std::string>{});
    EXPECT_TRUE(
        get<protocol::AgentDetails>(as("alice"), protocol::GetAgent{"Bob", false}).similar.empty());
}

TEST_F(DirectoryTest, WhoIsEndedIsForgotten) {
    (void)ask(as("bob"), protocol::SetProfile{{"1"}, {}});
    (void)get<protocol::AgentEnded>(as("root", Role::admin), protocol::EndAgent{"bob"});
    (void)create_token("bob");
    EXPECT_EQ(details("bob").last_seen, std::nullopt);
    EXPECT_EQ(details("bob").status, std::nullopt);
}

TEST_F(DirectoryTest, AMessageIsReadByItsIdOrNumberByThoseWhoMay) {
    const auto sent = get<protocol::MessageSent>(as("carol"), direct("bob", R"({"n":1})"));
    const auto read = [&](const Caller& caller, const std::string& name) {
        return error_of(caller, protocol::GetMessage{name});
    };
    for (const std::string& name : {sent.id.str(), std::string("1")}) {
        for (const char* who : {"bob", "carol"}) EXPECT_EQ(read(as(who), name), std::nullopt);
        EXPECT_EQ(read(as("root", Role::admin), name), std::nullopt);
        EXPECT_EQ(read(as("alice"), name), ErrorCode::not_found);
    }
    for (const char* name : {"", "2", "x", "1x", "99999999999999999999", "ffffffffffffffff"}) {
        EXPECT_EQ(read(as("bob"), name), ErrorCode::not_found) << name;
    }
    EXPECT_EQ(
        get<protocol::OneMessage>(as("bob"), protocol::GetMessage{"1"}).message->draft.payload.text,
        R"({"n":1})");
}

TEST_F(DirectoryTest, ASendSaysWhetherItWasSentBefore) {
    auto request = direct("bob");
    request.idempotency_key = "k";
    EXPECT_FALSE(get<protocol::MessageSent>(as("carol"), request).duplicate);
    EXPECT_TRUE(get<protocol::MessageSent>(as("carol"), request).duplicate);
}

TEST_F(DirectoryTest, ACardIsShownOfThoseWhoAllowIt) {
    const auto card = [&](const std::string& name) {
        return ask(router::Caller{}, protocol::GetAgentCard{name, "https://hub.example"});
    };
    EXPECT_EQ(card("bob").error().code, ErrorCode::not_found);
    EXPECT_EQ(card("nobody").error().code, ErrorCode::not_found);
    EXPECT_EQ(card("").error().code, ErrorCode::not_found);
    (void)ask(as("bob"), protocol::SetProfile{{"1"}, core::JsonText{R"(["review",7,""])"}, true});
    const auto shown = get<protocol::AgentCard>(
        router::Caller{}, protocol::GetAgentCard{"bob", "https://hub.example"});
    EXPECT_EQ(shown.agent.value().agent, agent("bob"));
    EXPECT_EQ(shown.agent.value().capabilities, core::JsonText{R"(["review",7,""])"});
    // What is not said again stays.
    (void)ask(as("bob"), protocol::SetProfile{{"2"}, {}});
    EXPECT_TRUE(card("bob").has_value());
    (void)ask(as("bob"), protocol::SetProfile{{"2"}, {}, false});
    EXPECT_EQ(card("bob").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace agentcom::router

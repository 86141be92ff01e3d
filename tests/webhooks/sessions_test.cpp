#include "agentcom/webhooks/sessions.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace agentcom::webhooks {
namespace {

using hooks::Moment;

core::AgentId agent(const std::string& name) { return core::AgentId::parse(name).value(); }

/// Whether a session of the agent is told of the mail up to this number.
bool tells(Sessions& sessions, const std::string& name, const std::string& session,
           std::uint64_t newest, Moment moment = Moment::prompt) {
    hooks::HookInput input;
    input.session = session;
    const hooks::UnreadMail mail{name, 1, {{"bob", 1}}, newest, "e"};
    return !sessions.tell(agent(name), input, moment, mail).empty();
}

TEST(HookedSessions, EachIsToldOfAMessageOnce) {
    Sessions sessions;
    EXPECT_TRUE(tells(sessions, "alice", "s1", 1));
    EXPECT_FALSE(tells(sessions, "alice", "s1", 1));
    EXPECT_TRUE(tells(sessions, "alice", "s2", 1));
    EXPECT_TRUE(tells(sessions, "alice", "s1", 2));
    EXPECT_FALSE(tells(sessions, "alice", "s1", 1));
}

TEST(HookedSessions, AgentsThatNameTheSameSessionShareNothing) {
    Sessions sessions;
    EXPECT_TRUE(tells(sessions, "alice", "s1", 5));
    EXPECT_TRUE(tells(sessions, "carol", "s1", 5));
    EXPECT_FALSE(tells(sessions, "alice", "s1", 5));
    EXPECT_EQ(sessions.count(), 2U);
}

TEST(HookedSessions, OneThatWasToldNothingIsNotRemembered) {
    Sessions sessions;
    hooks::HookInput input;
    input.session = "s1";
    for (const Moment moment : {Moment::prompt, Moment::tool, Moment::stop}) {
        EXPECT_EQ(sessions.tell(agent("alice"), input, moment, {"alice", 0, {}, 0, "e"}), "");
    }
    EXPECT_EQ(sessions.count(), 0U);
}

TEST(HookedSessions, OfOneAgentTheOneNotHeardOfForLongestIsForgotten) {
    Sessions sessions({.of_agent = 3, .of_all = 100});
    EXPECT_TRUE(tells(sessions, "carol", "c", 1));
    for (const char* session : {"s1", "s2", "s3"})
        EXPECT_TRUE(tells(sessions, "alice", session, 1));
    EXPECT_FALSE(tells(sessions, "alice", "s1", 1));
    EXPECT_TRUE(tells(sessions, "alice", "s4", 1));
    EXPECT_EQ(sessions.count(), 4U);
    EXPECT_FALSE(tells(sessions, "alice", "s1", 1));
    EXPECT_FALSE(tells(sessions, "carol", "c", 1)) << "another agent's went for it";
    EXPECT_TRUE(tells(sessions, "alice", "s2", 1));
}

TEST(HookedSessions, OfAllTheOneNotHeardOfForLongestIsForgotten) {
    Sessions sessions({.of_agent = 3, .of_all = 4});
    EXPECT_TRUE(tells(sessions, "alice", "s", 1));
    for (const char* session : {"s1", "s2", "s3"})
        EXPECT_TRUE(tells(sessions, "carol", session, 1));
    EXPECT_TRUE(tells(sessions, "dave", "s", 1));
    EXPECT_EQ(sessions.count(), 4U);
    EXPECT_FALSE(tells(sessions, "carol", "s1", 1));
    EXPECT_TRUE(tells(sessions, "alice", "s", 1));
    EXPECT_TRUE(tells(sessions, "carol", "s2", 1));
    EXPECT_EQ(sessions.count(), 4U);
}

TEST(HookedSessions, ManyOfManyAgentsStayWithinBothBounds) {
    Sessions sessions({.of_agent = 5, .of_all = 37});
    for (std::size_t i = 0; i < 10'000; ++i) {
        const std::string name = "agent" + std::to_string(i * 7 % 13);
        (void)tells(sessions, name, "s" + std::to_string(i * 31 % 17), i + 1);
        ASSERT_LE(sessions.count(), 37U);
    }
    EXPECT_EQ(sessions.count(), 37U);
}

TEST(HookedSessions, AsManyHooksOfASessionAtOnceAreToldOnce) {
    Sessions sessions;
    std::atomic<int> told{0};
    std::vector<std::thread> tools;
    for (int i = 0; i < 8; ++i) {
        tools.emplace_back([&sessions, &told] {
            for (std::uint64_t seq = 1; seq <= 100; ++seq) {
                if (tells(sessions, "alice", "s" + std::to_string(seq), 1, Moment::tool)) ++told;
            }
        });
    }
    for (std::thread& tool : tools) tool.join();
    EXPECT_EQ(told, 100);
}

}  // namespace
}  // namespace agentcom::webhooks

#include "agentcom/services/presence.hpp"

#include <gtest/gtest.h>

namespace agentcom::services {
namespace {

core::AgentId agent(std::string_view id) { return *core::AgentId::parse(id); }
PresentAgent present(std::string_view id) {
    return {agent(id), {{"\"x\""}, {"\"idle\""}, {"[]"}}, core::Timestamp{1}};
}

TEST(Presence, ListsWhoJoinedInTheOrderOfTheirIds) {
    Presence presence;
    presence.join(present("bob"), {1, 0});
    presence.join(present("alice"), {2, 0});
    const auto agents = presence.list();
    ASSERT_EQ(agents.size(), 2U);
    EXPECT_EQ(agents[0].agent.str(), "alice");
    EXPECT_EQ(presence.count(), 2U);
}

TEST(Presence, ANewerConnectionReplacesTheOlderAndKeepsTheAgentOnline) {
    Presence presence;
    EXPECT_FALSE(presence.join(present("bob"), {1, 0}).has_value());
    const auto replaced = presence.join(present("bob"), {2, 1});
    ASSERT_TRUE(replaced.has_value());
    EXPECT_EQ(replaced->session_id, 1U);
    EXPECT_FALSE(presence.leave(agent("bob"), 1));
    EXPECT_TRUE(presence.is_online(agent("bob")));
    EXPECT_TRUE(presence.leave(agent("bob"), 2));
    EXPECT_FALSE(presence.is_online(agent("bob")));
}

TEST(Presence, OnlyThePresentConnectionChangesTheStatus) {
    Presence presence;
    presence.join(present("bob"), {1, 0});
    presence.join(present("bob"), {2, 0});
    EXPECT_FALSE(presence.set_status(agent("bob"), 1, {"\"old\""}).has_value());
    const auto changed = presence.set_status(agent("bob"), 2, {"\"new\""});
    ASSERT_TRUE(changed.has_value());
    EXPECT_EQ(changed->profile.status.text, "\"new\"");
}

}  // namespace
}  // namespace agentcom::services

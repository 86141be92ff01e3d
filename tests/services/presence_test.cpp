#include "agentcom/services/presence.hpp"
#include "support/ids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace agentcom::services {
namespace {

using test::agent;
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
    EXPECT_FALSE(presence.join(present("bob"), {1, 0}).replaced.has_value());
    const auto joined = presence.join(present("bob"), {2, 1});
    ASSERT_TRUE(joined.replaced.has_value());
    EXPECT_EQ(joined.replaced->session_id, 1U);
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
    EXPECT_EQ(changed->agent.profile.status.text, "\"new\"");
}

TEST(Presence, EveryChangeHasTheNextVersionAndNothingElseHasOne) {
    Presence presence;
    EXPECT_EQ(presence.join(present("bob"), {1, 0}).version, 1U);
    EXPECT_EQ(presence.join(present("alice"), {2, 0}).version, 2U);
    EXPECT_EQ(presence.join(present("bob"), {3, 0}).version, 3U);
    EXPECT_FALSE(presence.leave(agent("bob"), 1));
    EXPECT_FALSE(presence.set_status(agent("bob"), 1, {"1"}));
    EXPECT_EQ(presence.set_status(agent("bob"), 3, {"1"})->version, 4U);
    EXPECT_EQ(presence.leave(agent("bob"), 3), 5U);
    EXPECT_EQ(presence.page({}, 10, 1'000).version, 5U);
}

TEST(Presence, IsReadInPagesBoundedInNumberAndBytes) {
    Presence presence;
    for (int i = 0; i < 25; ++i) {
        presence.join(present("a" + std::to_string(10 + i)), {static_cast<std::uint64_t>(i), 0});
    }
    std::vector<std::string> seen;
    std::string after;
    int pages = 0;
    while (true) {
        const Presence::Page page = presence.page(after, 10, 1'000'000);
        ++pages;
        for (const PresentAgent& each : page.agents) seen.push_back(each.agent.str());
        if (!page.more) break;
        EXPECT_EQ(page.agents.size(), 10U);
        after = seen.back();
    }
    EXPECT_EQ(pages, 3);
    EXPECT_EQ(seen.size(), 25U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    // At least one, however large.
    EXPECT_EQ(presence.page({}, 10, 1).agents.size(), 1U);
    EXPECT_EQ(presence.page({}, 10, 30).agents.size(), 3U);
    EXPECT_TRUE(presence.page("z", 10, 30).agents.empty());
}

TEST(Presence, TakeoversOfOneAgentAreLimitedAfterTheFirstFew) {
    Presence presence(60);
    core::ManualClock clock;
    EXPECT_TRUE(presence.may_join(agent("bob"), clock.steady()));
    presence.join(present("bob"), {1, 0});
    presence.join(present("alice"), {1, 0});
    int taken = 0;
    while (presence.may_join(agent("bob"), clock.steady())) ++taken;
    EXPECT_EQ(taken, 10);
    EXPECT_TRUE(presence.may_join(agent("alice"), clock.steady()));
    clock.advance(core::Millis{999});
    EXPECT_FALSE(presence.may_join(agent("bob"), clock.steady()));
    clock.advance(core::Millis{501});
    EXPECT_TRUE(presence.may_join(agent("bob"), clock.steady()));
    EXPECT_FALSE(presence.may_join(agent("bob"), clock.steady())) << "a refusal costs nothing";
    clock.advance(core::Millis{600'000});
    for (taken = 0; presence.may_join(agent("bob"), clock.steady());) ++taken;
    EXPECT_EQ(taken, 10);
    // One that has gone replaces nobody when it comes back.
    presence.leave(agent("bob"), 1);
    EXPECT_TRUE(presence.may_join(agent("bob"), clock.steady()));
    Presence unlimited(0);
    unlimited.join(present("bob"), {1, 0});
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_TRUE(unlimited.may_join(agent("bob"), clock.steady()));
    }
}

TEST(Presence, SaysWhoHasChangedSinceAVersion) {
    Presence presence;
    const auto none = presence.changed_since(0);
    EXPECT_TRUE(none.agents.empty());
    (void)presence.join({agent("alice"), {}, {}}, {1, 0});
    (void)presence.join({agent("bob"), {}, {}}, {2, 0});
    const auto both = presence.changed_since(none.version);
    EXPECT_EQ(both.agents.size(), 2U);
    EXPECT_TRUE(presence.changed_since(both.version).agents.empty());
    (void)presence.set_status(agent("bob"), 2, {"1"});
    (void)presence.leave(agent("alice"), 1);
    const auto one = presence.changed_since(both.version);
    ASSERT_EQ(one.agents.size(), 1U);
    EXPECT_EQ(one.agents[0].agent, agent("bob"));
}

}  // namespace
}  // namespace agentcom::services

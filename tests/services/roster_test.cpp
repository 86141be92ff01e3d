#include "agentcom/services/roster.hpp"

#include <gtest/gtest.h>

#include <string>

#include "support/ids.hpp"

namespace agentcom::services {
namespace {

using test::agent;

TEST(Roster, RemembersWhenSomebodyWasLastHere) {
    Roster roster(10);
    EXPECT_FALSE(roster.find("bob"));
    roster.seen(agent("bob"), core::Timestamp{5});
    roster.seen(agent("bob"), core::Timestamp{7});
    ASSERT_TRUE(roster.find("bob"));
    EXPECT_EQ(roster.find("bob")->last_seen, core::Timestamp{7});
    EXPECT_FALSE(roster.find("bob")->status);
}

TEST(Roster, RemembersWhatSomebodySaidUntilAConnectionSaysIt) {
    Roster roster(10);
    roster.declare(agent("bob"), {"\"busy\""}, core::JsonText{"[1]"}, core::Timestamp{5});
    roster.declare(agent("bob"), {"\"idle\""}, {}, core::Timestamp{6});
    EXPECT_EQ(roster.find("bob")->status, core::JsonText{"\"idle\""});
    EXPECT_EQ(roster.find("bob")->capabilities, core::JsonText{"[1]"});
    roster.connected(agent("bob"));
    EXPECT_FALSE(roster.find("bob")->status);
    EXPECT_FALSE(roster.find("bob")->capabilities);
    EXPECT_EQ(roster.find("bob")->last_seen, core::Timestamp{6});
    roster.connected(agent("ann"));
    EXPECT_FALSE(roster.find("ann"));
}

TEST(Roster, ForgetsThoseWhoHaveBeenAwayLongest) {
    Roster roster(20);
    for (int i = 0; i < 20; ++i) {
        roster.seen(agent("a" + std::to_string(i)), core::Timestamp{100 - i});
    }
    roster.seen(agent("b"), core::Timestamp{200});
    EXPECT_TRUE(roster.find("b"));
    EXPECT_TRUE(roster.find("a0"));
    EXPECT_FALSE(roster.find("a19"));
    EXPECT_FALSE(roster.find("a17"));
    EXPECT_TRUE(roster.find("a16"));
}

TEST(Roster, WhatIsSaidHasABoundInBytesForAll) {
    Roster roster(100'000);
    const core::JsonText large{std::string(std::size_t{1} << 20, '1')};
    for (int i = 0; i < 200; ++i) {
        roster.declare(agent("a" + std::to_string(i)), large, {}, core::Timestamp{i});
    }
    std::size_t kept = 0;
    for (int i = 0; i < 200; ++i) {
        const auto found = roster.find("a" + std::to_string(i));
        if (found && found->status) kept += found->status->text.size();
    }
    EXPECT_LE(kept, Roster::kMostBytes);
    EXPECT_TRUE(roster.find("a199"));
    EXPECT_FALSE(roster.find("a0"));
}

TEST(Roster, ForgetsWhoIsEnded) {
    Roster roster(10);
    roster.seen(agent("bob"), core::Timestamp{5});
    roster.forget("bob");
    roster.forget("ann");
    EXPECT_FALSE(roster.find("bob"));
}

TEST(Roster, RemembersWhenAMailboxWasLookedIntoAndWhatWasSaidAnew) {
    Roster roster(10);
    EXPECT_EQ(roster.glance("bob").last_seen, core::Timestamp{0});
    roster.read(agent("bob"), core::Timestamp{5});
    roster.seen(agent("bob"), core::Timestamp{7});
    EXPECT_EQ(roster.glance("bob").last_seen, core::Timestamp{7});
    EXPECT_EQ(roster.glance("bob").last_read, core::Timestamp{5});
    const std::uint64_t before = roster.glance("bob").version;
    roster.declare(agent("bob"), {"1"}, {}, core::Timestamp{8});
    EXPECT_GT(roster.glance("bob").version, before);
}

TEST(Roster, WhoBrowsesInAnAgentsNameIsNotTheAgent) {
    Roster roster(10);
    EXPECT_FALSE(roster.glance("ann").browsed);
    roster.browsed(agent("ann"));
    roster.read(agent("ann"), core::Timestamp{5});
    EXPECT_TRUE(roster.glance("ann").browsed);
    EXPECT_EQ(roster.glance("ann").last_seen, core::Timestamp{0});
    EXPECT_EQ(roster.glance("ann").last_read, core::Timestamp{5});
}

}  // namespace
}  // namespace agentcom::services

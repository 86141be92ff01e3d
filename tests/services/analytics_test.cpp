#include "agentcom/services/analytics.hpp"
#include "support/ids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace agentcom::services {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr core::Timestamp kStart{1'000 * kHour + 5};

using test::agent;
core::Timestamp later(std::int64_t ms) { return core::Timestamp{kStart.ms + ms}; }
std::vector<AgentActivity> everybody(const Analytics& analytics, core::Timestamp now) {
    return analytics.agents("", 1'000'000, now);
}
ActivityTotals totals(const Analytics& analytics, core::Timestamp now) {
    ActivityTotals all;
    for (std::size_t part = 0; part < Analytics::parts(); ++part) {
        analytics.add_totals(part, now, all);
    }
    return all;
}

TEST(Analytics, NothingIsKnownOfAnAgentThatWasForgottenNotEvenByTheEndOfItsConnection) {
    Analytics analytics(1'000);
    analytics.connected(agent("alice"), kStart);
    analytics.sent(agent("alice"), kStart);
    analytics.sent(agent("bob"), kStart);
    analytics.forget("alice");
    analytics.forget("nobody");
    analytics.disconnected(agent("alice"), later(1));
    const auto agents = everybody(analytics, later(1));
    ASSERT_EQ(agents.size(), 1U);
    EXPECT_EQ(agents[0].agent, "bob");
    analytics.sent(agent("alice"), later(2));
    EXPECT_EQ(everybody(analytics, later(2))[0].sent_24h, 1U);
}

TEST(Analytics, CountsSentAndReceivedByTheHour) {
    Analytics analytics(1'000);
    analytics.sent(agent("alice"), kStart);
    analytics.sent(agent("alice"), later(kHour));
    analytics.received(agent("bob"), later(kHour));
    const auto agents = everybody(analytics, later(kHour));
    ASSERT_EQ(agents.size(), 2U);
    EXPECT_EQ(agents[0].agent, "alice");
    EXPECT_EQ(agents[0].sent_24h, 2U);
    EXPECT_EQ(agents[0].sent_this_hour, 1U);
    EXPECT_EQ(agents[1].received_24h, 1U);
    const auto hours = analytics.hourly("alice", later(kHour));
    ASSERT_EQ(hours.size(), 24U);
    EXPECT_EQ(hours[23].sent, 1U);
    EXPECT_EQ(hours[22].sent, 1U);
    EXPECT_EQ(hours[23].bucket, hours[22].bucket + 1);
    EXPECT_EQ(totals(analytics, later(kHour)).messages_24h, 2U);
}

TEST(Analytics, ForgetsAnHourAfterADay) {
    Analytics analytics(1'000);
    analytics.sent(agent("alice"), kStart);
    EXPECT_EQ(totals(analytics, later(23 * kHour)).messages_24h, 1U);
    EXPECT_EQ(totals(analytics, later(24 * kHour)).messages_24h, 0U);
    analytics.sent(agent("alice"), later(24 * kHour));  // same slot of the ring, another hour
    EXPECT_EQ(totals(analytics, later(24 * kHour)).messages_24h, 1U);
}

TEST(Analytics, ConnectionTimeCountsEndedConnections) {
    Analytics analytics(1'000);
    analytics.connected(agent("alice"), kStart);
    EXPECT_EQ(everybody(analytics, later(10)).front().connected_ms_24h, 0);
    EXPECT_TRUE(everybody(analytics, later(10)).front().connected);
    analytics.disconnected(agent("alice"), later(1'500));
    const auto after = everybody(analytics, later(1'500)).front();
    EXPECT_EQ(after.connected_ms_24h, 1'500);
    EXPECT_FALSE(after.connected);
    EXPECT_EQ(after.last_seen, later(1'500));
    EXPECT_EQ(after.connections, 1U);
}

TEST(Analytics, AgentsThatComeAndGoDoNotGrowIt) {
    constexpr std::uint64_t kLimit = 160;
    Analytics analytics(kLimit);
    analytics.connected(agent("stays"), kStart);
    for (int i = 0; i < 5'000; ++i) {
        const auto id = agent("visitor-" + std::to_string(i));
        analytics.connected(id, later(i));
        analytics.disconnected(id, later(i));
    }
    const auto agents = everybody(analytics, later(5'000));
    EXPECT_LE(agents.size(), kLimit + 16);
    EXPECT_TRUE(std::ranges::any_of(agents, [](const auto& a) { return a.agent == "stays"; }));
    EXPECT_TRUE(
        std::ranges::any_of(agents, [](const auto& a) { return a.agent == "visitor-4999"; }));
}

TEST(Analytics, PagesHoldEverybodyOnceInTheOrderOfTheirIds) {
    Analytics analytics(10'000);
    for (int i = 0; i < 1'003; ++i) analytics.sent(agent("a" + std::to_string(i)), kStart);
    std::vector<std::string> seen;
    for (std::string after;;) {
        const auto page = analytics.agents(after, 10, kStart);
        for (const AgentActivity& each : page) seen.push_back(each.agent);
        if (page.size() < 10) break;
        after = page.back().agent;
    }
    EXPECT_EQ(seen.size(), 1'003U);
    EXPECT_TRUE(std::ranges::is_sorted(seen));
    EXPECT_EQ(std::ranges::adjacent_find(seen), seen.end());
}

TEST(Analytics, TotalsCountEverybodyByWhatTheyDo) {
    Analytics analytics(1'000);
    for (int i = 0; i < 100; ++i) analytics.sent(agent("gone-" + std::to_string(i)), kStart);
    analytics.connected(agent("idle"), kStart);
    analytics.connected(agent("busy"), kStart);
    const core::Timestamp now = later(kIdleAfter.count() + 1);
    analytics.seen(agent("busy"), now);
    const ActivityTotals all = totals(analytics, now);
    EXPECT_EQ(all.agents, 102U);
    EXPECT_EQ(all.connected, 2U);
    EXPECT_EQ(all.active, 1U);
    EXPECT_EQ(all.idle, 1U);
    EXPECT_EQ(all.offline, 100U);
    EXPECT_EQ(all.messages_24h, 100U);
}

TEST(Analytics, ResetKeepsOnlyWhoIsConnected) {
    Analytics analytics(1'000);
    analytics.connected(agent("here"), kStart);
    analytics.sent(agent("here"), kStart);
    analytics.sent(agent("gone"), kStart);
    analytics.reset(later(1));
    const auto agents = everybody(analytics, later(1));
    ASSERT_EQ(agents.size(), 1U);
    EXPECT_EQ(agents[0].agent, "here");
    EXPECT_EQ(agents[0].sent_24h, 0U);
}

TEST(Analytics, WhoWasOnlyWrittenToHasNotActed) {
    Analytics analytics(1'000);
    analytics.received(agent("bob"), kStart);
    EXPECT_FALSE(analytics.find("bob", kStart)->acted);
    analytics.seen(agent("bob"), kStart);
    EXPECT_TRUE(analytics.find("bob", kStart)->acted);
    EXPECT_FALSE(analytics.find("alice", kStart));
}

TEST(Analytics, WhatIsRecalledCountsInItsHourAndNothingOlder) {
    Analytics analytics(1'000);
    const core::Timestamp now = later(23 * kHour);
    for (int hour = 1; hour < 24; ++hour) analytics.sent(agent("alice"), later(hour * kHour));
    analytics.recall_sent(agent("alice"), kStart, now);
    analytics.recall_sent(agent("alice"), later(-kHour), now);
    analytics.recall_received(agent("bob"), later(5 * kHour), now);
    EXPECT_EQ(analytics.find("alice", now)->sent_24h, 24U);
    EXPECT_EQ(analytics.find("alice", now)->last_active, now);
    EXPECT_EQ(analytics.find("bob", now)->received_24h, 1U);
    EXPECT_FALSE(analytics.find("bob", now)->acted);
    // An hour later there is no place for what is then too old.
    analytics.sent(agent("alice"), later(24 * kHour));
    analytics.recall_sent(agent("alice"), kStart, now);
    EXPECT_EQ(analytics.find("alice", later(24 * kHour))->sent_24h, 24U);
}

TEST(Analytics, BroadcastsAreCountedBehindTheMessageThatAnAgentBeganWith) {
    Analytics analytics(1'000);
    analytics.sent(agent("alice"), kStart);
    for (std::uint64_t seq : {3, 9, 7}) analytics.broadcast(agent("alice"), core::Seq{seq}, kStart);
    EXPECT_EQ(analytics.find("alice", kStart)->broadcast_24h, 3U);
    EXPECT_EQ(analytics.broadcasts_24h(core::Seq{0}, kStart), 3U);
    EXPECT_EQ(analytics.broadcasts_24h(core::Seq{7}, kStart), 1U);
    EXPECT_EQ(analytics.broadcasts_24h(core::Seq{9}, kStart), 0U);
    EXPECT_EQ(analytics.broadcasts_24h(core::Seq{0}, later(24 * kHour)), 0U);
    // Only the newest are remembered one by one; whoever came before them is given all.
    for (std::uint64_t seq = 10; seq < 10'010; ++seq) {
        analytics.broadcast(agent("alice"), core::Seq{seq}, kStart);
    }
    EXPECT_EQ(analytics.broadcasts_24h(core::Seq{0}, kStart), 10'003U);
    EXPECT_EQ(analytics.broadcasts_24h(core::Seq{10'008}, kStart), 1U);
}

TEST(Analytics, PublicationsAreCountedByChannelForADay) {
    Analytics analytics(1'000);
    analytics.sent(agent("alice"), kStart);
    analytics.published(agent("alice"), "dev", kStart);
    analytics.published(agent("alice"), "dev", later(kHour));
    analytics.published(agent("alice"), "ops", later(kHour));
    EXPECT_EQ(analytics.published_24h("alice", "dev", later(kHour)), 2U);
    EXPECT_EQ(analytics.published_24h("alice", "ops", later(kHour)), 1U);
    EXPECT_EQ(analytics.published_24h("alice", "dev", later(24 * kHour)), 1U);
    EXPECT_EQ(analytics.published_24h("bob", "dev", kStart), 0U);
    // Of many channels the oldest are forgotten.
    for (int i = 0; i < 300; ++i) {
        analytics.published(agent("alice"), "c" + std::to_string(i), later(kHour));
    }
    EXPECT_EQ(analytics.published_24h("alice", "dev", later(kHour)), 0U);
    EXPECT_EQ(analytics.published_24h("alice", "c299", later(kHour)), 1U);
}

}  // namespace
}  // namespace agentcom::services

#include "agentcom/services/analytics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace agentcom::services {
namespace {

constexpr std::int64_t kHour = 3'600'000;
constexpr core::Timestamp kStart{1'000 * kHour + 5};

core::AgentId agent(std::string_view id) { return *core::AgentId::parse(id); }
core::Timestamp later(std::int64_t ms) { return core::Timestamp{kStart.ms + ms}; }

TEST(Analytics, CountsSentAndReceivedByTheHour) {
    Analytics analytics(1'000);
    analytics.sent(agent("alice"), kStart);
    analytics.sent(agent("alice"), later(kHour));
    analytics.received(agent("bob"), later(kHour));
    const auto agents = analytics.agents(later(kHour));
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
    EXPECT_EQ(analytics.messages_24h(later(kHour)), 2U);
}

TEST(Analytics, ForgetsAnHourAfterADay) {
    Analytics analytics(1'000);
    analytics.sent(agent("alice"), kStart);
    EXPECT_EQ(analytics.messages_24h(later(23 * kHour)), 1U);
    EXPECT_EQ(analytics.messages_24h(later(24 * kHour)), 0U);
    analytics.sent(agent("alice"), later(24 * kHour));  // same slot of the ring, another hour
    EXPECT_EQ(analytics.messages_24h(later(24 * kHour)), 1U);
}

TEST(Analytics, ConnectionTimeCountsEndedConnections) {
    Analytics analytics(1'000);
    analytics.connected(agent("alice"), kStart);
    EXPECT_EQ(analytics.agents(later(10)).front().connected_ms_24h, 0);
    EXPECT_TRUE(analytics.agents(later(10)).front().connected);
    analytics.disconnected(agent("alice"), later(1'500));
    const auto after = analytics.agents(later(1'500)).front();
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
    const auto agents = analytics.agents(later(5'000));
    EXPECT_LE(agents.size(), kLimit + 16);
    EXPECT_TRUE(std::ranges::any_of(agents, [](const auto& a) { return a.agent == "stays"; }));
    EXPECT_TRUE(
        std::ranges::any_of(agents, [](const auto& a) { return a.agent == "visitor-4999"; }));
}

TEST(Analytics, ResetKeepsOnlyWhoIsConnected) {
    Analytics analytics(1'000);
    analytics.connected(agent("here"), kStart);
    analytics.sent(agent("here"), kStart);
    analytics.sent(agent("gone"), kStart);
    analytics.reset(later(1));
    const auto agents = analytics.agents(later(1));
    ASSERT_EQ(agents.size(), 1U);
    EXPECT_EQ(agents[0].agent, "here");
    EXPECT_EQ(agents[0].sent_24h, 0U);
}

}  // namespace
}  // namespace agentcom::services

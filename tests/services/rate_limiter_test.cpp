#include "agentcom/services/rate_limiter.hpp"
#include "support/ids.hpp"

#include <gtest/gtest.h>

namespace agentcom::services {
namespace {

using test::agent;

TEST(RateLimiter, AllowsTheBurstThenTheRate) {
    RateLimiter limiter(10, 3);
    core::ManualClock clock;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_FALSE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_TRUE(limiter.allow(agent("b"), clock.steady()));
    clock.advance(core::Millis(100));
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_FALSE(limiter.allow(agent("a"), clock.steady()));
}

TEST(RateLimiter, ForgettingIdleAgentsGivesNobodyMore) {
    RateLimiter limiter(1, 2);
    core::ManualClock clock;
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    limiter.forget_idle(clock.steady());
    EXPECT_FALSE(limiter.allow(agent("a"), clock.steady()));
}

TEST(RateLimiter, ANewRateCountsFromThenOn) {
    RateLimiter limiter(1, 5);
    core::ManualClock clock;
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    limiter.set(10, 2);
    EXPECT_EQ(limiter.per_second(), 10U);
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_FALSE(limiter.allow(agent("a"), clock.steady()));
    clock.advance(core::Millis(100));
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
    EXPECT_FALSE(limiter.allow(agent("a"), clock.steady()));
    limiter.set(0, 2);
    EXPECT_TRUE(limiter.allow(agent("a"), clock.steady()));
}

TEST(RateLimiter, ZeroMeansNoLimit) {
    RateLimiter limiter(0, 0);
    const core::ManualClock clock;
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(limiter.allow(agent("a"), clock.steady()));
}

TEST(RateLimiter, DearOperationsTakeMoreAndWhatWasChargedAfterwardsIsADebt) {
    RateLimiter rates(10, 20);
    const core::SteadyTime start{};
    const core::AgentId alice = *core::AgentId::parse("alice");
    EXPECT_TRUE(rates.allow(alice, start, 15));
    EXPECT_FALSE(rates.allow(alice, start, 6));
    EXPECT_TRUE(rates.allow(alice, start, 5));
    rates.charge(alice, start, 1'000);  // no deeper than the burst
    EXPECT_FALSE(rates.allow(alice, start + core::Millis{2'000}));
    EXPECT_TRUE(rates.allow(alice, start + core::Millis{2'200}));
    // Dearer than the burst: with a full bucket only, and then the debt is paid first.
    const core::AgentId bob = *core::AgentId::parse("bob");
    EXPECT_TRUE(rates.allow(bob, start, 30));
    EXPECT_FALSE(rates.allow(bob, start + core::Millis{1'000}));
    EXPECT_TRUE(rates.allow(bob, start + core::Millis{1'200}));
}

}  // namespace
}  // namespace agentcom::services

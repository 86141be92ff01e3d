#include "agentcom/services/rate_limiter.hpp"

#include <gtest/gtest.h>

namespace agentcom::services {
namespace {

core::AgentId agent(std::string_view id) { return *core::AgentId::parse(id); }

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

TEST(RateLimiter, ZeroMeansNoLimit) {
    RateLimiter limiter(0, 0);
    const core::ManualClock clock;
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(limiter.allow(agent("a"), clock.steady()));
}

}  // namespace
}  // namespace agentcom::services

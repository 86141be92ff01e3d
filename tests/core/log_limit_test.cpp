#include "agentcom/core/log_limit.hpp"

#include <gtest/gtest.h>

namespace agentcom::core {
namespace {

TEST(LogLimit, SoManyLinesPassInEachIntervalAndTheNextTellsHowManyDidNot) {
    ManualClock clock;
    LogLimit limit(2, Millis(1'000));
    ASSERT_TRUE(limit.admit(clock.steady()));
    ASSERT_TRUE(limit.admit(clock.steady()));
    for (int i = 0; i < 7; ++i) EXPECT_FALSE(limit.admit(clock.steady()));
    clock.advance(Millis(999));
    EXPECT_FALSE(limit.admit(clock.steady()));
    clock.advance(Millis(1));
    const auto next = limit.admit(clock.steady());
    ASSERT_TRUE(next);
    EXPECT_EQ(next->left_out, 8U);
    EXPECT_EQ(next->note(), " (8 more like it)");
}

TEST(LogLimit, TellsTheNumberOnce) {
    ManualClock clock;
    LogLimit limit(1, Millis(1'000));
    ASSERT_TRUE(limit.admit(clock.steady()));
    EXPECT_FALSE(limit.admit(clock.steady()));
    clock.advance(Millis(1'000));
    EXPECT_EQ(limit.admit(clock.steady())->left_out, 1U);
    clock.advance(Millis(1'000));
    const auto quiet = limit.admit(clock.steady());
    EXPECT_EQ(quiet->left_out, 0U);
    EXPECT_EQ(quiet->note(), "");
}

TEST(LogLimit, LinesThatComeSeldomAllPass) {
    ManualClock clock;
    LogLimit limit(1, Millis(100));
    for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(limit.admit(clock.steady()));
        clock.advance(Millis(100));
    }
}

}  // namespace
}  // namespace agentcom::core

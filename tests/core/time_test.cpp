#include "agentcom/core/time.hpp"

#include <gtest/gtest.h>

#include <ctime>

namespace agentcom::core {
namespace {

TEST(ManualClock, StandsStillUntilMoved) {
    ManualClock clock(Timestamp{1000});
    const SteadyTime before = clock.steady();
    EXPECT_EQ(clock.now(), Timestamp{1000});
    clock.advance(Millis(5));
    EXPECT_EQ(clock.now(), Timestamp{1005});
    EXPECT_EQ(clock.steady() - before, Millis(5));
    clock.set(Timestamp{7});
    EXPECT_EQ(clock.now(), Timestamp{7});
}

TEST(SystemClock, CountsMillisecondsSince1970AndNeverRunsBackwards) {
    const SystemClock clock;
    const auto seconds = static_cast<std::int64_t>(std::time(nullptr));
    const std::int64_t ms = clock.now().ms;
    EXPECT_GE(ms, (seconds - 1) * 1000);
    EXPECT_LE(ms, (seconds + 2) * 1000);
    const SteadyTime first = clock.steady();
    EXPECT_GE(clock.steady(), first);
}

}  // namespace
}  // namespace agentcom::core

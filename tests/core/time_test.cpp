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
}

TEST(ManualClock, ItsWallClockIsSetWithoutTimePassing) {
    ManualClock clock(Timestamp{1000});
    const SteadyTime before = clock.steady();
    const Millis elapsed = clock.elapsed();
    clock.set(Timestamp{7});
    clock.step(Millis(3));
    EXPECT_EQ(clock.now(), Timestamp{10});
    EXPECT_EQ(clock.steady(), before);
    EXPECT_EQ(clock.elapsed(), elapsed);
    const std::uint64_t boot = clock.boot();
    clock.reboot(Millis(5));
    EXPECT_EQ(clock.now(), Timestamp{15});
    EXPECT_EQ(clock.elapsed(), Millis(0));
    EXPECT_NE(clock.boot(), boot);
}

TEST(SystemClock, CountsMillisecondsSince1970AndNeverRunsBackwards) {
    const SystemClock clock;
    const auto seconds = static_cast<std::int64_t>(std::time(nullptr));
    const std::int64_t ms = clock.now().ms;
    EXPECT_GE(ms, (seconds - 1) * 1000);
    EXPECT_LE(ms, (seconds + 2) * 1000);
    const SteadyTime first = clock.steady();
    EXPECT_GE(clock.steady(), first);
    const Millis elapsed = clock.elapsed();
    EXPECT_GT(elapsed, Millis(0));
    EXPECT_GE(clock.elapsed(), elapsed);
    EXPECT_NE(clock.boot(), 0U);
    EXPECT_EQ(clock.boot(), SystemClock().boot());
}

}  // namespace
}  // namespace agentcom::core

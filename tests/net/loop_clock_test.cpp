#include "net/loop_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace agentcom::net {
namespace {

using core::Millis;

class Loop : public ::testing::Test {
protected:
    /// So much time passes while the loop ticks as it should.
    void run(Millis time) {
        for (; time.count() > 0; time -= Millis{1'000}) {
            base_.advance(std::min(time, Millis{1'000}));
            clock_.tick();
        }
    }
    Millis elapsed() { return std::chrono::duration_cast<Millis>(clock_.steady() - started_); }
    core::ManualClock base_;
    LoopClock clock_{base_, Millis{1'000}};
    core::SteadyTime started_ = clock_.steady();
};

TEST_F(Loop, IsLikeTheClockBeneathWhileItRuns) {
    run(Millis{90'500});
    EXPECT_EQ(elapsed(), Millis{90'500});
    EXPECT_EQ(clock_.now(), base_.now());
    for (int i = 0; i < 100; ++i) {
        base_.advance(Millis{1'400});
        clock_.tick();
    }
    EXPECT_EQ(elapsed(), Millis{230'500}) << "a tick may be late";
}

TEST_F(Loop, ATimeInWhichNobodyLookedCountsAsOneTick) {
    run(Millis{10'000});
    base_.advance(Millis{3'600'000});
    EXPECT_EQ(elapsed(), Millis{11'000}) << "before the next tick, too";
    clock_.tick();
    EXPECT_EQ(elapsed(), Millis{11'000});
    run(Millis{10'000});
    EXPECT_EQ(elapsed(), Millis{21'000});
}

TEST_F(Loop, ATickThatComesLateAlthoughTheLoopWasBusyCountsAsOne) {
    run(Millis{10'000});
    for (int i = 0; i < 600; ++i) {
        base_.advance(Millis{100});
        (void)clock_.steady();
    }
    clock_.tick();
    EXPECT_EQ(elapsed(), Millis{11'000});
    run(Millis{5'000});
    EXPECT_EQ(elapsed(), Millis{16'000});
}

}  // namespace
}  // namespace agentcom::net

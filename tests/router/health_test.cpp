// Threads that stand still, and who is told of it.

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <thread>
#include <vector>

#include "router/liveness.hpp"
#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using protocol::HealthState;
using std::chrono::milliseconds;
using std::chrono::seconds;

class JudgeTest : public ::testing::Test {
protected:
    [[nodiscard]] HealthState judged() const {
        return judge({.loops = loops_, .asking = loops_[0].last, .commit_busy_since = busy_}, now_,
                     core::Millis(5'000));
    }
    const core::SteadyTime now_{seconds(1'000)};
    std::vector<LoopTurn> loops_{{now_ - seconds(1)}, {now_ - seconds(1)}};
    std::optional<core::SteadyTime> busy_;
};

TEST_F(JudgeTest, WhoTurnsIsWell) {
    EXPECT_EQ(judged(), HealthState::ok);
    loops_[1].last = now_ - milliseconds(4'999);
    busy_ = now_ - milliseconds(4'999);
    EXPECT_EQ(judged(), HealthState::ok);
}

TEST_F(JudgeTest, ALoopThatStandsStillShowsBeforeTheCommitThread) {
    loops_[1].last = now_ - milliseconds(5'001);
    EXPECT_EQ(judged(), HealthState::loop_stalled);
    busy_ = now_ - seconds(60);
    EXPECT_EQ(judged(), HealthState::loop_stalled);
    loops_[1].last = now_;
    EXPECT_EQ(judged(), HealthState::commit_stalled);
}

TEST_F(JudgeTest, ALoopThatWaitsForTheDiskIsNotTakenForOneThatStandsByItself) {
    loops_[1] = {now_ - seconds(60), true};
    EXPECT_EQ(judged(), HealthState::disk_stalled);
    busy_ = now_ - seconds(60);
    EXPECT_EQ(judged(), HealthState::disk_stalled) << "reads do not go on";
    loops_.push_back({now_ - seconds(60)});
    EXPECT_EQ(judged(), HealthState::loop_stalled);
    loops_ = {{now_}, {now_ - seconds(1), true}};
    busy_.reset();
    EXPECT_EQ(judged(), HealthState::ok) << "every disk is waited for now and then";
}

TEST_F(JudgeTest, ALoopThatHasNotBegunIsAStart) {
    loops_[1].last.reset();
    EXPECT_EQ(judged(), HealthState::starting);
}

TEST_F(JudgeTest, AProcessThatWasSuspendedIsNotTakenForOneThatStandsStill) {
    loops_ = {{now_ - seconds(60)}, {now_ - seconds(60)}};
    busy_ = now_ - seconds(60);
    EXPECT_EQ(judged(), HealthState::ok);
    loops_[0].last = now_;
    EXPECT_EQ(judged(), HealthState::loop_stalled);
}

class HealthTest : public RouterTest {
protected:
    HealthState live() { return get<protocol::ProbeReport>({}, protocol::ProbeLive{}).state; }
    HealthState ready() { return get<protocol::ProbeReport>({}, protocol::ProbeReady{}).state; }
    HealthState health() { return get<protocol::HealthReport>({}, protocol::Health{}).state; }
    template <class Ask>
    void wait_for_state(Ask ask, HealthState state) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (ask() != state) {
            ASSERT_LT(std::chrono::steady_clock::now(), deadline);
            std::this_thread::yield();
        }
    }
};

TEST_F(HealthTest, ALoopThatIsHeldUpIsToldOfByAnother) {
    RouterOptions options;
    options.stalled_after = core::Millis(1'100);
    start(options);
    wait_for_state([this] { return ready(); }, HealthState::ok);
    std::promise<void> release;
    loop(1).post([held = release.get_future().share()] { held.wait(); });
    wait_for_state([this] { return live(); }, HealthState::loop_stalled);
    EXPECT_EQ(ready(), HealthState::loop_stalled);
    EXPECT_EQ(health(), HealthState::loop_stalled);
    EXPECT_FALSE(router_->turning()) << "the watchdog is not fed";
    release.set_value();
    wait_for_state([this] { return live(); }, HealthState::ok);
    EXPECT_TRUE(router_->turning());
}

/// Holds the thread that calls it in the state of one that waits for the disk, until a byte comes
/// or the other end is closed: so the system lets the parent of a vfork wait for its child.
void wait_as_for_a_disk(int end) {
    const pid_t child = ::vfork();
    if (child == 0) {
        char byte = 0;
        const ssize_t got = ::read(end, &byte, 1);
        ::_exit(got < 0 ? 1 : 0);
    }
    ::waitpid(child, nullptr, 0);
}

TEST_F(HealthTest, ALoopThatWaitsForTheDiskMakesNobodyRestartTheHub) {
#if defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "ThreadSanitizer makes a fork of a vfork, which nobody waits for";
#endif
    RouterOptions options;
    options.stalled_after = core::Millis(1'100);
    start(options);
    wait_for_state([this] { return ready(); }, HealthState::ok);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    loop(1).post([end = ends[0]] { wait_as_for_a_disk(end); });
    wait_for_state([this] { return ready(); }, HealthState::disk_stalled);
    EXPECT_EQ(health(), HealthState::disk_stalled);
    EXPECT_EQ(live(), HealthState::ok);
    EXPECT_TRUE(router_->turning()) << "the watchdog is fed";
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    wait_for_state([this] { return ready(); }, HealthState::ok);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_F(HealthTest, AHubThatStopsIsNotReadyAndStillAlive) {
    wait_for_state([this] { return ready(); }, HealthState::ok);
    router_->begin_shutdown();
    EXPECT_EQ(ready(), HealthState::shutting_down);
    EXPECT_EQ(health(), HealthState::shutting_down);
    EXPECT_EQ(live(), HealthState::ok);
}

TEST_F(HealthTest, AStoreThatFailedIsNotReadyAndStillAlive) {
    std::filesystem::remove_all(dir_.path() / "data");
    EXPECT_THROW((void)create_token("bob"), std::runtime_error);
    EXPECT_EQ(ready(), HealthState::storage_failed);
    EXPECT_EQ(health(), HealthState::storage_failed);
    EXPECT_EQ(live(), HealthState::ok);
}

}  // namespace
}  // namespace agentcom::router

#include "agentcom/delivery/read_queue.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <utility>

namespace agentcom::delivery {
namespace {

// The loop calls it without a guard.
static_assert(noexcept(std::declval<ReadQueue&>().work()));

class ReadQueueTest : public ::testing::Test {
protected:
    /// A read that leaves a letter, and takes a whole turn's time.
    void add(const std::string& owner, char letter) {
        queue_.add(
            owner,
            [this, letter] {
                done_ += letter;
                const auto until = std::chrono::steady_clock::now() + ReadQueue::kTimeOfTurn;
                while (std::chrono::steady_clock::now() < until) {
                }
            },
            [] {});
    }
    void turn() {
        queue_.begin_turn();
        queue_.work();
    }
    Faults faults_;
    ReadQueue queue_{faults_};
    std::string done_;
};

TEST_F(ReadQueueTest, OwnersTakeTurnsHoweverManyReadsOneHas) {
    for (const char letter : std::string("abc")) add("greedy", letter);
    add("modest", 'x');
    for (int i = 0; i < 4; ++i) turn();
    EXPECT_EQ(done_, "axbc");
    EXPECT_FALSE(queue_.has_work());
}

TEST_F(ReadQueueTest, WhoComesBackWithAnotherReadComesBehindTheOthers) {
    add("one", 'a');
    add("two", 'x');
    add("two", 'y');
    turn();
    add("one", 'b');
    for (int i = 0; i < 3; ++i) turn();
    EXPECT_EQ(done_, "axby");
    EXPECT_FALSE(queue_.has_work());
}

TEST_F(ReadQueueTest, AReadThatTakesTheTurnsTimeIsTheOnlyOneOfIt) {
    add("one", 'a');
    add("other", 'b');
    turn();
    EXPECT_EQ(done_, "a");
    EXPECT_EQ(queue_.size(), 1U);
}

TEST_F(ReadQueueTest, QuickReadsShareATurn) {
    int done = 0;
    for (int i = 0; i < 10; ++i) {
        queue_.add(
            "one", [&] { ++done; }, [] {});
    }
    queue_.begin_turn();
    while (queue_.has_work()) queue_.work();
    EXPECT_EQ(done, 10);
}

TEST_F(ReadQueueTest, NobodyOvertakesThoseWhoWait) {
    queue_.begin_turn();
    EXPECT_TRUE(queue_.may_run_now());
    add("one", 'a');
    EXPECT_FALSE(queue_.may_run_now());
    turn();
    EXPECT_FALSE(queue_.may_run_now()) << "the turn's time is used up";
    queue_.begin_turn();
    EXPECT_TRUE(queue_.may_run_now());
}

TEST_F(ReadQueueTest, AReadThatThrowsIsToldAndCountedAndOthersGoOn) {
    bool told = false;
    queue_.add(
        "one", [] { throw std::runtime_error("damaged"); }, [&] { told = true; });
    add("one", 'b');
    queue_.begin_turn();
    while (queue_.has_work()) queue_.work();
    EXPECT_TRUE(told);
    EXPECT_EQ(done_, "b");
    EXPECT_EQ(faults_.count(), 1U);
}

TEST_F(ReadQueueTest, AReadThatHasBegunIsEndedBeforeItsOwnersNextOne) {
    const auto rest = [&] { done_ += 'a'; };
    queue_.add(
        "one", [&] { queue_.go_on("one", rest, [] {}); }, [] {});
    add("one", 'b');
    add("other", 'x');
    for (int i = 0; i < 4; ++i) turn();
    EXPECT_EQ(done_, "xab");
    EXPECT_FALSE(queue_.has_work());
}

}  // namespace
}  // namespace agentcom::delivery

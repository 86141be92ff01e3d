#include "agentcom/delivery/fifo.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <vector>

namespace agentcom::delivery {
namespace {

TEST(Fifo, KeepsTheOrderThroughGrowthAndWraparound) {
    Fifo<int, 4> fifo;
    std::deque<int> model;
    std::mt19937 random(20);
    for (int i = 0; i < 20'000; ++i) {
        // Long stretches of growing and of shrinking.
        const bool grow = random() % 100 < (i / 500 % 2 == 0 ? 70U : 30U);
        if (grow || model.empty()) {
            model.push_back(i);
            EXPECT_EQ(fifo.push_back(i), i);
        } else if (random() % 5 == 0) {
            model.pop_back();
            fifo.pop_back();
        } else {
            model.pop_front();
            fifo.pop_front();
        }
        ASSERT_EQ(fifo.size(), model.size());
        ASSERT_EQ(fifo.empty(), model.empty());
        if (model.empty()) continue;
        ASSERT_EQ(fifo.front(), model.front());
        ASSERT_EQ(fifo.back(), model.back());
        const std::size_t middle = model.size() / 2;
        ASSERT_EQ(fifo[middle], model[middle]);
    }
    EXPECT_TRUE(std::equal(fifo.begin(), fifo.end(), model.begin(), model.end()));
}

TEST(Fifo, LetsGoOfWhatIsTakenOut) {
    Fifo<std::shared_ptr<int>, 4> fifo;
    std::vector<std::weak_ptr<int>> watched;
    for (int i = 0; i < 3; ++i) watched.push_back(fifo.push_back(std::make_shared<int>(i)));
    fifo.pop_front();
    fifo.pop_back();
    EXPECT_TRUE(watched[0].expired());
    EXPECT_FALSE(watched[1].expired());
    EXPECT_TRUE(watched[2].expired());
}

TEST(Fifo, OwnsNothingAtFirstAndLittleOnceItIsEmptyAgain) {
    Fifo<int, 4> fifo;
    EXPECT_EQ(fifo.capacity(), 0U);
    for (int i = 0; i < 4; ++i) fifo.push_back(i);
    for (int i = 0; i < 4; ++i) fifo.pop_front();
    EXPECT_EQ(fifo.capacity(), 4U);
    for (int i = 0; i < 1'000; ++i) fifo.push_back(i);
    for (int i = 0; i < 1'000; ++i) fifo.pop_front();
    EXPECT_EQ(fifo.capacity(), 0U);
}

}  // namespace
}  // namespace agentcom::delivery

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "agentcom/core/counter.hpp"

namespace agentcom::core {
namespace {

constexpr std::array<std::uint64_t, 3> kBounds = {10, 20, 40};

TEST(HistogramTest, AnAmountCountsInTheFirstBoundThatHoldsItOrBehindAll) {
    Histogram<kBounds> histogram;
    for (const std::uint64_t amount : {0U, 10U, 11U, 20U, 40U, 41U, 1'000'000U}) {
        histogram.observe(amount);
    }
    const HistogramReading reading = histogram.read();
    EXPECT_EQ(reading.counts, (std::vector<std::uint64_t>{2, 2, 1, 2}));
    EXPECT_EQ(reading.sum, 1'000'122U);
    EXPECT_EQ(reading.bounds.size(), kBounds.size());
}

TEST(HistogramTest, ReadingsOfSeveralThreadsAreAddedUp) {
    Histogram<kBounds> one;
    Histogram<kBounds> other;
    one.observe(5);
    other.observe(5);
    other.observe(30);
    HistogramReading sum;
    sum.add(one.read());
    sum.add(other.read());
    EXPECT_EQ(sum.counts, (std::vector<std::uint64_t>{2, 0, 1, 0}));
    EXPECT_EQ(sum.sum, 40U);
}

TEST(CounterTest, GoesUpAndDown) {
    Counter counter;
    counter.add();
    counter.add(4);
    counter.subtract(2);
    EXPECT_EQ(counter.value(), 3U);
    counter.set(7);
    EXPECT_EQ(counter.value(), 7U);
}

}  // namespace
}  // namespace agentcom::core

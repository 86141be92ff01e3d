#include "agentcom/services/hub_series.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace agentcom::services {
namespace {

using core::Millis;
using core::SteadyTime;
using core::Timestamp;

constexpr std::int64_t kMinuteLong = 60'000;
constexpr std::int64_t kHourLong = 3'600'000;
constexpr Timestamp kBegin{1'000 * kHourLong};

core::HistogramReading reading(std::vector<std::uint64_t> first_counts) {
    core::HistogramReading made{.bounds = core::kLatencyBounds, .counts = {}};
    made.counts = std::move(first_counts);
    made.counts.resize(core::kLatencyBounds.size() + 1);
    return made;
}
Timestamp past(std::int64_t ms) { return {kBegin.ms + ms}; }
SteadyTime steady(std::int64_t ms) { return SteadyTime{Millis{ms}}; }

TEST(Quantiles, LieWithinTheBoundsThatHoldThem) {
    // 98 of up to a quarter of a millisecond, two between 5 and 10 ms.
    const auto all = quantiles({}, reading({98, 0, 0, 0, 0, 2}));
    EXPECT_NEAR(*all.p50, 0.1276, 0.001);
    EXPECT_NEAR(*all.p99, 7.5, 0.001);
    const auto later = quantiles(reading({98, 0, 0, 0, 0, 2}), reading({98, 0, 0, 0, 0, 2, 1}));
    EXPECT_GT(*later.p50, 10);
    EXPECT_LE(*later.p50, 25);
}

TEST(Quantiles, OfNothingAreNothingAndAboveAllBoundsTheLastOfThem) {
    EXPECT_FALSE(quantiles({}, {}).p50);
    EXPECT_FALSE(quantiles(reading({5}), reading({5})).p99);
    auto over = reading({});
    over.counts.back() = 1;
    EXPECT_EQ(quantiles({}, over).p50, 10'000);
}

TEST(RecentRise, IsThatOfTheWindow) {
    RecentRise rise(Millis{10'000});
    EXPECT_EQ(rise.rise(), 0U);
    EXPECT_EQ(rise.rate(), 0);
    for (int second = 0; second <= 30; ++second) {
        rise.note(steady(second * 1'000), second < 20 ? 0 : 100);
    }
    EXPECT_EQ(rise.rise(), 0U) << "the rise is older than the window";
    rise.note(steady(31'000), 150);
    EXPECT_EQ(rise.rise(), 50U);
    EXPECT_DOUBLE_EQ(rise.rate(), 5);
}

TEST(HubSeries, CountsByMinuteAndHourAndForgetsWhatIsOlder) {
    HubSeries series(100);
    series.count(steady(0), 100);
    series.count(steady(1'000), 110);
    (void)series.measure(past(1'000), {});
    (void)series.measure(past(kMinuteLong), {});
    series.count(steady(kMinuteLong + 1'000), 115);
    (void)series.measure(past(kMinuteLong + 10'000), {});
    auto minutes = series.minutes(past(kMinuteLong));
    ASSERT_EQ(minutes.size(), HubSeries::kMinutes);
    EXPECT_EQ(minutes[59].messages, 5U);
    EXPECT_EQ(minutes[59].at, past(kMinuteLong));
    EXPECT_EQ(minutes[58].messages, 10U);
    EXPECT_EQ(minutes[57].messages, 0U);
    EXPECT_EQ(series.messages_24h(past(kMinuteLong)), 15U);
    EXPECT_EQ(series.messages_24h(past(23 * kHourLong)), 15U);
    EXPECT_EQ(series.messages_24h(past(24 * kHourLong)), 0U);
    EXPECT_EQ(series.minutes(past(kHourLong))[0].messages, 5U);
    for (const auto& minute : series.minutes(past(2 * kHourLong))) EXPECT_EQ(minute.messages, 0U);
}

TEST(HubSeries, WithTheNextPointEachMessageCountsOnce) {
    HubSeries series(0);
    (void)series.measure(past(0), {});
    series.count(steady(1'000), 3);
    EXPECT_EQ(series.measure(past(10'000), {}).messages, 3U);
    series.count(steady(12'000), 8);
    const Timestamp now = past(15'000);
    EXPECT_EQ(series.minutes(now).back().messages, 3U) << "the next point tells the five others";
    EXPECT_EQ(series.hours(now).back().messages, 3U);
    EXPECT_EQ(series.messages_24h(now), 8U);
    EXPECT_EQ(series.measure(past(20'000), {}).messages, 5U);
    EXPECT_EQ(series.minutes(now).back().messages, 8U);
    EXPECT_EQ(series.hours(now).back().messages, 8U);
    EXPECT_EQ(series.messages_24h(now), 8U);
}

TEST(HubSeries, TakesInWhatWasSentBeforeUnlessItIsTooOld) {
    HubSeries series(0);
    const Timestamp now = past(kHourLong / 2);
    series.recall(past(0), now);
    series.recall(past(-23 * kHourLong), now);
    series.recall(past(-24 * kHourLong), now);
    series.recall(past(kHourLong), now);  // a clock that was set back
    EXPECT_EQ(series.messages_24h(now), 2U);
    EXPECT_EQ(series.hours(now)[0].messages, 1U);
    EXPECT_EQ(series.minutes(now)[29].messages, 1U);
}

TEST(HubSeries, MeasuresTheLastMinute) {
    HubSeries series(0);
    HubSeries::Reading slow{.head = 0, .commit = reading({0, 0, 0, 0, 0, 10}), .delivery = {}};
    EXPECT_FALSE(series.commit().p50);
    (void)series.measure(past(0), slow);
    EXPECT_GT(*series.commit().p50, 5);
    series.count(steady(5'000), 7);
    slow.commit.counts[0] = 1'000;
    const auto point = series.measure(past(10'000), slow);
    EXPECT_EQ(point.at, past(0));
    EXPECT_EQ(point.messages, 7U);
    EXPECT_LT(*point.commit.p99, 1);
    EXPECT_FALSE(point.delivery.p50);
    for (int i = 2; i <= 8; ++i) (void)series.measure(past(i * 10'000), slow);
    EXPECT_FALSE(series.commit().p50) << "nothing was committed in the last minute";
}

}  // namespace
}  // namespace agentcom::services

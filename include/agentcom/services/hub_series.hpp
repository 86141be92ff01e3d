#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// In milliseconds, about: what fits the bounds of a histogram. Nothing: nothing was measured.
struct LatencyQuantiles {
    std::optional<double> p50{};
    std::optional<double> p99{};
};
/// Of what was counted between two readings of one histogram of nanoseconds; an empty `before`: of
/// all.
[[nodiscard]] LatencyQuantiles quantiles(const core::HistogramReading& before,
                                         const core::HistogramReading& after);

/// How much a number that only rises has risen lately.
class RecentRise {
public:
    explicit RecentRise(core::Millis window) : window_(window) {}
    /// To be called with times that do not fall, and no more than kMost times within a window:
    /// then the window shrinks.
    void note(core::SteadyTime now, std::uint64_t value);
    /// Over the window, or since the first value.
    [[nodiscard]] std::uint64_t rise() const noexcept;
    /// Per second; 0 before two values are known.
    [[nodiscard]] double rate() const noexcept;

private:
    static constexpr std::size_t kMost = 128;
    struct Value {
        core::SteadyTime at;
        std::uint64_t value = 0;
    };
    core::Millis window_;
    std::deque<Value> values_;  // the oldest is as old as the window, or older
};

/// What the whole hub sent, minute by minute for an hour and hour by hour for a day, and how long
/// that took; fed by somebody who reads the hub's counters now and then. Of a fixed size. For one
/// thread.
class HubSeries {
public:
    static constexpr std::size_t kMinutes = 60;
    static constexpr std::size_t kHours = 24;

    struct Reading {
        std::uint64_t head = 0;  // number of the newest message
        core::HistogramReading commit;
        core::HistogramReading delivery;
    };
    struct Point {
        core::Timestamp at;  // where it begins
        std::uint64_t messages = 0;
        LatencyQuantiles commit{};
        LatencyQuantiles delivery{};
    };
    struct Hour {
        core::Timestamp at;
        std::uint64_t messages = 0;
    };

    /// `head`: number of the newest message that was there already.
    explicit HubSeries(std::uint64_t head) : head_(head) {}

    /// About once a second.
    void count(core::SteadyTime steady, std::uint64_t head);
    /// About every ten seconds; also the point of that stretch, which ends now.
    Point measure(core::Timestamp now, Reading reading);
    /// A message that was sent before the series began.
    void recall(core::Timestamp sent_at, core::Timestamp now);

    /// Messages per second over the last ten seconds.
    [[nodiscard]] double per_second() const noexcept { return rate_.rate(); }
    [[nodiscard]] LatencyQuantiles commit() const { return minute(&Reading::commit); }
    [[nodiscard]] LatencyQuantiles delivery() const { return minute(&Reading::delivery); }
    /// Oldest first, the present one last; those without messages are there, too. Without what was
    /// counted since the last point: the next one tells that, so that who adds points to what is
    /// here counts each message once.
    [[nodiscard]] std::vector<Point> minutes(core::Timestamp now) const;
    [[nodiscard]] std::vector<Hour> hours(core::Timestamp now) const;
    /// With what no point has told yet.
    [[nodiscard]] std::uint64_t messages_24h(core::Timestamp now) const;

private:
    /// Counts by a stretch of time, which the place in the ring follows from.
    struct Slot {
        std::int64_t stretch = -1;  // how many of them have passed since 1970
        std::uint64_t messages = 0;
        LatencyQuantiles commit{};
        LatencyQuantiles delivery{};
    };
    static Slot& slot(std::vector<Slot>& ring, std::int64_t stretch);
    void add(core::Timestamp at, std::uint64_t messages);
    /// Messages since the last point.
    [[nodiscard]] std::uint64_t untold() const noexcept { return counted_ - counted_at_point_; }
    /// Over the last minute.
    [[nodiscard]] LatencyQuantiles minute(core::HistogramReading Reading::*of) const;

    std::uint64_t head_;
    std::uint64_t counted_at_point_ = 0;
    std::uint64_t counted_ = 0;
    RecentRise rate_{core::Millis{10'000}};
    std::deque<Reading> readings_;  // of the last minute, and the one before it
    core::Timestamp point_began_{};
    std::vector<Slot> minutes_{kMinutes};
    std::vector<Slot> hours_{kHours};
};

}  // namespace agentcom::services

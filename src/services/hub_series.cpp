#include "agentcom/services/hub_series.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace agentcom::services {

namespace {

constexpr std::int64_t kMinuteLength = 60'000;
constexpr std::int64_t kHourLength = 3'600'000;
constexpr double kNanosOfMilli = 1e6;
/// One more than the tens of seconds of a minute: the minute lies between the first and the last.
constexpr std::size_t kReadings = 7;

/// Where the `wanted`-th of the counted amounts lies, taken as spread evenly within its bounds.
double value_at(const core::HistogramReading& counted, double wanted) {
    double before = 0;
    for (std::size_t i = 0; i < counted.counts.size(); ++i) {
        const auto here = static_cast<double>(counted.counts[i]);
        if (here == 0 || before + here < wanted) {
            before += here;
            continue;
        }
        const double low = i == 0 ? 0 : static_cast<double>(counted.bounds[i - 1]);
        // What is above all bounds is at least as long as the last of them.
        if (i == counted.bounds.size()) return low;
        const auto high = static_cast<double>(counted.bounds[i]);
        return low + (high - low) * (wanted - before) / here;
    }
    return 0;
}

}  // namespace

LatencyQuantiles quantiles(const core::HistogramReading& before,
                           const core::HistogramReading& after) {
    core::HistogramReading counted = after;
    std::uint64_t all = 0;
    for (std::size_t i = 0; i < counted.counts.size(); ++i) {
        if (i < before.counts.size()) {
            counted.counts[i] -= std::min(before.counts[i], counted.counts[i]);
        }
        all += counted.counts[i];
    }
    if (all == 0) return {};
    const auto many = static_cast<double>(all);
    return {value_at(counted, many * 0.5) / kNanosOfMilli,
            value_at(counted, many * 0.99) / kNanosOfMilli};
}

void RecentRise::note(core::SteadyTime now, std::uint64_t value) {
    values_.push_back({now, value});
    // The last one that is older than the window is where the rise is counted from.
    while (values_.size() > kMost || (values_.size() > 2 && values_[1].at <= now - window_)) {
        values_.pop_front();
    }
}

std::uint64_t RecentRise::rise() const noexcept {
    if (values_.empty()) return 0;
    return values_.back().value - std::min(values_.front().value, values_.back().value);
}

double RecentRise::rate() const noexcept {
    if (values_.size() < 2) return 0;
    const std::chrono::duration<double> passed = values_.back().at - values_.front().at;
    return passed.count() > 0 ? static_cast<double>(rise()) / passed.count() : 0;
}

HubSeries::Slot& HubSeries::slot(std::vector<Slot>& ring, std::int64_t stretch) {
    Slot& slot = ring[static_cast<std::size_t>(stretch) % ring.size()];
    if (slot.stretch != stretch) slot = Slot{.stretch = stretch};
    return slot;
}

void HubSeries::add(core::Timestamp at, std::uint64_t messages) {
    slot(minutes_, at.ms / kMinuteLength).messages += messages;
    slot(hours_, at.ms / kHourLength).messages += messages;
}

void HubSeries::count(core::SteadyTime steady, std::uint64_t head) {
    const std::uint64_t more = head - std::min(head_, head);
    head_ = std::max(head_, head);
    counted_ += more;
    rate_.note(steady, counted_);
}

HubSeries::Point HubSeries::measure(core::Timestamp now, Reading reading) {
    Point point{.at = readings_.empty() ? now : point_began_, .messages = untold()};
    add(point.at, point.messages);
    static const Reading kNone;
    const Reading& before = readings_.empty() ? kNone : readings_.back();
    point.commit = quantiles(before.commit, reading.commit);
    point.delivery = quantiles(before.delivery, reading.delivery);
    counted_at_point_ = counted_;
    point_began_ = now;
    readings_.push_back(std::move(reading));
    if (readings_.size() > kReadings) readings_.pop_front();
    Slot& minute_of_now = slot(minutes_, now.ms / kMinuteLength);
    minute_of_now.commit = commit();
    minute_of_now.delivery = delivery();
    return point;
}

void HubSeries::recall(core::Timestamp sent_at, core::Timestamp now) {
    if (sent_at > now) return;
    // A slot may have been given to a later stretch meanwhile.
    const std::int64_t minute = sent_at.ms / kMinuteLength;
    const std::int64_t hour = sent_at.ms / kHourLength;
    if (minute > now.ms / kMinuteLength - static_cast<std::int64_t>(kMinutes)) {
        ++slot(minutes_, minute).messages;
    }
    if (hour > now.ms / kHourLength - static_cast<std::int64_t>(kHours)) {
        ++slot(hours_, hour).messages;
    }
}

LatencyQuantiles HubSeries::minute(core::HistogramReading Reading::*of) const {
    if (readings_.empty()) return {};
    static const core::HistogramReading kNone;
    const bool whole = readings_.size() > 1;
    return quantiles(whole ? readings_.front().*of : kNone, readings_.back().*of);
}

std::vector<HubSeries::Point> HubSeries::minutes(core::Timestamp now) const {
    std::vector<Point> points;
    const std::int64_t last = now.ms / kMinuteLength;
    for (std::int64_t i = last - static_cast<std::int64_t>(kMinutes) + 1; i <= last; ++i) {
        const Slot& slot = minutes_[static_cast<std::size_t>(i) % minutes_.size()];
        Point& point = points.emplace_back(Point{.at = {i * kMinuteLength}});
        if (slot.stretch != i) continue;
        point.messages = slot.messages;
        point.commit = slot.commit;
        point.delivery = slot.delivery;
    }
    return points;
}

std::vector<HubSeries::Hour> HubSeries::hours(core::Timestamp now) const {
    std::vector<Hour> hours;
    const std::int64_t last = now.ms / kHourLength;
    for (std::int64_t i = last - static_cast<std::int64_t>(kHours) + 1; i <= last; ++i) {
        const Slot& slot = hours_[static_cast<std::size_t>(i) % hours_.size()];
        hours.push_back({{i * kHourLength}, slot.stretch == i ? slot.messages : 0});
    }
    return hours;
}

std::uint64_t HubSeries::messages_24h(core::Timestamp now) const {
    std::uint64_t all = untold();
    for (const Hour& hour : hours(now)) all += hour.messages;
    return all;
}

}  // namespace agentcom::services

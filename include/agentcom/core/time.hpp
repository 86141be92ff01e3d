#pragma once

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>

namespace agentcom::core {

using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

/// Wall-clock time in Unix milliseconds. Only for records and frames; deadlines use SteadyTime.
struct Timestamp {
    std::int64_t ms = 0;
    auto operator<=>(const Timestamp&) const = default;
};

/// Where time comes from. Thread-safe; injected everywhere so that tests decide what time it is.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const noexcept = 0;
    [[nodiscard]] virtual SteadyTime steady() const noexcept = 0;
};

/// The machine's clocks.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Timestamp now() const noexcept override;
    [[nodiscard]] SteadyTime steady() const noexcept override;
};

/// A clock that stands still until told to move. Thread-safe.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Timestamp start = Timestamp{1'700'000'000'000}) : now_(start.ms) {}
    [[nodiscard]] Timestamp now() const noexcept override { return Timestamp{now_.load()}; }
    [[nodiscard]] SteadyTime steady() const noexcept override {
        return SteadyTime{std::chrono::milliseconds(now_.load())};
    }
    void advance(Millis by) noexcept { now_.fetch_add(by.count()); }
    void set(Timestamp to) noexcept { now_.store(to.ms); }

private:
    std::atomic<std::int64_t> now_;
};

}  // namespace agentcom::core

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
    /// What has passed since the machine was started, also while it was suspended; for ages. Never
    /// falls.
    [[nodiscard]] virtual Millis elapsed() const noexcept {
        return std::chrono::duration_cast<Millis>(steady().time_since_epoch());
    }
    /// Which start of the machine `elapsed` counts from: what was read after another one cannot be
    /// compared. 0: not known.
    [[nodiscard]] virtual std::uint64_t boot() const noexcept { return 0; }
};

/// The machine's clocks.
class SystemClock final : public Clock {
public:
    [[nodiscard]] Timestamp now() const noexcept override;
    [[nodiscard]] SteadyTime steady() const noexcept override;
    [[nodiscard]] Millis elapsed() const noexcept override;
    [[nodiscard]] std::uint64_t boot() const noexcept override;
};

/// A clock that stands still until told to move. Its wall clock can be set by itself, as people and
/// time servers do. Thread-safe.
class ManualClock final : public Clock {
public:
    explicit ManualClock(Timestamp start = Timestamp{1'700'000'000'000})
        : now_(start.ms), steady_(start.ms) {}
    [[nodiscard]] Timestamp now() const noexcept override { return Timestamp{now_.load()}; }
    [[nodiscard]] SteadyTime steady() const noexcept override {
        return SteadyTime{std::chrono::milliseconds(steady_.load())};
    }
    [[nodiscard]] std::uint64_t boot() const noexcept override { return boot_.load(); }

    /// Time passes.
    void advance(Millis by) noexcept {
        steady_.fetch_add(by.count());
        now_.fetch_add(by.count());
    }
    /// The wall clock is set; nothing passes.
    void set(Timestamp to) noexcept { now_.store(to.ms); }
    void step(Millis by) noexcept { now_.fetch_add(by.count()); }
    /// The machine is started anew, after so much time by the wall clock.
    void reboot(Millis after) noexcept {
        steady_.store(0);
        now_.fetch_add(after.count());
        boot_.fetch_add(1);
    }

private:
    std::atomic<std::int64_t> now_;
    std::atomic<std::int64_t> steady_;
    std::atomic<std::uint64_t> boot_{1};
};

}  // namespace agentcom::core

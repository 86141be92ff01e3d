#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

/// Numbers that are counted where they arise and read by whoever asks. Each has one thread that
/// writes it, so that counting takes no locked instruction; readers are of any thread and see a
/// value that was there a moment ago.
namespace agentcom::core {

class Counter {
public:
    /// For the one thread that writes.
    void add(std::uint64_t more = 1) noexcept { set(value() + more); }
    void subtract(std::uint64_t less = 1) noexcept { set(value() - less); }
    void set(std::uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    /// Any thread.
    [[nodiscard]] std::uint64_t value() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// What a histogram has counted, or several of the same bounds together.
struct HistogramReading {
    std::span<const std::uint64_t> bounds;  // inclusive, rising
    std::vector<std::uint64_t> counts;      // of each bound, not of those below; then of the rest
    std::uint64_t sum = 0;

    void add(const HistogramReading& other) {
        if (counts.empty()) {
            *this = other;
            return;
        }
        for (std::size_t i = 0; i < counts.size() && i < other.counts.size(); ++i) {
            counts[i] += other.counts[i];
        }
        sum += other.sum;
    }
};

/// How many amounts were how large, by the fixed bounds `kBounds`, an array of rising numbers.
template <const auto& kBounds>
class Histogram {
public:
    /// For the one thread that writes.
    void observe(std::uint64_t amount) noexcept {
        std::size_t place = 0;
        while (place < kBounds.size() && amount > kBounds[place]) ++place;
        counts_[place].add();
        sum_.add(amount);
    }
    /// Any thread.
    [[nodiscard]] HistogramReading read() const {
        HistogramReading reading{.bounds = kBounds, .counts = {}, .sum = sum_.value()};
        reading.counts.reserve(counts_.size());
        for (const Counter& count : counts_) reading.counts.push_back(count.value());
        return reading;
    }

private:
    std::array<Counter, kBounds.size() + 1> counts_;
    Counter sum_;
};

/// Bounds for times, in nanoseconds: from a quarter of a millisecond to ten seconds.
inline constexpr std::array<std::uint64_t, 15> kLatencyBounds = {
    250'000,     500'000,       1'000'000,     2'500'000,     5'000'000,
    10'000'000,  25'000'000,    50'000'000,    100'000'000,   250'000'000,
    500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000};
/// Bounds for numbers of things that are done together.
inline constexpr std::array<std::uint64_t, 14> kBatchBounds = {
    1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1'024, 2'048, 4'096, 8'192};

}  // namespace agentcom::core

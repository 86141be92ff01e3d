#include "net/loop_places.hpp"

#include <algorithm>
#include <numeric>

namespace agentcom::net {

namespace {

/// Of a number written with `base` digits, 2 or more.
std::uint64_t digit_sum(std::uint64_t number, std::uint64_t base) noexcept {
    std::uint64_t sum = 0;
    for (; number > 0; number /= base) sum += number % base;
    return sum;
}

}  // namespace

std::size_t LoopPlaces::next() noexcept {
    const std::size_t loops = open_.size();
    if (loops == 1) return 0;
    const std::size_t due = digit_sum(turn_++, loops) % loops;
    const auto least = std::ranges::min_element(
        open_, {}, [](const Count& count) { return count.load(std::memory_order_relaxed); });
    if (open_[due] < *least + kMostApart) return due;
    return static_cast<std::size_t>(least - open_.begin());
}

std::uint64_t LoopPlaces::open() const noexcept {
    return std::accumulate(open_.begin(), open_.end(), std::uint64_t{0});
}

}  // namespace agentcom::net

#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace agentcom::net {

/// Deals new connections to event loops, and counts those that each loop has. They are not dealt
/// strictly in turn: whoever opens a sender, a receiver, a sender and so on would have all that
/// sends on one loop. The order is the fair-share sequence of Thue and Morse: each round of as many
/// connections as there are loops gives one to every loop, and of every second connection of two
/// loops, every fourth, eighth and so on each gets the same number again. While none
/// ends, three that come one after the other are never all on one loop of two.
class LoopPlaces {
public:
    using Count = std::atomic<std::uint64_t>;
    /// A connection goes to no loop that would then have more than so many more than another one,
    /// whichever have ended meanwhile.
    static constexpr std::uint64_t kMostApart = 4;

    /// `loops`: at least 1. `first`: where in the sequence it begins; any number.
    LoopPlaces(std::size_t loops, std::uint64_t first) : open_(loops), turn_(first) {}
    LoopPlaces(const LoopPlaces&) = delete;
    LoopPlaces& operator=(const LoopPlaces&) = delete;

    /// The loop for the next connection. Counts nothing. For the accepting thread.
    [[nodiscard]] std::size_t next() noexcept;
    /// Connections of this loop. Whoever places one raises it, and its end lowers it. Any thread.
    [[nodiscard]] Count& open_at(std::size_t loop) noexcept { return open_[loop]; }
    /// Connections of all loops. Any thread.
    [[nodiscard]] std::uint64_t open() const noexcept;

private:
    std::vector<Count> open_;
    std::uint64_t turn_;
};

}  // namespace agentcom::net

#include "net/loop_places.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace agentcom::net {
namespace {

std::size_t place(LoopPlaces& places) {
    const std::size_t loop = places.next();
    ++places.open_at(loop);
    return loop;
}

std::uint64_t difference(LoopPlaces& places, std::size_t loops) {
    std::uint64_t least = places.open_at(0);
    std::uint64_t most = least;
    for (std::size_t i = 1; i < loops; ++i) {
        least = std::min<std::uint64_t>(least, places.open_at(i));
        most = std::max<std::uint64_t>(most, places.open_at(i));
    }
    return most - least;
}

TEST(LoopPlaces, EachLoopGetsTheSameNumberWhereverTheOrderBegins) {
    for (std::size_t loops = 1; loops <= 8; ++loops) {
        for (const std::uint64_t first : {0, 1, 77, 12'345}) {
            LoopPlaces places(loops, first);
            for (std::uint64_t i = 1; i <= 40 * loops; ++i) {
                place(places);
                EXPECT_LE(difference(places, loops), 2U);
                EXPECT_EQ(places.open(), i);
            }
        }
    }
}

TEST(LoopPlaces, NoThreeInARowAreOnOneLoopOfTwo) {
    for (const std::uint64_t first : {0U, 1U, 5U, 1'000'003U}) {
        LoopPlaces places(2, first);
        std::size_t before = place(places);
        std::size_t last = place(places);
        for (int i = 0; i < 1'000; ++i) {
            const std::size_t now = place(places);
            EXPECT_FALSE(before == last && last == now) << first << ", " << i;
            before = std::exchange(last, now);
        }
    }
}

TEST(LoopPlaces, TheOrderMayBeginAtItsEnd) {
    LoopPlaces places(3, ~std::uint64_t{0} - 20);
    for (int i = 0; i < 100; ++i) {
        place(places);
        EXPECT_LE(difference(places, 3), LoopPlaces::kMostApart);
    }
}

TEST(LoopPlaces, WhoComesInARhythmIsSpreadAsWell) {
    for (const std::uint64_t first : {0, 1, 2, 3, 77}) {
        for (const std::size_t stride : {2, 4, 8}) {
            for (std::size_t phase = 0; phase < stride; ++phase) {
                LoopPlaces places(2, first);
                std::vector<int> got(2);
                for (std::size_t i = 0; i < 32 * stride; ++i) {
                    const std::size_t loop = place(places);
                    if (i % stride == phase) ++got[loop];
                }
                EXPECT_LE(std::abs(got[0] - got[1]), 2)
                    << "every " << stride << "th from " << phase << " on, begun at " << first;
            }
        }
    }
}

TEST(LoopPlaces, ALoopWhoseConnectionsHaveEndedIsFilledUpFirst) {
    LoopPlaces places(2, 0);
    for (int i = 0; i < 200; ++i) place(places);
    places.open_at(1) -= 50;
    for (int i = 0; i < 46; ++i) EXPECT_EQ(place(places), 1U) << i;
    for (int i = 0; i < 100; ++i) {
        place(places);
        EXPECT_LE(difference(places, 2), LoopPlaces::kMostApart);
    }
}

TEST(LoopPlaces, NobodyDecidesByClosingOnWhichLoopAllOfItsConnectionsAre) {
    // Keeps what lands on one loop, and closes what does not.
    LoopPlaces places(2, 0);
    for (int i = 0; i < 1'000; ++i) {
        const std::size_t loop = place(places);
        if (loop == 1) --places.open_at(loop);
    }
    EXPECT_LE(difference(places, 2), LoopPlaces::kMostApart);
}

}  // namespace
}  // namespace agentcom::net

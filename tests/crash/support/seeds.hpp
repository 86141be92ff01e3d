#pragma once

#include <cstdint>
#include <cstdlib>
#include <vector>

namespace agentcom::test {

/// Whether the long runs were asked for.
inline bool long_run() { return std::getenv("AGENTCOM_CRASH_LONG") != nullptr; }

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t kLess = 6;  // with sanitizers everything takes several times as long
#else
inline constexpr std::size_t kLess = 1;
#endif

/// The seeds of one test: so many, more in a long run, or the one in AGENTCOM_CRASH_SEED.
inline std::vector<std::uint64_t> seeds(std::size_t usually, std::size_t in_long_runs) {
    if (const char* given = std::getenv("AGENTCOM_CRASH_SEED")) {
        return {std::strtoull(given, nullptr, 10)};
    }
    std::vector<std::uint64_t> all(long_run() ? in_long_runs : usually / kLess);
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = 1'000 + i;
    return all;
}

}  // namespace agentcom::test

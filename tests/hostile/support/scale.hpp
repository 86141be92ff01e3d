#pragma once

#include <cstddef>
#include <cstdlib>
#include <string_view>

namespace agentcom::test {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// What the innocent may wait at the 99th percentile, in milliseconds. The promise is for a release
/// build; sanitizers take the hub's time and the test's.
inline constexpr double kInnocentP99 = kSanitized ? 1'000 : 100;

/// How many answers each innocent has while an attack is watched: a second or two.
inline constexpr std::size_t kWhile = 300;

/// True when the cases are to be played at the size at which they were found.
inline bool long_run() {
    const char* value = std::getenv("AGENTCOM_HOSTILE_LONG");
    return value != nullptr && std::string_view(value) == "1";
}

/// The size of a case: as found, in an ordinary run, and with sanitizers.
inline std::size_t sized(std::size_t found, std::size_t ordinary, std::size_t sanitized) {
    if (kSanitized) return sanitized;
    return long_run() ? found : ordinary;
}

/// A bound of anonymous memory in bytes. Sanitizers keep freed memory and notes on all of it.
inline constexpr std::size_t mebibytes(std::size_t count) {
    return (kSanitized ? 4 * count + 512 : count) << 20;
}

}  // namespace agentcom::test

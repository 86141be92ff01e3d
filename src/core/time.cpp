#include "agentcom/core/time.hpp"

#include <ctime>
#include <fstream>
#include <string>

namespace agentcom::core {

Timestamp SystemClock::now() const noexcept {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp{std::chrono::duration_cast<Millis>(since_epoch).count()};
}

Millis SystemClock::elapsed() const noexcept {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::duration_cast<Millis>(std::chrono::seconds(now.tv_sec) +
                                              std::chrono::nanoseconds(now.tv_nsec));
}

std::uint64_t SystemClock::boot() const noexcept {
    static const std::uint64_t id = []() noexcept -> std::uint64_t {
        try {
            std::ifstream file("/proc/sys/kernel/random/boot_id");
            std::string text;
            // FNV-1a: what it gives is stored, and must be the same in the next process.
            std::uint64_t hash = 0xcbf29ce484222325;
            if (!std::getline(file, text)) return 0;
            for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
            return hash;
        } catch (...) {
            return 0;
        }
    }();
    return id;
}

SteadyTime SystemClock::steady() const noexcept { return std::chrono::steady_clock::now(); }

}  // namespace agentcom::core

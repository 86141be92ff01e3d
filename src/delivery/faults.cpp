#include "agentcom/delivery/faults.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>

namespace agentcom::delivery {

void Faults::report(std::string_view what) noexcept {
    count_.fetch_add(1, std::memory_order_relaxed);
    const auto line = lines_.admit(std::chrono::steady_clock::now());
    if (!line) return;
    try {
        try {
            throw;
        } catch (const std::exception& error) {
            spdlog::error("a {} failed: {}{}", what, error.what(), line->note());
        } catch (...) {
            spdlog::error("a {} failed{}", what, line->note());
        }
    } catch (...) {
        // No memory for the line; the fault has been counted.
    }
}

}  // namespace agentcom::delivery

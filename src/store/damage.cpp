#include "store/damage.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

namespace agentcom::store {

void DamageNotes::report(std::string_view what) noexcept {
    count_.fetch_add(1, std::memory_order_relaxed);
    try {
        const auto line = lines_.with(
            [](Lines& lines) { return lines.limit.admit(std::chrono::steady_clock::now()); });
        if (line) spdlog::error("the store is damaged: {}{}", what, line->note());
    } catch (...) {
        // No memory for the line; the damage has been counted.
    }
}

}  // namespace agentcom::store

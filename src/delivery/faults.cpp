#include "agentcom/delivery/faults.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <string>

namespace agentcom::delivery {

void Faults::report(std::string_view what, std::span<const core::LogField> fields) noexcept {
    count_.fetch_add(1, std::memory_order_relaxed);
    const auto line = lines_.admit(std::chrono::steady_clock::now());
    if (!line) return;
    try {
        std::string text = "a " + std::string(what) + " failed";
        try {
            throw;
        } catch (const std::exception& error) {
            text += std::string(": ") + error.what();
        } catch (...) {
            // It says no more.
        }
        spdlog::error(core::with_fields(fields, text + line->note()));
    } catch (...) {
        // No memory for the line; the fault has been counted.
    }
}

}  // namespace agentcom::delivery

#include "agentcom/delivery/faults.hpp"

#include <spdlog/spdlog.h>

#include <exception>

namespace agentcom::delivery {

namespace {

constexpr std::chrono::seconds kInterval{10};
constexpr std::uint32_t kLinesPerInterval = 5;

}  // namespace

void Faults::report(std::string_view what) noexcept {
    count_.fetch_add(1, std::memory_order_relaxed);
    const auto now = std::chrono::steady_clock::now();
    if (now - began_ >= kInterval) {
        began_ = now;
        lines_ = 0;
    }
    if (lines_ >= kLinesPerInterval) {
        ++left_out_;
        return;
    }
    ++lines_;
    const std::uint64_t left_out = std::exchange(left_out_, 0);
    try {
        try {
            throw;
        } catch (const std::exception& error) {
            spdlog::error("a {} failed: {} ({} more like it before)", what, error.what(), left_out);
        } catch (...) {
            spdlog::error("a {} failed ({} more like it before)", what, left_out);
        }
    } catch (...) {
        // There may be no memory for the line; it is counted.
        ++left_out_;
    }
}

}  // namespace agentcom::delivery

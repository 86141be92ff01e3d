#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/log_limit.hpp"

namespace agentcom::store {

/// Counts what of the store could not be read, and says so in the log, a few lines every ten
/// seconds. Thread-safe.
class DamageNotes {
public:
    /// `what` says what was damaged and how it was noticed; never a payload.
    void report(std::string_view what) noexcept;
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }

private:
    struct Lines {
        core::LogLimit limit{5, core::Millis{10'000}};
    };
    std::atomic<std::uint64_t> count_{0};
    core::Guarded<Lines> lines_;
};

}  // namespace agentcom::store

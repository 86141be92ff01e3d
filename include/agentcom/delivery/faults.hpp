#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "agentcom/core/log_fields.hpp"
#include "agentcom/core/log_limit.hpp"

namespace agentcom::delivery {

/// What the handlers of one event loop throw. It ends what the handler was doing, never the loop:
/// it is counted and logged, at most a few lines every ten seconds. For the loop's thread, except
/// `count`.
class Faults {
public:
    /// Runs the function. False when it threw; `what` is the kind of handler, for the log.
    template <class Function>
    bool guard(std::string_view what, Function&& function) noexcept {
        try {
            std::forward<Function>(function)();
            return true;
        } catch (...) {
            report(what);
            return false;
        }
    }
    /// In a catch block: counts and logs the exception, with fields that say whom it concerns.
    void report(std::string_view what, std::span<const core::LogField> fields = {}) noexcept;
    /// Exceptions so far. Any thread.
    [[nodiscard]] std::uint64_t count() const noexcept {
        return count_.load(std::memory_order_relaxed);
    }

private:
    std::atomic<std::uint64_t> count_{0};
    core::LogLimit lines_{5, core::Millis{10'000}};
};

}  // namespace agentcom::delivery

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "agentcom/core/time.hpp"

namespace agentcom::core {

/// How often one kind of log line may be written: so many in each interval, and the next line after
/// that tells how many were left out. Only the arithmetic, so that every room may use it whatever
/// it logs with. Not thread-safe: each thread has its own.
class LogLimit {
public:
    struct Admitted {
        /// Lines of this kind since the one before that were not written.
        std::uint64_t left_out = 0;
        /// For the end of the line: " (12 more like it)", or nothing.
        [[nodiscard]] std::string note() const;
    };

    LogLimit(std::uint32_t most, Millis interval) noexcept : most_(most), interval_(interval) {}

    /// Nothing when the line must be left out.
    [[nodiscard]] std::optional<Admitted> admit(SteadyTime now) noexcept;

private:
    std::uint32_t most_;
    Millis interval_;
    std::optional<SteadyTime> began_;  // of the interval that `written_` counts
    std::uint32_t written_ = 0;
    std::uint64_t left_out_ = 0;
};

}  // namespace agentcom::core

#pragma once

#include <cstdint>

#include "scenarios.hpp"

namespace agentcom::bench {

/// A measured stretch: how long it was, and what it cost the hub's process and this one in CPU.
/// Machines are shared, so the CPU a message costs tells more about a change than its rate does.
class Stopwatch {
public:
    /// Starts. `server_pid` 0: the hub's share is not known.
    explicit Stopwatch(int server_pid);
    void stop();
    /// {per_second, hub_cpu_us, load_cpu_us} of so many operations.
    [[nodiscard]] Figures rate(std::uint64_t operations) const;

private:
    struct Reading {
        std::int64_t ns = 0;
        double hub_s = 0;
        double own_s = 0;
    };
    [[nodiscard]] Reading read() const;

    int server_pid_;
    Reading begin_;
    Reading end_;
};

}  // namespace agentcom::bench

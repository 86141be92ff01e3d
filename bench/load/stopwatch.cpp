#include "stopwatch.hpp"

#include <ctime>

#include "connection.hpp"

namespace agentcom::bench {

namespace {

/// CPU seconds of a process, all its threads, ended ones included; 0 when it cannot be asked.
double cpu_seconds(clockid_t clock) {
    timespec used{};
    if (::clock_gettime(clock, &used) != 0) return 0;
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

Stopwatch::Stopwatch(int server_pid) : server_pid_(server_pid), begin_(read()), end_(begin_) {}

void Stopwatch::stop() { end_ = read(); }

Stopwatch::Reading Stopwatch::read() const {
    Reading reading{.ns = now_ns(), .own_s = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID)};
    clockid_t clock{};
    if (server_pid_ != 0 && ::clock_getcpuclockid(server_pid_, &clock) == 0) {
        reading.hub_s = cpu_seconds(clock);
    }
    return reading;
}

Figures Stopwatch::rate(std::uint64_t operations) const {
    const auto count = static_cast<double>(operations);
    Figures figures{{"per_second", count * 1e9 / static_cast<double>(end_.ns - begin_.ns)}};
    if (operations == 0) return figures;
    figures["load_cpu_us"] = (end_.own_s - begin_.own_s) * 1e6 / count;
    if (server_pid_ != 0) figures["hub_cpu_us"] = (end_.hub_s - begin_.hub_s) * 1e6 / count;
    return figures;
}

}  // namespace agentcom::bench

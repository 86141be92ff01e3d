#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "scenarios.hpp"

namespace agentcom::bench {

/// Processes of the command line that wait for mail, ended by their pids when this goes.
class WaitingProcesses {
public:
    enum class Kind : std::uint8_t { wait, hook };

    WaitingProcesses(const Options& options, Kind kind);
    ~WaitingProcesses();
    WaitingProcesses(const WaitingProcesses&) = delete;
    WaitingProcesses& operator=(const WaitingProcesses&) = delete;

    /// Throws when it cannot be started.
    void start(const std::string& agent, const std::string& token);
    /// Returns when it has ended because of mail; throws when it ends otherwise, or does not end.
    void await_end(std::size_t number);
    /// Means over all: resident, proportional and private KiB.
    [[nodiscard]] Figures memory() const;

private:
    struct Process {
        pid_t pid = -1;
        int handle = -1;  // readable once it has ended
    };
    const Options& options_;
    const Kind kind_;
    std::vector<Process> processes_;
};

}  // namespace agentcom::bench

#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/time.hpp"

/// What hooks must know of other processes. Linux: /proc.
namespace agentcom::cli::agents {

/// A process that cannot be mistaken for a later one with the same number.
struct ProcessId {
    std::int64_t pid = 0;
    std::uint64_t started = 0;  // ticks since the machine started
    bool operator==(const ProcessId&) const = default;
};
[[nodiscard]] std::optional<ProcessId> identify_process(std::int64_t pid);
[[nodiscard]] bool is_running(const ProcessId& process);

/// The nearest process above this one whose name is so; nothing when there is none.
[[nodiscard]] std::optional<ProcessId> find_ancestor(std::string_view name);

/// Runs a program to its end, without our token in its environment and without what would let it
/// speak for the session that we are a hook of; its output is thrown away. Returns its exit status,
/// -1 when it could not be started or was killed.
[[nodiscard]] int run_quietly(const std::string& program,
                              const std::vector<std::string>& arguments);

struct Outcome {
    int status = -1;  // -1: it could not be started, was killed, or took too long
    std::string output;
    std::string errors;
};
/// Runs a command line in a shell, as clients run hooks, with this input and with variables
/// ("NAME=value") besides those of this process.
[[nodiscard]] Outcome run_in_shell(const std::string& command, const std::string& input,
                                   const std::vector<std::string>& variables,
                                   core::SteadyTime deadline);

}  // namespace agentcom::cli::agents

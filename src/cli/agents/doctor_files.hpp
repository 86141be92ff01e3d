#pragma once

#include <string>
#include <vector>

#include "cli/agents/client_files.hpp"
#include "cli/context_file.hpp"

namespace agentcom::cli::agents {

/// What the doctor says: a line for each finding, on standard output.
class DoctorReport {
public:
    void good(const std::string& text);
    void note(const std::string& text);
    void bad(const std::string& text);
    [[nodiscard]] int faults() const noexcept { return faults_; }

private:
    int faults_ = 0;
};

/// Looks whether the client's files are as `connect` leaves them for this context, and whether the
/// client heeds them. Returns the hooks that stand there. What is wrong with one file is a finding,
/// told once, and the others are looked at all the same.
[[nodiscard]] std::vector<HookCommand> examine_files(Dialect dialect, Scope scope,
                                                     const Places& places,
                                                     const StoredContext& stored,
                                                     DoctorReport& report);

}  // namespace agentcom::cli::agents

#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "cli/agents/hook_words.hpp"

namespace agentcom::cli::agents {

/// Where programs keep what may be lost: $XDG_STATE_HOME/agentcom, or ~/.local/state/agentcom.
/// Empty when neither variable is set.
[[nodiscard]] std::filesystem::path state_directory();

/// First half of SHA-256, hexadecimal: a name for a file that stands for any text.
[[nodiscard]] std::string name_for(std::string_view text);

/// What is kept of one session from one hook to the next.
struct LocalSession {
    hooks::SessionState told;
    // The process that waits for mail beside the session; 0 when there is none. A number is used
    // again once a process has ended, so the time it started belongs to it.
    std::int64_t waiter = 0;
    std::uint64_t waiter_started = 0;
    bool operator==(const LocalSession&) const = default;
};

/// The state of one session on disk (mode 0600, its directory 0700), locked against the session's
/// other hooks for as long as the object lives. What cannot be read is an empty state.
class SessionFile {
public:
    /// Waits for the lock. Throws std::system_error when there can be no file.
    SessionFile(const std::filesystem::path& directory, std::string_view session);
    ~SessionFile();
    SessionFile(const SessionFile&) = delete;
    SessionFile& operator=(const SessionFile&) = delete;

    [[nodiscard]] const LocalSession& state() const noexcept { return state_; }
    /// Writes when something has changed. Throws std::system_error.
    void save(const LocalSession& state);

private:
    int file_ = -1;
    LocalSession state_;
};

void remove_session(const std::filesystem::path& directory, std::string_view session) noexcept;
/// Removes the files of sessions that have not been heard of for two weeks.
void remove_old_sessions(const std::filesystem::path& directory) noexcept;

}  // namespace agentcom::cli::agents

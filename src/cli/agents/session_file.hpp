#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cli/agents/announce.hpp"

namespace agentcom::cli::agents {

/// Where programs keep what may be lost: $XDG_STATE_HOME/agentcom, or ~/.local/state/agentcom.
/// Empty when neither variable is set.
[[nodiscard]] std::filesystem::path state_directory();

/// First half of SHA-256, hexadecimal: a name for a file that stands for any text.
[[nodiscard]] std::string name_for(std::string_view text);

/// The state of one session on disk (mode 0600, its directory 0700), locked against the session's
/// other hooks for as long as the object lives. What cannot be read is an empty state.
class SessionFile {
public:
    /// Waits for the lock. Throws std::system_error when there can be no file.
    SessionFile(const std::filesystem::path& directory, std::string_view session);
    ~SessionFile();
    SessionFile(const SessionFile&) = delete;
    SessionFile& operator=(const SessionFile&) = delete;

    [[nodiscard]] const SessionState& state() const noexcept { return state_; }
    /// Writes when something has changed. Throws std::system_error.
    void save(const SessionState& state);

private:
    int file_ = -1;
    SessionState state_;
};

void remove_session(const std::filesystem::path& directory, std::string_view session) noexcept;
/// Removes the files of sessions that have not been heard of for two weeks.
void remove_old_sessions(const std::filesystem::path& directory) noexcept;

}  // namespace agentcom::cli::agents

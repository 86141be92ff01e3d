#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "agentcom/cli/hub_client.hpp"
#include "cli/agents/hook_words.hpp"

namespace agentcom::cli::agents {

/// The process that waits beside an idle session. One for each session: the newest ends the others.
struct Waiting {
    std::filesystem::path directory;  // of the sessions' states
    HookInput input;
    std::string agent;  // empty: the hub is asked
    /// How long the hook of the same moment is given to announce what is there already.
    core::Millis grace{0};
    /// Whether the session that is to be woken still lives.
    std::function<bool()> alive;
    /// Gives the text to the session; false when that failed, and then it is tried again later.
    std::function<bool(const std::string&)> wake;
};

/// Returns when the session was woken, has ended, has another waiter, or a day is over, and when
/// the hub does not take the token. A hub that is away is waited for. Throws std::system_error when
/// the state cannot be kept.
void wait_and_wake(HubClient& hub, const Waiting& waiting);

/// Ends the session's waiter, if it has one.
void end_waiter(const std::filesystem::path& directory, const std::string& session);

}  // namespace agentcom::cli::agents

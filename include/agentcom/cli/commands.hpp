#pragma once

#include <span>
#include <string_view>
#include <utility>

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace agentcom::cli {

// Exit status of the client's commands besides 0. 1 and 2 are those of all commands.
inline constexpr int kProblem = 1;        // something on this machine: a file, standard output
inline constexpr int kWrongUsage = 2;     // of the command line
inline constexpr int kTimeOver = 4;       // `wait`: the time is over and there is no mail
inline constexpr int kUnreachable = 5;    // no hub answers, or its certificate is not trusted
inline constexpr int kNoAccess = 6;       // there is no token, or the hub does not accept it
inline constexpr int kRefused = 7;        // the hub answered that it will not or cannot do this
inline constexpr int kTryLater = 8;       // the hub is busy, stopping, full, or slows one down
inline constexpr int kCommandFailed = 9;  // `listen --exec`: the command failed

struct ExitStatus {
    int code;
    std::string_view meaning;
};
/// Every status of the program, for its manual.
[[nodiscard]] std::span<const ExitStatus> exit_statuses() noexcept;
/// The variables that the client's commands look at, and what they say.
[[nodiscard]] std::span<const std::pair<std::string_view, std::string_view>>
client_variables() noexcept;

/// Adds the commands that talk to a hub, those for contexts, coding agents and shell completion to
/// the program's parser, which must outlive them. The one that is called runs while the command
/// line is parsed, says on standard error what goes wrong, and puts the exit status into `status`.
void add_client_commands(CLI::App& app, int& status);

}  // namespace agentcom::cli

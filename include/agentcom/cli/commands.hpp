#pragma once

namespace CLI {  // NOLINT(readability-identifier-naming): the name is the library's
class App;
}

namespace agentcom::cli {

// Exit status of the client's commands besides 0. 1 and 2 are those of all commands.
inline constexpr int kProblem = 1;      // something on this machine: a file, standard output
inline constexpr int kWrongUsage = 2;   // of the command line
inline constexpr int kTimeOver = 4;     // `wait`: the time is over and there is no mail
inline constexpr int kUnreachable = 5;  // no hub answers there, or its certificate is not trusted
inline constexpr int kNoAccess = 6;     // there is no token, or the hub does not know it
inline constexpr int kRefused = 7;      // the hub answered that it will not or cannot do this
inline constexpr int kTryLater = 8;     // the hub is busy, stopping, full, or slows the caller down
inline constexpr int kCommandFailed = 9;  // `listen --exec`: the command failed

}  // namespace agentcom::cli

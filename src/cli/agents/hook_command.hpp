#pragma once

#include <string>
#include <string_view>

#include "cli/context.hpp"

namespace agentcom::cli::agents {

struct HookCall {
    std::string client;
    std::string moment;
    ContextFlags context;
};

/// How the ids of sessions begin that are none: nobody is left waiting beside them.
inline constexpr std::string_view kTrialSession = "agentcom-doctor-";

/// `agentcom hook`: reads the client's input from standard input and answers in its dialect.
/// Returns the exit status: 0 whatever goes wrong, 2 only from the waiter that wakes.
[[nodiscard]] int run_hook(const HookCall& call) noexcept;

/// How the hook of a client that does not say otherwise limits its own time; AGENTCOM_HOOK_TIMEOUT,
/// in milliseconds, sets another.
inline constexpr int kHookMillis = 200;

}  // namespace agentcom::cli::agents

#pragma once

#include <string>
#include <string_view>

#include "agentcom/core/time.hpp"
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

/// How long a hook may take: what AGENTCOM_HOOK_TIMEOUT says in milliseconds, up to 30,000;
/// otherwise 200.
[[nodiscard]] core::Millis hook_time();
/// So much earlier a hook gives up asking the hub, so that it ends in peace.
inline constexpr core::Millis kHookMargin{20};

}  // namespace agentcom::cli::agents

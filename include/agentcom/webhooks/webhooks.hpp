#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/protocol/requests.hpp"
#include "agentcom/webhooks/sessions.hpp"

/// The hub in place of a program that a coding agent runs at the moments of its session: the input
/// comes as the body of a POST, and the answer's body is the output. What is said, and when, is
/// decided by the room `hooks`, as for `agentcom hook`. Thread-safe.
namespace agentcom::webhooks {

/// The router is to be asked; what it replies leads to the output, which is empty when nothing is
/// said.
struct Ask {
    protocol::Request request;
    std::function<core::result<std::string>(protocol::Reply&&)> then;
};

/// Begins to answer a hook of Claude Code, whose token is the agent's. An error when the body is
/// not the input of a session's hook. `then` of the answer remembers in `sessions`, which must
/// outlive it, what the session is told.
[[nodiscard]] core::result<Ask> begin_claude(const core::AgentId& agent, std::string_view body,
                                             Sessions& sessions);

}  // namespace agentcom::webhooks

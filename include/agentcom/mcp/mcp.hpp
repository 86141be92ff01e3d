#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agentcom/core/error.hpp"
#include "agentcom/core/ids.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/protocol/requests.hpp"

/// The hub as a server of the Model Context Protocol: JSON-RPC to the router's requests, replies to
/// results. Stateless, both eras of the protocol (2026-07-28, and before it the versions with
/// `initialize`), on one path. Nothing here decides what a caller may do: every request goes
/// through the router, and its errors are told. Pure functions, thread-safe; `docs/mcp.md` is the
/// contract.
namespace agentcom::mcp {

/// One POST. Views are valid for the call of `begin`.
struct Call {
    core::AgentId agent;  // whose token came with it: who acts
    core::Timestamp now;
    std::string_view body;
    // Headers, where the request has them.
    std::optional<std::string_view> protocol_version{};  // MCP-Protocol-Version
    std::optional<std::string_view> method{};            // Mcp-Method
    std::optional<std::string_view> name{};              // Mcp-Name
    bool full_profile = false;  // tools beyond the core, which cost every session tokens
};

/// What is sent back. Without a body for what is only taken note of (202).
struct Answer {
    std::uint16_t status = 200;
    std::string body{};  // JSON
};

struct Step;
/// The router is to be asked; its reply leads to the next step.
struct Ask {
    protocol::Request request;
    std::function<Step(protocol::Reply&&)> then;
};

/// The answer is a stream of server-sent events; each text is the JSON of one.
struct Subscription {
    protocol::OpenStream stream;
    std::string opening;
    bool notify_at_once = false;                        // mail waits already
    std::string notice;                                 // for whatever comes into the mailbox
    std::string closing;                                // when the hub ends it
    std::function<Answer(const core::Error&)> refusal;  // instead, when it cannot be opened
};

struct Step {
    std::variant<Answer, Ask, Subscription> what;
};

/// Begins to answer. Never throws for what is wrong with the call: the answer says it.
[[nodiscard]] Step begin(const Call& call);

}  // namespace agentcom::mcp

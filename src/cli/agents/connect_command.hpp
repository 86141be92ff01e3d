#pragma once

#include <string>

#include "cli/context.hpp"

namespace agentcom::cli::agents {

struct ConnectCall {
    std::string client;  // one of dialect_names()
    std::string name;    // of the agent; empty: the token's, or one made of the client's name
    std::string scope = "user";
    bool http = false;  // hooks ask the hub themselves
    bool dry_run = false;
    bool undo = false;
    ContextFlags context;
};

/// `agentcom connect`. Returns the exit status; throws what run_guarded takes, and then no file was
/// changed but, when a disk fails half-way, those that were written before.
[[nodiscard]] int run_connect(const ConnectCall& call);

/// The stored context that the hooks of this client use.
[[nodiscard]] std::string context_name(const std::string& client, const std::string& scope);

}  // namespace agentcom::cli::agents

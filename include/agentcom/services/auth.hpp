#pragma once

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Whom a token belongs to, with the rights it gives.
struct Identity {
    core::AgentId agent;
    core::Role role = core::Role::agent;
};

/// Tokens and rights. Thread-safe; keeps no copy of the tokens: each check reads the store, so a
/// revoked token is refused from its commit on.
class Auth {
public:
    /// `admin_agents` are admins whatever the role of their token.
    Auth(const store::Store& store, std::vector<core::AgentId> admin_agents);

    /// Nothing when the text is not a token, or nobody's.
    [[nodiscard]] std::optional<Identity> verify(std::string_view token) const;
    /// Whether the agent still holds a token; a request that waited asks again.
    [[nodiscard]] bool holds_token(const core::AgentId& agent) const;
    /// Tokens behind the cursor of an earlier page; see store::Store::list_tokens.
    [[nodiscard]] core::result<store::TokenPage> list(std::string_view cursor,
                                                      core::Budget& budget) const;

private:
    const store::Store& store_;
    std::vector<core::AgentId> admin_agents_;
};

/// Calls the function with every token, page by page; for start-up and the command line.
void for_each_token(const store::Store& store,
                    const std::function<void(const store::TokenRecord&)>& function);

}  // namespace agentcom::services

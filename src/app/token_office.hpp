#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/token.hpp"
#include "app/config.hpp"

namespace agentcom::app {

struct IssuedToken {
    std::string agent;
    std::string role;    // core::role_name
    std::string prefix;  // first eight digits
};

/// Where tokens are handed out and taken back: in the data directory while no hub serves it,
/// through the running hub otherwise. Members throw std::runtime_error with one sentence.
class TokenOffice {
public:
    virtual ~TokenOffice() = default;
    /// The new token's 64 digits.
    [[nodiscard]] virtual std::string create(const core::AgentId& agent, core::Role role) = 0;
    [[nodiscard]] virtual std::vector<IssuedToken> list() = 0;
    /// Takes back all tokens of the agent.
    virtual void revoke(const std::string& agent) = 0;
};

/// Opens the office that the state of the data directory calls for; waits up to store::kLockWait
/// for a hub that starts or stops, or for another command. `admin_token` is only needed when a hub
/// runs; without one the file `admin_token` in the data directory is read.
[[nodiscard]] std::unique_ptr<TokenOffice> open_token_office(
    const Config& config, const std::optional<std::string>& admin_token);

}  // namespace agentcom::app

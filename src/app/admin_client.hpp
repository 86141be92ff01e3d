#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "agentcom/cli/hub_client.hpp"
#include "app/run_file.hpp"

namespace agentcom::app {

/// Asks the hub of a data directory for administrative things, one connection a request.
class AdminClient {
public:
    AdminClient(RunningHub hub, std::string token)
        : hub_(std::move(hub)), token_(std::move(token)) {}

    struct Answer {
        std::uint16_t status = 0;
        nlohmann::json body;
    };
    /// Throws std::runtime_error with one sentence when there is no answer within ten seconds, or
    /// when it is an error or no JSON.
    [[nodiscard]] Answer ask(std::string_view verb, std::string_view target,
                             const std::string& body = {}) const;
    /// Whether something listens at the hub's address; waits a second at most.
    [[nodiscard]] bool reaches() const noexcept;

private:
    [[nodiscard]] cli::HubClient client() const;
    RunningHub hub_;
    std::string token_;
};

}  // namespace agentcom::app

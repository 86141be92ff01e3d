#include "cli/token_holder.hpp"

#include "cli/json_view.hpp"

namespace agentcom::cli {

TokenHolder ask_holder(HubClient& hub, Deadline deadline) {
    const std::string answer = hub.ask({.verb = "GET", .target = "/api/me"}, deadline);
    const JsonView me(answer);
    if (!me["agent_id"].is_text() || !me["role"].is_text()) {
        throw HubError(HubError::Kind::malformed,
                       "what answers at " + hub.url() + " is no AgentCom hub");
    }
    return {me["agent_id"].text(), me["role"].text()};
}

}  // namespace agentcom::cli

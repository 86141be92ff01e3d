#include "cli/agents/mail_questions.hpp"

#include <nlohmann/json.hpp>

namespace agentcom::cli::agents {
namespace {

constexpr std::chrono::seconds kPollTime{50};
constexpr std::chrono::seconds kPollDeadline{65};

std::string mailbox_target(const std::string& agent) {
    return "/api/mailbox/" + encode_path_segment(agent);
}

}  // namespace

TokenHolder ask_holder(HubClient& hub, Deadline deadline) {
    const auto body = nlohmann::json::parse(hub.ask({.verb = "GET", .target = "/api/me"}, deadline),
                                            nullptr, false);
    if (!body.is_object() || !body.contains("agent_id") || !body.contains("role")) {
        throw HubError(HubError::Kind::malformed,
                       "what answers at " + hub.url() + " is no AgentCom hub");
    }
    return {body.value("agent_id", ""), body.value("role", "")};
}

UnreadMail ask_unread(HubClient& hub, const std::string& agent, Deadline deadline) {
    auto mail = parse_unread(
        hub.ask({.verb = "GET", .target = mailbox_target(agent) + "/unread"}, deadline));
    if (!mail) {
        throw HubError(HubError::Kind::malformed,
                       "what answers at " + hub.url() + " is no AgentCom hub");
    }
    return *std::move(mail);
}

void wait_for_newer(HubClient& hub, const std::string& agent, std::uint64_t since) {
    (void)hub.ask({.verb = "GET",
                   .target = mailbox_target(agent) + "?limit=1&since=" + std::to_string(since) +
                             "&wait=" + std::to_string(kPollTime.count())},
                  from_now(kPollDeadline));
}

}  // namespace agentcom::cli::agents

#include "cli/agents/mail_questions.hpp"

namespace agentcom::cli::agents {
namespace {

constexpr std::chrono::seconds kPollTime{50};
constexpr std::chrono::seconds kPollDeadline{65};

std::string mailbox_target(const std::string& agent) {
    return "/api/mailbox/" + encode_path_segment(agent);
}

}  // namespace

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

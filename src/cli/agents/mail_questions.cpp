#include "cli/agents/mail_questions.hpp"

#include <nlohmann/json.hpp>
#include <type_traits>

namespace agentcom::cli::agents {
namespace {

constexpr std::chrono::seconds kPollTime{50};
constexpr std::chrono::seconds kPollDeadline{65};

template <class Value>
std::optional<Value> unread_member(const nlohmann::json& object, const char* key) {
    const auto found = object.find(key);
    if (found == object.end()) return std::nullopt;
    if constexpr (std::is_same_v<Value, std::string>) {
        if (!found->is_string()) return std::nullopt;
    } else {
        if (!found->is_number_unsigned()) return std::nullopt;
    }
    return found->get<Value>();
}

std::string mailbox_target(const std::string& agent) {
    return "/api/mailbox/" + encode_path_segment(agent);
}

}  // namespace

std::optional<UnreadMail> parse_unread(std::string_view json) {
    const nlohmann::json body = nlohmann::json::parse(json, nullptr, false);
    if (!body.is_object()) return std::nullopt;
    const auto agent = unread_member<std::string>(body, "agent_id");
    const auto count = unread_member<std::uint64_t>(body, "count");
    const auto newest = unread_member<std::uint64_t>(body, "last_seq");
    const auto epoch = unread_member<std::string>(body, "epoch");
    const auto senders = body.find("by_sender");
    if (!agent || !count || !newest || !epoch || senders == body.end() || !senders->is_array()) {
        return std::nullopt;
    }
    UnreadMail mail{*agent, *count, {}, *newest, *epoch, body.contains("more")};
    for (const nlohmann::json& sender : *senders) {
        if (!sender.is_object()) return std::nullopt;
        const auto name = unread_member<std::string>(sender, "agent_id");
        const auto sent = unread_member<std::uint64_t>(sender, "count");
        if (!name || !sent) return std::nullopt;
        mail.senders.emplace_back(*name, *sent);
    }
    return mail;
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

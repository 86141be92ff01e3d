#include "agentcom/webhooks/webhooks.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/json_scanner.hpp"

namespace agentcom::webhooks {

namespace {

using hooks::HookInput;
using hooks::InputValue;
using hooks::Moment;
using protocol::JsonKind;
using protocol::JsonScanner;
using protocol::JsonValue;

/// The moments at which the hub has something to say. The start of a session is none: Claude Code
/// asks no hub then.
constexpr std::array kMoments = {Moment::prompt, Moment::tool, Moment::stop};

using Members = std::vector<std::pair<std::string, JsonValue>>;

InputValue value_of(const JsonValue& value) {
    if (value.kind == JsonKind::string) {
        return protocol::decode_json_string(value.raw, value.escaped);
    }
    if (value.kind == JsonKind::boolean) return value.raw == "true";
    if (value.kind != JsonKind::number) return {};
    std::int64_t number = 0;
    const char* const end = value.raw.data() + value.raw.size();
    const auto [rest, error] = std::from_chars(value.raw.data(), end, number);
    if (rest != end || error != std::errc()) return {};
    return number;
}

HookInput input_of(const Members& members) {
    return hooks::read_hook_input(
        [&members](std::string_view name) -> std::optional<InputValue> {
            // Of equal names the last counts.
            const auto member = std::find_if(members.rbegin(), members.rend(),
                                             [name](const auto& m) { return m.first == name; });
            if (member == members.rend()) return std::nullopt;
            return value_of(member->second);
        },
        hooks::Dialect::claude);
}

std::optional<Moment> moment_of(const HookInput& input) {
    const auto found = std::find_if(kMoments.begin(), kMoments.end(), [&input](Moment moment) {
        // Others run the hooks that were written for Claude Code, some under its names.
        return hooks::event_name(input.dialect, moment) == input.event ||
               hooks::event_name(hooks::Dialect::claude, moment) == input.event;
    });
    return found == kMoments.end() ? std::nullopt : std::optional(*found);
}

hooks::UnreadMail mail_of(const protocol::UnreadSummary& unread) {
    hooks::UnreadMail mail{unread.agent.str(),    unread.count,       {},
                           unread.last_seq.value, unread.epoch.str(), unread.more};
    for (const auto& [sender, count] : unread.senders) {
        mail.senders.emplace_back(sender.str(), count);
    }
    return mail;
}

/// Nobody is told anything; the hub takes note of a sign of life, at the price of one.
Ask nothing_to_say(const HookInput& input) {
    return {protocol::Ping{},
            [output = std::string(hooks::silence(input.dialect))](
                protocol::Reply&& reply) -> core::result<std::string> {
                if (!reply) return reply.error();
                return output;
            }};
}

}  // namespace

core::result<Ask> begin_claude(const core::AgentId& agent, std::string_view body,
                               Sessions& sessions) {
    const auto members = JsonScanner::members(body);
    if (!members) return core::Error(core::ErrorCode::invalid_json);
    HookInput input = input_of(*members);
    if (input.session.empty()) return core::Error(core::ErrorCode::missing_field, "session_id");
    if (input.session.size() > kMaxSessionIdBytes) {
        return core::Error(
            core::ErrorCode::invalid_field, "session_id",
            "the id of a session has at most " + std::to_string(kMaxSessionIdBytes) + " bytes");
    }
    if (input.event.empty()) return core::Error(core::ErrorCode::missing_field, "hook_event_name");
    const auto moment = moment_of(input);
    if (!moment || input.subagent) return nothing_to_say(input);
    return Ask{protocol::GetUnread{agent.str()},
               [agent, input = std::move(input), moment = *moment,
                &sessions](protocol::Reply&& reply) -> core::result<std::string> {
                   if (!reply) return reply.error();
                   return sessions.tell(agent, input, moment,
                                        mail_of(std::get<protocol::UnreadSummary>(*reply)));
               }};
}

}  // namespace agentcom::webhooks

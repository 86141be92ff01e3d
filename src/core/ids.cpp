#include "agentcom/core/ids.hpp"

#include <algorithm>
#include <array>

#include "agentcom/core/utf8.hpp"

namespace agentcom::core {
namespace {

constexpr std::string_view kReservedId = "broadcast";

constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Looked up, because names are checked several times for each message, also when one is read.
constexpr std::array<bool, 256> kAgentIdCharacters = [] {
    std::array<bool, 256> allowed{};
    for (std::size_t i = 0; i < allowed.size(); ++i) {
        const char c = static_cast<char>(i);
        allowed[i] = is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == ':' || c == '@';
    }
    return allowed;
}();

bool has_usable_length(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kMaxAgentIdBytes;
}

bool is_plain_id(std::string_view text) noexcept {
    // A lambda, because GCC calls a function that it is handed for every letter.
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return kAgentIdCharacters[static_cast<unsigned char>(c)]; });
}

Error bad_agent_id(std::string_view rule) {
    return {ErrorCode::invalid_agent_id, "agent_id", std::string(rule)};
}

}  // namespace

result<AgentId> AgentId::parse(std::string_view text) {
    if (!has_usable_length(text) || !is_plain_id(text)) {
        return bad_agent_id("an agent id has 1 to 128 characters of A-Z a-z 0-9 . _ - : @");
    }
    if (text == kReservedId) return bad_agent_id("\"broadcast\" is reserved");
    return AgentId(text);
}

result<AgentId> AgentId::parse_issued(std::string_view text) {
    // Nearly all are plain, so the dear checks are seldom needed.
    if (!has_usable_length(text) ||
        (!is_plain_id(text) && (!is_valid_utf8(text) || has_control_characters(text)))) {
        return bad_agent_id(
            "an agent id has 1 to 128 bytes of UTF-8 text without control characters");
    }
    if (text == kReservedId) return bad_agent_id("\"broadcast\" is reserved");
    return AgentId(text);
}

bool AgentId::is_plain() const noexcept { return is_plain_id(text_); }

result<ChannelName> ChannelName::parse(std::string_view text) {
    std::string name;
    // Leading '#'s need no rule of their own: '#' is not among the characters that are kept.
    for (const char c : text) {
        const char lower = (c >= 'A' && c <= 'Z') ? static_cast<char>(c - 'A' + 'a') : c;
        const bool kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ||
                          lower == '-' || lower == '_';
        if (!kept) continue;
        if (name.size() == kMaxChannelNameBytes) {
            return Error(ErrorCode::invalid_channel_name, "channel",
                         "a channel name has at most 64 characters");
        }
        name.push_back(lower);
    }
    if (name.empty()) return Error(ErrorCode::invalid_channel_name, "channel");
    return ChannelName(std::move(name));
}

}  // namespace agentcom::core

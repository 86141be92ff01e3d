#include "protocol/decode_members.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "protocol/encode_reply.hpp"
#include "protocol/fields.hpp"

namespace agentcom::protocol {
namespace {

constexpr std::string_view kRightsExpected = R"(a list of "read", "publish" and "manage")";
constexpr std::string_view kMembersExpected =
    "a list of agent ids, or of objects with agent_id and rights";

/// Nothing when it is not a list of rights.
std::optional<core::MemberRights> rights_of(const JsonValue& value) {
    if (value.kind != JsonKind::array) return std::nullopt;
    core::MemberRights rights = 0;
    for (const JsonValue& element : JsonScanner::elements(value.raw)) {
        if (element.kind != JsonKind::string) return std::nullopt;
        const std::string name = text_of(element);
        const auto known = std::ranges::find(kMemberRightNames, name,
                                             [](const auto& each) { return each.second; });
        if (known == kMemberRightNames.end()) return std::nullopt;
        rights = static_cast<core::MemberRights>(rights | known->first);
    }
    return rights;
}

}  // namespace

core::result<core::MemberRights> member_rights(const Input& in) {
    const JsonValue* value = in.find(Key::rights);
    if (value == nullptr) return in.missing(Key::rights);
    const auto rights = rights_of(*value);
    if (!rights) return in.wrong(Key::rights, kRightsExpected);
    return *rights;
}

core::result<std::vector<core::ChannelMember>> channel_members(const Input& in) {
    std::vector<core::ChannelMember> members;
    const JsonValue* value = in.find_non_null(Key::members);
    if (value == nullptr) return members;
    if (value->kind != JsonKind::array) return in.wrong(Key::members, kMembersExpected);
    for (const JsonValue& element : JsonScanner::elements(value->raw)) {
        std::string id;
        core::MemberRights rights = core::kMayRead | core::kMayPublish;
        if (element.kind == JsonKind::string) {
            id = text_of(element);
        } else {
            Fields fields;
            if (element.kind != JsonKind::object ||
                fields.scan(element.raw) != Fields::Shape::object) {
                return in.wrong(Key::members, kMembersExpected);
            }
            const JsonValue* agent = fields.find(Key::agent_id);
            if (agent == nullptr || agent->kind != JsonKind::string) {
                return in.wrong(Key::members, kMembersExpected);
            }
            id = text_of(*agent);
            if (const JsonValue* given = fields.find_non_null(Key::rights)) {
                const auto known = rights_of(*given);
                if (!known) return in.wrong(Key::rights, kRightsExpected);
                rights = *known;
            }
        }
        auto agent = core::AgentId::parse_issued(id);
        if (!agent) return core::Error(core::ErrorCode::invalid_agent_id, "members");
        if (rights != 0) members.push_back({std::move(*agent), rights});
    }
    return members;
}

}  // namespace agentcom::protocol

#include "protocol/decode_channels.hpp"

#include <optional>
#include <string>
#include <utility>

#include "protocol/decode_admin.hpp"
#include "protocol/decode_members.hpp"
#include "protocol/field_specs.hpp"

namespace agentcom::protocol {
namespace {

std::optional<core::ChannelSeq> place(const std::optional<std::int64_t>& number) {
    if (!number) return std::nullopt;
    return core::ChannelSeq{static_cast<std::uint64_t>(*number)};
}

}  // namespace

core::result<Request> create_channel(const Input& in) {
    const JsonValue* name = in.find(Key::name);
    if (name == nullptr) return in.missing(Key::name);
    if (name->kind != JsonKind::string) return in.wrong(Key::name, "a string");
    std::string text = text_of(*name);
    auto channel = core::ChannelName::parse(text);
    if (!channel) return core::Error(core::ErrorCode::invalid_channel_name, "name");
    auto description = in.text(kDescription);
    if (!description) return description.error();
    const auto is_private = in.flag(kPrivate);
    if (!is_private) return is_private.error();
    const auto publishers = in.text(kPublishers);
    if (!publishers) return publishers.error();
    if (*publishers && **publishers != "all" && **publishers != "members") {
        return in.wrong(Key::publishers, R"("all" or "members")");
    }
    auto members = channel_members(in);
    if (!members) return members.error();
    return Request(CreateChannel{std::move(*channel),
                                 std::move(*description).value_or(std::string()), std::move(text),
                                 *is_private, *publishers == "members", std::move(*members)});
}

core::result<Request> set_member(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    const JsonValue* value = in.find(Key::agent_id);
    if (value == nullptr) return in.missing(Key::agent_id);
    auto agent = issued_agent(value->kind == JsonKind::string ? text_of(*value) : "");
    if (!agent) return agent.error();
    const auto rights = member_rights(in);
    if (!rights) return rights.error();
    return Request(SetMember{
        std::move(channel->name), std::move(channel->text), {std::move(*agent), *rights}});
}

core::result<Request> get_channel(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    auto wanted = in.list_range();
    if (!wanted) return wanted.error();
    return Request(GetChannel{std::move(channel->name), std::move(*wanted)});
}

core::result<Request> channel_history(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    const auto limit = in.number(kHistoryLimit);
    if (!limit) return limit.error();
    auto since = in.integer(kSince);
    if (!since) return since.error();
    // What a page gives as its cursor may be passed under that name, too.
    const auto cursor = in.integer(kSeqCursor);
    if (!cursor) return cursor.error();
    if (*cursor) since = cursor;
    const auto before = in.integer(kBefore);
    if (!before) return before.error();
    return Request(ChannelHistory{.channel = std::move(channel->name),
                                  .channel_text = std::move(channel->text),
                                  .since = place(*since),
                                  .before = place(*before),
                                  .limit = *limit});
}

core::result<Request> list_subscriptions(const Input& in) {
    auto wanted = in.list_range();
    if (!wanted) return wanted.error();
    return Request(ListSubscriptions{in.argument(), std::move(*wanted)});
}

}  // namespace agentcom::protocol

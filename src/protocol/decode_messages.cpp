#include "protocol/decode_messages.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "protocol/field_specs.hpp"

namespace agentcom::protocol {
namespace {

/// What every message has besides its destination and its payload.
struct Envelope {
    std::string type;
    std::optional<std::string> reply_to;
    std::optional<std::string> idempotency_key;
};
core::result<Envelope> envelope(const Input& in) {
    auto type = in.message_type();
    if (!type) return type.error();
    auto reply_to = in.reply_to();
    if (!reply_to) return reply_to.error();
    auto key = in.idempotency_key();
    if (!key) return key.error();
    return Envelope{std::move(*type), std::move(*reply_to), std::move(*key)};
}

}  // namespace

core::result<Request> identify(const Input& in) {
    const JsonValue* agent = in.find(Key::agent_id);
    if (agent == nullptr) return in.missing(Key::agent_id);
    const JsonValue* token = in.find(Key::token);
    const auto acks = in.flag(kAcks);
    if (!acks) return acks.error();
    const auto presence = in.flag(kPresence);
    if (!presence) return presence.error();
    const auto echo = in.flag(kEcho);
    if (!echo) return echo.error();
    return Request(Identify{
        .agent_id = agent->kind == JsonKind::string ? text_of(*agent) : std::string(agent->raw),
        .token = token != nullptr && token->kind == JsonKind::string ? text_of(*token) : "",
        .name = in.any(kName),
        .status = in.any(kStatus),
        .capabilities = in.any(kCapabilities),
        .acks = *acks,
        .presence = *presence,
        .echo = *echo});
}

core::result<Request> set_status(const Input& in) {
    auto value = in.any(kRequiredStatus);
    if (!value) return in.missing(Key::status);
    return Request(SetStatus{std::move(*value)});
}

core::result<Request> set_profile(const Input& in) {
    auto status = in.any(kRequiredStatus);
    if (!status) return in.missing(Key::status);
    SetProfile request{std::move(*status), in.any(kCapabilities)};
    if (in.find_non_null(Key::card) != nullptr) {
        const auto card = in.flag(kCard);
        if (!card) return card.error();
        request.card = *card;
    }
    return Request(std::move(request));
}

core::result<Request> send_message(const Input& in) {
    if (in.over_http() && in.find(Key::payload) == nullptr) return in.missing(Key::payload);
    auto to = in.destination();
    if (!to) return to.error();
    auto rest = envelope(in);
    if (!rest) return rest.error();
    return Request(SendMessage{std::move(*to), std::move(rest->type), in.payload(),
                               std::move(rest->reply_to), std::move(rest->idempotency_key)});
}

core::result<Request> publish(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    if (in.find(Key::payload) == nullptr) return in.missing(Key::payload);
    auto payload = in.channel_payload();
    if (!payload) return payload.error();
    auto rest = envelope(in);
    if (!rest) return rest.error();
    return Request(Publish{std::move(channel->name), std::move(rest->type), std::move(*payload),
                           std::move(rest->reply_to), std::move(rest->idempotency_key),
                           std::move(channel->text)});
}

core::result<Request> poll_mailbox(const Input& in) {
    const auto since = in.integer(kMailboxSince);
    if (!since) return since.error();
    const auto limit = in.integer(kMailboxLimit);
    if (!limit) return limit.error();
    const auto wait = in.number(kWait);
    if (!wait) return wait.error();
    PollMailbox request{
        .mailbox = in.argument(),
        .since =
            core::Seq{static_cast<std::uint64_t>(std::max<std::int64_t>(since->value_or(0), 0))},
        .limit = std::nullopt,
        .wait = core::Millis(static_cast<std::int64_t>(*wait) * 1'000),
        .encoded = true};
    if (*limit) request.limit = static_cast<std::uint64_t>(**limit);
    return Request(std::move(request));
}

core::result<Request> open_stream(const Input& in) {
    const auto since = in.integer(kMailboxSince);
    if (!since) return since.error();
    // Who comes back asks with the same address, so the header knows better.
    const auto last = in.last_event_id();
    if (!last) return last.error();
    const auto given = static_cast<std::uint64_t>(std::max<std::int64_t>(since->value_or(0), 0));
    return Request(OpenStream{in.argument(), core::Seq{last->value_or(given)}});
}

core::result<Request> get_unread(const Input& in) { return Request(GetUnread{in.argument()}); }

core::result<Request> ack(const Input& in) {
    if (in.find(Key::seq) == nullptr) return in.missing(Key::seq);
    const auto seq = in.integer(kSeq);
    if (!seq) return seq.error();
    if (!*seq) return in.wrong(Key::seq, "an integer of at least 0");
    const core::Seq up_to{static_cast<std::uint64_t>(**seq)};
    return Request(Ack{in.over_http() ? std::optional(in.argument()) : std::nullopt, up_to});
}

core::result<Request> get_agent(const Input& in) { return Request(GetAgent{in.argument()}); }

core::result<Request> get_hub_card(const Input& in) { return Request(GetHubCard{in.base_url()}); }

core::result<Request> get_agent_card(const Input& in) {
    return Request(GetAgentCard{in.argument(), in.base_url()});
}

core::result<Request> list_directory(const Input& in) {
    const auto limit = in.number(kDirectoryLimit);
    if (!limit) return limit.error();
    auto cursor = in.text(kListCursor);
    if (!cursor) return cursor.error();
    auto capability = in.text(kCapability);
    if (!capability) return capability.error();
    return Request(
        ListDirectory{{*limit, std::move(*cursor).value_or("")}, std::move(*capability)});
}

}  // namespace agentcom::protocol

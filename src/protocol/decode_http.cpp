// HTTP requests to the same requests that frames become.

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "agentcom/protocol/codec.hpp"
#include "protocol/fields.hpp"

namespace agentcom::protocol {

namespace {

using core::ErrorCode;
using RequestResult = core::result<Request>;

constexpr FieldRules kRules{ErrorCode::invalid_field};
constexpr std::uint64_t kMaxHistoryPage = 200;
constexpr std::uint64_t kMaxChannelHistory = 200;
constexpr std::int64_t kMaxWaitSeconds = 60;
constexpr std::size_t kMaxDescriptionBytes = 1'024;

/// The parsed body: no body and a body that is no object count as an object without members, which
/// then lacks the required field (as in the original).
core::result<Fields> body_fields(const HttpInput& input) {
    Fields fields;
    if (!input.body.empty() && fields.scan(input.body) == Fields::Shape::invalid) {
        return core::Error(ErrorCode::invalid_json);
    }
    return fields;
}

core::Error missing(Key key) { return {ErrorCode::missing_field, std::string(key_name(key))}; }

const std::string* query(const HttpInput& input, std::string_view name) {
    const auto found =
        std::ranges::find(input.query, name, &std::pair<std::string, std::string>::first);
    return found == input.query.end() ? nullptr : &found->second;
}

core::Error bad_number(std::string_view name, std::string_view expected) {
    return {ErrorCode::invalid_field, std::string(name),
            std::string(name) + " must be " + std::string(expected)};
}

/// A query parameter that is an integer of at least `least`; nothing when absent.
core::result<std::optional<std::int64_t>> number(const HttpInput& input, std::string_view name,
                                                 std::int64_t least) {
    const std::string* text = query(input, name);
    if (text == nullptr) {
        // name[]=1 and the like are mistakes for the parameter, not parameters of another name.
        for (const auto& [key, value] : input.query) {
            if (key.starts_with(name) && key.size() > name.size() && key[name.size()] == '[') {
                return bad_number(name, "an integer");
            }
        }
        return std::optional<std::int64_t>();
    }
    std::int64_t value = 0;
    const char* end = text->data() + text->size();
    const auto [rest, error] = std::from_chars(text->data(), end, value);
    if (rest != end || text->empty() || error == std::errc::invalid_argument) {
        return bad_number(name, "an integer");
    }
    if (error == std::errc::result_out_of_range) {
        value = text->front() == '-' ? std::numeric_limits<std::int64_t>::min()
                                     : std::numeric_limits<std::int64_t>::max();
    }
    if (value < least) return bad_number(name, "an integer of at least " + std::to_string(least));
    return std::optional<std::int64_t>(value);
}

/// Path and query may spell any bytes by percent escapes, and answers repeat some of them.
bool is_utf8(const HttpInput& input) {
    return core::is_valid_utf8(input.path_argument) &&
           std::ranges::all_of(input.query, [](const auto& parameter) {
               return core::is_valid_utf8(parameter.first) && core::is_valid_utf8(parameter.second);
           });
}

std::optional<std::string> text(const HttpInput& input, std::string_view name) {
    const std::string* value = query(input, name);
    return value == nullptr ? std::nullopt : std::optional<std::string>(*value);
}

core::result<std::optional<std::string>> idempotency_key(const HttpInput& input,
                                                         const Fields& fields) {
    if (!input.idempotency_key) return kRules.idempotency_key(fields);
    auto key = check_idempotency_key(std::string(*input.idempotency_key));
    if (!key) return key.error();
    return std::optional<std::string>(std::move(*key));
}

core::result<core::ChannelName> channel_of(const HttpInput& input) {
    auto name = core::ChannelName::parse(input.path_argument);
    if (!name) return core::Error(ErrorCode::invalid_channel_name, "channel");
    return name;
}

RequestResult send_message(const HttpInput& input, const Fields& fields) {
    if (fields.find(Key::payload) == nullptr) return missing(Key::payload);
    auto to = kRules.destination(fields);
    if (!to) return to.error();
    auto type = kRules.message_type(fields, Key::type);
    if (!type) return type.error();
    auto reply_to = kRules.reply_to(fields);
    if (!reply_to) return reply_to.error();
    auto key = idempotency_key(input, fields);
    if (!key) return key.error();
    return Request(SendMessage{std::move(*to), std::move(*type), kRules.payload(fields),
                               std::move(*reply_to), std::move(*key)});
}

RequestResult publish(const HttpInput& input, const Fields& fields) {
    auto channel = channel_of(input);
    if (!channel) return channel.error();
    if (fields.find(Key::payload) == nullptr) return missing(Key::payload);
    auto payload = kRules.channel_payload(fields);
    if (!payload) return payload.error();
    auto type = kRules.message_type(fields, Key::type);
    if (!type) return type.error();
    auto reply_to = kRules.reply_to(fields);
    if (!reply_to) return reply_to.error();
    auto key = idempotency_key(input, fields);
    if (!key) return key.error();
    return Request(Publish{std::move(*channel), std::move(*type), std::move(*payload),
                           std::move(*reply_to), std::move(*key)});
}

RequestResult poll_mailbox(const HttpInput& input) {
    const auto since = number(input, "since", std::numeric_limits<std::int64_t>::min());
    if (!since) return since.error();
    const auto limit = number(input, "limit", 0);
    if (!limit) return limit.error();
    const auto wait = number(input, "wait", 0);
    if (!wait) return wait.error();
    if (wait->value_or(0) > kMaxWaitSeconds) return bad_number("wait", "at most 60 seconds");
    PollMailbox request{
        .mailbox = std::string(input.path_argument),
        .since =
            core::Seq{static_cast<std::uint64_t>(std::max<std::int64_t>(since->value_or(0), 0))},
        .limit = std::nullopt,
        .wait = core::Millis(wait->value_or(0) * 1'000)};
    if (*limit) request.limit = static_cast<std::uint64_t>(**limit);
    return Request(std::move(request));
}

RequestResult ack_mailbox(const HttpInput& input, const Fields& fields) {
    const JsonValue* value = fields.find(Key::seq);
    if (value == nullptr) return missing(Key::seq);
    const auto seq = integer_of(*value);
    if (!seq || *seq < 0) return bad_number("seq", "an integer of at least 0");
    return Request(
        Ack{std::string(input.path_argument), core::Seq{static_cast<std::uint64_t>(*seq)}});
}

RequestResult create_channel(const Fields& fields) {
    const JsonValue* name = fields.find(Key::name);
    if (name == nullptr) return missing(Key::name);
    if (name->kind != JsonKind::string) return kRules.wrong(Key::name, "a string");
    auto channel = core::ChannelName::parse(text_of(*name));
    if (!channel) return core::Error(ErrorCode::invalid_channel_name, "name");
    std::string description;
    if (const JsonValue* value = fields.find_non_null(Key::description)) {
        if (value->kind != JsonKind::string) return kRules.wrong(Key::description, "a string");
        description = text_of(*value);
        if (description.size() > kMaxDescriptionBytes) {
            return kRules.wrong(Key::description, "at most 1024 bytes long");
        }
    }
    return Request(CreateChannel{std::move(*channel), std::move(description)});
}

RequestResult channel_history(const HttpInput& input) {
    auto channel = channel_of(input);
    if (!channel) return channel.error();
    const auto limit = number(input, "limit", 0);
    if (!limit) return limit.error();
    const auto since = number(input, "since", 0);
    if (!since) return since.error();
    ChannelHistory request{
        .channel = std::move(*channel),
        .channel_text = std::string(input.path_argument),
        .since = std::nullopt,
        .limit = std::min(static_cast<std::uint64_t>(limit->value_or(50)), kMaxChannelHistory)};
    if (*since) request.since = core::ChannelSeq{static_cast<std::uint64_t>(**since)};
    return Request(std::move(request));
}

RequestResult query_history(const HttpInput& input) {
    constexpr auto kAny = std::numeric_limits<std::int64_t>::min();
    const auto limit = number(input, "limit", 0);
    if (!limit) return limit.error();
    const auto cursor = number(input, "cursor", 0);
    if (!cursor) return cursor.error();
    const auto start = number(input, "start_time", kAny);
    if (!start) return start.error();
    const auto end = number(input, "end_time", kAny);
    if (!end) return end.error();
    QueryHistory request{
        .from = text(input, "from"),
        .to = text(input, "to"),
        .channel = text(input, "channel"),
        .start_time = std::nullopt,
        .end_time = std::nullopt,
        .cursor = core::Seq{static_cast<std::uint64_t>(cursor->value_or(0))},
        .limit = std::min(static_cast<std::uint64_t>(limit->value_or(50)), kMaxHistoryPage)};
    if (*start) request.start_time = core::Timestamp{**start};
    if (*end) request.end_time = core::Timestamp{**end};
    return Request(std::move(request));
}

RequestResult get_thread(const HttpInput& input) {
    const auto limit = number(input, "limit", 1);
    if (!limit) return limit.error();
    const auto cursor = number(input, "cursor", 0);
    if (!cursor) return cursor.error();
    GetThread request{.message_id = std::string(input.path_argument),
                      .limit = std::nullopt,
                      .cursor = core::Seq{static_cast<std::uint64_t>(cursor->value_or(0))}};
    if (*limit) request.limit = static_cast<std::uint64_t>(**limit);
    return Request(std::move(request));
}

RequestResult put_setting(const Fields& fields, Setting setting, Key key) {
    const JsonValue* value = fields.find(key);
    const auto number = value == nullptr ? std::nullopt : integer_of(*value);
    if (!number || *number <= 0) {
        return core::Error(ErrorCode::invalid_positive_integer, std::string(key_name(key)));
    }
    return Request(PutSetting{setting, static_cast<std::uint64_t>(*number)});
}

RequestResult create_token(const Fields& fields) {
    const JsonValue* value = fields.find(Key::agent_id);
    if (value == nullptr) return missing(Key::agent_id);
    if (value->kind != JsonKind::string) {
        return core::Error(ErrorCode::invalid_agent_id, "agent_id");
    }
    auto agent = core::AgentId::parse_issued(text_of(*value));
    if (!agent) return core::Error(ErrorCode::invalid_agent_id, "agent_id");
    core::Role role = core::Role::agent;
    if (const JsonValue* given = fields.find_non_null(Key::role)) {
        const std::string name = given->kind == JsonKind::string ? text_of(*given) : "";
        if (name != "agent" && name != "admin") {
            return kRules.wrong(Key::role, R"("agent" or "admin")");
        }
        if (name == "admin") role = core::Role::admin;
    }
    return Request(CreateToken{std::move(*agent), role});
}

template <class Make>
RequestResult with_channel(const HttpInput& input, Make make) {
    auto channel = channel_of(input);
    if (!channel) return channel.error();
    return Request(make(std::move(*channel), std::string(input.path_argument)));
}

}  // namespace

core::result<Request> decode_http(const HttpInput& input) {
    if (!is_utf8(input)) return core::Error(ErrorCode::invalid_encoding);
    const auto fields = body_fields(input);
    if (!fields) return fields.error();
    const std::string argument(input.path_argument);
    switch (input.operation) {
        case HttpOperation::health:
            return Request(Health{});
        case HttpOperation::list_agents:
            return Request(ListAgents{});
        case HttpOperation::list_subscriptions:
            return Request(ListSubscriptions{argument});
        case HttpOperation::send_message:
            return send_message(input, *fields);
        case HttpOperation::poll_mailbox:
            return poll_mailbox(input);
        case HttpOperation::ack_mailbox:
            return ack_mailbox(input, *fields);
        case HttpOperation::evict_mailboxes:
            return Request(EvictMailboxes{});
        case HttpOperation::list_channels:
            return Request(ListChannels{});
        case HttpOperation::create_channel:
            return create_channel(*fields);
        case HttpOperation::get_channel:
            return with_channel(input, [](core::ChannelName name, std::string) {
                return GetChannel{std::move(name)};
            });
        case HttpOperation::subscribe:
            return with_channel(input, [](core::ChannelName name, std::string as_sent) {
                return Subscribe{std::move(name), std::move(as_sent)};
            });
        case HttpOperation::unsubscribe:
            return with_channel(input, [](core::ChannelName name, std::string as_sent) {
                return Unsubscribe{std::move(name), std::move(as_sent)};
            });
        case HttpOperation::publish:
            return publish(input, *fields);
        case HttpOperation::channel_history:
            return channel_history(input);
        case HttpOperation::query_history:
            return query_history(input);
        case HttpOperation::get_thread:
            return get_thread(input);
        case HttpOperation::get_replies:
            return Request(GetReplies{argument});
        case HttpOperation::get_thread_root:
            return Request(GetThreadRoot{argument});
        case HttpOperation::get_heartbeat_interval:
            return Request(GetSetting{Setting::heartbeat_interval_ms});
        case HttpOperation::put_heartbeat_interval:
            return put_setting(*fields, Setting::heartbeat_interval_ms, Key::heartbeat_interval_ms);
        case HttpOperation::get_mailbox_retention:
            return Request(GetSetting{Setting::mailbox_ttl_ms});
        case HttpOperation::put_mailbox_retention:
            return put_setting(*fields, Setting::mailbox_ttl_ms, Key::mailbox_ttl_ms);
        case HttpOperation::analytics_summary:
            return Request(AnalyticsSummary{});
        case HttpOperation::analytics_agents:
            return Request(AnalyticsAgents{});
        case HttpOperation::analytics_hourly:
            return Request(AnalyticsHourly{argument});
        case HttpOperation::create_token:
            return create_token(*fields);
        case HttpOperation::list_tokens:
            return Request(ListTokens{});
        case HttpOperation::revoke_tokens:
            return Request(RevokeTokens{argument});
        case HttpOperation::reset_hub:
            return Request(ResetHub{});
    }
    return core::Error(ErrorCode::not_found);
}

std::optional<std::string> token_in_ack_body(std::string_view body) {
    Fields fields;
    if (body.empty() || fields.scan(body) != Fields::Shape::object) return std::nullopt;
    const JsonValue* token = fields.find(Key::token);
    if (token == nullptr || token->kind != JsonKind::string) return std::nullopt;
    return text_of(*token);
}

}  // namespace agentcom::protocol

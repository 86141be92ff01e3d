// The table of operations: for each its policy, its fields and how they become the request.

#include "agentcom/protocol/operations.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>
#include <variant>

#include "agentcom/protocol/vocabulary.hpp"
#include "protocol/decode_admin.hpp"
#include "protocol/decode_members.hpp"
#include "protocol/field_specs.hpp"
#include "protocol/input.hpp"

namespace agentcom::protocol {

namespace {

using core::ErrorCode;
using RequestResult = core::result<Request>;

// From fields to requests.

RequestResult identify(const Input& in) {
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

RequestResult set_status(const Input& in) {
    auto value = in.any(kRequiredStatus);
    if (!value) return in.missing(Key::status);
    return Request(SetStatus{std::move(*value)});
}

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

RequestResult send_message(const Input& in) {
    if (in.over_http() && in.find(Key::payload) == nullptr) return in.missing(Key::payload);
    auto to = in.destination();
    if (!to) return to.error();
    auto rest = envelope(in);
    if (!rest) return rest.error();
    return Request(SendMessage{std::move(*to), std::move(rest->type), in.payload(),
                               std::move(rest->reply_to), std::move(rest->idempotency_key)});
}

RequestResult publish(const Input& in) {
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

RequestResult poll_mailbox(const Input& in) {
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
        .wait = core::Millis(static_cast<std::int64_t>(*wait) * 1'000)};
    if (*limit) request.limit = static_cast<std::uint64_t>(**limit);
    return Request(std::move(request));
}

RequestResult open_stream(const Input& in) {
    const auto since = in.integer(kMailboxSince);
    if (!since) return since.error();
    // Who comes back asks with the same address, so the header knows better.
    const auto last = in.last_event_id();
    if (!last) return last.error();
    const auto given = static_cast<std::uint64_t>(std::max<std::int64_t>(since->value_or(0), 0));
    return Request(OpenStream{in.argument(), core::Seq{last->value_or(given)}});
}

RequestResult get_unread(const Input& in) { return Request(GetUnread{in.argument()}); }

RequestResult ack(const Input& in) {
    if (in.find(Key::seq) == nullptr) return in.missing(Key::seq);
    const auto seq = in.integer(kSeq);
    if (!seq) return seq.error();
    if (!*seq) return in.wrong(Key::seq, "an integer of at least 0");
    const core::Seq up_to{static_cast<std::uint64_t>(**seq)};
    return Request(Ack{in.over_http() ? std::optional(in.argument()) : std::nullopt, up_to});
}

core::result<ListRange> range(const Input& in) {
    const auto limit = in.number(kListLimit);
    if (!limit) return limit.error();
    auto cursor = in.text(kListCursor);
    if (!cursor) return cursor.error();
    return ListRange{*limit, std::move(*cursor).value_or("")};
}
template <class Make>
RequestResult with_range(const Input& in, Make make) {
    auto wanted = range(in);
    if (!wanted) return wanted.error();
    return Request(make(std::move(*wanted)));
}
template <class List>
RequestResult list(const Input& in) {
    return with_range(in, [](ListRange wanted) { return List{std::move(wanted)}; });
}
RequestResult list_subscriptions(const Input& in) {
    return with_range(in, [&](ListRange wanted) {
        return ListSubscriptions{in.argument(), std::move(wanted)};
    });
}

RequestResult list_directory(const Input& in) {
    const auto limit = in.number(kDirectoryLimit);
    if (!limit) return limit.error();
    auto cursor = in.text(kListCursor);
    if (!cursor) return cursor.error();
    auto capability = in.text(kCapability);
    if (!capability) return capability.error();
    return Request(
        ListDirectory{{*limit, std::move(*cursor).value_or("")}, std::move(*capability)});
}

RequestResult set_profile(const Input& in) {
    auto status = in.any(kRequiredStatus);
    if (!status) return in.missing(Key::status);
    return Request(SetProfile{std::move(*status), in.any(kCapabilities)});
}

RequestResult create_channel(const Input& in) {
    const JsonValue* name = in.find(Key::name);
    if (name == nullptr) return in.missing(Key::name);
    if (name->kind != JsonKind::string) return in.wrong(Key::name, "a string");
    std::string text = text_of(*name);
    auto channel = core::ChannelName::parse(text);
    if (!channel) return core::Error(ErrorCode::invalid_channel_name, "name");
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

RequestResult set_member(const Input& in) {
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

RequestResult get_channel(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    return with_range(in, [&](ListRange wanted) {
        return GetChannel{std::move(channel->name), std::move(wanted)};
    });
}

template <class Change>
RequestResult of_channel(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    return Request(Change{std::move(channel->name), std::move(channel->text)});
}

std::optional<core::ChannelSeq> place(const std::optional<std::int64_t>& number) {
    if (!number) return std::nullopt;
    return core::ChannelSeq{static_cast<std::uint64_t>(*number)};
}

RequestResult channel_history(const Input& in) {
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

RequestResult query_history(const Input& in) {
    const auto limit = in.number(kHistoryLimit);
    if (!limit) return limit.error();
    const auto cursor = in.number(kSeqCursor);
    if (!cursor) return cursor.error();
    const auto start = in.integer(kStartTime);
    if (!start) return start.error();
    const auto end = in.integer(kEndTime);
    if (!end) return end.error();
    QueryHistory request{.from = in.text(text(Key::from)).value(),
                         .to = in.text(kTo).value(),
                         .channel = in.text(text(Key::channel)).value(),
                         .start_time = std::nullopt,
                         .end_time = std::nullopt,
                         .cursor = core::Seq{*cursor},
                         .limit = *limit};
    if (*start) request.start_time = core::Timestamp{**start};
    if (*end) request.end_time = core::Timestamp{**end};
    return Request(std::move(request));
}

template <class Read>
RequestResult thread_page(const Input& in) {
    const auto limit = in.integer(kThreadLimit);
    if (!limit) return limit.error();
    const auto cursor = in.number(kSeqCursor);
    if (!cursor) return cursor.error();
    Read request{.message_id = in.argument(), .limit = std::nullopt, .cursor = core::Seq{*cursor}};
    if (*limit) request.limit = static_cast<std::uint64_t>(**limit);
    return Request(std::move(request));
}
RequestResult get_thread_root(const Input& in) { return Request(GetThreadRoot{in.argument()}); }

RequestResult get_message(const Input& in) { return Request(GetMessage{in.argument()}); }
RequestResult get_agent(const Input& in) { return Request(GetAgent{in.argument()}); }

constexpr Key setting_key(Setting setting) {
    return setting == Setting::mailbox_ttl_ms ? Key::mailbox_ttl_ms : Key::heartbeat_interval_ms;
}
template <Setting kSetting>
RequestResult get_setting(const Input&) {
    return Request(GetSetting{kSetting});
}
template <Setting kSetting>
RequestResult put_setting(const Input& in) {
    constexpr Key key = setting_key(kSetting);
    const JsonValue* value = in.find(key);
    const auto number = value == nullptr ? std::nullopt : integer_of(*value);
    if (!number || *number <= 0) {
        return core::Error(ErrorCode::invalid_positive_integer, std::string(key_name(key)));
    }
    return Request(PutSetting{kSetting, static_cast<std::uint64_t>(*number)});
}

RequestResult analytics_hourly(const Input& in) { return Request(AnalyticsHourly{in.argument()}); }

template <class Plain>
RequestResult plain(const Input&) {
    return Request(Plain{});
}

// The table.

template <FieldSpec... kSpecs>
constexpr std::array<FieldSpec, sizeof...(kSpecs)> kFields{kSpecs...};

struct Row {
    OperationInfo info;
    Decoder decode = nullptr;
    std::size_t request = 0;  // place in the variant Request
};

template <class Asked>
constexpr std::size_t kPlace = [] {
    std::size_t at = 0;
    [&]<class... All>(std::variant<All...>*) {
        (void)((std::is_same_v<All, Asked> || (++at, false)) || ...);
    }(static_cast<Request*>(nullptr));
    return at;
}();

template <class Asked>
constexpr Row row(Operation id, std::string_view name, std::string_view frame, Policy policy,
                  std::span<const FieldSpec> fields, Decoder decode) {
    return {{id, name, frame, policy, fields}, decode, kPlace<Asked>};
}

using enum Right;
using enum Effect;
constexpr AnswerBound kFixed = AnswerBound::fixed;
constexpr AnswerBound kPage = AnswerBound::page;

constexpr auto kListFields = kFields<kListLimit, kListCursor>;
constexpr auto kMessageFields = kFields<kTo, kMessageType, kPayload, kReplyTo, kIdempotencyKey>;
constexpr auto kPublishFields =
    kFields<kChannel, kObjectPayload, kMessageType, kReplyTo, kIdempotencyKey>;
constexpr auto kIdentifyFields = kFields<kAgentId, text(Key::token, true), kName, kStatus,
                                         kCapabilities, kAcks, kPresence, kEcho>;
constexpr auto kHistoryFields = kFields<text(Key::from), kTo, text(Key::channel), kStartTime,
                                        kEndTime, kSeqCursor, kHistoryLimit>;
constexpr auto kChannelHistoryFields = kFields<kChannel, kHistoryLimit, kSince, kBefore>;
constexpr auto kThreadFields = kFields<kMessageId, kThreadLimit, kSeqCursor>;
constexpr auto kHeartbeatField = kFields<integer(Key::heartbeat_interval_ms, 1, true)>;
constexpr auto kCreateTokenFields =
    kFields<kAgentId, text(Key::role), kTokenName, kExpiresIn, kExpiresAt>;
constexpr auto kCreateChannelFields =
    kFields<text(Key::name, true), kDescription, kPrivate, kPublishers, any(Key::members)>;
constexpr auto kRotateFields = kFields<kAgentId, kGrace, kTokenName, kExpiresIn, kExpiresAt>;
constexpr auto kTtlField = kFields<integer(Key::mailbox_ttl_ms, 1, true)>;

constexpr auto kTable = std::to_array<Row>({
    row<Identify>(Operation::identify, "identify", "identify", {anyone, none, 1, kFixed},
                  kIdentifyFields, identify),
    row<Ping>(Operation::ping, "ping", "ping", {anyone, none, 1, kFixed}, {}, plain<Ping>),
    // Shown to every watcher, so dear.
    row<SetStatus>(Operation::set_status, "set_status", "status", {connection, none, 500, kFixed},
                   kFields<kRequiredStatus>, set_status),
    row<ListAgents>(Operation::list_agents, "list_agents", "list_agents", {reader, none, 2, kPage},
                    kListFields, list<ListAgents>),
    row<Health>(Operation::health, "health", "", {anyone, none, 1, kFixed}, {}, plain<Health>),
    row<SendMessage>(Operation::send_message, "send_message", "message", {sender, write, 1, kFixed},
                     kMessageFields, send_message),
    row<Publish>(Operation::publish, "publish", "channel_publish", {sender, write, 1, kFixed},
                 kPublishFields, publish),
    row<PollMailbox>(Operation::poll_mailbox, "poll_mailbox", "", {holder, read, 2, kPage},
                     kFields<kMailboxSince, kMailboxLimit, kWait>, poll_mailbox),
    row<OpenStream>(Operation::open_stream, "open_stream", "", {holder, read, 2, kFixed},
                    kFields<kMailboxSince>, open_stream),
    row<GetUnread>(Operation::get_unread, "get_unread", "", {holder, read, 2, kFixed}, {},
                   get_unread),
    row<Ack>(Operation::ack_mailbox, "ack_mailbox", "ack", {holder, write, 1, kFixed},
             kFields<kSeq>, ack),
    row<EvictMailboxes>(Operation::evict_mailboxes, "evict_mailboxes", "",
                        {admin, write, 1'000, kFixed}, {}, plain<EvictMailboxes>),
    row<ListChannels>(Operation::list_channels, "list_channels", "list_channels",
                      {reader, read, 2, kPage}, kListFields, list<ListChannels>),
    row<CreateChannel>(Operation::create_channel, "create_channel", "", {sender, write, 5, kFixed},
                       kCreateChannelFields, create_channel),
    row<GetChannel>(Operation::get_channel, "get_channel", "", {reader, read, 2, kPage},
                    kFields<kChannel, kListLimit, kListCursor>, get_channel),
    row<Subscribe>(Operation::subscribe, "subscribe", "channel_subscribe",
                   {holder, write, 5, kFixed}, kFields<kChannel>, of_channel<Subscribe>),
    row<Unsubscribe>(Operation::unsubscribe, "unsubscribe", "channel_unsubscribe",
                     {holder, write, 5, kFixed}, kFields<kChannel>, of_channel<Unsubscribe>),
    // As dear as letting go of some subscribers; of many it goes on by and by.
    row<DeleteChannel>(Operation::delete_channel, "delete_channel", "channel_delete",
                       {sender, write, 100, kFixed}, kFields<kChannel>, of_channel<DeleteChannel>),
    row<ChannelHistory>(Operation::channel_history, "channel_history", "channel_history",
                        {reader, read, 2, kPage}, kChannelHistoryFields, channel_history),
    row<ListSubscriptions>(Operation::list_subscriptions, "list_subscriptions", "",
                           {reader, read, 2, kPage}, kListFields, list_subscriptions),
    row<QueryHistory>(Operation::query_history, "query_history", "", {holder, read, 5, kPage},
                      kHistoryFields, query_history),
    row<GetThread>(Operation::get_thread, "get_thread", "", {holder, read, 5, kPage}, kThreadFields,
                   thread_page<GetThread>),
    row<GetReplies>(Operation::get_replies, "get_replies", "", {holder, read, 5, kPage},
                    kThreadFields, thread_page<GetReplies>),
    row<GetThreadRoot>(Operation::get_thread_root, "get_thread_root", "", {holder, read, 5, kFixed},
                       kFields<kMessageId>, get_thread_root),
    row<GetSetting>(Operation::get_heartbeat_interval, "get_heartbeat_interval", "",
                    {holder, read, 2, kFixed}, {}, get_setting<Setting::heartbeat_interval_ms>),
    row<PutSetting>(Operation::put_heartbeat_interval, "put_heartbeat_interval", "",
                    {admin, write, 1, kFixed}, kHeartbeatField,
                    put_setting<Setting::heartbeat_interval_ms>),
    row<GetSetting>(Operation::get_mailbox_retention, "get_mailbox_retention", "",
                    {holder, read, 2, kFixed}, {}, get_setting<Setting::mailbox_ttl_ms>),
    row<PutSetting>(Operation::put_mailbox_retention, "put_mailbox_retention", "",
                    {admin, write, 1, kFixed}, kTtlField, put_setting<Setting::mailbox_ttl_ms>),
    row<AnalyticsSummary>(Operation::analytics_summary, "analytics_summary", "",
                          {reader, read, 20, kFixed}, {}, plain<AnalyticsSummary>),
    row<AnalyticsAgents>(Operation::analytics_agents, "analytics_agents", "",
                         {reader, read, 2, kPage}, kListFields, list<AnalyticsAgents>),
    row<AnalyticsHourly>(Operation::analytics_hourly, "analytics_hourly", "",
                         {reader, read, 5, kFixed}, kFields<kAgentId>, analytics_hourly),
    row<CreateToken>(Operation::create_token, "create_token", "", {admin, write, 1, kFixed},
                     kCreateTokenFields, create_token),
    row<ListTokens>(Operation::list_tokens, "list_tokens", "", {admin, read, 2, kPage}, kListFields,
                    list<ListTokens>),
    row<RevokeTokens>(Operation::revoke_tokens, "revoke_tokens", "", {admin, write, 1, kFixed},
                      kFields<kAgentId, text(Key::prefix)>, revoke_tokens),
    row<ResetHub>(Operation::reset_hub, "reset_hub", "", {admin, write, 1'000, kFixed}, {},
                  plain<ResetHub>),
    row<RotateToken>(Operation::rotate_token, "rotate_token", "", {admin, write, 1, kFixed},
                     kRotateFields, rotate_token),
    row<WhoAmI>(Operation::who_am_i, "who_am_i", "", {holder, read, 2, kFixed}, {}, plain<WhoAmI>),
    row<SetMember>(Operation::set_member, "set_member", "", {sender, write, 5, kFixed},
                   kFields<kChannel, kAgentId, any(Key::rights, true)>, set_member),
    // As dear as letting go of some subscriptions; of many it goes on by and by.
    row<EndAgent>(Operation::end_agent, "end_agent", "", {admin, write, 100, kFixed},
                  kFields<kAgentId>, end_agent),
    row<GetAgent>(Operation::get_agent, "get_agent", "", {holder, read, 5, kFixed},
                  kFields<kAgentId>, get_agent),
    row<ListDirectory>(Operation::list_directory, "list_directory", "", {holder, read, 20, kPage},
                       kFields<kDirectoryLimit, kListCursor, kCapability>, list_directory),
    // Stored nowhere, but a body is read only of what writes; as dear as a status frame.
    row<SetProfile>(Operation::set_profile, "set_profile", "", {sender, write, 500, kFixed},
                    kFields<kRequiredStatus, kCapabilities>, set_profile),
    row<GetMessage>(Operation::get_message, "get_message", "", {holder, read, 2, kPage},
                    kFields<kMessageId>, get_message),
});

// Who may do what: the rights by the callers. The rows stand in the order of Right, the columns in
// that of Standing.

constexpr std::optional<ErrorCode> kYes = std::nullopt;
constexpr std::optional<ErrorCode> kToken = ErrorCode::unauthorized;
constexpr std::optional<ErrorCode> kReadOnly = ErrorCode::read_only;
constexpr std::optional<ErrorCode> kAdminOnly = ErrorCode::admin_only;

constexpr std::array<std::array<std::optional<ErrorCode>, 4>, 6> kRefusals{{
    // nobody, agent, admin, observer
    {kYes, kYes, kYes, kYes},                // anyone
    {kToken, kYes, kYes, kYes},              // reader
    {kToken, kYes, kYes, kYes},              // holder
    {kToken, kYes, kYes, kReadOnly},         // sender
    {kToken, kYes, kYes, kReadOnly},         // connection
    {kToken, kAdminOnly, kYes, kAdminOnly},  // admin
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (static_cast<std::size_t>(kTable[i].info.id) != i) return false;
    }
    return true;
}
static_assert(kTable.size() == kOperationCount, "every operation has a row");
static_assert(in_order(), "the rows stand in the order of the enumeration");

/// Place in the table for each alternative of Request.
constexpr auto kByRequest = [] {
    std::array<std::size_t, std::variant_size_v<Request>> places{};
    places.fill(kTable.size());
    for (std::size_t i = kTable.size(); i-- > 0;) places[kTable[i].request] = i;
    return places;
}();
static_assert(std::ranges::find(kByRequest, kTable.size()) == kByRequest.end(),
              "every request belongs to an operation");

constexpr auto kInfos = [] {
    std::array<OperationInfo, kOperationCount> infos{};
    for (std::size_t i = 0; i < infos.size(); ++i) infos[i] = kTable[i].info;
    return infos;
}();

}  // namespace

Standing standing_of(core::Role role) noexcept {
    switch (role) {
        case core::Role::admin:
            return Standing::admin;
        case core::Role::observer:
            return Standing::observer;
        case core::Role::agent:
            break;
    }
    return Standing::agent;
}

std::optional<ErrorCode> refusal(Right right, Standing standing) noexcept {
    return kRefusals[static_cast<std::size_t>(right)][static_cast<std::size_t>(standing)];
}

std::span<const OperationInfo> operations() noexcept { return kInfos; }

const OperationInfo& operation_info(Operation operation) noexcept {
    return kInfos[static_cast<std::size_t>(operation)];
}

const OperationInfo& operation_info(const Request& request) noexcept {
    return kInfos[kByRequest[request.index()]];
}

Decoder decoder_of(Operation operation) noexcept {
    return kTable[static_cast<std::size_t>(operation)].decode;
}

std::optional<Operation> find_frame(std::string_view type) noexcept {
    if (type.empty()) return std::nullopt;
    // By far the most frequent first.
    for (const Operation usual : {Operation::send_message, Operation::ack_mailbox}) {
        if (operation_info(usual).frame == type) return usual;
    }
    const auto found = std::ranges::find(kInfos, type, &OperationInfo::frame);
    if (found == kInfos.end()) return std::nullopt;
    return found->id;
}

std::vector<std::string_view> client_frame_types() {
    std::vector<std::string_view> names;
    for (const OperationInfo& info : kInfos) {
        if (!info.frame.empty()) names.push_back(info.frame);
    }
    return names;
}

}  // namespace agentcom::protocol

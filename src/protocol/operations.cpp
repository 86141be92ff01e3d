// The table of operations: for each its policy, its fields and how they become the request, which
// decode_*.cpp hold by area.

#include "agentcom/protocol/operations.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <utility>
#include <variant>

#include "agentcom/protocol/vocabulary.hpp"
#include "protocol/decode_admin.hpp"
#include "protocol/decode_channels.hpp"
#include "protocol/decode_history.hpp"
#include "protocol/decode_messages.hpp"
#include "protocol/field_specs.hpp"
#include "protocol/input.hpp"
#include "protocol/operation_notes.hpp"

namespace agentcom::protocol {

namespace {

using RequestResult = core::result<Request>;

template <class List>
RequestResult list(const Input& in) {
    auto wanted = in.list_range();
    if (!wanted) return wanted.error();
    return Request(List{std::move(*wanted)});
}

template <class Plain>
RequestResult plain(const Input&) {
    return Request(Plain{});
}

// The table.

template <const FieldSpec&... kSpecs>
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
    return {{.id = id, .name = name, .frame = frame, .policy = policy, .fields = fields},
            decode,
            kPlace<Asked>};
}

using enum Right;
using enum Effect;
constexpr AnswerBound kFixed = AnswerBound::fixed;
constexpr AnswerBound kPage = AnswerBound::page;

// Orchestrators and load balancers ask by the address that they have just given the hub, which
// nobody can list beforehand. What these answer is no secret, so a page may as well know it.
constexpr Policy kHealth{.right = anyone, .effect = none, .any_host = true};
// To refuse one would cost as much as to answer it, and who is refused takes the hub for dead: it
// may come from an address that others share, and who is behind that asks too much.
constexpr Policy kProbe{.right = anyone, .effect = none, .any_host = true, .unmetered = true};

constexpr auto kListFields = kFields<kListLimit, kListCursor>;
constexpr auto kMessageFields = kFields<kTo, kMessageType, kPayload, kReplyTo, kIdempotencyKey>;
constexpr auto kPublishFields =
    kFields<kChannel, kObjectPayload, kMessageType, kReplyTo, kIdempotencyKey>;
constexpr auto kIdentifyFields =
    kFields<kIdentity, kToken, kName, kStatus, kCapabilities, kAcks, kPresence, kEcho>;
constexpr auto kHistoryFields =
    kFields<kFromFilter, kToFilter, kChannelFilter, kTypeFilter, kTextFilter, kStartTime, kEndTime,
            kOrder, kHistoryBefore, kSeqCursor, kHistoryLimit>;
constexpr auto kChannelHistoryFields =
    kFields<kChannel, kHistoryLimit, kSince, kSinceCursor, kBefore>;
constexpr auto kThreadFields = kFields<kMessageId, kThreadLimit, kSeqCursor>;
constexpr auto kCreateTokenFields =
    kFields<kIssuedAgent, kRole, kTokenName, kExpiresIn, kExpiresAt>;
constexpr auto kCreateChannelFields =
    kFields<kChannelName, kDescription, kPrivate, kPublishers, kMembers>;
constexpr auto kRotateFields = kFields<kAgentId, kGrace, kTokenName, kExpiresIn, kExpiresAt>;

constexpr auto kTable = std::to_array<Row>({
    row<Identify>(Operation::identify, "identify", "identify", {anyone, none, 1, kFixed},
                  kIdentifyFields, identify),
    row<Ping>(Operation::ping, "ping", "ping", {anyone, none, 1, kFixed}, {}, plain<Ping>),
    // Shown to every watcher, so dear.
    row<SetStatus>(Operation::set_status, "set_status", "status", {connection, none, 500, kFixed},
                   kFields<kRequiredStatus>, set_status),
    row<ListAgents>(Operation::list_agents, "list_agents", "list_agents", {reader, none, 2, kPage},
                    kListFields, list<ListAgents>),
    row<Health>(Operation::health, "health", "", kHealth, {}, plain<Health>),
    row<SendMessage>(Operation::send_message, "send_message", "message", {sender, write, 1, kFixed},
                     kMessageFields, send_message),
    row<Publish>(Operation::publish, "publish", "channel_publish", {sender, write, 1, kFixed},
                 kPublishFields, publish),
    row<PollMailbox>(Operation::poll_mailbox, "poll_mailbox", "", {holder, read, 2, kPage},
                     kFields<kMailboxOwner, kMailboxSince, kMailboxLimit, kWait>, poll_mailbox),
    row<OpenStream>(Operation::open_stream, "open_stream", "", {holder, read, 2, kFixed},
                    kFields<kMailboxOwner, kStreamSince>, open_stream),
    // It counts as many messages as pages show.
    row<GetUnread>(Operation::get_unread, "get_unread", "", {holder, read, 2, kPage},
                   kFields<kMailboxOwner>, get_unread),
    row<Ack>(Operation::ack_mailbox, "ack_mailbox", "ack", {holder, write, 1, kFixed},
             kFields<kMailboxOwner, kSeq>, ack),
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
                           {reader, read, 2, kPage}, kFields<kAgentId, kListLimit, kListCursor>,
                           list_subscriptions),
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
                    {admin, write, 1, kFixed}, kFields<kHeartbeatInterval>,
                    put_setting<Setting::heartbeat_interval_ms>),
    row<GetSetting>(Operation::get_mailbox_retention, "get_mailbox_retention", "",
                    {holder, read, 2, kFixed}, {}, get_setting<Setting::mailbox_ttl_ms>),
    row<PutSetting>(Operation::put_mailbox_retention, "put_mailbox_retention", "",
                    {admin, write, 1, kFixed}, kFields<kMailboxTtl>,
                    put_setting<Setting::mailbox_ttl_ms>),
    row<AnalyticsSummary>(Operation::analytics_summary, "analytics_summary", "",
                          {reader, read, 20, kFixed}, {}, plain<AnalyticsSummary>),
    row<AnalyticsAgents>(Operation::analytics_agents, "analytics_agents", "",
                         {reader, read, 2, kPage}, kListFields, list<AnalyticsAgents>),
    row<AnalyticsHourly>(Operation::analytics_hourly, "analytics_hourly", "",
                         {reader, read, 5, kFixed}, kFields<kAgentId>, analytics_hourly),
    // Its events are made once for everybody, but a snapshot has a row of each agent.
    row<Observe>(Operation::observe, "observe", "", {holder, none, 20, kFixed}, {}, plain<Observe>),
    row<ObserveAgent>(Operation::observe_agent, "observe_agent", "", {holder, read, 5, kPage},
                      kFields<kLookedUpAgent>, observe_agent),
    // It looks at many messages, once for all who ask the same.
    row<ObservePairs>(Operation::observe_pairs, "observe_pairs", "", {overseer, read, 200, kPage},
                      kFields<kSinceTime, kUntilTime>, observe_pairs),
    row<CreateToken>(Operation::create_token, "create_token", "", {admin, write, 1, kFixed},
                     kCreateTokenFields, create_token),
    row<ListTokens>(Operation::list_tokens, "list_tokens", "", {admin, read, 2, kPage},
                    kFields<kAgentFilter, kListLimit, kTokenCursor>, list_tokens),
    row<RevokeTokens>(Operation::revoke_tokens, "revoke_tokens", "", {admin, write, 1, kFixed},
                      kFields<kAgentId, kPrefix>, revoke_tokens),
    row<ResetHub>(Operation::reset_hub, "reset_hub", "", {admin, write, 1'000, kFixed}, {},
                  plain<ResetHub>),
    row<RotateToken>(Operation::rotate_token, "rotate_token", "", {admin, write, 1, kFixed},
                     kRotateFields, rotate_token),
    row<WhoAmI>(Operation::who_am_i, "who_am_i", "", {holder, read, 2, kFixed}, {}, plain<WhoAmI>),
    row<SetMember>(Operation::set_member, "set_member", "", {sender, write, 5, kFixed},
                   kFields<kChannel, kIssuedAgent, kRights>, set_member),
    // As dear as letting go of some subscriptions; of many it goes on by and by.
    row<EndAgent>(Operation::end_agent, "end_agent", "", {admin, write, 100, kFixed},
                  kFields<kAgentId>, end_agent),
    row<GetAgent>(Operation::get_agent, "get_agent", "", {holder, read, 5, kPage},
                  kFields<kLookedUpAgent>, get_agent),
    row<ListDirectory>(Operation::list_directory, "list_directory", "", {holder, read, 20, kPage},
                       kFields<kDirectoryLimit, kListCursor, kCapability>, list_directory),
    // Stored nowhere, but a body is read only of what writes; as dear as a status frame.
    row<SetProfile>(Operation::set_profile, "set_profile", "", {sender, write, 500, kFixed},
                    kFields<kRequiredStatus, kCapabilities, kCard>, set_profile),
    row<GetMessage>(Operation::get_message, "get_message", "", {holder, read, 2, kPage},
                    kFields<kMessageIdOrSeq>, get_message),
    row<GetHubCard>(Operation::get_hub_card, "get_hub_card", "", {anyone, none, 1, kFixed}, {},
                    get_hub_card),
    row<GetAgentCard>(Operation::get_agent_card, "get_agent_card", "", {anyone, none, 5, kFixed},
                      kFields<kAgentId>, get_agent_card),
    row<ProbeLive>(Operation::probe_live, "probe_live", "", kProbe, {}, plain<ProbeLive>),
    row<ProbeReady>(Operation::probe_ready, "probe_ready", "", kProbe, {}, plain<ProbeReady>),
    // Made once a second, however many ask.
    row<GetMetrics>(Operation::get_metrics, "get_metrics", "", {watcher, none, 20, kFixed}, {},
                    plain<GetMetrics>),
    row<ReloadConfig>(Operation::reload_config, "reload_config", "", {admin, write, 1'000, kFixed},
                      {}, plain<ReloadConfig>),
    // As dear as a status: people do it now and then.
    row<LogIn>(Operation::log_in, "log_in", "", {holder, write, 500, kFixed}, kFields<kLoginToken>,
               plain<LogIn>),
    row<GetSession>(Operation::get_session, "get_session", "", {holder, read, 2, kFixed}, {},
                    plain<GetSession>),
    row<LogOut>(Operation::log_out, "log_out", "", {anyone, write, 1, kFixed}, {}, plain<LogOut>),
    row<ListWaiting>(Operation::list_waiting, "list_waiting", "", {holder, read, 5, kPage},
                     kFields<kWaitingAgent, kHistoryLimit, kSeqCursor>, list_waiting),
    row<DisconnectAgent>(Operation::disconnect_agent, "disconnect_agent", "",
                         {admin, none, 5, kFixed}, kFields<kAgentId>, disconnect_agent),
});

constexpr bool in_order() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (static_cast<std::size_t>(kTable[i].info.id) != i) return false;
        if (static_cast<std::size_t>(notes::kNotes[i].id) != i) return false;
    }
    return true;
}
static_assert(kTable.size() == kOperationCount, "every operation has a row");
static_assert(notes::kNotes.size() == kOperationCount, "every operation has its note");
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
    for (std::size_t i = 0; i < infos.size(); ++i) {
        const notes::Note& note = notes::kNotes[i];
        infos[i] = kTable[i].info;
        infos[i].about = note.about;
        infos[i].answer = note.answer;
        infos[i].media = note.media;
        infos[i].reply = note.reply;
        infos[i].success = note.success;
        infos[i].errors = note.errors;
    }
    return infos;
}();

}  // namespace

std::span<const OperationInfo> operations() noexcept { return kInfos; }

const OperationInfo& operation_info(Operation operation) noexcept {
    return kInfos[static_cast<std::size_t>(operation)];
}

const FieldSpec* field_of(Operation operation, std::string_view name) noexcept {
    const auto fields = operation_info(operation).fields;
    const auto found = std::ranges::find_if(
        fields, [&](const FieldSpec& field) { return field.name(true) == name; });
    return found == fields.end() ? nullptr : &*found;
}

const OperationInfo& operation_info(const Request& request) noexcept {
    return kInfos[kByRequest[request.index()]];
}

Operation operation_of(const Request& request) noexcept {
    if (const auto* get = std::get_if<GetSetting>(&request)) {
        return get->setting == Setting::mailbox_ttl_ms ? Operation::get_mailbox_retention
                                                       : Operation::get_heartbeat_interval;
    }
    if (const auto* put = std::get_if<PutSetting>(&request)) {
        return put->setting == Setting::mailbox_ttl_ms ? Operation::put_mailbox_retention
                                                       : Operation::put_heartbeat_interval;
    }
    return operation_info(request).id;
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

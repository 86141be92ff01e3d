#pragma once

#include <cstdint>
#include <limits>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/limits.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/protocol/operations.hpp"

/// Fields of operations, each stated once.
namespace agentcom::protocol {

inline constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kMaxDescriptionBytes = 1'024;
inline constexpr std::int64_t kMaxWaitSeconds = 60;
/// Most entries of one page; its bytes are bounded besides.
inline constexpr std::int64_t kMaxListPage = 1'000;
inline constexpr std::int64_t kMaxCursorBytes = 512;
/// Longest text that is looked for in payloads.
inline constexpr std::int64_t kMaxSearchBytes = 256;

// ---- Who and what ------------------------------------------------------------------------------

inline constexpr FieldSpec kAgentId{
    .key = Key::agent_id, .required = true, .place = FieldPlace::path, .about = "The agent."};
/// Whose identity a connection takes; anything but the token's agent is refused.
inline constexpr FieldSpec kIdentity{
    .key = Key::agent_id, .required = true, .about = "Whose token it is."};
inline constexpr FieldSpec kToken{
    .key = Key::token, .required = true, .about = "64 lower-case hexadecimal digits."};
inline constexpr FieldSpec kLoginToken{
    .key = Key::token, .about = "The token, if it does not stand in Authorization."};
/// The mailbox is the caller's own, so frames need not name it.
inline constexpr FieldSpec kMailboxOwner{.key = Key::agent_id,
                                         .required = true,
                                         .place = FieldPlace::path_only,
                                         .about = "Whose mailbox: the caller's own."};
/// Of another agent by who reads everything.
inline constexpr FieldSpec kWaitingAgent{
    .key = Key::agent_id, .required = true, .place = FieldPlace::path, .about = "Whose mailbox."};
inline constexpr FieldSpec kIssuedAgent{.key = Key::agent_id,
                                        .required = true,
                                        .most = core::kMaxAgentIdBytes,
                                        .clamps = false,
                                        .form = TextForm::agent_id,
                                        .about = "The agent."};
inline constexpr FieldSpec kLookedUpAgent{.key = Key::agent_id,
                                          .required = true,
                                          .most = core::kMaxAgentIdBytes,
                                          .place = FieldPlace::path,
                                          .form = TextForm::agent_id,
                                          .about = "The agent."};
inline constexpr FieldSpec kMessageId{.key = Key::message_id,
                                      .required = true,
                                      .place = FieldPlace::path,
                                      .about = "Id of a message."};
inline constexpr FieldSpec kMessageIdOrSeq{.key = Key::message_id,
                                           .required = true,
                                           .place = FieldPlace::path,
                                           .about = "Id of a message, or its seq."};
inline constexpr FieldSpec kChannel{
    .key = Key::channel,
    .required = true,
    .place = FieldPlace::path,
    .form = TextForm::channel,
    .about = "Name of a channel: lower-cased, and what is not a-z 0-9 - _ is dropped."};

// ---- Messages ----------------------------------------------------------------------------------

inline constexpr FieldSpec kTo{.key = Key::to,
                               .most = core::kMaxAgentIdBytes,
                               .form = TextForm::recipient,
                               .about = "An agent, or broadcast; absent: everyone."};
inline constexpr FieldSpec kMessageType{.key = Key::message_type,
                                        .most = core::kMaxMessageTypeBytes,
                                        .about = "Free text; chat when absent."};
inline constexpr FieldSpec kReplyTo{.key = Key::reply_to,
                                    .most = core::kMaxReplyToBytes,
                                    .form = TextForm::printable,
                                    .about = "Id of the message that is answered."};
inline constexpr FieldSpec kIdempotencyKey{
    .key = Key::idempotency_key,
    .most = 128,
    .form = TextForm::key,
    .about =
        "The same key again, within store.idempotency_window, returns the first result and sends "
        "nothing.",
    .header = "Idempotency-Key"};
inline constexpr FieldSpec kPayload{.key = Key::payload,
                                    .type = FieldType::any,
                                    .about = "Any JSON value; objects are the convention.",
                                    .required_in_body = true};
inline constexpr FieldSpec kObjectPayload{.key = Key::payload,
                                          .type = FieldType::object,
                                          .required = true,
                                          .about = "A JSON object; null and false count as {}."};
inline constexpr FieldSpec kSeq{.key = Key::seq,
                                .type = FieldType::integer,
                                .required = true,
                                .about = "All that was shown up to this number counts as read."};

// ---- Pages -------------------------------------------------------------------------------------

constexpr FieldSpec limit(std::int64_t otherwise, std::int64_t most, std::int64_t least = 0) {
    return {.key = Key::limit,
            .type = FieldType::integer,
            .least = least,
            .most = most,
            .otherwise = otherwise,
            .about = "At most so many entries."};
}
inline constexpr FieldSpec kListLimit = limit(kMaxListPage, kMaxListPage, 1);
inline constexpr FieldSpec kDirectoryLimit = limit(50, 200, 1);
inline constexpr FieldSpec kHistoryLimit = limit(50, core::kMaxHistoryPage);
inline constexpr FieldSpec kThreadLimit =
    limit(static_cast<std::int64_t>(kMaxThreadPage), static_cast<std::int64_t>(kMaxThreadPage), 1);
inline constexpr FieldSpec kMailboxLimit = limit(core::kUsualMailboxPage, INT64_MAX);
inline constexpr FieldSpec kListCursor{
    .key = Key::cursor, .most = kMaxCursorBytes, .about = "The cursor of the page before."};
inline constexpr FieldSpec kTokenCursor{.key = Key::cursor,
                                        .most = kMaxCursorBytes,
                                        .form = TextForm::given_cursor,
                                        .about = "The cursor of the page before."};
inline constexpr FieldSpec kSeqCursor{
    .key = Key::cursor, .type = FieldType::integer, .about = "The cursor of the page before."};
inline constexpr FieldSpec kSinceCursor{
    .key = Key::cursor, .type = FieldType::integer, .about = "The same as since."};
inline constexpr FieldSpec kSince{.key = Key::since,
                                  .type = FieldType::integer,
                                  .about = "The first messages after this channel seq."};
inline constexpr FieldSpec kBefore{.key = Key::before,
                                   .type = FieldType::integer,
                                   .least = 1,
                                   .about = "The newest messages before this channel seq."};
inline constexpr FieldSpec kMailboxSince{.key = Key::since,
                                         .type = FieldType::integer,
                                         .least = kAny,
                                         .about = "Only messages after this seq."};
inline constexpr FieldSpec kStreamSince{.key = Key::since,
                                        .type = FieldType::integer,
                                        .least = kAny,
                                        .form = TextForm::recalled_event,
                                        .about = "Only messages after this seq.",
                                        .header = "Last-Event-ID"};
inline constexpr FieldSpec kWait{.key = Key::wait,
                                 .type = FieldType::integer,
                                 .most = kMaxWaitSeconds,
                                 .clamps = false,
                                 .about = "Seconds to wait for a message when there is none."};
inline constexpr FieldSpec kFromFilter{.key = Key::from, .about = "Only what this agent sent."};
inline constexpr FieldSpec kToFilter{.key = Key::to,
                                     .about = "Only what was sent to this agent, or to broadcast."};
inline constexpr FieldSpec kChannelFilter{.key = Key::channel,
                                          .about = "Only what was published in this channel."};
inline constexpr FieldSpec kTypeFilter{
    .key = Key::type, .most = core::kMaxMessageTypeBytes, .about = "Only messages of this type."};
inline constexpr FieldSpec kTextFilter{
    .key = Key::text,
    .most = kMaxSearchBytes,
    .about =
        "Only what has this in its payload's JSON text; upper and lower case of ASCII are one."};
inline constexpr std::string_view kOrderChoices[] = {"oldest", "newest"};
inline constexpr FieldSpec kOrder{
    .key = Key::order, .about = "What comes first; oldest when absent.", .choices = kOrderChoices};
inline constexpr FieldSpec kHistoryBefore{
    .key = Key::before,
    .type = FieldType::integer,
    .least = 1,
    .about = "With order=newest: only messages before this seq."};
inline constexpr FieldSpec kAgentFilter{
    .key = Key::agent, .most = core::kMaxAgentIdBytes, .about = "Only this agent's."};
inline constexpr FieldSpec kStartTime{
    .key = Key::start_time, .type = FieldType::time, .least = kAny, .about = "Nothing older."};
inline constexpr FieldSpec kEndTime{
    .key = Key::end_time, .type = FieldType::time, .least = kAny, .about = "Nothing newer."};
inline constexpr FieldSpec kSinceTime{
    .key = Key::since, .type = FieldType::time, .least = kAny, .about = "Nothing older."};
inline constexpr FieldSpec kUntilTime{
    .key = Key::until, .type = FieldType::time, .least = kAny, .about = "Nothing newer."};
inline constexpr FieldSpec kCapability{
    .key = Key::capability, .most = 256, .about = "Only agents that say they have it."};

// ---- Agents ------------------------------------------------------------------------------------

constexpr FieldSpec profile_part(Key key, std::string_view about, bool required = false) {
    return {
        .key = key, .type = FieldType::any, .required = required, .about = about, .profile = true};
}
constexpr FieldSpec flag(Key key, bool otherwise, std::string_view about) {
    return {.key = key, .type = FieldType::flag, .otherwise = otherwise ? 1 : 0, .about = about};
}
inline constexpr FieldSpec kName =
    profile_part(Key::name, "What the agent calls itself; its id when absent.");
inline constexpr FieldSpec kStatus =
    profile_part(Key::status, "What it is doing; connected when absent.");
inline constexpr FieldSpec kRequiredStatus =
    profile_part(Key::status, "What the agent is doing.", true);
inline constexpr FieldSpec kCapabilities =
    profile_part(Key::capabilities, "What it can do for others, a list of texts by convention.");
inline constexpr FieldSpec kCard{
    .key = Key::card,
    .type = FieldType::flag,
    .otherwise = -1,
    .about = "Everybody is shown the agent's card, with its capabilities; as before when absent."};
inline constexpr FieldSpec kAcks =
    flag(Key::acks, false, "Nothing counts as read until it is acknowledged.");
inline constexpr FieldSpec kPresence =
    flag(Key::presence, true, "Others' coming, going and status are told.");
inline constexpr FieldSpec kEcho =
    flag(Key::echo, true, "One's own broadcasts and changes of status come back.");

// ---- Channels ----------------------------------------------------------------------------------

inline constexpr FieldSpec kChannelName{
    .key = Key::name,
    .required = true,
    .form = TextForm::channel,
    .about = "Lower-cased, and what is not a-z 0-9 - _ is dropped."};
inline constexpr FieldSpec kDescription{
    .key = Key::description, .most = kMaxDescriptionBytes, .about = "For people."};
inline constexpr FieldSpec kPrivate =
    flag(Key::is_private, false, "The channel is there for its members only.");
inline constexpr std::string_view kPublisherChoices[] = {"all", "members"};
inline constexpr FieldSpec kPublishers{.key = Key::publishers,
                                       .about = "Who may publish; all when absent.",
                                       .choices = kPublisherChoices};
inline constexpr FieldSpec kMembers{
    .key = Key::members,
    .type = FieldType::members,
    .about = "Agents, who may read and publish, or objects that say their rights."};
inline constexpr FieldSpec kRights{.key = Key::rights,
                                   .type = FieldType::rights,
                                   .required = true,
                                   .about = "None: the agent is no member any more."};

// ---- Tokens and settings -----------------------------------------------------------------------

inline constexpr std::string_view kRoleChoices[] = {"agent", "admin", "observer"};
inline constexpr FieldSpec kRole{
    .key = Key::role, .about = "agent when absent.", .choices = kRoleChoices};
inline constexpr std::int64_t kMostSeconds = std::int64_t{100} * 366 * 86'400;  // a hundred years
inline constexpr FieldSpec kExpiresIn{.key = Key::expires_in,
                                      .type = FieldType::integer,
                                      .least = 1,
                                      .most = kMostSeconds,
                                      .clamps = false,
                                      .about = "The token ends after so many seconds."};
inline constexpr FieldSpec kExpiresAt{.key = Key::expires_at,
                                      .type = FieldType::time,
                                      .least = 1,
                                      .most = 253'402'300'799'999,  // the year 9999
                                      .clamps = false,
                                      .about = "The token ends then.",
                                      .instead_of = Key::expires_in,
                                      .in_future = true};
inline constexpr FieldSpec kGrace{.key = Key::grace,
                                  .type = FieldType::integer,
                                  .most = 604'800,
                                  .otherwise = 3'600,
                                  .clamps = false,
                                  .about = "So many seconds the older tokens stay good."};
inline constexpr FieldSpec kTokenName{.key = Key::name,
                                      .most = core::kMaxTokenNameBytes,
                                      .form = TextForm::printable,
                                      .about = "For people."};
inline constexpr FieldSpec kPrefix{.key = Key::prefix,
                                   .place = FieldPlace::query,
                                   .form = TextForm::token_prefix,
                                   .about = "Only the token that begins so; all when absent."};
inline constexpr FieldSpec kHeartbeatInterval{.key = Key::heartbeat_interval_ms,
                                              .type = FieldType::integer,
                                              .required = true,
                                              .least = 1,
                                              .about = "Milliseconds."};
inline constexpr FieldSpec kMailboxTtl{.key = Key::mailbox_ttl_ms,
                                       .type = FieldType::integer,
                                       .required = true,
                                       .least = 1,
                                       .about = "Milliseconds."};

}  // namespace agentcom::protocol

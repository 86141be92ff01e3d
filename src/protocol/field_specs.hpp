#pragma once

#include <cstdint>
#include <limits>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/protocol/operations.hpp"

/// Fields of operations, each stated once.
namespace agentcom::protocol {

inline constexpr std::int64_t kAny = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t kMaxDescriptionBytes = 1'024;
inline constexpr std::int64_t kMaxWaitSeconds = 60;
/// Most entries of one page; its bytes are bounded besides.
inline constexpr std::int64_t kMaxHistoryPage = 200;  // the original's figure
inline constexpr std::int64_t kMaxListPage = 1'000;
inline constexpr std::int64_t kMaxCursorBytes = 512;

constexpr FieldSpec text(Key key, bool required = false, std::int64_t most = INT64_MAX) {
    return {.key = key, .required = required, .most = most};
}
constexpr FieldSpec integer(Key key, std::int64_t least = 0, bool required = false) {
    return {.key = key, .type = FieldType::integer, .required = required, .least = least};
}
constexpr FieldSpec limit(std::int64_t otherwise, std::int64_t most, std::int64_t least = 0) {
    return {.key = Key::limit,
            .type = FieldType::integer,
            .least = least,
            .most = most,
            .otherwise = otherwise};
}
constexpr FieldSpec flag(Key key, bool otherwise) {
    return {.key = key, .type = FieldType::flag, .otherwise = otherwise ? 1 : 0};
}
constexpr FieldSpec any(Key key, bool required = false) {
    return {.key = key, .type = FieldType::any, .required = required};
}

inline constexpr FieldSpec kTo = text(Key::to);
inline constexpr FieldSpec kMessageType =
    text(Key::message_type, false, static_cast<std::int64_t>(core::kMaxMessageTypeBytes));
inline constexpr FieldSpec kReplyTo =
    text(Key::reply_to, false, static_cast<std::int64_t>(core::kMaxReplyToBytes));
inline constexpr FieldSpec kIdempotencyKey = text(Key::idempotency_key, false, 128);
inline constexpr FieldSpec kChannel = text(Key::channel, true);
inline constexpr FieldSpec kAgentId = text(Key::agent_id, true);
inline constexpr FieldSpec kMessageId = text(Key::message_id, true);
inline constexpr FieldSpec kListLimit = limit(kMaxListPage, kMaxListPage, 1);
inline constexpr FieldSpec kListCursor = text(Key::cursor, false, kMaxCursorBytes);
inline constexpr FieldSpec kDirectoryLimit = limit(50, 200, 1);
inline constexpr FieldSpec kCapability = text(Key::capability, false, 256);
inline constexpr FieldSpec kHistoryLimit = limit(50, kMaxHistoryPage);
inline constexpr FieldSpec kThreadLimit =
    limit(static_cast<std::int64_t>(kMaxThreadPage), static_cast<std::int64_t>(kMaxThreadPage), 1);
inline constexpr FieldSpec kSeqCursor = integer(Key::cursor);
inline constexpr FieldSpec kSince = integer(Key::since);
inline constexpr FieldSpec kBefore = integer(Key::before, 1);
inline constexpr FieldSpec kMailboxSince = integer(Key::since, kAny);
inline constexpr FieldSpec kMailboxLimit = limit(0, INT64_MAX);
inline constexpr FieldSpec kWait{
    .key = Key::wait, .type = FieldType::integer, .most = kMaxWaitSeconds, .clamps = false};
inline constexpr FieldSpec kSeq = integer(Key::seq, 0, true);
inline constexpr FieldSpec kStartTime{
    .key = Key::start_time, .type = FieldType::time, .least = kAny};
inline constexpr FieldSpec kEndTime{.key = Key::end_time, .type = FieldType::time, .least = kAny};
inline constexpr FieldSpec kAcks = flag(Key::acks, false);
inline constexpr FieldSpec kPresence = flag(Key::presence, true);
inline constexpr FieldSpec kEcho = flag(Key::echo, true);
inline constexpr FieldSpec kName = any(Key::name);
inline constexpr FieldSpec kStatus = any(Key::status);
inline constexpr FieldSpec kRequiredStatus = any(Key::status, true);
inline constexpr FieldSpec kCapabilities = any(Key::capabilities);
inline constexpr FieldSpec kPayload = any(Key::payload);
inline constexpr FieldSpec kObjectPayload{
    .key = Key::payload, .type = FieldType::object, .required = true};
inline constexpr std::int64_t kMostSeconds = std::int64_t{100} * 366 * 86'400;  // a hundred years
inline constexpr FieldSpec kExpiresIn{.key = Key::expires_in,
                                      .type = FieldType::integer,
                                      .least = 1,
                                      .most = kMostSeconds,
                                      .clamps = false};
inline constexpr FieldSpec kExpiresAt{.key = Key::expires_at,
                                      .type = FieldType::time,
                                      .least = 1,
                                      .most = 253'402'300'799'999,  // the year 9999
                                      .clamps = false};
inline constexpr FieldSpec kGrace{.key = Key::grace,
                                  .type = FieldType::integer,
                                  .most = 604'800,
                                  .otherwise = 3'600,
                                  .clamps = false};
inline constexpr FieldSpec kTokenName =
    text(Key::name, false, static_cast<std::int64_t>(core::kMaxTokenNameBytes));
inline constexpr FieldSpec kPrivate = flag(Key::is_private, false);
inline constexpr FieldSpec kPublishers = text(Key::publishers);
inline constexpr FieldSpec kDescription = text(Key::description, false, kMaxDescriptionBytes);

}  // namespace agentcom::protocol

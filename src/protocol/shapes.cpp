// What the hub sends unasked, how it says what went wrong, and why it closes.

#include "agentcom/protocol/shapes.hpp"

#include <algorithm>
#include <array>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/vocabulary.hpp"
#include "protocol/answer_shapes.hpp"
#include "protocol/observe_shapes.hpp"

namespace agentcom::protocol {

namespace {

using namespace shapes;

constexpr Member kMessageTypeMember = text_of("message_type", "free text, \"chat\" by default");
constexpr Member kAckSeq = number_of("seq", "the number to acknowledge");

constexpr Member kPushMembers[] = {
    kMessageIdMember, kFromMember,    kToMember,  kMessageTypeMember,
    kPayloadMember,   kReplyToMember, kTimestamp, kAckSeq,
};
constexpr Structure kPush{"PushedMessage", "A message.", kPushMembers};
constexpr Member kChannelPushMembers[] = {
    text_of("channel"),
    kMessageIdMember,
    kFromMember,
    kMessageTypeMember,
    kPayloadMember,
    kReplyToMember,
    kTimestamp,
    number_of("channel_seq", "its place in the channel"),
    kAckSeq,
};
constexpr Structure kChannelPush{"PushedChannelMessage", "A message of a channel.",
                                 kChannelPushMembers};
constexpr Member kChannelJoinedMembers[] = {text_of("channel"), kAgentIdMember};
constexpr Structure kChannelJoined{"ChannelAgentJoined", "Another agent subscribed.",
                                   kChannelJoinedMembers};
constexpr Member kSnapshotMembers[] = {
    list_of("agents", kAgent, "sorted by agent_id"),
    {.name = "snapshot", .kind = truth},
    truth_of("more", "another frame goes on behind cursor"),
    maybe(text_of("cursor")),
};
constexpr Structure kSnapshot{"AgentsSnapshot", "Who is online, instead of many changes.",
                              kSnapshotMembers};
constexpr Member kJoinedMembers[] = {in("agent", kAgent)};
constexpr Structure kJoined{"AgentJoined", "An agent connected.", kJoinedMembers};
constexpr Member kLeftMembers[] = {kAgentIdMember};
constexpr Structure kLeft{"AgentLeft", "An agent's last connection ended.", kLeftMembers};
constexpr Member kChangedMembers[] = {in("agent", kAgent)};
constexpr Structure kChanged{"StatusChanged", "An agent set its status.", kChangedMembers};

constexpr Member kErrorCode = text_of("error", "the stable code");
constexpr Member kErrorMessage = text_of("message", "for people");
constexpr Member kErrorField = maybe(text_of("field", "the one that is at fault"));
constexpr Member kErrorFrameMembers[] = {kErrorCode, kErrorMessage, kErrorField};
constexpr Structure kErrorFrame{"ErrorFrame", "A frame was refused.", kErrorFrameMembers};
constexpr Member kErrorMembers[] = {kErrorCode, kErrorMessage, kErrorField,
                                    maybe(text_of("hint", "how to show a token"))};
constexpr Structure kError{"Error", "What went wrong.", kErrorMembers};

constexpr auto kPushed = std::to_array<FrameShape>({
    {"message", &kPush, "a direct message or a broadcast for this agent"},
    {"channel_message", &kChannelPush,
     "published to a channel the agent subscribes to; never its own"},
    {"channel_agent_joined", &kChannelJoined, "another agent subscribed to such a channel"},
    {"agents", &kSnapshot, "who is online, instead of many changes; see below"},
    {"agent_joined", &kJoined,
     "another agent connected; also when a newer connection of it takes over, without "
     "`agent_left` before"},
    {"agent_left", &kLeft, "another agent's last connection ended"},
    {"status_changed", &kChanged,
     "an agent set its status; also one's own, unless `echo` is false"},
    {"error", &kErrorFrame,
     "a frame was refused, or the connection is about to be closed; it stays open unless a close "
     "frame follows"},
});

constexpr Member kPositionMembers[] = {kEpoch, number_of("last_seq")};
constexpr Structure kPosition{"StreamPosition", "Where a stream begins.", kPositionMembers};
constexpr Member kStreamEndMembers[] = {number_of("code", "a close code"), text_of("reason")};
constexpr Structure kStreamEnd{"StreamEnd", "Why a stream ends.", kStreamEndMembers};

constexpr auto kEvents = std::to_array<EventShape>({
    {"truncated", &kPosition,
     "at the beginning: something unread was lost to the cap, the time-to-live or retention; "
     "acknowledging `last_seq` settles that"},
    {"reset", &kPosition,
     "at the beginning: `since` is a number of another store and was taken as 0"},
    {"close", &kStreamEnd,
     "the hub ends the stream, for a reason of the [close codes](#close-codes)"},
});

constexpr auto kObserverEvents = std::to_array<EventShape>({
    {"snapshot", &kHubSnapshot, "at the beginning"},
    {"agents", &kMoreAgents, "behind it, for as long as it is not `complete`"},
    {"change", &kHubChange, "then once a second at most, and at least every five seconds"},
    {"close", &kStreamEnd,
     "the hub ends the stream, for a reason of the [close codes](#close-codes)"},
});

constexpr CloseInfo close(CloseCode code, std::string_view reason, std::string_view when,
                          std::string_view remedy) {
    return {static_cast<std::uint16_t>(code), reason, when, remedy};
}
constexpr auto kCloses = std::to_array<CloseInfo>({
    close(CloseCode::normal, "normal", "the answer to the client's own close", ""),
    close(CloseCode::going_away, "going_away",
          "the hub stops, was reset, or has no room for an incomplete message (after `overloaded`)",
          "connect again, after a moment"),
    close(CloseCode::protocol_error, "protocol_error",
          "the bytes were not what RFC 6455 lets a client send", "mend the client"),
    close(CloseCode::invalid_payload, "invalid_payload",
          "a text, or the reason of a close, is not UTF-8", "mend the client"),
    close(CloseCode::frame_too_big, "frame_too_big",
          "a message larger than `max_frame_bytes`; before `identify`, than "
          "`max_unidentified_frame_bytes`",
          "send less"),
    close(CloseCode::internal_error, "internal_error", "the hub made a mistake", "connect again"),
    close(CloseCode::replaced, "replaced", "a newer connection of this agent",
          "do not connect again by itself: two clients would take turns"),
    close(CloseCode::token_revoked, "token_revoked",
          "an administrator revoked the token, or it has expired", "ask for a new one"),
    close(CloseCode::identify_timeout, "identify_timeout",
          "no `identify` within `identify_timeout`", ""),
    close(CloseCode::stale, "stale",
          "nothing arrived for `liveness_timeout`, not even the pong to a ping", "connect again"),
    close(CloseCode::slow_consumer, "slow_consumer", "the client did not read what it was sent",
          "read faster; then connect with `acks`, or poll the mailbox"),
    close(CloseCode::disconnected, "disconnected", "an administrator closed the connection",
          "connect again, after a moment"),
    close(CloseCode::rate_limited, "rate_limited",
          "ten requests in a row over the rate, or too much or too many wrong tokens before "
          "`identify`",
          "slow down"),
});

}  // namespace

std::span<const FrameShape> pushed_frames() noexcept { return kPushed; }
std::span<const EventShape> stream_events() noexcept { return kEvents; }
std::span<const EventShape> observer_events() noexcept { return kObserverEvents; }
const Structure& error_shape() noexcept { return kError; }
std::span<const CloseInfo> close_catalogue() noexcept { return kCloses; }

std::vector<std::string_view> pushed_frame_types() {
    std::vector<std::string_view> types;
    for (const FrameShape& frame : kPushed) types.push_back(frame.type);
    return types;
}

std::string_view close_reason(CloseCode code) noexcept {
    const auto found =
        std::ranges::find(kCloses, static_cast<std::uint16_t>(code), &CloseInfo::code);
    return found == kCloses.end() ? std::string_view() : found->reason;
}

}  // namespace agentcom::protocol

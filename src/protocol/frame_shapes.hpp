#pragma once

#include "protocol/answer_shapes.hpp"

/// What the frames that answer others look like, besides `type` and `ref`.
namespace agentcom::protocol::shapes {

inline constexpr Member kFrameLimitsMembers[] = {number_of("max_frame_bytes"),
                                                 number_of("messages_per_second", "0: no limit")};
inline constexpr Structure kFrameLimits{"ConnectionLimits", "What the connection may.",
                                        kFrameLimitsMembers};
inline constexpr Member kIdentifiedMembers[] = {
    kAgentIdMember,
    kEpoch,
    text_of("session_id"),
    text_of("server", "agentcom/ and its version"),
    in("limits", kFrameLimits),
    truth_of("truncated", "with acks: something unread was lost"),
    maybe(number_of("last_seq", "with truncated: acknowledging it settles that")),
};
inline constexpr Structure kIdentifiedBody{"Identified", "The connection is this agent's.",
                                           kIdentifiedMembers};
inline constexpr FrameShape kIdentified{"identified", &kIdentifiedBody};

inline constexpr Member kPongMembers[] = {kTimestamp};
inline constexpr Structure kPongBody{"Pong", "The hub is there.", kPongMembers};
inline constexpr FrameShape kPong{"pong", &kPongBody};

inline constexpr Structure kStatusUpdatedBody{"StatusUpdated", "The status was set.", {}};
inline constexpr FrameShape kStatusUpdated{"status_updated", &kStatusUpdatedBody};

inline constexpr FrameShape kAgents{"agents", &kAgentList};
inline constexpr FrameShape kChannels{"channels", &kChannelList};

inline constexpr Member kMessageSentMembers[] = {
    kMessageIdMember,
    one_of("status", "delivered queued broadcast",
           "delivered: handed to a live connection; queued: it waits in the mailbox"),
    kSeqMember,
};
inline constexpr Structure kMessageSentBody{"MessageSentFrame", "The message is stored.",
                                            kMessageSentMembers};
inline constexpr FrameShape kMessageSent{"message_sent", &kMessageSentBody};

inline constexpr Member kChannelPublishedMembers[] = {
    kAsSent, number_of("seq", "its place in the channel"), kMessageIdMember};
inline constexpr Structure kChannelPublishedBody{"ChannelPublished", "The message is stored.",
                                                 kChannelPublishedMembers};
inline constexpr FrameShape kChannelPublished{"channel_published", &kChannelPublishedBody};

inline constexpr Member kChannelSubscribedMembers[] = {kAsSent,
                                                       maybe(is("note", "already_subscribed"))};
inline constexpr Structure kChannelSubscribedBody{
    "ChannelSubscribed", "What is published comes from now on.", kChannelSubscribedMembers};
inline constexpr FrameShape kChannelSubscribed{"channel_subscribed", &kChannelSubscribedBody};

inline constexpr Member kChannelMemberOnly[] = {kAsSent};
inline constexpr Structure kChannelUnsubscribedBody{"ChannelUnsubscribed",
                                                    "Nothing comes any more.", kChannelMemberOnly};
inline constexpr FrameShape kChannelUnsubscribed{"channel_unsubscribed", &kChannelUnsubscribedBody};
inline constexpr Structure kChannelDeletedBody{"ChannelDeletedFrame", "The channel is gone.",
                                               kChannelMemberOnly};
inline constexpr FrameShape kChannelDeleted{"channel_deleted", &kChannelDeletedBody};

inline constexpr Member kChannelHistoryFrameMembers[] = {
    kAsSent, list_of("messages", kChannelEntry, "oldest first"), kNextSince, kBeforeMember};
inline constexpr Structure kChannelHistoryFrameBody{
    "ChannelHistoryFrame", "What was published in a channel.", kChannelHistoryFrameMembers};
inline constexpr FrameShape kChannelHistoryFrame{"channel_history", &kChannelHistoryFrameBody};

}  // namespace agentcom::protocol::shapes

#pragma once

#include <iterator>

#include "agentcom/protocol/shapes.hpp"

/// What answers look like, as encode_http_*.cpp and encode_frame.cpp write them.
namespace agentcom::protocol::shapes {

using enum ValueKind;

constexpr Member text_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .about = about};
}
constexpr Member number_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .kind = integer, .about = about};
}
constexpr Member flag_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .kind = flag, .about = about};
}
constexpr Member any_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .kind = any, .about = about};
}
constexpr Member time_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .kind = ValueKind::time, .about = about};
}
constexpr Member truth_of(std::string_view name, std::string_view about) {
    return {.name = name, .kind = truth, .about = about, .optional = true};
}
constexpr Member texts_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .kind = texts, .about = about};
}
constexpr Member is(std::string_view name, std::string_view constant_text) {
    return {.name = name, .kind = constant, .words = constant_text};
}
constexpr Member one_of(std::string_view name, std::string_view words,
                        std::string_view about = {}) {
    return {.name = name, .kind = choice, .about = about, .words = words};
}
constexpr Member list_of(std::string_view name, const Structure& of, std::string_view about = {}) {
    return {.name = name, .kind = list, .about = about, .of = &of};
}
constexpr Member in(std::string_view name, const Structure& of, std::string_view about = {}) {
    return {.name = name, .kind = structure, .about = about, .of = &of};
}
constexpr Member maybe(Member member) {
    member.optional = true;
    return member;
}
constexpr Member or_null(Member member) {
    member.nullable = true;
    return member;
}

// ---- Members that several answers have --------------------------------------------------------

inline constexpr Member kAgentIdMember = text_of("agent_id");
inline constexpr Member kNextPage = maybe(text_of("cursor", "there is more: pass it as cursor"));
inline constexpr Member kNextNumber =
    maybe(number_of("cursor", "there is more: pass it as cursor"));
inline constexpr Member kAsSent = text_of("channel", "the channel's name as it was sent");
inline constexpr Member kEpoch = text_of("epoch", "identity of the store, 16 hexadecimal digits");
inline constexpr Member kSeqMember = number_of("seq", "its place in the hub's log");
inline constexpr Member kRoleMember = one_of("role", "agent admin observer");
inline constexpr Member kTimestamp = time_of("timestamp");
inline constexpr Member kCount = number_of("count", "how many are in this answer");
inline constexpr Member kMessageIdMember = text_of("id", "opaque, unique, never given twice");
inline constexpr Member kFromMember = text_of("from", "the agent whose token was used");
inline constexpr Member kToMember =
    or_null(text_of("to", "an agent, \"broadcast\", or null: everyone, or a channel"));
inline constexpr Member kPayloadMember = any_of("payload", "as it was sent");
inline constexpr Member kReplyToMember =
    or_null(text_of("reply_to", "id of the message that it answers"));
inline constexpr Member kTypeMember = text_of("type", "free text, \"chat\" by default");
inline constexpr Member kMoreMember = truth_of("more", "the page was cut: there are others behind");

// ---- Agents ------------------------------------------------------------------------------------

inline constexpr Member kAgentMembers[] = {
    kAgentIdMember,
    any_of("name", "what the agent calls itself"),
    any_of("status", "what it says it is doing"),
    any_of("capabilities", "what it says it can do"),
    time_of("connected_at"),
};
inline constexpr Structure kAgent{"Agent", "An agent that is connected.", kAgentMembers};
inline constexpr Member kAgentListMembers[] = {list_of("agents", kAgent), kNextPage};
inline constexpr Structure kAgentList{"AgentList", "Who is connected.", kAgentListMembers};

inline constexpr Member kDetailsMembers[] = {
    kAgentIdMember,
    flag_of("known", "somebody holds a token for it"),
    maybe(kRoleMember),
    flag_of("connected"),
    or_null(time_of("last_seen", "its last request; now while it is connected")),
    any_of("status", "what it says it is doing; null: nothing"),
    any_of("capabilities", "what it says it can do"),
    number_of("unread", "messages that wait for it, counted up to 1,000"),
    truth_of("more_unread", "there are others than were counted"),
    maybe(texts_of("similar", "of one that is not known: names that are, and look like it")),
};
inline constexpr Structure kAgentDetails{
    "AgentDetails", "An agent as others see it, connected or not.", kDetailsMembers};
inline constexpr Member kDirectoryMembers[] = {list_of("agents", kAgentDetails), kNextPage};
inline constexpr Structure kDirectory{"AgentDirectory", "Who holds a token, shorter names first.",
                                      kDirectoryMembers};
inline constexpr Member kInterfaceMembers[] = {
    text_of("url"), text_of("protocolBinding", "the description of what is spoken there"),
    maybe(text_of("tenant", "of an agent: its name, as to says it")), is("protocolVersion", "1.0")};
inline constexpr Structure kInterface{"AgentInterface", "Where it is reached.", kInterfaceMembers};
inline constexpr Member kSkillMembers[] = {text_of("id"), text_of("name"), text_of("description"),
                                           texts_of("tags")};
inline constexpr Structure kSkill{"AgentSkill", "What it can do.", kSkillMembers};
inline constexpr Member kCardMembers[] = {
    text_of("name"),
    text_of("description"),
    list_of("supportedInterfaces", kInterface),
    text_of("version"),
    text_of("documentationUrl"),
    {.name = "capabilities", .kind = object, .about = "of A2A, of which there are none"},
    {.name = "securitySchemes", .kind = object},
    {.name = "securityRequirements", .kind = any},
    texts_of("defaultInputModes"),
    texts_of("defaultOutputModes"),
    list_of("skills", kSkill),
};
inline constexpr Structure kCard{"AgentCard", "A card of A2A 1.0.", kCardMembers};

inline constexpr Member kProfileSetMembers[] = {is("status", "updated")};
inline constexpr Structure kProfileSet{"ProfileSet", "The profile was set.", kProfileSetMembers};

// ---- Messages ----------------------------------------------------------------------------------

inline constexpr Member kMessageMembers[] = {
    kMessageIdMember,
    kFromMember,
    kToMember,
    kTypeMember,
    kPayloadMember,
    kReplyToMember,
    kTimestamp,
    kSeqMember,
    maybe(text_of("channel", "where it was published")),
    maybe(number_of("channel_seq", "its place in the channel")),
};
inline constexpr Structure kMessage{"Message", "A message.", kMessageMembers};
inline constexpr Member kPublishedMembers[] = {
    kMessageIdMember, kFromMember,        kToMember,
    kTypeMember,      kPayloadMember,     kReplyToMember,
    kTimestamp,       text_of("channel"), number_of("channel_seq"),
};
inline constexpr Structure kPublishedMessage{"PublishedMessage", "A message of a channel.",
                                             kPublishedMembers};

inline constexpr Member kSentMembers[] = {
    is("status", "sent"),
    kMessageIdMember,
    one_of("delivery", "delivered queued broadcast",
           "delivered: handed to a live connection; queued: it waits in the mailbox"),
    kSeqMember,
};
inline constexpr Structure kSent{"MessageSent", "The message is stored.", kSentMembers};
inline constexpr Member kPublicationMembers[] = {
    is("status", "published"), number_of("seq", "its place in the channel"), kMessageIdMember};
inline constexpr Structure kPublication{"Published", "The message is stored.", kPublicationMembers};

inline constexpr Member kMailboxMembers[] = {
    kAgentIdMember,
    list_of("messages", kMessage, "oldest first"),
    number_of("last_seq", "of the last message, or past what was lost; else the given since"),
    kCount,
    kEpoch,
    truth_of("truncated", "something unread was lost; acknowledging last_seq settles that"),
    truth_of("more", "the page was cut: go on with since = last_seq"),
    truth_of("reset", "since is a number of another store and was taken as 0"),
};
inline constexpr Structure kMailbox{"MailboxPage", "What is unread.", kMailboxMembers};
inline constexpr Member kSenderMembers[] = {kAgentIdMember, number_of("count")};
inline constexpr Structure kSender{"UnreadOfSender", "How many messages of one sender are unread.",
                                   kSenderMembers};
inline constexpr Member kUnreadMembers[] = {
    kAgentIdMember,
    number_of("count", "how many messages are unread"),
    texts_of("senders", "in the order of their oldest message, at most 100"),
    list_of("by_sender", kSender),
    or_null(time_of("oldest")),
    or_null(time_of("newest")),
    number_of("last_seq", "of the newest"),
    kEpoch,
    truth_of("more", "others are unread, or others have sent, than are counted"),
};
inline constexpr Structure kUnread{"UnreadSummary", "What is unread, without the messages.",
                                   kUnreadMembers};
inline constexpr Member kAckedMembers[] = {is("status", "acked"),
                                           number_of("up_to", "as it was sent")};
inline constexpr Structure kAcked{"Acked", "The messages count as read.", kAckedMembers};
inline constexpr Member kEvictedMembers[] = {is("status", "eviction_triggered")};
inline constexpr Structure kEvicted{"EvictionTriggered", "What has expired is being removed.",
                                    kEvictedMembers};

inline constexpr Member kHistoryMembers[] = {
    list_of("messages", kMessage, "oldest first, unless the newest were wanted first"),
    number_of("cursor", "how far was looked; to go on pass it, newest first as before"), kCount,
    kMoreMember};
inline constexpr Structure kHistory{"HistoryPage", "Messages of the history.", kHistoryMembers};
inline constexpr Member kWaitingMembers[] = {
    kAgentIdMember, list_of("messages", kMessage, "oldest first"), kCount, kNextNumber,
    truth_of("truncated", "something unread was lost")};
inline constexpr Structure kWaiting{"WaitingPage", "What waits in a mailbox.", kWaitingMembers};
inline constexpr Member kOneMessageMembers[] = {in("message", kMessage)};
inline constexpr Structure kOneMessage{"OneMessage", "One message.", kOneMessageMembers};
inline constexpr Member kThreadMembers[] = {text_of("root", "id of the thread's first message"),
                                            list_of("messages", kMessage, "oldest first"), kCount,
                                            kNextNumber};
inline constexpr Structure kThread{"Thread", "A thread.", kThreadMembers};
inline constexpr Member kReplyListMembers[] = {
    text_of("parent"), list_of("replies", kMessage, "oldest first"), kCount, kNextNumber};
inline constexpr Structure kReplyList{"ReplyList", "Direct answers to a message.",
                                      kReplyListMembers};
inline constexpr Member kRootMembers[] = {text_of("message_id"),
                                          text_of("root", "id of the thread's first message")};
inline constexpr Structure kThreadRoot{"ThreadRoot", "Where a thread begins.", kRootMembers};

// ---- Channels ----------------------------------------------------------------------------------

inline constexpr Member kSummaryMembers[] = {
    text_of("name"), text_of("description"), number_of("subscriber_count"), time_of("created_at"),
    truth_of("private", "it is there for its members only")};
inline constexpr Structure kChannelSummary{"ChannelSummary", "A channel, in short.",
                                           kSummaryMembers};
inline constexpr Member kChannelListMembers[] = {
    list_of("channels", kChannelSummary, "sorted by name"), kNextPage};
inline constexpr Structure kChannelList{"ChannelList", "Channels.", kChannelListMembers};
inline constexpr Member kMemberMembers[] = {kAgentIdMember,
                                            texts_of("rights", "of read, publish and manage")};
inline constexpr Structure kMember{"ChannelMember", "A member of a channel.", kMemberMembers};
inline constexpr Member kChannelMembers[] = {
    text_of("name"),
    text_of("description"),
    texts_of("subscribers", "a page of them, sorted"),
    number_of("subscriber_count"),
    time_of("created_at"),
    text_of("created_by"),
    maybe(flag_of("private", "there when members matter")),
    maybe(is("publishers", "members")),
    maybe(list_of("members", kMember)),
    kNextPage,
};
inline constexpr Structure kChannelInfo{"ChannelInfo", "A channel.", kChannelMembers};
inline constexpr Member kCreatedMembers[] = {is("status", "created"), kAsSent};
inline constexpr Structure kCreated{"ChannelCreated", "The channel exists.", kCreatedMembers};
inline constexpr Member kSubscribedMembers[] = {one_of("status", "subscribed already_subscribed"),
                                                kAsSent};
inline constexpr Structure kSubscribed{"Subscribed", "What is published comes from now on.",
                                       kSubscribedMembers};
inline constexpr Member kUnsubscribedMembers[] = {is("status", "unsubscribed"), kAsSent};
inline constexpr Structure kUnsubscribed{"Unsubscribed", "Nothing comes any more.",
                                         kUnsubscribedMembers};
inline constexpr Member kDeletedMembers[] = {is("status", "deleted"), kAsSent};
inline constexpr Structure kDeleted{"ChannelDeleted", "The channel is gone.", kDeletedMembers};
inline constexpr Member kMemberSetMembers[] = {
    one_of("status", "updated removed"), kAsSent, kAgentIdMember,
    texts_of("rights", "of read, publish and manage; none: it is no member")};
inline constexpr Structure kMemberSet{"MemberSet", "The member's rights.", kMemberSetMembers};
inline constexpr Member kEntryMembers[] = {number_of("seq", "its place in the channel"),
                                           in("message", kPublishedMessage), time_of("stored_at")};
inline constexpr Structure kChannelEntry{"ChannelEntry", "A message with its place.",
                                         kEntryMembers};
inline constexpr Member kNextSince = maybe(number_of("cursor", "there is more: pass it as since"));
inline constexpr Member kBeforeMember =
    maybe(number_of("before", "older ones were left out: pass it as before"));
inline constexpr Member kChannelHistoryMembers[] = {
    kAsSent, list_of("messages", kChannelEntry, "oldest first"), kCount, kNextSince, kBeforeMember};
inline constexpr Structure kChannelHistory{"ChannelHistoryPage", "What was published in a channel.",
                                           kChannelHistoryMembers};
inline constexpr Member kSubscriptionMembers[] = {kAgentIdMember,
                                                  texts_of("channels", "names, sorted"), kNextPage};
inline constexpr Structure kSubscriptions{"SubscriptionList", "What an agent subscribes to.",
                                          kSubscriptionMembers};

// ---- The hub -----------------------------------------------------------------------------------

inline constexpr Member kWhyMember =
    maybe(one_of("reason",
                 "storage_full storage_failed shutting_down starting loop_stalled disk_stalled "
                 "commit_stalled"));
inline constexpr Member kHealthMembers[] = {
    one_of("status", "ok degraded"),
    is("service", "agent_com"),
    number_of("agents_connected"),
    kWhyMember,
    maybe(number_of("reader_lag", "how far a reader of the store's files is behind")),
};
inline constexpr Structure kHealth{"Health", "How the hub is.", kHealthMembers};
inline constexpr Member kProbeStatus = one_of("status", "ok unavailable");
inline constexpr Member kLivenessMembers[] = {kProbeStatus, maybe(is("reason", "loop_stalled"))};
inline constexpr Structure kLiveness{"Liveness", "Whether the hub works.", kLivenessMembers};
inline constexpr Member kReadinessMembers[] = {kProbeStatus, kWhyMember};
inline constexpr Structure kReadiness{"Readiness", "Whether the hub takes what it is sent.",
                                      kReadinessMembers};
inline constexpr Member kReloadedMembers[] = {
    is("status", "reloaded"),
    texts_of("changed", "settings that differ from before and are in force now"),
    texts_of("needs_restart", "settings that differ from what is in force"),
    flag_of("tls_read_again", "for connections that begin from now on"),
};
inline constexpr Structure kReloaded{"ConfigReloaded", "The configuration was read again.",
                                     kReloadedMembers};
inline constexpr Member kHeartbeatMembers[] = {number_of("heartbeat_interval_ms")};
inline constexpr Structure kHeartbeat{"HeartbeatInterval", "A setting.", kHeartbeatMembers};
inline constexpr Member kHeartbeatSetMembers[] = {number_of("heartbeat_interval_ms"),
                                                  is("status", "updated")};
inline constexpr Structure kHeartbeatSet{"HeartbeatIntervalSet", "The setting was stored.",
                                         kHeartbeatSetMembers};
inline constexpr Member kRetentionMembers[] = {number_of("mailbox_ttl_ms")};
inline constexpr Structure kRetention{"MailboxRetention", "A setting.", kRetentionMembers};
inline constexpr Member kRetentionSetMembers[] = {number_of("mailbox_ttl_ms"),
                                                  is("status", "updated")};
inline constexpr Structure kRetentionSet{"MailboxRetentionSet", "The setting was stored.",
                                         kRetentionSetMembers};
inline constexpr Member kTotalsMembers[] = {
    number_of("total_agents"),
    number_of("agents_connected"),
    number_of("agents_active"),
    number_of("agents_idle"),
    number_of("agents_offline"),
    number_of("total_messages_24h"),
    kTimestamp,
};
inline constexpr Structure kTotals{"AnalyticsTotals", "Counters of the whole hub.", kTotalsMembers};
inline constexpr Member kAnalyticsMembers[] = {
    kAgentIdMember,
    flag_of("connected"),
    number_of("idle_ms"),
    one_of("status", "active idle offline"),
    number_of("messages_sent_24h"),
    number_of("messages_received_24h"),
    number_of("messages_sent_this_hour"),
    number_of("connection_time_24h_ms"),
    time_of("last_active"),
    or_null(time_of("last_seen", "end of its last connection")),
    number_of("total_connections"),
};
inline constexpr Structure kAnalytics{"AgentAnalytics", "Counters of an agent.", kAnalyticsMembers};
inline constexpr Member kAnalyticsListMembers[] = {list_of("agents", kAnalytics, "sorted by id"),
                                                   kNextPage};
inline constexpr Structure kAnalyticsList{"AgentAnalyticsList", "Counters of 24 hours.",
                                          kAnalyticsListMembers};
inline constexpr Member kHourMembers[] = {time_of("bucket", "start of the hour"),
                                          text_of("hour", "15:00, UTC"), number_of("sent"),
                                          number_of("received")};
inline constexpr Structure kHour{"HourCount", "Counters of an hour.", kHourMembers};
inline constexpr Member kHourlyMembers[] = {kAgentIdMember,
                                            list_of("hourly", kHour, "24, oldest first")};
inline constexpr Structure kHourly{"HourlyCounts", "Counters by hour.", kHourlyMembers};

// ---- Tokens ------------------------------------------------------------------------------------

inline constexpr Member kExpiresMember = or_null(time_of("expires_at"));
inline constexpr Member kTokenNameMember = text_of("name", "for people");
inline constexpr Member kLastUsed = or_null(Member{.name = "last_used_day", .kind = date});
inline constexpr Member kPrefixMember = text_of("token_prefix", "8 digits and three dots");
inline constexpr Member kNewTokenMembers[] = {kAgentIdMember, text_of("token", "shown this once"),
                                              kRoleMember, kTokenNameMember, kExpiresMember};
inline constexpr Structure kNewToken{"TokenCreated", "A new token.", kNewTokenMembers};
inline constexpr Member kRotatedMembers[] = {
    kAgentIdMember, text_of("token", "shown this once"),
    kRoleMember,    kTokenNameMember,
    kExpiresMember, time_of("old_expire_at", "when the others end")};
inline constexpr Structure kRotated{"TokenRotated", "A new token, and the end of the others.",
                                    kRotatedMembers};
inline constexpr Member kTokenMembers[] = {
    kAgentIdMember,   kPrefixMember,  kRoleMember, time_of("created_at"),
    kTokenNameMember, kExpiresMember, kLastUsed};
inline constexpr Structure kToken{"TokenSummary", "A token, without its secret.", kTokenMembers};
inline constexpr Member kTokenListMembers[] = {list_of("tokens", kToken, "agent by agent"),
                                               kNextPage};
inline constexpr Structure kTokenList{"TokenList", "Tokens.", kTokenListMembers};
inline constexpr Member kRevokedMembers[] = {is("status", "revoked"), kAgentIdMember};
inline constexpr Structure kRevoked{"TokensRevoked", "The tokens are good no more.",
                                    kRevokedMembers};
inline constexpr Member kEndedMembers[] = {is("status", "deleted"), kAgentIdMember};
inline constexpr Structure kEnded{"AgentEnded", "The agent's name is free.", kEndedMembers};
inline constexpr Member kDisconnectedMembers[] = {
    is("status", "disconnected"), kAgentIdMember,
    number_of("closed", "connections and streams; 0: there was none")};
inline constexpr Structure kDisconnected{"AgentDisconnected", "The agent's connections are closed.",
                                         kDisconnectedMembers};
inline constexpr Member kResetMembers[] = {is("status", "reset_scheduled"),
                                           text_of("triggered_by")};
inline constexpr Structure kReset{"ResetScheduled", "Connections are being closed.", kResetMembers};
inline constexpr Member kLimitsMembers[] = {
    number_of("max_frame_bytes"), number_of("max_page_bytes"),
    number_of("messages_per_second", "0: no limit"), number_of("work_per_second", "0: no limit")};
inline constexpr Structure kLimits{"CallerLimits", "What the caller may.", kLimitsMembers};
inline constexpr Member kSelfMembers[] = {
    kAgentIdMember,        kRoleMember,    kPrefixMember, time_of("created_at"),
    text_of("token_name"), kExpiresMember, kLastUsed,     in("limits", kLimits),
};
inline constexpr Member kSessionMembers[] = {
    kAgentIdMember, kRoleMember,
    time_of("expires_at", "no later than the token; the cookie is good until then")};
inline constexpr Structure kSession{"SessionInfo", "A person's session in a browser.",
                                    kSessionMembers};
inline constexpr Structure kSelf{"SelfInfo", "Who the caller is, by its token.", kSelfMembers};

}  // namespace agentcom::protocol::shapes

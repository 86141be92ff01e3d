#pragma once

#include "agentcom/protocol/shapes.hpp"
#include "protocol/answer_shapes.hpp"

/// What observers are shown, as encode_observation.cpp writes it.
namespace agentcom::protocol::shapes {

constexpr Member real_of(std::string_view name, std::string_view about = {}) {
    return {.name = name, .kind = number, .about = about};
}

// ---- An agent ----------------------------------------------------------------------------------

inline constexpr Member kRowId = text_of("id", "the agent");
inline constexpr Member kRowName = text_of("name", "what it calls itself");
inline constexpr Member kRowKnown =
    flag_of("known", "false: nobody holds a token for this name, and mail waits for it");
inline constexpr Member kRowStatus = or_null(text_of("status", "what it says it is doing, cut"));
inline constexpr Member kRowState =
    one_of("state", "working idle polling offline",
           "polling: without a connection, but it has asked lately, or streams");
inline constexpr Member kRowCapabilities = texts_of("capabilities", "16 at most, each cut");
inline constexpr Member kRowSince = or_null(time_of("connected_since"));
inline constexpr Member kRowSeen =
    or_null(time_of("last_seen", "null: not since the counters began"));
inline constexpr Member kRowRead = or_null(time_of("last_read_at", "its mailbox"));
inline constexpr Member kRowSent = number_of("sent_24h");
inline constexpr Member kRowReceived =
    number_of("received_24h", "direct messages, broadcasts, and those of its channels");
inline constexpr Member kRowUnread = or_null(number_of("unread", "null: not counted yet"));
inline constexpr Member kRowMore =
    flag_of("unread_more", "there are more than a mailbox shows, which is how far is counted");
inline constexpr Member kRowOldest = or_null(time_of("oldest_unread_at"));
inline constexpr Member kRowConnections = number_of("connections", "its connection, and streams");

inline constexpr Member kObservedAgentMembers[] = {
    kRowId,           kRowName,   kRowKnown, kRowStatus, kRowState,
    kRowCapabilities, kRowSince,  kRowSeen,  kRowRead,   kRowSent,
    kRowReceived,     kRowUnread, kRowMore,  kRowOldest, kRowConnections};
inline constexpr Structure kObservedAgent{"ObservedAgent", "An agent, as observers see it.",
                                          kObservedAgentMembers};
inline constexpr Member kObservedPageMembers[] = {
    kRowId,
    kRowName,
    kRowKnown,
    kRowStatus,
    kRowState,
    kRowCapabilities,
    kRowSince,
    kRowSeen,
    kRowRead,
    kRowSent,
    kRowReceived,
    kRowUnread,
    kRowMore,
    kRowOldest,
    kRowConnections,
    any_of("hours", "24 lists: when the hour began, messages sent and received in it"),
    texts_of("subscriptions", "200 channels at most, sorted"),
    truth_of("more_subscriptions", "it has others"),
};
inline constexpr Structure kObservedPage{"ObservedAgentPage", "One agent, as observers see it.",
                                         kObservedPageMembers};

// ---- The hub -----------------------------------------------------------------------------------

inline constexpr Member kCountedAgentsMembers[] = {
    number_of("total"),   number_of("online", "all but those that are offline"),
    number_of("working"), number_of("idle"),
    number_of("polling"), number_of("offline")};
inline constexpr Structure kCountedAgents{"AgentCounts", "How many agents are in which state.",
                                          kCountedAgentsMembers};
inline constexpr Member kRateMembers[] = {real_of("per_second", "over the last ten seconds"),
                                          number_of("total_24h")};
inline constexpr Structure kRate{"MessageRate", "How much is sent.", kRateMembers};
inline constexpr Member kPercentileMembers[] = {or_null(real_of("p50")), or_null(real_of("p99"))};
inline constexpr Structure kPercentiles{"Percentiles", "In milliseconds; null: nothing was done.",
                                        kPercentileMembers};
inline constexpr Member kLatencyMembers[] = {
    in("commit", kPercentiles, "writing a batch"),
    in("delivery", kPercentiles, "from a message's arrival to its acknowledgement")};
inline constexpr Structure kLatency{"Latency", "Of the last minute.", kLatencyMembers};
inline constexpr Member kGrowingMembers[] = {text_of("id"), number_of("unread"),
                                             number_of("grew", "in the last five minutes")};
inline constexpr Structure kGrowing{"GrowingMailbox", "A mailbox in which more and more waits.",
                                    kGrowingMembers};
inline constexpr Member kBacklogMembers[] = {
    or_null(number_of("messages", "null: not counted yet")), or_null(number_of("agents")),
    or_null(time_of("oldest_at")), list_of("growing", kGrowing, "ten at most")};
inline constexpr Structure kBacklog{"UnreadTotals", "What waits in all mailboxes.",
                                    kBacklogMembers};
inline constexpr Member kOpenMembers[] = {number_of("websocket"), number_of("http"),
                                          number_of("streams"), number_of("long_polls"),
                                          number_of("observers", "of the streams")};
inline constexpr Structure kOpen{"ConnectionCounts", "What is open.", kOpenMembers};
inline constexpr Member kStorageMembers[] = {
    one_of("state", "ok full failed"),
    number_of("file_bytes"),
    number_of("room_bytes", "what may still be written"),
    number_of("max_bytes", "of the file"),
    number_of("log_bytes"),
    number_of("log_max_bytes", "0: no bound"),
    number_of("messages"),
    number_of("messages_max", "0: no bound"),
    number_of("reader_lag", "how far a reader of the store's files is behind")};
inline constexpr Structure kStorage{"StoreFigures", "What the store holds, and may.",
                                    kStorageMembers};
inline constexpr Member kAlarmMembers[] = {
    text_of("code", "stable"), one_of("severity", "warning critical"),
    text_of("text", "what is wrong, and what to do"), time_of("since"),
    maybe(texts_of("agents", "that it is about"))};
inline constexpr Structure kAlarm{"Alarm", "Something is wrong.", kAlarmMembers};
inline constexpr Member kOverviewMembers[] = {
    in("agents", kCountedAgents),
    maybe(number_of("agents_left_out", "of the rows: limits.observed_agents")),
    truth_of("counting", "what was sent before the start is still being counted"),
    in("messages", kRate),
    in("latency_ms", kLatency),
    in("unread", kBacklog),
    in("connections", kOpen),
    in("store", kStorage),
    number_of("head_seq"),
    list_of("alarms", kAlarm, "the worst first")};
inline constexpr Structure kOverview{"HubOverview", "How the hub is.", kOverviewMembers};
inline constexpr Member kHubMembers[] = {text_of("version"), time_of("started_at"), kEpoch};
inline constexpr Structure kHubIdentity{"HubIdentity", "Which hub it is.", kHubMembers};
inline constexpr Member kSeriesMembers[] = {
    any_of("minutes", "60 lists at most: time, messages, commit p50 and p99, delivery p50 and p99"),
    any_of("hours", "24 lists: time, messages")};
inline constexpr Structure kSeries{"HubSeries", "What was sent lately.", kSeriesMembers};

// ---- Events ------------------------------------------------------------------------------------

inline constexpr Member kMadeAt = time_of("at");
inline constexpr Member kComplete = flag_of("complete", "no event with more rows follows");
inline constexpr Member kHubSnapshotMembers[] = {kMadeAt,
                                                 in("hub", kHubIdentity),
                                                 in("overview", kOverview),
                                                 in("series", kSeries),
                                                 list_of("agents", kObservedAgent),
                                                 kComplete};
inline constexpr Structure kHubSnapshot{"HubSnapshot", "How everything is.", kHubSnapshotMembers};
inline constexpr Member kMoreAgentsMembers[] = {kMadeAt, list_of("agents", kObservedAgent),
                                                kComplete};
inline constexpr Structure kMoreAgents{"MoreAgents", "More rows of a snapshot.",
                                       kMoreAgentsMembers};
inline constexpr Member kHubChangeMembers[] = {
    kMadeAt, maybe(in("overview", kOverview)),
    maybe(any_of("point", "of ten seconds, as one of the minutes")),
    maybe(list_of("agents", kObservedAgent, "that changed")),
    maybe(texts_of("gone", "agents that are no more"))};
inline constexpr Structure kHubChange{"HubChange", "What has changed.", kHubChangeMembers};

// ---- Who writes to whom ------------------------------------------------------------------------

inline constexpr Member kPairMembers[] = {
    text_of("from"), text_of("to", "an agent, # and a channel, or *: everyone"),
    number_of("messages"), number_of("bytes", "of their payloads"), time_of("last_at")};
inline constexpr Structure kPair{"ObservedPair", "How much one wrote to another.", kPairMembers};
inline constexpr Member kObservedPairsMembers[] = {
    list_of("pairs", kPair, "500 at most, the busiest first"),
    number_of("scanned", "messages that were looked at, the newest 200,000 at most"),
    flag_of("truncated", "older messages, or other pairs, were left out")};
inline constexpr Structure kObservedPairs{"ObservedPairs", "Who wrote how much to whom.",
                                          kObservedPairsMembers};

}  // namespace agentcom::protocol::shapes

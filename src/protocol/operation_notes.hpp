#pragma once

#include <array>
#include <span>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/operations.hpp"
#include "protocol/answer_shapes.hpp"
#include "protocol/frame_shapes.hpp"
#include "protocol/observe_shapes.hpp"

/// What descriptions say of each operation besides what its row of the table does.
namespace agentcom::protocol::notes {

using enum core::ErrorCode;

template <core::ErrorCode... kCodes>
inline constexpr std::array<core::ErrorCode, sizeof...(kCodes)> kErrors{kCodes...};

struct Note {
    Operation id;
    std::string_view about;
    const Structure* answer = nullptr;  // over HTTP, JSON; null: it has none, or is a text
    const FrameShape* reply = nullptr;  // of its frame; null: it has none
    std::span<const core::ErrorCode> errors{};
    std::uint16_t success = 200;
    std::string_view media{};  // of a text
};

inline constexpr auto kNotes = std::to_array<Note>({
    {Operation::identify, "Says who is connected; the first frame of every connection.", nullptr,
     &shapes::kIdentified,
     kErrors<invalid_token, token_agent_mismatch, already_identified, invalid_field,
             shutting_down>},
    {Operation::ping, "Asks whether the hub is there.", nullptr, &shapes::kPong},
    {Operation::set_status, "Tells others what the agent is doing.", nullptr,
     &shapes::kStatusUpdated, kErrors<invalid_field>},
    {Operation::list_agents, "Lists who is connected.", &shapes::kAgentList, &shapes::kAgents},
    {Operation::health, "Says how the hub is.", &shapes::kHealth},
    {Operation::send_message, "Sends a message to an agent or to everyone.", &shapes::kSent,
     &shapes::kMessageSent,
     kErrors<invalid_recipient, unknown_recipient_limit, invalid_idempotency_key,
             idempotency_conflict, payload_too_large>},
    {Operation::publish, "Sends a message to all who subscribe to a channel.",
     &shapes::kPublication, &shapes::kChannelPublished,
     kErrors<invalid_channel_name, channel_not_found, forbidden, invalid_payload,
             invalid_idempotency_key, idempotency_conflict, payload_too_large>},
    {Operation::poll_mailbox, "Shows what is unread, oldest first; wait makes it a long poll.",
     &shapes::kMailbox, nullptr, kErrors<overloaded>},
    {Operation::open_stream, "Streams what is unread, then what comes, as server-sent events.",
     nullptr, nullptr, kErrors<too_many_connections, shutting_down>, 200, "text/event-stream"},
    {Operation::get_unread, "Counts what is unread, without showing it.", &shapes::kUnread},
    {Operation::ack_mailbox, "Marks as read what was shown up to a number.", &shapes::kAcked},
    {Operation::evict_mailboxes, "Removes what has expired from all mailboxes now.",
     &shapes::kEvicted},
    {Operation::list_channels, "Lists the channels that the caller may know of.",
     &shapes::kChannelList, &shapes::kChannels},
    {Operation::create_channel, "Makes a channel.", &shapes::kCreated, nullptr,
     kErrors<invalid_channel_name, invalid_agent_id, channel_exists, channel_limit, member_limit>,
     201},
    {Operation::get_channel, "Shows a channel and a page of its subscribers.",
     &shapes::kChannelInfo, nullptr, kErrors<invalid_channel_name, channel_not_found>},
    {Operation::subscribe, "Subscribes the caller to a channel.", &shapes::kSubscribed,
     &shapes::kChannelSubscribed,
     kErrors<invalid_channel_name, channel_not_found, forbidden, subscription_limit>},
    {Operation::unsubscribe, "Ends the caller's subscription to a channel.", &shapes::kUnsubscribed,
     &shapes::kChannelUnsubscribed, kErrors<invalid_channel_name, channel_not_found>},
    {Operation::delete_channel, "Deletes a channel; what was not read of it stays in mailboxes.",
     &shapes::kDeleted, &shapes::kChannelDeleted,
     kErrors<invalid_channel_name, not_found, forbidden>},
    {Operation::channel_history, "Shows what was published in a channel, oldest first.",
     &shapes::kChannelHistory, &shapes::kChannelHistoryFrame,
     kErrors<invalid_channel_name, forbidden>},
    {Operation::list_subscriptions, "Lists what an agent subscribes to.", &shapes::kSubscriptions},
    {Operation::query_history, "Shows messages that fit all filters.", &shapes::kHistory},
    {Operation::get_thread, "Shows the thread of a message, oldest first.", &shapes::kThread},
    {Operation::get_replies, "Shows the direct answers to a message, oldest first.",
     &shapes::kReplyList},
    {Operation::get_thread_root, "Names the first message of a thread.", &shapes::kThreadRoot},
    {Operation::get_heartbeat_interval, "Shows the setting.", &shapes::kHeartbeat},
    {Operation::put_heartbeat_interval, "Stores the setting.", &shapes::kHeartbeatSet, nullptr,
     kErrors<invalid_positive_integer>},
    {Operation::get_mailbox_retention, "Shows how long what is unread is kept.",
     &shapes::kRetention},
    {Operation::put_mailbox_retention, "Sets how long what is unread is kept.",
     &shapes::kRetentionSet, nullptr, kErrors<invalid_positive_integer>},
    {Operation::analytics_summary, "Counts agents and messages of the whole hub.",
     &shapes::kTotals},
    {Operation::analytics_agents, "Counts what each agent did in 24 hours.",
     &shapes::kAnalyticsList},
    {Operation::analytics_hourly, "Counts what an agent did, hour by hour.", &shapes::kHourly},
    {Operation::observe, "Streams what happens in the hub, as server-sent events, to observers.",
     nullptr, nullptr, kErrors<too_many_connections, shutting_down>, 200, "text/event-stream"},
    {Operation::observe_agent, "Shows an agent as observers see it, hour by hour.",
     &shapes::kObservedPage, nullptr, kErrors<invalid_agent_id, not_found>},
    {Operation::observe_pairs, "Counts who wrote how much to whom.", &shapes::kObservedPairs},
    {Operation::create_token, "Makes a token for an agent, which exists from then on.",
     &shapes::kNewToken, nullptr, kErrors<invalid_agent_id, agent_ending>, 201},
    {Operation::list_tokens, "Lists tokens, without their secrets.", &shapes::kTokenList},
    {Operation::revoke_tokens, "Revokes an agent's tokens, or one; its connections are closed.",
     &shapes::kRevoked, nullptr, kErrors<not_found>},
    {Operation::reset_hub, "Closes every connection and clears the counters; messages stay.",
     &shapes::kReset, nullptr, kErrors<reset_cooldown>},
    {Operation::rotate_token, "Makes a new token; the agent's others end after a while.",
     &shapes::kRotated, nullptr, kErrors<not_found, agent_ending>, 201},
    {Operation::who_am_i, "Says who the caller is, by its token.", &shapes::kSelf},
    {Operation::set_member, "Gives a member of a channel its rights, or ends its membership.",
     &shapes::kMemberSet, nullptr,
     kErrors<invalid_channel_name, invalid_agent_id, channel_not_found, forbidden, member_limit>},
    {Operation::end_agent, "Removes an agent: its tokens, mailbox, subscriptions and memberships.",
     &shapes::kEnded, nullptr, kErrors<not_found>},
    {Operation::get_agent, "Shows an agent, connected or not.", &shapes::kAgentDetails, nullptr,
     kErrors<invalid_agent_id>},
    {Operation::list_directory, "Lists who holds a token, connected or not.", &shapes::kDirectory},
    {Operation::set_profile, "Says what the caller is doing and can do, also without a connection.",
     &shapes::kProfileSet},
    {Operation::get_message, "Shows one message.", &shapes::kOneMessage, nullptr,
     kErrors<not_found>},
    {Operation::get_hub_card, "Shows the hub's card (A2A 1.0).", &shapes::kCard},
    {Operation::get_agent_card, "Shows the card (A2A 1.0) of an agent that allows it.",
     &shapes::kCard, nullptr, kErrors<not_found>},
    {Operation::probe_live, "Says whether the hub works, or had better be restarted.",
     &shapes::kLiveness},
    {Operation::probe_ready, "Says whether the hub takes what it is sent.", &shapes::kReadiness},
    {Operation::get_metrics,
     "Shows the hub's figures as Prometheus reads them.",
     nullptr,
     nullptr,
     {},
     200,
     "text/plain"},
    {Operation::reload_config, "Has the hub read its configuration and its TLS files again.",
     &shapes::kReloaded, nullptr, kErrors<not_found, invalid_configuration>},
    {Operation::log_in, "Begins a session in a browser: its cookie stands for the token.",
     &shapes::kSession},
    {Operation::get_session, "Shows the session that the cookie stands for.", &shapes::kSession,
     nullptr, kErrors<not_found>},
    {Operation::log_out,
     "Ends the session that the cookie stands for, if there is one.",
     nullptr,
     nullptr,
     {},
     204},
    {Operation::list_waiting, "Shows what waits in a mailbox; it stays unread.", &shapes::kWaiting,
     nullptr, kErrors<not_found, forbidden>},
    {Operation::disconnect_agent, "Closes an agent's connections and streams; it may come back.",
     &shapes::kDisconnected, nullptr, kErrors<not_found>},
});

}  // namespace agentcom::protocol::notes

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/protocol/json_writer.hpp"
#include "agentcom/protocol/replies.hpp"

namespace agentcom::protocol {

/// Writes the members of an HTTP answer's object: one overload for each reply, by area in
/// encode_http_*.cpp. For one answer.
class BodyWriter {
public:
    explicit BodyWriter(JsonWriter& writer) noexcept : writer_(writer) {}

    template <class Page>
    void operator()(const Shared<Page>& reply) {
        (*this)(*reply);
    }

    // Agents
    void operator()(const Identified& reply);
    void operator()(const StatusUpdated& reply);
    void operator()(const AgentList& reply);
    void operator()(const AgentDetails& reply);
    void operator()(const AgentDirectory& reply);
    void operator()(const AgentCard& reply);
    void operator()(const AnalyticsTotals& reply);
    void operator()(const AgentAnalyticsList& reply);
    void operator()(const HourlyCounts& reply);

    // For observers
    void operator()(const ObserverJoined&) {}  // events follow
    void operator()(const ObservedAgentPage& reply);
    void operator()(const ObservedPairs& reply);

    // Messages
    void operator()(const MessageSent& reply);
    void operator()(const MailboxPage& reply);
    /// A text already: see `encode_http`.
    void operator()(const EncodedMailbox&) {}
    void operator()(const StreamOpened& reply);
    void operator()(const UnreadSummary& reply);
    void operator()(const Acked& reply);
    void operator()(const EvictionTriggered& reply);
    void operator()(const HistoryPage& reply);
    void operator()(const WaitingPage& reply);
    void operator()(const OneMessage& reply);
    void operator()(const Thread& reply);
    void operator()(const ReplyList& reply);
    void operator()(const ThreadRoot& reply);

    // Channels
    void operator()(const ChannelCreated& reply);
    void operator()(const ChannelList& reply);
    void operator()(const ChannelInfo& reply);
    void operator()(const MemberSet& reply);
    void operator()(const Subscribed& reply);
    void operator()(const Unsubscribed& reply);
    void operator()(const ChannelDeleted& reply);
    void operator()(const Published& reply);
    void operator()(const ChannelHistoryPage& reply);
    void operator()(const SubscriptionList& reply);

    // The hub, its settings and its tokens
    void operator()(const Pong& reply);
    void operator()(const HealthReport& reply);
    void operator()(const ProbeReport& reply);
    /// Not an object: see `encode_http`.
    void operator()(const MetricsReport&) {}
    void operator()(const SettingValue& reply);
    void operator()(const ResetScheduled& reply);
    void operator()(const ConfigReloaded& reply);
    void operator()(const SelfInfo& reply);
    void operator()(const SessionInfo& reply);
    void operator()(const LoggedIn& reply) { (*this)(reply.session); }
    /// No content: see `encode_http`.
    void operator()(const LoggedOut&) {}
    void operator()(const TokenCreated& reply);
    void operator()(const TokenList& reply);
    void operator()(const TokensRevoked& reply);
    void operator()(const AgentEnded& reply);
    void operator()(const AgentDisconnected& reply);

private:
    void cursor(const std::optional<std::string>& next) {
        if (next) writer_.member("cursor", *next);
    }
    void cursor(const std::optional<core::Seq>& next) {
        if (next) writer_.member_integer("cursor", next->value);
    }
    void time(std::string_view key, const std::optional<core::Timestamp>& at) {
        if (at) {
            writer_.member_integer(key, at->ms);
        } else {
            writer_.key(key).null();
        }
    }
    void details(const AgentDetails& agent);
    void analytics(const AgentAnalytics& agent);
    void member(const core::ChannelMember& each);
    void times_of(const TokenSummary& token);

    JsonWriter& writer_;
};

}  // namespace agentcom::protocol

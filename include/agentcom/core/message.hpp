#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/seq.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::core {

/// Text that is known to be one valid JSON value. Only the protocol room looks inside.
struct JsonText {
    std::string text;
    bool operator==(const JsonText&) const = default;
};

struct ToAgent {
    AgentId agent;
    bool operator==(const ToAgent&) const = default;
};
/// To everyone. `spelled` remembers whether the sender wrote "broadcast" or left `to` out, because
/// the original's history shows the difference.
struct ToEveryone {
    bool spelled = false;
    bool operator==(const ToEveryone&) const = default;
};
struct ToChannel {
    ChannelName channel;
    bool operator==(const ToChannel&) const = default;
};
using Destination = std::variant<ToAgent, ToEveryone, ToChannel>;

/// A message before the log has given it a place.
struct Draft {
    AgentId from;
    Destination to;
    std::string type;                     // free text, "chat" by default
    JsonText payload;                     // the sender's bytes
    std::optional<std::string> reply_to;  // free text, at most kMaxReplyToBytes
    bool operator==(const Draft&) const = default;
};

/// A message of the log. Immutable once committed, shared between all who deliver it.
struct Message {
    Seq seq;
    MessageId id;
    ChannelSeq channel_seq;  // 0 unless `to` is a channel
    Timestamp timestamp;     // when the hub stored it; never falls as seq grows
    Draft draft;
};
using MessagePtr = std::shared_ptr<const Message>;

/// What a message consists of, wherever its texts lie: for whoever passes it on and keeps nothing
/// of it. Valid as long as those texts are.
struct MessageParts {
    enum class To : std::uint8_t { agent, everyone, everyone_spelled, channel };

    Seq seq;
    MessageId id;
    ChannelSeq channel_seq;
    Timestamp timestamp;
    To to = To::everyone;
    std::string_view from;
    std::string_view destination;  // the agent or the channel; empty for broadcasts
    std::string_view type;
    std::string_view payload;
    std::optional<std::string_view> reply_to;
};
[[nodiscard]] MessageParts parts_of(const Message& message) noexcept;

}  // namespace agentcom::core

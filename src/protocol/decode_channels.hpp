#pragma once

#include <utility>

#include "agentcom/core/result.hpp"
#include "agentcom/protocol/requests.hpp"
#include "protocol/input.hpp"

/// What agents ask about channels, from its fields.
namespace agentcom::protocol {

[[nodiscard]] core::result<Request> create_channel(const Input& in);
[[nodiscard]] core::result<Request> set_member(const Input& in);
[[nodiscard]] core::result<Request> get_channel(const Input& in);
[[nodiscard]] core::result<Request> channel_history(const Input& in);
[[nodiscard]] core::result<Request> list_subscriptions(const Input& in);

/// What needs to know the channel alone.
template <class Change>
core::result<Request> of_channel(const Input& in) {
    auto channel = in.channel();
    if (!channel) return channel.error();
    return Request(Change{std::move(channel->name), std::move(channel->text)});
}

}  // namespace agentcom::protocol

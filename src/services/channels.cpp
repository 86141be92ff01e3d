#include "agentcom/services/channels.hpp"

#include <utility>

namespace agentcom::services {

std::optional<Channels::Info> Channels::info(const core::ChannelName& name) const {
    auto channel = store_.find_channel(name);
    if (!channel) return std::nullopt;
    auto subscribers = store_.subscribers(name);
    // The two reads may straddle a commit; the list is what the reader can count.
    channel->subscriber_count = subscribers.size();
    return Info{std::move(*channel), std::move(subscribers)};
}

}  // namespace agentcom::services

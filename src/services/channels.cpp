#include "agentcom/services/channels.hpp"

#include <utility>

namespace agentcom::services {

std::optional<Channels::Info> Channels::info(const core::ChannelName& name, std::string_view after,
                                             core::Budget& budget) const {
    auto channel = store_.find_channel(name);
    if (!channel) return std::nullopt;
    auto subscribers = store_.subscribers(name, after, budget);
    // The two reads may straddle a commit; a whole list is what the reader can count.
    if (after.empty() && !subscribers.more) {
        channel->subscriber_count = subscribers.entries.size();
    }
    return Info{std::move(*channel), std::move(subscribers)};
}

std::vector<core::ChannelName> Channels::subscriptions(std::string_view agent) const {
    core::Budget budget({.steps = core::kUnbounded});
    return store_.subscriptions(agent, {}, budget).entries;
}

}  // namespace agentcom::services

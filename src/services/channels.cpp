#include "agentcom/services/channels.hpp"

#include <utility>

namespace agentcom::services {

std::optional<Channels::Info> Channels::info(const core::ChannelName& name, std::string_view after,
                                             core::Budget& budget, const Viewer& viewer) const {
    auto channel = store_.find_channel(name, viewer);
    if (!channel) return std::nullopt;
    auto subscribers = store_.subscribers(name, after, budget);
    // The two reads may straddle a commit; a whole list is what the reader can count.
    if (after.empty() && !subscribers.more) {
        channel->subscriber_count = subscribers.entries.size();
    }
    const bool guarded = channel->is_private || channel->members_publish;
    auto members =
        guarded && after.empty() ? store_.members(name) : std::vector<store::ChannelMember>();
    return Info{std::move(*channel), std::move(subscribers), std::move(members)};
}

bool Channels::is_closed_to(const core::ChannelName& name, const Viewer& viewer) const {
    if (!viewer || !viewer->agent) return false;
    const auto channel = store_.find_channel(name, viewer);
    if (!channel || !channel->is_private) return false;
    const store::MemberRights rights = store_.member_rights(name, viewer->agent->str());
    return rights != 0 && (rights & store::kMayRead) == 0;
}

std::vector<core::ChannelName> Channels::subscriptions(std::string_view agent) const {
    core::Budget budget({.steps = core::kUnbounded});
    return store_.subscriptions(agent, {}, budget).entries;
}

}  // namespace agentcom::services

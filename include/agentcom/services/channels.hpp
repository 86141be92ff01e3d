#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// What can be asked about channels. The state is the store's, so every transport and every
/// connection sees the same subscriptions. Lists are sorted and begin behind `after` (empty: at the
/// beginning). A channel that the viewer (nobody: everybody) may not know of is as if it were not
/// there. Thread-safe.
class Channels {
public:
    using Viewer = std::optional<store::Viewer>;
    struct Info {
        store::ChannelRecord channel;
        core::Page<core::AgentId> subscribers;
        std::vector<store::ChannelMember> members;  // on the first page, if members matter
    };

    explicit Channels(const store::Store& store) : store_(store) {}

    [[nodiscard]] store::ChannelPage list(std::string_view after, core::Budget& budget,
                                          const Viewer& viewer) const {
        return store_.list_channels(after, budget, viewer);
    }
    /// The channel with a page of its subscribers; nothing when there is no such channel.
    [[nodiscard]] std::optional<Info> info(const core::ChannelName& name, std::string_view after,
                                           core::Budget& budget, const Viewer& viewer) const;
    /// Whether this one knows of the channel as a member, and yet may not read it.
    [[nodiscard]] bool is_closed_to(const core::ChannelName& name, const Viewer& viewer) const;
    [[nodiscard]] store::ChannelNamePage subscriptions(std::string_view agent,
                                                       std::string_view after, core::Budget& budget,
                                                       const Viewer& viewer) const {
        return store_.subscriptions(agent, after, budget, viewer);
    }
    /// All of them, as many as the store lets an agent have.
    [[nodiscard]] std::vector<core::ChannelName> subscriptions(std::string_view agent) const;
    /// Empty for a channel that does not exist, as in the original.
    [[nodiscard]] store::ChannelHistoryPage history(const store::ChannelHistoryQuery& query,
                                                    core::Budget& budget) const {
        return store_.channel_history(query, budget);
    }

private:
    const store::Store& store_;
};

}  // namespace agentcom::services

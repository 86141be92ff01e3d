#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// What can be asked about channels. The state is the store's, so every transport and every
/// connection sees the same subscriptions. Thread-safe.
class Channels {
public:
    struct Info {
        store::ChannelRecord channel;
        std::vector<core::AgentId> subscribers;  // sorted
    };

    explicit Channels(const store::Store& store) : store_(store) {}

    [[nodiscard]] std::vector<store::ChannelRecord> list() const { return store_.list_channels(); }
    [[nodiscard]] std::optional<Info> info(const core::ChannelName& name) const;
    [[nodiscard]] std::vector<core::ChannelName> subscriptions(std::string_view agent) const {
        return store_.subscriptions(agent);
    }
    /// Empty for a channel that does not exist, as in the original.
    [[nodiscard]] std::vector<core::MessagePtr> history(const core::ChannelName& name,
                                                        std::optional<core::ChannelSeq> since,
                                                        std::uint64_t limit) const {
        return store_.channel_history(name, since, limit);
    }

private:
    const store::Store& store_;
};

}  // namespace agentcom::services

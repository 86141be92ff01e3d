#include "agentcom/services/settings.hpp"

#include <algorithm>

namespace agentcom::services {

std::uint64_t Settings::get(std::string_view name) const {
    if (const auto stored = store_.setting(name)) return *stored;
    return static_cast<std::uint64_t>(
        (name == kMailboxTtl ? store_.mailbox_ttl() : heartbeat_interval_).count());
}

core::Timestamp Settings::mailbox_horizon(core::Timestamp now) const {
    // A time-to-live longer than time itself keeps everything.
    const auto age = std::min<std::uint64_t>(get(kMailboxTtl), static_cast<std::uint64_t>(now.ms));
    return core::Timestamp{now.ms - static_cast<std::int64_t>(age)};
}

}  // namespace agentcom::services

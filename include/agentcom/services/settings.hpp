#pragma once

#include <cstdint>
#include <string_view>

#include "agentcom/core/time.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::services {

/// Names under which the settings are stored. DO NOT CHANGE: they are on disk.
inline constexpr std::string_view kHeartbeatInterval = "heartbeat_interval_ms";
inline constexpr std::string_view kMailboxTtl = "mailbox_ttl_ms";

/// What administrators may change while the hub runs. Stored, with defaults from the
/// configuration, of which the store has its own. Thread-safe.
class Settings {
public:
    Settings(const store::Store& store, core::Millis heartbeat_interval)
        : store_(store), heartbeat_interval_(heartbeat_interval) {}

    /// In milliseconds.
    [[nodiscard]] std::uint64_t get(std::string_view name) const;
    /// The moment before which messages are too old for a mailbox.
    [[nodiscard]] core::Timestamp mailbox_horizon(core::Timestamp now) const;

private:
    const store::Store& store_;
    core::Millis heartbeat_interval_;
};

}  // namespace agentcom::services

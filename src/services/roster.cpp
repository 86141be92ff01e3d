#include "agentcom/services/roster.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace agentcom::services {

namespace {

std::size_t bytes_of(const Roster::Entry& entry) noexcept {
    return (entry.status ? entry.status->text.size() : 0) +
           (entry.capabilities ? entry.capabilities->text.size() : 0);
}

}  // namespace

void Roster::make_room(Shard& shard) {
    // Rare, so a scan is fine.
    std::vector<std::pair<core::Timestamp, core::AgentId>> away;
    away.reserve(shard.entries.size());
    for (const auto& [name, kept] : shard.entries) away.emplace_back(kept.last_seen, name);
    const std::size_t count = std::min(away.size(), away.size() / 10 + 1);
    std::ranges::partial_sort(away, away.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        const auto found = shard.entries.find(away[i].second);
        shard.bytes -= bytes_of(found->second);
        shard.entries.erase(found);
    }
}

Roster::Entry& Roster::entry(Shard& shard, const core::AgentId& agent) const {
    const auto found = shard.entries.find(agent);
    if (found != shard.entries.end()) return found->second;
    if (shard.entries.size() >= std::max<std::size_t>(1, most_ / shards_used_)) make_room(shard);
    return shard.entries.emplace(agent, Entry{}).first->second;
}

void Roster::seen(const core::AgentId& agent, core::Timestamp now) {
    with_shard(agent.str(), [&](Shard& shard) { entry(shard, agent).last_seen = now; });
}

void Roster::browsed(const core::AgentId& agent) {
    with_shard(agent.str(), [&](Shard& shard) { entry(shard, agent).browsed = true; });
}

void Roster::read(const core::AgentId& agent, core::Timestamp now) {
    with_shard(agent.str(), [&](Shard& shard) { entry(shard, agent).last_read = now; });
}

void Roster::declare(const core::AgentId& agent, core::JsonText status,
                     std::optional<core::JsonText> capabilities, core::Timestamp now) {
    with_shard(agent.str(), [&](Shard& shard) {
        Entry& kept = entry(shard, agent);
        shard.bytes -= bytes_of(kept);
        kept.last_seen = now;
        ++kept.version;
        kept.status = std::move(status);
        if (capabilities) kept.capabilities = std::move(capabilities);
        shard.bytes += bytes_of(kept);
        while (shard.bytes > kMostBytes / shards_used_ && shard.entries.size() > 1) {
            make_room(shard);
        }
    });
}

void Roster::show_card(const core::AgentId& agent, bool shown) {
    with_shard(agent.str(), [&](Shard& shard) { entry(shard, agent).card = shown; });
}

void Roster::connected(const core::AgentId& agent) {
    with_shard(agent.str(), [&](Shard& shard) {
        const auto found = shard.entries.find(agent);
        if (found == shard.entries.end()) return;
        shard.bytes -= bytes_of(found->second);
        ++found->second.version;
        found->second.status.reset();
        found->second.capabilities.reset();
    });
}

void Roster::forget(std::string_view agent) {
    with_shard(agent, [&](Shard& shard) {
        const auto found = shard.entries.find(agent);
        if (found == shard.entries.end()) return;
        shard.bytes -= bytes_of(found->second);
        shard.entries.erase(found);
    });
}

Roster::Glance Roster::glance(std::string_view agent) const {
    return with_shard(agent, [&](const Shard& shard) -> Glance {
        const auto found = shard.entries.find(agent);
        if (found == shard.entries.end()) return {};
        return {found->second.last_seen, found->second.last_read, found->second.version,
                found->second.browsed};
    });
}

std::optional<Roster::Entry> Roster::find(std::string_view agent) const {
    return with_shard(agent, [&](Shard& shard) -> std::optional<Entry> {
        const auto found = shard.entries.find(agent);
        if (found == shard.entries.end()) return std::nullopt;
        return found->second;
    });
}

}  // namespace agentcom::services

#include "net/address_table.hpp"

#include <algorithm>
#include <chrono>

namespace agentcom::net {

AddressTable::Place AddressTable::take_place(const AddressKey& key) {
    const std::uint32_t most = key.is_loopback() ? limits_.loopback_places : limits_.places;
    const bool taken = shard(key).with([&](Shard& shard) {
        Entry& entry = find(shard, key);
        if (entry.places >= most) return false;
        if (entry.places++ == 0) shard.idle.erase(entry.seen);
        return true;
    });
    return taken ? Place(shared_from_this(), key) : Place();
}

void AddressTable::release(const AddressKey& key) noexcept {
    shard(key).with([&](Shard& shard) {
        Entry& entry = shard.entries.find(key)->second;
        if (--entry.places > 0) return;
        shard.idle.push_front(key);
        entry.seen = shard.idle.begin();
    });
}

bool AddressTable::spend(const AddressKey& key, core::SteadyTime now, double cost) {
    if (limits_.per_second == 0) return true;
    const double most = burst(key);
    return shard(key).with([&](Shard& shard) {
        Entry& entry = find(shard, key);
        const std::chrono::duration<double> elapsed = now - entry.filled_at;
        entry.tokens = std::min(most, entry.tokens + std::max(0.0, elapsed.count()) * most);
        entry.filled_at = now;
        if (entry.tokens < std::min(cost, most)) return false;
        entry.tokens -= cost;
        return true;
    });
}

AddressTable::Entry& AddressTable::find(Shard& shard, const AddressKey& key) const {
    if (const auto found = shard.entries.find(key); found != shard.entries.end()) {
        if (found->second.places == 0) {
            shard.idle.splice(shard.idle.begin(), shard.idle, found->second.seen);
        }
        return found->second;
    }
    if (shard.idle.size() >= std::max<std::size_t>(limits_.remembered / kShards, 1)) {
        shard.entries.erase(shard.idle.back());
        shard.idle.pop_back();
    }
    Entry& entry = shard.entries[key];
    entry.tokens = burst(key);
    shard.idle.push_front(key);
    entry.seen = shard.idle.begin();
    return entry;
}

std::size_t AddressTable::size() const {
    std::size_t total = 0;
    for (auto& guarded : shards_) {
        total += guarded.with([](const Shard& shard) { return shard.entries.size(); });
    }
    return total;
}

}  // namespace agentcom::net

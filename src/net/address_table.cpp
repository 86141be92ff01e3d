#include "net/address_table.hpp"

#include <algorithm>
#include <chrono>

namespace agentcom::net {

void AddressTable::set_limits(const Limits& limits) {
    for (auto& guarded : shards_) guarded.with([&](Shard& shard) { shard.limits = limits; });
}

AddressTable::Place AddressTable::take_place(const AddressKey& key) {
    const bool taken = shard(key).with([&](Shard& shard) {
        const std::uint32_t most =
            key.is_loopback() ? shard.limits.loopback_places : shard.limits.places;
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
    return shard(key).with([&](Shard& shard) {
        if (shard.limits.per_second == 0) return true;
        const double most = burst(shard.limits, key);
        Entry& entry = find(shard, key);
        fill(entry, now, most);
        if (entry.tokens < std::min(cost, most)) return false;
        entry.tokens -= cost;
        return true;
    });
}

void AddressTable::charge(const AddressKey& key, core::SteadyTime now, double cost) {
    shard(key).with([&](Shard& shard) {
        if (shard.limits.per_second == 0) return;
        const double most = burst(shard.limits, key);
        Entry& entry = find(shard, key);
        fill(entry, now, most);
        entry.tokens = std::max(-most, entry.tokens - cost);
    });
}

void AddressTable::fill(Entry& entry, core::SteadyTime now, double most) {
    const std::chrono::duration<double> elapsed = now - entry.filled_at;
    entry.tokens = std::min(most, entry.tokens + std::max(0.0, elapsed.count()) * most);
    entry.filled_at = now;
}

AddressTable::Entry& AddressTable::find(Shard& shard, const AddressKey& key) {
    if (const auto found = shard.entries.find(key); found != shard.entries.end()) {
        if (found->second.places == 0) {
            shard.idle.splice(shard.idle.begin(), shard.idle, found->second.seen);
        }
        return found->second;
    }
    if (shard.idle.size() >= std::max<std::size_t>(shard.limits.remembered / kShards, 1)) {
        shard.entries.erase(shard.idle.back());
        shard.idle.pop_back();
    }
    Entry& entry = shard.entries[key];
    entry.tokens = burst(shard.limits, key);
    entry.forgiven = forgiveness(shard.limits, key);
    shard.idle.push_front(key);
    entry.seen = shard.idle.begin();
    return entry;
}

core::Millis AddressTable::wait_of(const Limits& limits, const AddressKey& key,
                                   std::uint32_t count) noexcept {
    constexpr std::uint32_t kMostDoublings = 20;
    constexpr int kGentler = 10;
    const core::Millis wait = std::min(
        limits.first_wait * (1 << std::min(count - 1, kMostDoublings)), limits.longest_wait);
    return key.is_loopback() ? std::max(wait / kGentler, core::Millis{1}) : wait;
}

AddressTable::Failure AddressTable::note_failure(const AddressKey& key, core::SteadyTime now) {
    constexpr std::chrono::duration<double> kForgiveAll = std::chrono::minutes(1);
    return shard(key).with([&](Shard& shard) {
        const double most = forgiveness(shard.limits, key);
        Entry& entry = find(shard, key);
        Failure failure;
        failure.first = entry.failures++ == 0;
        if (failure.first && shard.failed.size() < kReported) {
            shard.failed.push_back(key);
        } else if (failure.first) {
            // Nobody looks at the entry for the report.
            entry.failures = 0;
            failure.first = false;
            ++shard.failures_of_others;
        }
        if (most == 0) return failure;
        if (now >= entry.waits_until) {
            const std::chrono::duration<double> elapsed = now - entry.forgiven_at;
            entry.forgiven = std::min(
                most, entry.forgiven + std::max(0.0, elapsed.count()) / kForgiveAll.count() * most);
            entry.forgiven_at = now;
            if (entry.forgiven >= most) entry.waits = 0;
            if (entry.forgiven >= 1) {
                entry.forgiven -= 1;
                return failure;
            }
            entry.waits_until = now + wait_of(shard.limits, key, ++entry.waits);
        }
        failure.wait = std::chrono::ceil<core::Millis>(entry.waits_until - now);
        return failure;
    });
}

core::Millis AddressTable::wait(const AddressKey& key, core::SteadyTime now) const {
    return shard(key).with([&](const Shard& shard) {
        const auto found = shard.entries.find(key);
        if (found == shard.entries.end()) return core::Millis{0};
        return std::chrono::ceil<core::Millis>(found->second.waits_until - now);
    });
}

AddressTable::Failures AddressTable::take_failures() {
    Failures all;
    for (auto& guarded : shards_) {
        guarded.with([&](Shard& shard) {
            for (const AddressKey& key : std::exchange(shard.failed, {})) {
                // It may have been forgotten meanwhile, or have come back.
                const auto found = shard.entries.find(key);
                if (found == shard.entries.end()) continue;
                const std::uint64_t count = std::exchange(found->second.failures, 0);
                if (count < 2) continue;
                if (all.of.size() < kReported) {
                    all.of.emplace_back(key, count - 1);
                } else {
                    all.of_others += count - 1;
                }
            }
            all.of_others += std::exchange(shard.failures_of_others, 0);
        });
    }
    return all;
}

std::size_t AddressTable::size() const {
    std::size_t total = 0;
    for (auto& guarded : shards_) {
        total += guarded.with([](const Shard& shard) { return shard.entries.size(); });
    }
    return total;
}

}  // namespace agentcom::net

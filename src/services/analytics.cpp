#include "agentcom/services/analytics.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace agentcom::services {

namespace {

constexpr std::int64_t kHourMs = 3'600'000;

std::int64_t bucket_of(core::Timestamp time) { return time.ms / kHourMs; }

bool within_day(std::int64_t bucket, core::Timestamp now) {
    return bucket > bucket_of(now) - static_cast<std::int64_t>(kAnalyticsHours) &&
           bucket <= bucket_of(now);
}

}  // namespace

Analytics::Hour& Analytics::Counters::hour(core::Timestamp now) {
    const auto bucket = static_cast<std::int32_t>(bucket_of(now));
    const auto found = std::ranges::find(hours, bucket, &Hour::bucket);
    if (found != hours.end()) return *found;
    if (hours.size() < kAnalyticsHours) return hours.emplace_back(Hour{.bucket = bucket});
    Hour& oldest = *std::ranges::min_element(hours, {}, &Hour::bucket);
    return oldest = Hour{.bucket = bucket};
}

Analytics::Hour* Analytics::Counters::past_hour(core::Timestamp at) {
    const auto bucket = static_cast<std::int32_t>(bucket_of(at));
    const auto found = std::ranges::find(hours, bucket, &Hour::bucket);
    if (found != hours.end()) return &*found;
    if (hours.size() < kAnalyticsHours) return &hours.emplace_back(Hour{.bucket = bucket});
    return nullptr;
}

template <class Function>
void Analytics::update(const core::AgentId& agent, Function&& function) {
    shards_[core::TextHash{}(agent) % kShards].with([&](Shard& shard) {
        auto found = shard.counters.find(agent);
        if (found == shard.counters.end()) {
            if (shard.counters.size() >= max_per_shard_) make_room(shard);
            found = shard.counters.emplace(agent, Counters{}).first;
            shard.ids.insert(found->first.str());
        }
        function(found->second);
    });
}

template <class Function>
void Analytics::update_known(const core::AgentId& agent, Function&& function) {
    shards_[core::TextHash{}(agent) % kShards].with([&](Shard& shard) {
        const auto found = shard.counters.find(agent);
        if (found != shard.counters.end()) function(found->second);
    });
}

void Analytics::make_room(Shard& shard) {
    // Rare, so a scan is fine: drop the tenth that has been away longest, at least one.
    std::vector<std::pair<std::int64_t, core::AgentId>> away;
    for (const auto& [agent, counters] : shard.counters) {
        if (!counters.connected_since) away.emplace_back(counters.last_active.ms, agent);
    }
    const std::size_t count = std::min(away.size(), shard.counters.size() / 10 + 1);
    std::ranges::partial_sort(away, away.begin() + static_cast<std::ptrdiff_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
        shard.ids.erase(away[i].second.str());
        shard.counters.erase(away[i].second);
    }
}

void Analytics::connected(const core::AgentId& agent, core::Timestamp now) {
    update(agent, [&](Counters& counters) {
        counters.connected_since = now;
        counters.last_active = now;
        counters.acted = true;
        ++counters.connections;
    });
}

void Analytics::disconnected(const core::AgentId& agent, core::Timestamp now) {
    update_known(agent, [&](Counters& counters) {
        if (counters.connected_since) {
            // Even the shortest connection counts as one millisecond.
            const std::int64_t lasted =
                std::max<std::int64_t>(1, now.ms - counters.connected_since->ms);
            auto& sum = counters.hour(now).connected_ms;
            sum = static_cast<std::uint32_t>(std::min<std::int64_t>(
                std::numeric_limits<std::uint32_t>::max(), std::int64_t{sum} + lasted));
        }
        counters.connected_since.reset();
        counters.last_active = now;
        counters.last_seen = now;
    });
}

void Analytics::seen(const core::AgentId& agent, core::Timestamp now) {
    update_known(agent, [&](Counters& counters) {
        counters.last_active = now;
        counters.acted = true;
    });
}

void Analytics::sent(const core::AgentId& agent, core::Timestamp now) {
    update(agent, [&](Counters& counters) {
        ++counters.hour(now).sent;
        counters.last_active = now;
        counters.acted = true;
    });
}

void Analytics::broadcast(const core::AgentId& agent, core::Seq seq, core::Timestamp now) {
    const std::int64_t bucket = bucket_of(now);
    broadcasts_.with([&](Broadcasts& all) {
        // Completions of several loops come nearly in order.
        all.newest.insert(std::upper_bound(all.newest.begin(), all.newest.end(), seq), seq);
        if (all.newest.size() > kMostBroadcasts) all.newest.pop_front();
        auto& hour = all.hours[static_cast<std::size_t>(bucket) % all.hours.size()];
        // One that is too old has lost its place to a later hour.
        if (hour.bucket > bucket) return;
        if (hour.bucket != bucket) hour = {.bucket = bucket};
        ++hour.count;
    });
    update_known(agent, [&](Counters& counters) {
        if (Hour* hour = counters.past_hour(now)) ++hour->broadcast;
    });
}

std::uint64_t Analytics::broadcasts_24h(core::Seq after, core::Timestamp now) const {
    return broadcasts_.with([&](const Broadcasts& all) {
        std::uint64_t count = 0;
        for (const auto& hour : all.hours) {
            if (within_day(hour.bucket, now)) count += hour.count;
        }
        // Who has been there for longer than these go back is given all of the day's.
        if (all.newest.empty() || after < all.newest.front()) return count;
        const auto behind = std::upper_bound(all.newest.begin(), all.newest.end(), after);
        return std::min(count, static_cast<std::uint64_t>(all.newest.end() - behind));
    });
}

void Analytics::published(const core::AgentId& agent, std::string_view channel,
                          core::Timestamp now) {
    const std::size_t hash = core::TextHash{}(channel);
    const auto bucket = static_cast<std::int32_t>(bucket_of(now));
    update_known(agent, [&](Counters& counters) {
        auto& published = counters.published;
        const auto found =
            std::find_if(published.rbegin(), published.rend(), [&](const Publications& each) {
                return each.channel == hash && each.bucket == bucket;
            });
        if (found != published.rend()) {
            ++found->count;
            return;
        }
        if (published.size() >= kMostPublications) published.erase(published.begin());
        published.push_back({hash, bucket, 1});
    });
}

std::uint64_t Analytics::published_24h(std::string_view agent, std::string_view channel,
                                       core::Timestamp now) const {
    const std::size_t hash = core::TextHash{}(channel);
    return shards_[core::TextHash{}(agent) % kShards].with([&](const Shard& shard) {
        std::uint64_t count = 0;
        const auto found = shard.counters.find(agent);
        if (found == shard.counters.end()) return count;
        for (const Publications& each : found->second.published) {
            if (each.channel == hash && within_day(each.bucket, now)) count += each.count;
        }
        return count;
    });
}

void Analytics::recall_sent(const core::AgentId& agent, core::Timestamp sent_at,
                            core::Timestamp now) {
    if (!within_day(bucket_of(sent_at), now)) return;
    update(agent, [&](Counters& counters) {
        if (Hour* hour = counters.past_hour(sent_at)) ++hour->sent;
        if (!counters.acted || counters.last_active < sent_at) counters.last_active = sent_at;
        counters.acted = true;
    });
}

void Analytics::recall_received(const core::AgentId& agent, core::Timestamp sent_at,
                                core::Timestamp now) {
    if (!within_day(bucket_of(sent_at), now)) return;
    update(agent, [&](Counters& counters) {
        if (Hour* hour = counters.past_hour(sent_at)) ++hour->received;
        if (counters.last_active.ms == 0) counters.last_active = sent_at;
    });
}

void Analytics::received(const core::AgentId& agent, core::Timestamp now) {
    update(agent, [&](Counters& counters) {
        ++counters.hour(now).received;
        // Being written to is no sign of life, but an entry needs a time to be ordered by.
        if (counters.last_active.ms == 0) counters.last_active = now;
    });
}

void Analytics::forget(std::string_view agent) {
    shards_[core::TextHash{}(agent) % kShards].with([&](Shard& shard) {
        const auto found = shard.counters.find(agent);
        if (found == shard.counters.end()) return;
        shard.ids.erase(found->first.str());
        shard.counters.erase(found);
    });
}

void Analytics::reset(core::Timestamp now) {
    broadcasts_.with([](Broadcasts& all) { all = {}; });
    for (auto& guarded : shards_) {
        guarded.with([&](Shard& shard) {
            std::erase_if(shard.counters, [&](const auto& entry) {
                if (entry.second.connected_since) return false;
                shard.ids.erase(entry.first.str());
                return true;
            });
            for (auto& [agent, counters] : shard.counters) {
                counters = Counters{.hours = {},
                                    .last_active = now,
                                    .last_seen = std::nullopt,
                                    .connected_since = now,
                                    .connections = 1,
                                    .acted = true,
                                    .published = {}};
            }
        });
    }
}

AgentActivity Analytics::activity(const core::AgentId& agent, const Counters& counters,
                                  core::Timestamp now) {
    AgentActivity activity{.agent = agent.str(),
                           .connected = counters.connected_since.has_value(),
                           .acted = counters.acted,
                           .last_active = counters.last_active,
                           .last_seen = counters.last_seen,
                           .connected_since = counters.connected_since,
                           .connections = counters.connections};
    for (const Hour& hour : counters.hours) {
        if (!within_day(hour.bucket, now)) continue;
        activity.sent_24h += hour.sent;
        activity.received_24h += hour.received;
        activity.broadcast_24h += hour.broadcast;
        activity.connected_ms_24h += hour.connected_ms;
        if (hour.bucket == bucket_of(now)) activity.sent_this_hour = hour.sent;
    }
    return activity;
}

std::vector<AgentActivity> Analytics::agents(std::string_view after, std::size_t limit,
                                             core::Timestamp now) const {
    // The first `limit` of each part hold the first `limit` of all.
    std::vector<AgentActivity> page;
    for (const auto& guarded : shards_) {
        // What lies behind a full page is not wanted.
        const bool full = page.size() == limit;
        const std::string last = full && limit > 0 ? page.back().agent : std::string();
        guarded.with([&](const Shard& shard) {
            auto id = shard.ids.upper_bound(after);
            for (std::size_t taken = 0; taken < limit && id != shard.ids.end(); ++taken, ++id) {
                if (full && *id > last) break;
                const auto found = shard.counters.find(*id);
                page.push_back(activity(found->first, found->second, now));
            }
        });
        std::ranges::sort(page, {}, &AgentActivity::agent);
        if (page.size() > limit) page.resize(limit);
    }
    return page;
}

void Analytics::add_totals(std::size_t part, core::Timestamp now, ActivityTotals& totals) const {
    shards_[part].with([&](const Shard& shard) {
        for (const auto& [agent, counters] : shard.counters) {
            ++totals.agents;
            for (const Hour& hour : counters.hours) {
                if (within_day(hour.bucket, now)) totals.messages_24h += hour.sent;
            }
            if (!counters.connected_since) {
                ++totals.offline;
                continue;
            }
            ++totals.connected;
            ++(now.ms - counters.last_active.ms <= kIdleAfter.count() ? totals.active
                                                                      : totals.idle);
        }
    });
}

std::vector<AgentActivity> Analytics::part(std::size_t part, core::Timestamp now) const {
    return shards_[part].with([&](const Shard& shard) {
        std::vector<AgentActivity> all;
        all.reserve(shard.counters.size());
        for (const auto& [agent, counters] : shard.counters) {
            all.push_back(activity(agent, counters, now));
        }
        return all;
    });
}

std::optional<AgentActivity> Analytics::find(std::string_view agent, core::Timestamp now) const {
    return shards_[core::TextHash{}(agent) % kShards].with(
        [&](const Shard& shard) -> std::optional<AgentActivity> {
            const auto found = shard.counters.find(agent);
            if (found == shard.counters.end()) return std::nullopt;
            return activity(found->first, found->second, now);
        });
}

std::vector<HourlyActivity> Analytics::hourly(std::string_view agent, core::Timestamp now) const {
    std::vector<HourlyActivity> hours;
    const std::int64_t last = bucket_of(now);
    for (std::int64_t i = static_cast<std::int64_t>(kAnalyticsHours) - 1; i >= 0; --i) {
        hours.push_back(HourlyActivity{.bucket = last - i});
    }
    shards_[core::TextHash{}(agent) % kShards].with([&](const Shard& shard) {
        const auto found = shard.counters.find(agent);
        if (found == shard.counters.end()) return;
        for (const Hour& counted : found->second.hours) {
            if (!within_day(counted.bucket, now)) continue;
            HourlyActivity& hour =
                hours[static_cast<std::size_t>(counted.bucket - hours[0].bucket)];
            hour.sent = counted.sent;
            hour.received = counted.received;
        }
    });
    return hours;
}

}  // namespace agentcom::services

// The part of Examiner that looks at channels, who is in them, and what agents have taken of their
// quotas.

#include <string>

#include "store/examiner.hpp"

namespace agentcom::store {

void Examiner::look_at_channels() {
    const auto look = [&](bool being_removed) {
        return [this, being_removed](std::string_view key, std::string_view value) {
            const core::ChannelName name = stored_channel_name(key);
            require(name.str() == key, "its key is no name of a channel");
            const ChannelRow row = ChannelRow::parse(name, value);
            ++state_.channels;
            const std::string& maker = row.record.created_by.str();
            if (may_be_of(maker, row.born)) ++usage_[maker].channels;
            const bool fresh = channels_
                                   .emplace(name.str(), Channel{row.born, being_removed,
                                                                row.record.subscriber_count, 0,
                                                                row.record.member_count, 0})
                                   .second;
            if (!fresh) find("the channel " + name.str() + " exists and is being removed");
        };
    };
    walk("channels", txn_.tables().channels, look(false));
    walk("removals", txn_.tables().removals, look(true));
}

void Examiner::look_at_subscriptions() {
    const Tables& tables = txn_.tables();
    walk("subscriptions", tables.subscriptions, [&](std::string_view key, std::string_view value) {
        const auto [agent, channel] = parse_pair(key);
        (void)SubscriptionRow::parse(value);
        const auto known = channels_.find(channel);
        if (known == channels_.end()) {
            find_dangling(shown(agent) + " is subscribed to " + shown(channel) +
                              ", a channel that does not exist",
                          tables.subscriptions, key);
            return;
        }
        ++usage_[std::string(agent)].subscriptions;
        ++known->second.subscribers;
        if (!txn_.get(tables.subscribers, pair_key(channel, agent))) {
            find(shown(agent) + " is subscribed to " + shown(channel) + " and not among its " +
                     "subscribers",
                 [key = pair_key(channel, agent)](WriteTransaction& txn) {
                     txn.put(txn.tables().subscribers, key, "");
                 });
        }
    });
    walk("subscribers", tables.subscribers, [&](std::string_view key, std::string_view) {
        const auto [channel, agent] = parse_pair(key);
        if (!knows_channel(channel) || !txn_.get(tables.subscriptions, pair_key(agent, channel))) {
            find_dangling(shown(agent) + " is among the subscribers of " + shown(channel) +
                              " and not subscribed",
                          tables.subscribers, key);
        }
    });
}

void Examiner::look_at_members() {
    const Tables& tables = txn_.tables();
    walk("members", tables.members, [&](std::string_view key, std::string_view value) {
        const auto [channel, agent] = parse_pair(key);
        (void)MemberRow::parse(value);
        const auto known = channels_.find(channel);
        if (known == channels_.end()) {
            find_dangling(shown(agent) + " is a member of " + shown(channel) +
                              ", a channel that does not exist",
                          tables.members, key);
            return;
        }
        ++known->second.members;
        if (!txn_.get(tables.memberships, pair_key(agent, channel))) {
            find(shown(agent) + " is a member of " + shown(channel) +
                     " and does not have it "
                     "listed",
                 [key = pair_key(agent, channel)](WriteTransaction& txn) {
                     txn.put(txn.tables().memberships, key, "");
                 });
        }
    });
    walk("memberships", tables.memberships, [&](std::string_view key, std::string_view) {
        const auto [agent, channel] = parse_pair(key);
        if (!knows_channel(channel) || !txn_.get(tables.members, pair_key(channel, agent))) {
            find_dangling(shown(agent) + " has " + shown(channel) + " listed and is no member",
                          tables.memberships, key);
        }
    });
}

/// Channels that are being removed let go of theirs without counting.
void Examiner::compare_channels() {
    for (const auto& [name, channel] : channels_) {
        if (channel.being_removed || (channel.counted == channel.subscribers &&
                                      channel.counted_members == channel.members)) {
            continue;
        }
        find("the channel " + name + " counts " + std::to_string(channel.counted) +
                 " subscribers and " + std::to_string(channel.counted_members) +
                 " members and has " + std::to_string(channel.subscribers) + " and " +
                 std::to_string(channel.members),
             [name = name, right = channel](WriteTransaction& txn) {
                 const auto row = txn.get(txn.tables().channels, name);
                 if (!row) return;
                 ChannelRow changed = ChannelRow::parse(stored_channel_name(name), *row);
                 changed.record.subscriber_count = right.subscribers;
                 changed.record.member_count = right.members;
                 txn.put(txn.tables().channels, name, changed.encode());
             });
    }
}

void Examiner::compare_usage() {
    const MDB_dbi table = txn_.tables().usage;
    const auto differs = [](const UsageRow& a, const UsageRow& b) {
        return a.unclaimed_mailboxes != b.unclaimed_mailboxes || a.channels != b.channels ||
               a.subscriptions != b.subscriptions;
    };
    const auto put = [](std::string agent, UsageRow right) {
        return [agent = std::move(agent), right](WriteTransaction& txn) {
            if (right.empty()) {
                txn.erase(txn.tables().usage, agent);
            } else {
                txn.put(txn.tables().usage, agent, right.encode());
            }
        };
    };
    ByName<bool> seen;
    walk("usage", table, [&](std::string_view key, std::string_view value) {
        const UsageRow stored = UsageRow::parse(value);
        seen.emplace(std::string(key), true);
        const auto counted = usage_.find(key);
        const UsageRow right = counted != usage_.end() ? counted->second : UsageRow{};
        // Of an agent that was ended nothing is counted any more, though its channels stay.
        const bool too_little = stored.unclaimed_mailboxes <= right.unclaimed_mailboxes &&
                                stored.channels <= right.channels &&
                                stored.subscriptions <= right.subscriptions;
        if (!agents_.contains(key) && too_little) return;
        if (differs(stored, right)) {
            find("what " + shown(key) + " has taken of its quotas is counted wrongly",
                 put(std::string(key), right));
        }
    });
    for (const auto& [agent, right] : usage_) {
        if (!right.empty() && agents_.contains(std::string_view(agent)) &&
            !seen.contains(std::string_view(agent))) {
            find("what " + shown(agent) + " has taken of its quotas is not counted",
                 put(agent, right));
        }
    }
}

}  // namespace agentcom::store

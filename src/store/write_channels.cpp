// The part of WriteBatch that changes channels and subscriptions.

#include <algorithm>
#include <utility>

#include "store/channel_access.hpp"
#include "store/history_view.hpp"
#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::size_t kMaxCopies = 1'000;  // of an agent

// What one call does to deleted channels, in units of about a microsecond.
constexpr std::uint64_t kRemovalWork = 5'000;
constexpr std::uint64_t kWorkOfSubscriber = 40;
constexpr std::uint64_t kWorkOfBlock = 10;
constexpr std::size_t kMaxChannelsLookedAt = 1'000;  // for idle ones, in one call

}  // namespace

std::optional<ChannelRow> WriteBatch::find_channel(const core::ChannelName& name) {
    const auto row = txn().get(txn().tables().channels, name.str());
    if (!row) return std::nullopt;
    return ChannelRow::parse(name, *row);
}

std::optional<ChannelRow> WriteBatch::find_channel_or_none(std::string_view name) {
    return read_or(txn(), "a channel", std::optional<ChannelRow>(),
                   [&] { return find_channel(stored_channel_name(name)); });
}

void WriteBatch::put_channel(const ChannelRow& channel) {
    txn().put(txn().tables().channels, channel.record.name.str(), channel.encode());
}

WriteResult WriteBatch::run(const CreateChannel& op) {
    if (!stands(op.token)) return core::Error(core::ErrorCode::unauthorized);
    if (txn().get(txn().tables().channels, op.name.str())) {
        return core::Error(core::ErrorCode::channel_exists);
    }
    if (txn().get(txn().tables().removals, op.name.str())) {
        return core::Error(core::ErrorCode::channel_exists, {},
                           "a channel of this name is being deleted; try again shortly");
    }
    if (state_.channels >= rules_.quotas.max_channels) {
        return core::Error(core::ErrorCode::channel_limit);
    }
    UsageRow usage = usage_of(op.created_by.str());
    if (usage.channels >= share_of(rules_.quotas.max_channels)) {
        return core::Error(core::ErrorCode::channel_limit, {},
                           "you have made as many channels as one agent's share allows; delete "
                           "one that is not needed");
    }
    if (op.members.size() >= rules_.quotas.max_members_per_channel) {
        return core::Error(core::ErrorCode::member_limit);
    }
    if (!take_room(kRoomOfRow * (2 + op.members.size() / 16) + op.description.size())) {
        return core::Error(core::ErrorCode::storage_full);
    }
    ChannelRow channel{.record = {.name = op.name,
                                  .description = op.description,
                                  .created_by = op.created_by,
                                  .created_at = now_,
                                  .is_private = op.is_private,
                                  .members_publish = op.members_publish},
                       .born = state_.head,
                       .idle_seq = {},
                       .idle_since = stored_,
                       .maker_is_member = true};
    for (const ChannelMember& member : op.members) put_member(channel, member.agent, member.rights);
    put_member(channel, op.created_by, kAllRights);
    put_channel(channel);
    ++state_.channels;
    ++usage.channels;
    put_usage(op.created_by.str(), usage);
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const Subscribe& op) {
    if (!stands(op.token)) return core::Error(core::ErrorCode::unauthorized);
    auto channel = find_channel(op.channel);
    if (!channel) return core::Error(core::ErrorCode::channel_not_found);
    if (channel->record.is_private && !op.reads_everything) {
        const MemberRights rights = read_member_rights(txn(), op.channel.str(), op.agent.str());
        if (rights == 0) return core::Error(core::ErrorCode::channel_not_found);
        if ((rights & kMayRead) == 0) {
            return core::Error(core::ErrorCode::forbidden, {}, "you may not read this channel");
        }
    }
    const std::string key = pair_key(op.agent.str(), op.channel.str());
    if (txn().get(txn().tables().subscriptions, key)) return WriteValue(SubscriptionChanged{false});
    UsageRow usage = usage_of(op.agent.str());
    if (usage.subscriptions >= rules_.quotas.max_subscriptions_per_agent) {
        return core::Error(core::ErrorCode::subscription_limit);
    }
    if (!take_room(2 * kRoomOfRow)) return core::Error(core::ErrorCode::storage_full);
    txn().put(txn().tables().subscriptions, key, SubscriptionRow{state_.head}.encode());
    txn().put(txn().tables().subscribers, pair_key(op.channel.str(), op.agent.str()), "");
    ++usage.subscriptions;
    put_usage(op.agent.str(), usage);
    ++channel->record.subscriber_count;
    put_channel(*channel);
    return WriteValue(SubscriptionChanged{true});
}

WriteResult WriteBatch::run(const Unsubscribe& op) {
    auto channel = find_channel(op.channel);
    if (!channel) return core::Error(core::ErrorCode::channel_not_found);
    const std::string_view agent = op.agent.str();
    const auto bytes = txn().get(txn().tables().subscriptions, pair_key(agent, op.channel.str()));
    if (!bytes) {
        const bool hidden =
            channel->record.is_private && read_member_rights(txn(), op.channel.str(), agent) == 0;
        if (hidden) return core::Error(core::ErrorCode::channel_not_found);
        return WriteValue(SubscriptionChanged{false});
    }
    flush();
    leave(op.channel, agent, SubscriptionRow::parse(*bytes).after);
    lose_subscriber(*channel);
    put_channel(*channel);
    return WriteValue(SubscriptionChanged{true});
}

/// Ends a subscription that began at `subscribed`: what was unread of it stays in the mailbox.
void WriteBatch::leave(const core::ChannelName& channel, std::string_view agent,
                       core::Seq subscribed) {
    const AgentRow reader =
        read_or(txn(), "an agent", AgentRow{}, [&] { return read_agent(txn(), agent); });
    const core::Seq after = std::max(subscribed, reader.cursor);
    keep_copies(agent, unread_of_channel(txn(), channel.str(), agent, after, reader.acked,
                                         kMaxCopies + 1, reading_bounds(), notes_));
    drop_subscription(channel.str(), agent);
}

void WriteBatch::lose_subscriber(ChannelRow& channel) const {
    if (channel.record.subscriber_count > 0) --channel.record.subscriber_count;
    channel.idle_since = std::max(channel.idle_since, stored_);
}

void WriteBatch::drop_subscription(std::string_view channel, std::string_view agent) {
    txn().erase(txn().tables().subscriptions, pair_key(agent, channel));
    txn().erase(txn().tables().subscribers, pair_key(channel, agent));
    UsageRow usage = usage_of(agent);
    if (usage.subscriptions > 0) --usage.subscriptions;
    put_usage(agent, usage);
}

void WriteBatch::keep_copies(std::string_view agent, const UnreadOfChannel& unread) {
    if (unread.newest_first.empty() && unread.not_looked_at == core::Seq{}) return;
    CopiesRow row = copies_of(agent);
    // What was not looked at may have been unread: rather said than silent.
    row.dropped = std::max(row.dropped, unread.not_looked_at);
    row.seqs.insert(row.seqs.end(), unread.newest_first.begin(), unread.newest_first.end());
    std::sort(row.seqs.begin(), row.seqs.end());
    if (row.seqs.size() > kMaxCopies) {
        const auto surplus = static_cast<long>(row.seqs.size() - kMaxCopies);
        row.dropped = std::max(row.dropped, core::Seq{row.seqs[row.seqs.size() - kMaxCopies - 1]});
        row.seqs.erase(row.seqs.begin(), row.seqs.begin() + surplus);
    }
    txn().put(txn().tables().copies, agent, row.encode());
}

// Deleting. The row moves from `channels` to `removals`, and with that the channel is gone for
// everybody; what it leaves behind is removed a piece at a time, the row last.

WriteResult WriteBatch::run(const DeleteChannel& op) {
    const auto channel = find_channel(op.channel);
    if (!channel) return core::Error(core::ErrorCode::channel_not_found);
    if (!op.by_admin && !may_manage(*channel, op.by)) {
        if (channel->record.is_private &&
            read_member_rights(txn(), op.channel.str(), op.by.str()) == 0) {
            return core::Error(core::ErrorCode::channel_not_found);
        }
        return core::Error(
            core::ErrorCode::forbidden, {},
            "only members who may manage it and administrators may delete a channel");
    }
    begin_removal(*channel);
    flush();
    std::uint64_t work = kRemovalWork;
    return WriteValue(ChannelDeleted{!remove_deleted(work)});
}

WriteResult WriteBatch::run(const RemoveDeletedChannels&) {
    flush();
    std::uint64_t work = kRemovalWork;
    return WriteValue(ChannelsRemoved{!remove_deleted(work)});
}

void WriteBatch::begin_removal(const ChannelRow& channel) {
    const std::string_view name = channel.record.name.str();
    txn().put(txn().tables().removals, name, channel.encode());
    txn().erase(txn().tables().channels, name);
    if (const auto cached = published_channels_.find(name); cached != published_channels_.end()) {
        published_channels_.erase(cached);
    }
}

bool WriteBatch::remove_deleted(std::uint64_t& work) {
    for (;;) {
        std::optional<core::ChannelName> found;
        std::optional<ChannelRow> row;  // none: it is damaged, and nobody gets the place back
        {
            Cursor removals(txn(), txn().tables().removals);
            if (!removals.first()) return true;
            found = read_or(txn(), "a deleted channel", std::optional<core::ChannelName>(),
                            [&] { return std::optional(stored_channel_name(removals.key())); });
            if (!found) {
                removals.erase();
                continue;
            }
            row = read_or(txn(), "a deleted channel", std::optional<ChannelRow>(), [&] {
                return std::optional(ChannelRow::parse(*found, removals.value()));
            });
        }
        const core::ChannelName& name = *found;
        if (!spend(work, kWorkOfSubscriber) || !remove_subscribers(name, work) ||
            !remove_members(name, work) || !remove_postings(name, work)) {
            return false;
        }
        txn().erase(txn().tables().trimmed, feed_prefix(Feed::channel, name.str()));
        txn().erase(txn().tables().removals, name.str());
        if (state_.channels > 0) --state_.channels;
        if (row) give_back(row->record.created_by.str(), row->born, &UsageRow::channels);
    }
}

bool WriteBatch::remove_subscribers(const core::ChannelName& name, std::uint64_t& work) {
    const std::string prefix = owner_prefix(name.str());
    for (;;) {
        std::string agent;
        {
            Cursor subscribers(txn(), txn().tables().subscribers);
            if (!subscribers.at_or_after(prefix) || !subscribers.key().starts_with(prefix)) {
                return true;
            }
            agent = subscribers.key().substr(prefix.size());
        }
        if (!spend(work, kWorkOfSubscriber)) return false;
        leave(name, agent, read_or(txn(), "a subscription", state_.head, [&] {
                  const auto row =
                      txn().get(txn().tables().subscriptions, pair_key(agent, name.str()));
                  return row ? SubscriptionRow::parse(*row).after : state_.head;
              }));
    }
}

bool WriteBatch::remove_members(const core::ChannelName& name, std::uint64_t& work) {
    const std::string prefix = owner_prefix(name.str());
    for (;;) {
        std::string agent;
        {
            Cursor members(txn(), txn().tables().members);
            if (!members.at_or_after(prefix) || !members.key().starts_with(prefix)) return true;
            if (!spend(work, kWorkOfBlock)) return false;
            agent = members.key().substr(prefix.size());
            members.erase();
        }
        txn().erase(txn().tables().memberships, pair_key(agent, name.str()));
    }
}

bool WriteBatch::remove_postings(const core::ChannelName& name, std::uint64_t& work) {
    std::vector<core::Seq> block;
    for (;;) {
        block.clear();
        {
            PostingCursor postings(txn(), Feed::channel, name.str());
            if (!postings.first()) return true;
            if (!spend(work, kWorkOfBlock)) return false;
            // Only what has left the log can be among the kept messages.
            for (std::size_t i = 0; i < postings.block_size() && state_.kept > 0; ++i) {
                const core::Seq seq = seq_of(postings.block_entry(i));
                if (seq < state_.first) block.push_back(seq);
            }
            postings.erase_block();
        }
        (void)spend(work, block.size());
        for (const core::Seq seq : block) erase_kept(txn(), state_, seq);
    }
}

// Expiring. A channel without subscribers is marked with its newest message; when a later look
// finds the same and the mark is old enough, the channel is deleted.

WriteResult WriteBatch::run(const ExpireChannels& op) {
    flush();
    std::vector<ChannelRow> looked_at;
    ChannelsExpired expired;
    {
        Cursor cursor(txn(), txn().tables().channels);
        bool more = op.after.empty() ? cursor.first() : cursor.at_or_after(op.after);
        if (more && cursor.key() == op.after) more = cursor.next();
        for (; more; more = cursor.next()) {
            if (looked_at.size() == kMaxChannelsLookedAt) {
                expired.next = std::string(looked_at.back().record.name.str());
                break;
            }
            auto row = read_or(txn(), "a channel", std::optional<ChannelRow>(), [&cursor] {
                return std::optional(
                    ChannelRow::parse(stored_channel_name(cursor.key()), cursor.value()));
            });
            if (row) looked_at.push_back(std::move(*row));
        }
    }
    for (ChannelRow& channel : looked_at) {
        if (channel.record.subscriber_count > 0 || !is_idle(channel, op.idle_before)) continue;
        begin_removal(channel);
        ++expired.count;
    }
    std::uint64_t work = kRemovalWork;
    (void)remove_deleted(work);  // a Trim takes what is left
    return WriteValue(std::move(expired));
}

bool WriteBatch::is_idle(ChannelRow& channel, core::Timestamp before) {
    const core::ChannelSeq last = last_channel_seq(txn(), channel.record.name.str());
    if (last == channel.idle_seq) return channel.idle_since < before;
    PostingCursor postings(txn(), Feed::channel, channel.record.name.str());
    LogReader log(txn());
    core::Timestamp used = stored_;  // of a message that is gone nothing is known
    if (postings.last()) {
        if (const auto record = log.read(postings.seq()).record) used = record->stored;
    }
    channel.idle_seq = last;
    channel.idle_since = std::max(channel.idle_since, used);
    if (channel.idle_since < before) return true;
    put_channel(channel);
    return false;
}

}  // namespace agentcom::store

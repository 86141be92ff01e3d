// The part of WriteBatch that changes agents, tokens, channels and subscriptions.

#include <algorithm>
#include <utility>

#include "store/keys.hpp"
#include "store/mailbox_view.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kRoomOfRow = 4'096;
constexpr std::size_t kMaxKnownAgents = 100'000;
constexpr std::size_t kMaxSpans = 100;
constexpr std::size_t kMaxCopies = 1'000;  // of an agent

void drop_read_spans(AgentRow& row) {
    std::erase_if(row.spans, [&](const ReadSpan& span) { return span.up_to <= row.cursor; });
}

}  // namespace

std::optional<AgentRow> WriteBatch::find_agent(std::string_view agent) {
    const auto row = txn().get(txn().tables().agents, agent);
    if (!row) return std::nullopt;
    return AgentRow::parse(*row);
}

void WriteBatch::put_agent(std::string_view agent, const AgentRow& row) {
    row.encode(row_);
    txn().put(txn().tables().agents, agent, row_);
}

AgentRow WriteBatch::agent_or_new(std::string_view agent) {
    if (auto row = find_agent(agent)) return std::move(*row);
    ++state_.unclaimed_mailboxes;
    return AgentRow{};
}

void WriteBatch::remember_known(std::string_view agent) {
    if (known_agents_.size() >= kMaxKnownAgents) known_agents_.clear();
    known_agents_.emplace(agent);
}

WriteResult WriteBatch::run(const AckMailbox& op) {
    AgentRow row = agent_or_new(op.agent.str());
    const core::Seq wanted = std::min(op.up_to, state_.head);
    if (wanted > row.cursor) {
        row.cursor = wanted;
        drop_read_spans(row);
        drop_copies(op.agent.str(), row.cursor);
    }
    put_agent(op.agent.str(), row);
    return WriteValue(CursorMoved{row.cursor});
}

void WriteBatch::drop_copies(std::string_view agent, core::Seq cursor) {
    const auto bytes = txn().get(txn().tables().copies, agent);
    if (!bytes) return;
    CopiesRow row = CopiesRow::parse(*bytes);
    std::erase_if(row.seqs, [cursor](std::uint64_t seq) { return seq <= cursor.value; });
    if (row.seqs.empty() && row.dropped <= cursor) {
        txn().erase(txn().tables().copies, agent);
    } else {
        txn().put(txn().tables().copies, agent, row.encode());
    }
}

WriteResult WriteBatch::run(const MarkRead& op) {
    AgentRow row = agent_or_new(op.agent.str());
    const ReadSpan span{op.span.after, std::min(op.span.up_to, state_.head)};
    if (span.up_to > row.cursor && span.after < span.up_to) {
        flush();
        add_span(row.spans, span);
        drop_read_spans(row);
        // Two spans with nothing to read between them are one, so that an agent that comes and goes
        // all day keeps a short list.
        const std::size_t count = row.spans.size();
        if (count >= 2 && !anything_between(txn(), op.agent.str(), row,
                                            {row.spans[count - 2].up_to, row.spans.back().after},
                                            reading_bounds(), notes_)) {
            row.spans[count - 2].up_to = row.spans.back().up_to;
            row.spans.pop_back();
        }
        // Beyond the bound the oldest are forgotten: their messages are shown again, not lost.
        if (row.spans.size() > kMaxSpans) row.spans.erase(row.spans.begin());
    }
    put_agent(op.agent.str(), row);
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const CreateToken& op) {
    constexpr std::size_t kMaxPrefixBytes = 64;
    if (op.prefix.size() > kMaxPrefixBytes) {
        return core::Error(core::ErrorCode::invalid_field, "prefix");
    }
    if (!take_room(2 * kRoomOfRow)) return core::Error(core::ErrorCode::storage_full);
    const std::string_view digest = digest_key(op.digest);
    if (const auto earlier = txn().get(txn().tables().tokens, digest)) {
        const TokenRecord record = parse_token(*earlier);
        txn().erase(txn().tables().tokens_by_agent, pair_key(record.agent.str(), digest));
    }
    txn().put(txn().tables().tokens, digest,
              encode_token(TokenRecord{op.agent, op.role, op.prefix, now_}));
    txn().put(txn().tables().tokens_by_agent, pair_key(op.agent.str(), digest), "");

    const auto known = find_agent(op.agent.str());
    AgentRow row = known.value_or(AgentRow{});
    if (!row.claimed) {
        if (known) --state_.unclaimed_mailboxes;
        row.claimed = true;
        row.broadcasts_after = state_.head;
        put_agent(op.agent.str(), row);
    }
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const RevokeTokens& op) {
    TokensRevoked revoked;
    if (op.agent.size() > core::kMaxAgentIdBytes) return WriteValue(revoked);
    const std::string prefix = owner_prefix(op.agent);
    Cursor cursor(txn(), txn().tables().tokens_by_agent);
    while (cursor.at_or_after(prefix) && cursor.key().starts_with(prefix)) {
        txn().erase(txn().tables().tokens, std::string(cursor.key().substr(prefix.size())));
        cursor.erase();
        ++revoked.count;
    }
    return WriteValue(revoked);
}

std::optional<ChannelRecord> WriteBatch::find_channel(const core::ChannelName& name) {
    const auto row = txn().get(txn().tables().channels, name.str());
    if (!row) return std::nullopt;
    return parse_channel(name, *row);
}

WriteResult WriteBatch::run(const CreateChannel& op) {
    if (txn().get(txn().tables().channels, op.name.str())) {
        return core::Error(core::ErrorCode::channel_exists);
    }
    if (state_.channels >= options_.max_channels) {
        return core::Error(core::ErrorCode::channel_limit);
    }
    if (!take_room(kRoomOfRow + op.description.size())) {
        return core::Error(core::ErrorCode::storage_full);
    }
    txn().put(txn().tables().channels, op.name.str(),
              encode_channel(ChannelRecord{op.name, op.description, op.created_by, now_, 0}));
    ++state_.channels;
    return WriteValue(Done{});
}

std::uint64_t WriteBatch::subscription_count(std::string_view agent) {
    const std::string prefix = owner_prefix(agent);
    std::uint64_t count = 0;
    Cursor cursor(txn(), txn().tables().subscriptions);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        ++count;
    }
    return count;
}

WriteResult WriteBatch::run(const Subscribe& op) {
    auto channel = find_channel(op.channel);
    if (!channel) return core::Error(core::ErrorCode::channel_not_found);
    const std::string key = pair_key(op.agent.str(), op.channel.str());
    if (txn().get(txn().tables().subscriptions, key)) return WriteValue(SubscriptionChanged{false});
    if (subscription_count(op.agent.str()) >= options_.max_subscriptions_per_agent) {
        return core::Error(core::ErrorCode::subscription_limit);
    }
    if (!take_room(2 * kRoomOfRow)) return core::Error(core::ErrorCode::storage_full);
    txn().put(txn().tables().subscriptions, key, SubscriptionRow{state_.head}.encode());
    txn().put(txn().tables().subscribers, pair_key(op.channel.str(), op.agent.str()), "");
    ++channel->subscriber_count;
    txn().put(txn().tables().channels, op.channel.str(), encode_channel(*channel));
    return WriteValue(SubscriptionChanged{true});
}

WriteResult WriteBatch::run(const Unsubscribe& op) {
    auto channel = find_channel(op.channel);
    if (!channel) return core::Error(core::ErrorCode::channel_not_found);
    const std::string_view agent = op.agent.str();
    const std::string key = pair_key(agent, op.channel.str());
    const auto bytes = txn().get(txn().tables().subscriptions, key);
    if (!bytes) return WriteValue(SubscriptionChanged{false});

    const SubscriptionRow subscription = SubscriptionRow::parse(*bytes);
    flush();
    const core::Seq after = std::max(subscription.after, read_agent(txn(), agent).cursor);
    keep_copies(agent, unread_of_channel(txn(), op.channel.str(), agent, after, kMaxCopies + 1,
                                         reading_bounds(), notes_));
    txn().erase(txn().tables().subscriptions, key);
    txn().erase(txn().tables().subscribers, pair_key(op.channel.str(), agent));
    if (channel->subscriber_count > 0) --channel->subscriber_count;
    txn().put(txn().tables().channels, op.channel.str(), encode_channel(*channel));
    return WriteValue(SubscriptionChanged{true});
}

void WriteBatch::keep_copies(std::string_view agent, const UnreadOfChannel& unread) {
    if (unread.newest_first.empty() && unread.not_looked_at == core::Seq{}) return;
    CopiesRow row;
    if (const auto bytes = txn().get(txn().tables().copies, agent)) row = CopiesRow::parse(*bytes);
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

}  // namespace agentcom::store

// The part of WriteBatch that keeps the store in order: settings, eviction, trimming, and the
// mailboxes of agents that nobody has a token for.

#include <algorithm>
#include <string>

#include "store/keys.hpp"
#include "store/retention.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr std::size_t kMaxMailboxesLookedAt = 1'000;  // for empty ones, in one call
constexpr std::uint64_t kForgettingWork = 2'000;      // see write_channels.cpp

}  // namespace

WriteResult WriteBatch::run(const PutSetting& op) {
    constexpr std::size_t kMaxSettingNameBytes = 255;
    if (op.name.empty() || op.name.size() > kMaxSettingNameBytes) {
        return core::Error(core::ErrorCode::invalid_field, "name");
    }
    // From the reserve: there are only a few settings, and with a shorter time-to-live an
    // administrator makes room in a full store.
    txn().put(txn().tables().settings, op.name, encode_number(op.value));
    if (op.name == "mailbox_ttl_ms") ttl_ = ttl_of(op.value);
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const EvictMailboxes& op) {
    flush();
    LogReader log(txn());
    if (log.first_seq()) {
        const core::Seq floor{log.first_stored_at_or_after(op.older_than).value - 1};
        state_.evicted = std::max(state_.evicted, floor);
    }
    return WriteValue(Done{});
}

WriteResult WriteBatch::run(const Trim& op) {
    flush();
    const TrimOutcome done = trim(txn(), state_, op.bounds, stored_, epochs_);
    bool more = forget_empty_mailboxes() || done.more;
    std::uint64_t work = kForgettingWork;
    more = !remove_deleted(work) || more;
    more = !remove_ended(work) || more;
    return WriteValue(Trimmed{done.messages, more});
}

// Unclaimed mailboxes stand in `unclaimed` under the newest message they were known to hold. When
// the floor under all mailboxes has passed that number, the mailbox is looked at again: it is
// empty, or takes the place of what is its newest message by now. So each look has a message that
// went for its reason, and nothing is written when one comes.

bool WriteBatch::forget_empty_mailboxes() {
    const core::Seq floor = std::max(state_.evicted, core::Seq{state_.first.value - 1});
    for (std::size_t looked_at = 0; looked_at < kMaxMailboxesLookedAt; ++looked_at) {
        std::string agent;
        {
            Cursor cursor(txn(), txn().tables().unclaimed);
            if (!cursor.first() || core::Seq{read_be64(cursor.key())} > floor) return false;
            agent = cursor.key().substr(sizeof(std::uint64_t));
            cursor.erase();
        }
        forget_if_empty(agent, floor);
    }
    return true;
}

void WriteBatch::forget_if_empty(const std::string& agent, core::Seq floor) {
    const auto row =
        read_or(txn(), "an agent", std::optional<AgentRow>(), [&] { return find_agent(agent); });
    if (!row || row->claimed) return;
    const auto come_back_at = [&](core::Seq seq) {
        txn().put(txn().tables().unclaimed, unclaimed_key(seq, agent), "");
    };
    {
        PostingCursor list(txn(), Feed::to_agent, agent);
        if (list.last() && list.seq() > floor) return come_back_at(list.seq());
    }
    const CopiesRow copies = copies_of(agent);
    if (usage_of(agent).subscriptions > 0 || !copies.seqs.empty() || copies.dropped > floor) {
        return come_back_at(state_.head.next());
    }
    give_back_mailbox(*row);
    txn().erase(txn().tables().agents, agent);
    txn().erase(txn().tables().trimmed, feed_prefix(Feed::to_agent, agent));
    forget_known(agent);
}

}  // namespace agentcom::store

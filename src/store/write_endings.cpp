// The part of WriteBatch that ends agents. What makes an agent (its row, its tokens) goes at once;
// what it leaves in other tables is removed a piece at a time, and until that is done its name
// stands in `endings`. Its messages stay in the log: an agent that gets the name later is born
// behind them.

#include <string>
#include <utility>

#include "store/keys.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

// What one call does, in units of about a microsecond.
constexpr std::uint64_t kEndingWork = 5'000;
constexpr std::uint64_t kWorkOfSubscription = 40;
constexpr std::uint64_t kWorkOfRow = 10;

}  // namespace

bool WriteBatch::is_ending(std::string_view agent) {
    // One whose row is damaged is there all the same.
    return read_or(txn(), "an agent that is being removed", true,
                   [&] { return txn().get(txn().tables().endings, agent).has_value(); });
}

WriteResult WriteBatch::run(const EndAgent& op) {
    const std::string& agent = op.agent;
    if (agent.empty() || agent.size() > core::kMaxAgentIdBytes) {
        return core::Error(core::ErrorCode::not_found, {}, "there is no such agent");
    }
    // One whose row is damaged is ended like others; whose share its mailbox was is lost with it.
    bool known = true;
    const auto row = read_or(txn(), "an agent", std::optional<AgentRow>(), [&] {
        auto found = find_agent(agent);
        known = found.has_value();
        return found;
    });
    const auto tokens = tokens_of(agent);
    if (!known && tokens.empty() && usage_of(agent).empty() && !is_ending(agent)) {
        return core::Error(core::ErrorCode::not_found, {}, "there is no such agent");
    }
    for (const HeldToken& token : tokens) erase_token(agent, token);
    if (row && !row->claimed) give_back_mailbox(*row);
    txn().erase(txn().tables().agents, agent);
    txn().erase(txn().tables().copies, agent);
    forget_known(agent);
    txn().put(txn().tables().endings, agent, "");
    std::uint64_t work = kEndingWork;
    return WriteValue(AgentEnded{!remove_ended(work)});
}

WriteResult WriteBatch::run(const RemoveEndedAgents&) {
    std::uint64_t work = kEndingWork;
    return WriteValue(AgentEnded{!remove_ended(work)});
}

bool WriteBatch::remove_ended(std::uint64_t& work) {
    for (;;) {
        std::string agent;
        {
            Cursor endings(txn(), txn().tables().endings);
            if (!endings.first()) return true;
            agent = endings.key();
        }
        if (!end_subscriptions(agent, work) || !end_memberships(agent, work) ||
            !forget_keys(agent, work)) {
            return false;
        }
        put_usage(agent, {});
        txn().erase(txn().tables().endings, agent);
    }
}

bool WriteBatch::end_subscriptions(std::string_view agent, std::uint64_t& work) {
    const std::string prefix = owner_prefix(agent);
    for (;;) {
        std::string name;
        {
            Cursor subscriptions(txn(), txn().tables().subscriptions);
            if (!subscriptions.at_or_after(prefix) || !subscriptions.key().starts_with(prefix)) {
                return true;
            }
            name = subscriptions.key().substr(prefix.size());
        }
        if (!spend(work, kWorkOfSubscription)) return false;
        drop_subscription(name, agent);
        if (auto row = find_channel_or_none(name)) {
            lose_subscriber(*row);
            put_channel(*row);
        }
    }
}

bool WriteBatch::end_memberships(std::string_view agent, std::uint64_t& work) {
    const std::string prefix = owner_prefix(agent);
    for (;;) {
        std::string name;
        {
            Cursor memberships(txn(), txn().tables().memberships);
            if (!memberships.at_or_after(prefix) || !memberships.key().starts_with(prefix)) {
                return true;
            }
            if (!spend(work, kWorkOfSubscription)) return false;
            name = memberships.key().substr(prefix.size());
            memberships.erase();
        }
        txn().erase(txn().tables().members, pair_key(name, agent));
        if (auto row = find_channel_or_none(name)) {
            if (row->record.member_count > 0) --row->record.member_count;
            put_channel(*row);
        }
    }
}

bool WriteBatch::forget_keys(std::string_view agent, std::uint64_t& work) {
    const std::string prefix = owner_prefix(agent);
    Cursor keys(txn(), txn().tables().idempotency_keys);
    while (keys.at_or_after(prefix) && keys.key().starts_with(prefix)) {
        if (!spend(work, kWorkOfRow)) return false;
        keys.erase();
    }
    return true;
}

}  // namespace agentcom::store

// The part of WriteBatch that says who may do what in a channel. Checked here, in the order of the
// writes, so that nothing slips in between a change of rights and what follows it.

#include "store/channel_access.hpp"
#include "store/keys.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {

bool WriteBatch::may_manage(const ChannelRow& channel, const core::AgentId& agent) {
    const std::string_view name = channel.record.name.str();
    if ((read_member_rights(txn(), name, agent.str()) & kMayManage) != 0) return true;
    if (channel.maker_is_member || channel.record.created_by != agent) return false;
    // An agent that has the maker's name may be another one.
    return counts_against(agent.str(), channel.born);
}

void WriteBatch::put_member(ChannelRow& channel, const core::AgentId& agent, MemberRights rights) {
    const std::string_view name = channel.record.name.str();
    const std::string key = pair_key(name, agent.str());
    const bool was_member = txn().get(txn().tables().members, key).has_value();
    if (rights != 0) {
        txn().put(txn().tables().members, key, MemberRow{rights}.encode());
        txn().put(txn().tables().memberships, pair_key(agent.str(), name), "");
        if (!was_member) ++channel.record.member_count;
    } else if (was_member) {
        txn().erase(txn().tables().members, key);
        txn().erase(txn().tables().memberships, pair_key(agent.str(), name));
        if (channel.record.member_count > 0) --channel.record.member_count;
    }
}

WriteResult WriteBatch::run(const SetMember& op) {
    auto channel = find_channel(op.channel);
    if (!channel) return core::Error(core::ErrorCode::channel_not_found);
    const std::string_view name = op.channel.str();
    if (!op.by_admin && !may_manage(*channel, op.by)) {
        if (channel->record.is_private && read_member_rights(txn(), name, op.by.str()) == 0) {
            return core::Error(core::ErrorCode::channel_not_found);
        }
        return core::Error(core::ErrorCode::forbidden, {},
                           "only members with the right to manage and administrators may do this");
    }
    const bool is_member = read_member_rights(txn(), name, op.agent.str()) != 0;
    if (op.rights != 0 && !is_member &&
        channel->record.member_count >= rules_.quotas.max_members_per_channel) {
        return core::Error(core::ErrorCode::member_limit);
    }
    if (op.rights != 0 && !take_room(2 * kRoomOfRow)) {
        return core::Error(core::ErrorCode::storage_full);
    }
    put_member(*channel, op.agent, op.rights);
    const bool must_leave = channel->record.is_private && (op.rights & kMayRead) == 0;
    const bool unsubscribed =
        must_leave &&
        txn().get(txn().tables().subscriptions, pair_key(op.agent.str(), name)).has_value();
    if (unsubscribed) {
        drop_subscription(name, op.agent.str());
        lose_subscriber(*channel);
    }
    put_channel(*channel);
    return WriteValue(MemberSet{unsubscribed});
}

}  // namespace agentcom::store

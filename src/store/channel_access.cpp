#include "store/channel_access.hpp"

#include <string>

#include "store/cursor.hpp"
#include "store/keys.hpp"

namespace agentcom::store {
namespace {

MemberRights rights_of(const Transaction& txn, const ChannelRecord& channel,
                       const std::optional<Viewer>& viewer) {
    if (!viewer) return kAllRights;
    if (!viewer->agent) return 0;
    return read_member_rights(txn, channel.name.str(), viewer->agent->str());
}

}  // namespace

MemberRights read_member_rights(const Transaction& txn, std::string_view channel,
                                std::string_view agent) {
    const auto row = txn.get(txn.tables().members, pair_key(channel, agent));
    return row ? MemberRow::parse(*row).rights : MemberRights{0};
}

std::vector<ChannelMember> read_members(const Transaction& txn, std::string_view channel) {
    std::vector<ChannelMember> members;
    const std::string prefix = owner_prefix(channel);
    Cursor cursor(txn, txn.tables().members);
    for (bool more = cursor.at_or_after(prefix); more && cursor.key().starts_with(prefix);
         more = cursor.next()) {
        members.push_back({stored_agent_id(cursor.key().substr(prefix.size())),
                           MemberRow::parse(cursor.value()).rights});
    }
    return members;
}

bool may_know(const Transaction& txn, const ChannelRecord& channel,
              const std::optional<Viewer>& viewer) {
    return !channel.is_private || rights_of(txn, channel, viewer) != 0;
}

bool may_read(const Transaction& txn, const ChannelRecord& channel,
              const std::optional<Viewer>& viewer) {
    return !channel.is_private || (rights_of(txn, channel, viewer) & kMayRead) != 0;
}

}  // namespace agentcom::store

#include "store/visibility.hpp"

#include "store/channel_access.hpp"
#include "store/mailbox_view.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kWorkOfChannel = 4;

}  // namespace

Visibility::Visibility(const Transaction& txn, const std::optional<Viewer>& viewer)
    : txn_(txn), viewer_(viewer) {
    if (viewer_ && viewer_->agent) row_ = read_agent(txn, viewer_->agent->str());
}

bool Visibility::shows(const RecordView& record, core::Seq seq, core::Budget& budget) {
    if (!viewer_) return true;
    if (viewer_->whole_log && record.kind != RecordKind::to_channel) return true;
    // An earlier agent of the name is another one.
    if (!viewer_->agent || (seq <= row_.born && !viewer_->whole_log)) return false;
    const std::string_view agent = viewer_->agent->str();
    if (record.from == agent && seq > row_.born) return true;
    switch (record.kind) {
        case RecordKind::to_agent:
            return record.destination == agent;
        case RecordKind::to_channel:
            return shows_channel(record.destination, seq, budget);
        case RecordKind::to_everyone:
        case RecordKind::to_everyone_spelled:
            break;
    }
    return row_.claimed && seq > row_.broadcasts_after;
}

bool Visibility::shows_channel(std::string_view channel, core::Seq seq, core::Budget& budget) {
    auto known = channels_.find(channel);
    if (known == channels_.end()) {
        budget.charge(0, kWorkOfChannel);
        known = channels_.emplace(std::string(channel), readable_after(channel)).first;
    }
    return known->second && seq > *known->second;
}

std::optional<core::Seq> Visibility::readable_after(std::string_view channel) const {
    return read_or(
        txn_, "a channel", std::optional<core::Seq>(), [&]() -> std::optional<core::Seq> {
            const auto row = txn_.get(txn_.tables().channels, channel);
            // Of one that was deleted nobody knows any more whether it was private.
            if (!row) return std::nullopt;
            const ChannelRow found = ChannelRow::parse(stored_channel_name(channel), *row);
            if (!may_read(txn_, found.record, viewer_)) return std::nullopt;
            // Older messages belong to an earlier channel of the name.
            return found.born;
        });
}

}  // namespace agentcom::store

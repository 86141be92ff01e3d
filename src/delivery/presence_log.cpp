#include "delivery/presence_log.hpp"

#include <string>

namespace agentcom::delivery {

void PresenceLog::add(PresenceChangePtr change) {
    const std::uint64_t version = change->version;
    if (version <= head()) return;
    if (version != head() + 1) {
        early_.emplace(version, std::move(change));
        if (early_.size() > kMostEarly) give_up_waiting();
        return;
    }
    append(change);
    append_early();
}

void PresenceLog::append_early() {
    while (!early_.empty() && early_.begin()->first == head() + 1) {
        auto next = early_.extract(early_.begin());
        append(next.mapped());
    }
}

void PresenceLog::give_up_waiting() {
    // What is missing is in no log any more, but in the list of who is online.
    drop_all(early_.begin()->first - 1);
    append_early();
}

void PresenceLog::append(const PresenceChangePtr& change) {
    if (change->text.empty()) return drop_all(change->version);
    const PresenceChange& added = *change;
    Latest& latest = latest_[added.agent];
    try {
        ring_.push_back(change);
    } catch (...) {
        if (latest.state == 0 && latest.status == 0) latest_.erase(added.agent);
        throw;
    }
    if (added.kind == PresenceChange::Kind::status) {
        forget(std::exchange(latest.status, added.version));
    } else {
        forget(std::exchange(latest.state, added.version));
        forget(std::exchange(latest.status, 0));
    }
    bytes_ += added.text.size();
    while (ring_.size() > kMostChanges || bytes_ > kMostBytes) drop_oldest();
}

void PresenceLog::forget(std::uint64_t version) {
    if (version <= floor_) return;
    PresenceChangePtr& change = at(version);
    bytes_ -= change->text.size();
    change.reset();
}

void PresenceLog::drop_oldest() {
    if (const PresenceChangePtr oldest = std::move(ring_.front())) {
        bytes_ -= oldest->text.size();
        const auto found = latest_.find(oldest->agent);
        Latest& latest = found->second;
        if (latest.state == oldest->version) latest.state = 0;
        if (latest.status == oldest->version) latest.status = 0;
        if (latest.state == 0 && latest.status == 0) latest_.erase(found);
    }
    ring_.pop_front();
    ++floor_;
}

void PresenceLog::drop_all(std::uint64_t floor) {
    while (!ring_.empty()) ring_.pop_back();
    latest_.clear();
    bytes_ = 0;
    floor_ = floor;
}

const PresenceLog::Stretch& PresenceLog::stretch(const Framing& framing, std::uint64_t from,
                                                 std::uint64_t limit) {
    for (const Stretch& kept : stretches_) {
        if (kept.framing == &framing && kept.from == from && kept.limit == limit) return kept;
    }
    Stretch& made = stretches_[next_stretch_++ % stretches_.size()];
    made = {};
    std::string bytes;
    std::uint64_t version = from;
    while (version < limit) {
        if (const PresenceChangePtr& change = at(version + 1)) {
            if (!bytes.empty() && bytes.size() + change->text.size() > kStretchBytes) break;
            framing.append(bytes, change->text, {});
            made.frames.emplace_back(version + 1, bytes.size());
        }
        ++version;
    }
    made.bytes = share(std::move(bytes), budget_);
    made.from = from;
    made.limit = limit;
    made.to = version;
    made.framing = &framing;  // the last: without it nobody finds what lacks something
    return made;
}

std::array<std::uint64_t, 2> PresenceLog::untold(const core::AgentId& agent) {
    const auto found = latest_.find(agent);
    if (found == latest_.end()) return {};
    std::array<std::uint64_t, 2> versions{found->second.state, found->second.status};
    for (std::uint64_t& version : versions) {
        if (version != 0 && ring_[static_cast<std::size_t>(version - floor_ - 1)]->to_itself) {
            version = 0;
        }
    }
    return versions;
}

void PresenceLog::tick() {
    // A change that has not come within a second or two was lost: whoever made it failed.
    if (!early_.empty() && missing_ == head() + 1) give_up_waiting();
    missing_ = early_.empty() ? 0 : head() + 1;
    stretches_ = {};
}

}  // namespace agentcom::delivery

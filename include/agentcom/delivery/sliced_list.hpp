#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agentcom/core/ids.hpp"

namespace agentcom::delivery {

/// Pointers to owners, in no order, that are gone through in slices while entries come and go. An
/// entry costs O(1) to add and to remove, because its owner knows where it stands: every move is
/// told to `Place::set(owner, slot, index)`, where `slot` is the owner's own number for this list.
/// A pass meets each entry that is there from its beginning to its end exactly once.
template <class Owner, class Place>
class SlicedList {
public:
    using Index = std::uint32_t;

    [[nodiscard]] bool empty() const noexcept { return entries_.empty(); }
    [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
    [[nodiscard]] bool holds(const Owner& owner, Index index) const noexcept {
        return index < entries_.size() && entries_[index].owner == &owner;
    }
    /// Room for so many entries, so that adding up to that many does not throw.
    void reserve(std::size_t count) {
        if (entries_.capacity() < count) entries_.reserve(count * 2);
    }

    /// `due`: the pass in progress meets it, too (and is in progress from now on); otherwise the
    /// next pass is its first.
    void add(Owner& owner, Index slot = 0, bool due = false) {
        entries_.push_back({&owner, slot});
        const auto last = static_cast<Index>(entries_.size() - 1);
        if (!due) return Place::set(owner, slot, last);
        const Entry added = entries_[last];
        if (left_ != last) put(last, entries_[left_]);
        put(left_++, added);
    }
    void remove(Index index) {
        // What the pass has met stays behind what it has not.
        if (index < left_) {
            --left_;
            if (index != left_) put(index, entries_[left_]);
            index = left_;
        }
        if (index != entries_.size() - 1) put(index, entries_.back());
        entries_.pop_back();
    }
    /// The owner has given this entry another number.
    void renumber(Index index, Index slot) { entries_[index].slot = slot; }

    void begin_pass() noexcept { left_ = static_cast<Index>(entries_.size()); }
    [[nodiscard]] bool in_pass() const noexcept { return left_ > 0; }
    /// The next entry of the pass; null when it is over.
    [[nodiscard]] Owner* next() noexcept { return left_ == 0 ? nullptr : entries_[--left_].owner; }

private:
    struct Entry {
        Owner* owner;
        Index slot;
    };
    void put(Index index, Entry entry) {
        entries_[index] = entry;
        Place::set(*entry.owner, entry.slot, index);
    }

    std::vector<Entry> entries_;
    Index left_ = 0;  // entries before this one have not been met by the pass
};

/// A channel that an owner is listed under, and where it stands there.
struct ListedChannel {
    core::ChannelName channel;
    std::uint32_t place = 0;
};

/// Owners by their channels. An owner has a member `channels`, a vector of ListedChannel, which is
/// this index's business. Adding one and removing one from a channel cost the same however many are
/// in it. One pass at a time.
template <class Owner>
class ChannelIndex {
public:
    /// Under this channel, unless it is there already.
    void add(Owner& owner, const core::ChannelName& channel) {
        for (const ListedChannel& listed : owner.channels) {
            if (listed.channel == channel) return;
        }
        append(owner, channel);
    }
    /// An owner that is not listed yet, under each of these channels, all different.
    void add_all(Owner& owner, const std::vector<core::ChannelName>& channels) {
        owner.channels.reserve(channels.size());
        for (const core::ChannelName& channel : channels) append(owner, channel);
    }
    void remove(Owner& owner, const core::ChannelName& channel) {
        for (std::size_t slot = 0; slot < owner.channels.size(); ++slot) {
            if (owner.channels[slot].channel != channel) continue;
            delist(owner.channels[slot]);
            if (slot + 1 != owner.channels.size()) {
                owner.channels[slot] = std::move(owner.channels.back());
                const ListedChannel& moved = owner.channels[slot];
                lists_.find(moved.channel)
                    ->second.renumber(moved.place, static_cast<std::uint32_t>(slot));
            }
            owner.channels.pop_back();
            return;
        }
    }
    void remove_all(Owner& owner) {
        for (const ListedChannel& listed : owner.channels) delist(listed);
        owner.channels.clear();
    }

    /// Begins a pass over those of this channel. False when there are none.
    bool begin_pass(const core::ChannelName& channel) {
        const auto found = lists_.find(channel);
        if (found == lists_.end()) return false;
        passing_ = &*found;
        passing_->second.begin_pass();
        return true;
    }
    /// The next one of the pass; null when it is over (or none was begun).
    [[nodiscard]] Owner* next() {
        if (passing_ == nullptr) return nullptr;
        if (Owner* owner = passing_->second.next()) return owner;
        const auto* over = std::exchange(passing_, nullptr);
        if (over->second.empty()) lists_.erase(over->first);
        return nullptr;
    }

private:
    struct Place {
        static void set(Owner& owner, std::uint32_t slot, std::uint32_t index) {
            owner.channels[slot].place = index;
        }
    };
    using List = SlicedList<Owner, Place>;
    using Lists = std::unordered_map<core::ChannelName, List, core::TextHash, core::TextEqual>;

    void append(Owner& owner, const core::ChannelName& channel) {
        List& list = lists_[channel];
        list.reserve(list.size() + 1);
        owner.channels.push_back({channel, 0});
        // From here on nothing needs memory, so that both sides agree whatever throws.
        list.add(owner, static_cast<std::uint32_t>(owner.channels.size() - 1));
    }
    void delist(const ListedChannel& listed) {
        const auto found = lists_.find(listed.channel);
        found->second.remove(listed.place);
        // The list of a pass is erased by its end.
        if (found->second.empty() && &*found != passing_) lists_.erase(found);
    }

    Lists lists_;
    typename Lists::value_type* passing_ = nullptr;
};

}  // namespace agentcom::delivery

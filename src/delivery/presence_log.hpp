#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agentcom/delivery/fifo.hpp"
#include "agentcom/delivery/presence_feed.hpp"

namespace agentcom::delivery {

/// The latest changes of who is online, by version. A later change of an agent takes the place of
/// what it makes void: coming and going that of everything before, a status that of the status
/// before. For one thread.
class PresenceLog {
public:
    /// Bounds of what is kept: whoever is further behind needs the list of who is online.
    static constexpr std::size_t kMostChanges = 4'096;
    static constexpr std::size_t kMostBytes = std::size_t{8} << 20;
    /// Most changes that wait for one with a lower version.
    static constexpr std::size_t kMostEarly = 1'024;
    /// Most bytes of one stretch, unless a single frame has more.
    static constexpr std::size_t kStretchBytes = std::size_t{32} << 10;

    /// What lies between two versions, as bytes to be sent.
    struct Stretch {
        const Framing* framing = nullptr;
        std::uint64_t from = 0;
        std::uint64_t limit = 0;  // as it was asked for
        std::uint64_t to = 0;     // where it ends; before `limit` when that would be too long
        SharedBytes bytes;
        std::vector<std::pair<std::uint64_t, std::size_t>> frames;  // version and end of each
    };

    explicit PresenceLog(OutputBudget* budget) : budget_(budget) {}

    void add(PresenceChangePtr change);
    /// The version up to which all changes are known.
    [[nodiscard]] std::uint64_t head() const noexcept { return floor_ + ring_.size(); }
    /// Whether a change of this agent is kept, which a later one may make void.
    [[nodiscard]] bool keeps(const core::AgentId& agent) const { return latest_.contains(agent); }
    /// What lies after this version is kept.
    [[nodiscard]] std::uint64_t floor() const noexcept { return floor_; }

    /// `from` at least `floor`, `limit` at most `head`. Those who ask the same share one.
    [[nodiscard]] const Stretch& stretch(const Framing& framing, std::uint64_t from,
                                         std::uint64_t limit);
    /// The changes of this agent that it must not be told itself; 0 for none.
    [[nodiscard]] std::array<std::uint64_t, 2> untold(const core::AgentId& agent);

    void tick();

private:
    struct Latest {
        std::uint64_t state = 0;   // version of its newest joining or leaving, 0: not kept
        std::uint64_t status = 0;  // and of its newest status after that
    };
    void append(const PresenceChangePtr& change);
    void append_early();
    void give_up_waiting();
    void forget(std::uint64_t version);
    void drop_oldest();
    void drop_all(std::uint64_t floor);
    [[nodiscard]] PresenceChangePtr& at(std::uint64_t version) {
        return ring_[static_cast<std::size_t>(version - floor_ - 1)];
    }

    OutputBudget* budget_;  // counts the stretches; may be null
    std::uint64_t floor_ = 0;
    Fifo<PresenceChangePtr, 64> ring_;  // null: made void by a later one
    std::size_t bytes_ = 0;
    std::unordered_map<core::AgentId, Latest, core::TextHash, core::TextEqual> latest_;
    std::map<std::uint64_t, PresenceChangePtr> early_;
    std::uint64_t missing_ = 0;  // version that early ones waited for at the last tick; 0: none
    std::array<Stretch, 8> stretches_;
    std::size_t next_stretch_ = 0;
};

}  // namespace agentcom::delivery

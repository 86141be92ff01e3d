#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/delivery/faults.hpp"
#include "agentcom/delivery/session.hpp"
#include "agentcom/delivery/sliced_list.hpp"

namespace agentcom::delivery {

/// One change of who is online, made once for the whole hub and shared by its loops.
struct PresenceChange {
    enum class Kind : std::uint8_t { joined, left, status };
    std::uint64_t version = 0;  // 1, 2, 3 ... over the whole hub, without gaps
    core::AgentId agent;
    Kind kind = Kind::joined;
    bool to_itself = false;  // the agent itself is told, too
    std::string text;        // the event as JSON; empty when it could not be made
};
using PresenceChangePtr = std::shared_ptr<const PresenceChange>;

/// A stretch of the list of who is online, as one event.
struct PresencePage {
    std::uint64_t version = 0;  // it holds every change up to this one
    std::string text;           // JSON
    std::string next;           // pass it to get the page behind this one; empty: this is the last
};
/// Makes the page behind `after` (empty: the first).
using PresenceSource = std::function<PresencePage(const std::string& after)>;

class PresenceLog;

/// Tells the sessions of one event loop that want presence who comes and goes. Changes are kept in
/// a bounded log in the order of their versions, whatever the order they come in; a session
/// remembers how far it has been told and pulls what it lacks when its outbox has room, as bytes
/// that all who lack the same share. So one that does not read costs nothing, and is told only the
/// latest state of each agent when it reads on; one that has fallen behind the log is given the
/// list of who is online instead. For the loop's thread.
class PresenceFeed {
public:
    /// `budget` counts what many sessions are sent; without one nobody does.
    explicit PresenceFeed(Faults& faults, OutputBudget* budget = nullptr);
    ~PresenceFeed();
    PresenceFeed(const PresenceFeed&) = delete;
    PresenceFeed& operator=(const PresenceFeed&) = delete;

    void set_source(PresenceSource source) { source_ = std::move(source); }

    /// Whether this change would make an earlier one void that some have not been told yet. Those
    /// who keep up are told each change, as far as there is time for it; for those who lag, and
    /// when very many come and go at once, the last one does.
    [[nodiscard]] bool would_make_void(const PresenceChange& change) const;
    /// Takes a change up; sessions are told by `work`.
    void add(PresenceChangePtr change);
    /// Tells the session what comes after this version.
    void watch(Session& session, std::uint64_t version);
    void unwatch(Session& session) noexcept;
    [[nodiscard]] std::size_t watchers() const noexcept {
        return watchers_.size() + stalled_.size();
    }

    [[nodiscard]] bool has_work() const noexcept;
    /// What may be done at once: so many sessions are told, and no more once they were given so
    /// many bytes altogether.
    struct Slice {
        std::size_t sessions = 0;
        std::size_t bytes = SIZE_MAX;
    };
    /// Takes what it does from the slice. Those that have just been told something wait until all
    /// others have been.
    void work(Slice& slice);
    /// Before something else is pushed to the session: what was there first comes first.
    void catch_up(Session& session) {
        if (session.listing.watching && session.listing.presence_seen < head_) {
            tell(session, head_);
        }
    }
    /// The session's outbox has been written out, at least in part.
    void on_room(Session& session) noexcept;
    /// About once a second: lets go of what is kept for sharing, and does not wait for ever for a
    /// change that does not come.
    void tick();

private:
    struct Place {
        static void set(Session& session, std::uint32_t, std::uint32_t index) {
            session.listing.watcher_place = index;
        }
    };
    /// How far a session has been given the list of who is online.
    struct Progress {
        std::uint64_t version = 0;  // of its first page
        std::string after;
    };
    struct KeptPage {
        std::string after;
        PresencePage page;
        FramedEvent event;
    };

    void tell(Session& session, std::uint64_t limit) noexcept;
    /// False when the session has no room for more.
    bool give(Session& session, std::uint64_t limit);
    void give_part(Session& session, const SharedBytes& bytes, std::size_t begin, std::size_t end);
    void give_page(Session& session);
    KeptPage& page(const std::string& after, std::uint64_t version);
    void stall(Session& session) noexcept;

    Faults& faults_;
    OutputBudget* budget_;
    std::unique_ptr<PresenceLog> log_;
    PresenceSource source_;
    SlicedList<Session, Place> watchers_;
    SlicedList<Session, Place> stalled_;  // until their outboxes have room
    std::unordered_map<const Session*, Progress> in_snapshot_;
    std::vector<KeptPage> pages_;
    std::size_t next_page_ = 0;
    std::uint64_t head_ = 0;    // of the log
    std::uint64_t target_ = 0;  // up to which the pass over the watchers tells them
    std::size_t given_ = 0;     // bytes, to the session that is being told
};

}  // namespace agentcom::delivery

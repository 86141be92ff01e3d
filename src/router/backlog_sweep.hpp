#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/services/analytics.hpp"
#include "agentcom/services/mailbox.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::router {

/// How much mail is unread, of all who hold a token, and of names that nobody does. A mailbox is
/// stored nowhere as such, so they are looked through one after the other, in slices among the
/// other reads of a loop, when somebody asks and the last figures are old enough. So nothing is
/// spent on it that nobody looks at, and asking costs nothing. Thread-safe.
class BacklogSweep : public std::enable_shared_from_this<BacklogSweep> {
public:
    static constexpr std::size_t kWorst = 10;

    /// What was found of one agent.
    struct Finding {
        bool known = true;      // somebody holds a token for it
        bool observer = false;  // and that of an observer
        std::uint64_t unread = 0;
        bool more = false;                      // than a mailbox shows
        std::optional<core::Timestamp> oldest;  // of what is unread
        /// Of its channels, in 24 hours and since it subscribes to them, by others.
        std::uint64_t of_channels = 0;
        core::Seq broadcasts_after;  // what was sent to everyone up to this is not for it
    };
    using Findings = std::unordered_map<std::string, Finding, core::TextHash, core::TextEqual>;

    struct Figures {
        // Of those who hold a token:
        std::uint64_t messages = 0;   // unread, as far as mailboxes show them
        std::uint64_t mailboxes = 0;  // that have some
        std::uint64_t holders = 0;
        std::optional<core::Timestamp> oldest;  // of what is unread
        /// The fullest mailboxes, the fullest first.
        std::vector<std::pair<std::string, std::uint64_t>> worst;
        /// Of as many agents as there may be; those with a token come first.
        std::shared_ptr<const Findings> findings;
        core::SteadyTime made_at;
    };

    struct Limits {
        core::Millis interval;          // least age of figures that are made anew; 0: none are made
        std::uint64_t most_findings{};  // agents
    };
    BacklogSweep(const store::Store& store, const services::Mailbox& mailbox,
                 const services::Analytics& analytics, const core::Clock& clock, Limits limits)
        : store_(store), mailbox_(mailbox), analytics_(analytics), clock_(clock), limits_(limits) {}

    /// The last figures that are complete; nothing yet: nothing.
    [[nodiscard]] std::optional<Figures> last() const;
    /// Begins to make others on this loop, which calls, unless that goes on or it is too early.
    void begin_if_due(delivery::EventLoop& loop) { begin_if_due(loop, limits_.interval); }
    /// The same for somebody who wants figures that are no older than this.
    void begin_if_due(delivery::EventLoop& loop, core::Millis age);
    /// Calls the function once, on some loop, when the sweep that goes on has ended. False when
    /// none does.
    [[nodiscard]] bool when_ended(std::function<void()> function);

private:
    struct Sweep;
    struct State {
        std::optional<Figures> last;
        core::SteadyTime::duration spent{};  // on the last
        core::SteadyTime ended;
        bool begun = false;  // ever
        bool going_on = false;
        std::vector<std::function<void()>> waiting;  // for the end of the one that goes on
    };
    void go_on(const std::shared_ptr<Sweep>& sweep);
    /// A little; whether all has been done.
    [[nodiscard]] bool step(Sweep& sweep) const;
    /// Reads the next agents ahead. False when there are none.
    [[nodiscard]] bool read_ahead(Sweep& sweep) const;
    void add(Sweep& sweep, const store::HolderRecord& holder,
             const services::Mailbox::Read& read) const;
    void finish(Sweep& sweep, bool complete);

    const store::Store& store_;
    const services::Mailbox& mailbox_;
    const services::Analytics& analytics_;
    const core::Clock& clock_;
    const Limits limits_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::router

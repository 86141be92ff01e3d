#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/services/mailbox.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::router {

/// How much mail is unread, of all who hold a token. A mailbox is stored nowhere as such, so they
/// are looked through one after the other, in slices among the other reads of a loop, when somebody
/// asks and the last figures are old enough. So nothing is spent on it that nobody looks at, and
/// asking costs nothing. Thread-safe.
class BacklogSweep : public std::enable_shared_from_this<BacklogSweep> {
public:
    static constexpr std::size_t kWorst = 10;

    struct Figures {
        std::uint64_t messages = 0;   // unread, as far as mailboxes show them
        std::uint64_t mailboxes = 0;  // that have some
        /// The fullest mailboxes, the fullest first.
        std::vector<std::pair<std::string, std::uint64_t>> worst;
        core::SteadyTime made_at;
    };

    /// `interval`: least age of figures that are made anew; 0: none are made.
    BacklogSweep(const store::Store& store, const services::Mailbox& mailbox,
                 const core::Clock& clock, core::Millis interval)
        : store_(store), mailbox_(mailbox), clock_(clock), interval_(interval) {}

    /// The last figures that are complete; nothing yet: nothing.
    [[nodiscard]] std::optional<Figures> last() const;
    /// Begins to make others on this loop, which calls, unless that goes on or it is too early.
    void begin_if_due(delivery::EventLoop& loop);

private:
    struct Sweep;
    struct State {
        std::optional<Figures> last;
        core::SteadyTime next;
        bool going_on = false;
    };
    void go_on(const std::shared_ptr<Sweep>& sweep);
    /// A little; whether all has been done.
    [[nodiscard]] bool step(Sweep& sweep) const;
    static void add(Figures& figures, const core::AgentId& agent, std::uint64_t unread);
    void finish(Sweep& sweep, bool complete);

    const store::Store& store_;
    const services::Mailbox& mailbox_;
    const core::Clock& clock_;
    const core::Millis interval_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::router

#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/pieces.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/delivery/session.hpp"
#include "agentcom/protocol/observation.hpp"
#include "router/audience.hpp"
#include "router/backlog_sweep.hpp"
#include "router/hub_watch.hpp"
#include "router/observed_rows.hpp"

namespace agentcom::router {

/// Tells observers how everything is, and then what changes: once a second at most, the same bytes
/// to everybody, made once. While nobody watches it does nothing. It runs on one loop, the first,
/// and hands what it has made to the others; `watch` is for the session's loop.
class ObserverFeed : public std::enable_shared_from_this<ObserverFeed> {
public:
    /// What the feed asks the router; called on the first loop.
    struct Hub {
        std::function<protocol::HubOverview(const ObservedRows::Counts&)> overview;
        std::function<protocol::HubIdentity()> identity;
    };
    ObserverFeed(delivery::LoopGroup& loops, const core::Clock& clock, BacklogSweep& sweep,
                 HubWatch& watch, AgentSources sources, std::uint64_t most_rows, Hub hub)
        : loops_(loops),
          clock_(clock),
          sweep_(sweep),
          watch_(watch),
          hub_(std::move(hub)),
          audience_(std::make_shared<Audience>(loops.size())),
          rows_(sources, most_rows) {}

    /// From now on until the place that is handed back is dropped, which must be on the session's
    /// loop. All sessions have the same framing.
    [[nodiscard]] std::shared_ptr<void> watch(delivery::EventLoop& loop,
                                              delivery::Session& session);
    /// About how many a snapshot has. Any thread.
    [[nodiscard]] std::uint64_t rows_shown() const noexcept { return rows_shown_.load(); }
    [[nodiscard]] std::uint64_t observers() const noexcept { return audience_->count(); }

private:
    // On the first loop:
    void came(std::size_t loop, const delivery::Framing& framing);
    void begin_tick();
    /// Who comes first is not shown a hub without agents, only because they have yet to be looked
    /// through. Whether there is something to wait for; then it goes on by itself.
    [[nodiscard]] bool waits_for_sweep();
    void begin_pass();
    void go_on();
    void finish_tick();
    void stop();
    void tell_changes();
    void show(std::size_t loop);
    void make_snapshot();
    void append(std::string& out, std::string_view type, std::string_view text) const {
        framing_->append_event(out, type, text, number_);
    }

    delivery::LoopGroup& loops_;
    const core::Clock& clock_;
    BacklogSweep& sweep_;
    HubWatch& watch_;
    const Hub hub_;
    const std::shared_ptr<Audience> audience_;

    const delivery::Framing* framing_ = nullptr;
    ObservedRows rows_;
    bool running_ = false;
    bool ready_ = false;  // a pass has been completed
    bool sweep_awaited_ = false;
    std::vector<std::size_t> waiting_loops_;
    std::atomic<std::uint64_t> rows_shown_{0};
    std::uint64_t number_ = 0;  // of the newest event
    core::Timestamp made_at_;
    std::string overview_;
    core::SteadyTime overview_told_;
    HubWatch::Series series_;                       // as of the last point that was told
    std::shared_ptr<const core::Pieces> snapshot_;  // of the present state, if somebody asked
};

}  // namespace agentcom::router

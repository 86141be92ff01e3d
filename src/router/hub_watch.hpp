#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/protocol/observation.hpp"
#include "agentcom/services/alarms.hpp"
#include "agentcom/services/hub_series.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::router {

/// What the whole hub did lately: reads its counters once a second, for a few microseconds, whether
/// somebody watches or not, so that the last hour is there for whoever comes. Thread-safe.
class HubWatch {
public:
    HubWatch(const store::Store& store, delivery::LoopGroup& loops,
             std::function<std::uint64_t()> lost_log_lines, const core::Clock& clock);

    /// To be called about once a second; more often does nothing.
    void look();
    /// A message that was sent before the start.
    void recall(core::Timestamp sent_at);

    struct Last {
        std::uint64_t points = 0;  // stretches of ten seconds that there have been
        double messages_per_second = 0;
        std::uint64_t messages_24h = 0;
        protocol::Percentiles commit;
        protocol::Percentiles delivery;
        // In the last ten minutes:
        std::uint64_t failed_batches = 0;
        std::uint64_t slow_consumers = 0;
        std::uint64_t wrong_tokens = 0;
        std::uint64_t lost_log_lines = 0;
    };
    [[nodiscard]] Last last() const;
    struct Series {
        /// Of the stretch of ten seconds that ended last, and how many of them there have been. The
        /// others hold what these have told, and nothing that came later.
        std::optional<protocol::SeriesPoint> point;
        std::uint64_t points = 0;
        std::vector<protocol::SeriesPoint> minutes;
        std::vector<protocol::HourOfMessages> hours;
    };
    [[nodiscard]] Series series() const;

private:
    struct State {
        explicit State(std::uint64_t head) : series(head) {}
        services::HubSeries series;
        core::SteadyTime next_look{};
        core::SteadyTime next_measure{};
        std::optional<services::HubSeries::Point> point;
        std::uint64_t points = 0;
        services::RecentRise failed_batches{kLately};
        services::RecentRise slow_consumers{kLately};
        services::RecentRise wrong_tokens{kLately};
        services::RecentRise lost_log_lines{kLately};
    };
    static constexpr core::Millis kLately{600'000};
    struct Measured {
        services::HubSeries::Reading reading;
        std::uint64_t failed_batches = 0;
        std::uint64_t slow_consumers = 0;
        std::uint64_t wrong_tokens = 0;
        std::uint64_t lost_log_lines = 0;
    };
    [[nodiscard]] Measured measure() const;

    const store::Store& store_;
    delivery::LoopGroup& loops_;
    const std::function<std::uint64_t()> lost_log_lines_;
    const core::Clock& clock_;
    core::Guarded<State> state_;
};

}  // namespace agentcom::router

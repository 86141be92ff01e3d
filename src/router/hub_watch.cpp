#include "router/hub_watch.hpp"

#include <utility>

namespace agentcom::router {

namespace {

constexpr core::Millis kLook{900};
constexpr core::Millis kMeasure{10'000};

protocol::Percentiles shown(const services::LatencyQuantiles& of) { return {of.p50, of.p99}; }

protocol::SeriesPoint shown(const services::HubSeries::Point& of) {
    return {of.at, of.messages, shown(of.commit), shown(of.delivery)};
}

}  // namespace

HubWatch::HubWatch(const store::Store& store, delivery::LoopGroup& loops,
                   std::function<std::uint64_t()> lost_log_lines, const core::Clock& clock)
    : store_(store),
      loops_(loops),
      lost_log_lines_(std::move(lost_log_lines)),
      clock_(clock),
      state_(std::in_place, store.head().value) {}

HubWatch::Measured HubWatch::measure() const {
    Measured all;
    store::CommitFigures commits = store_.commit_figures();
    all.reading.head = store_.head().value;
    all.reading.commit = std::move(commits.duration);
    all.failed_batches = commits.failed_batches;
    for (std::size_t i = 0; i < loops_.size(); ++i) {
        const delivery::LoopFigures& figures = loops_[i].figures();
        all.reading.delivery.add(figures.acknowledgement.read());
        all.wrong_tokens += figures.wrong_tokens.value();
        for (const core::Counter& of_kind : figures.slow) all.slow_consumers += of_kind.value();
    }
    if (lost_log_lines_) all.lost_log_lines = lost_log_lines_();
    return all;
}

void HubWatch::look() {
    const core::SteadyTime now = clock_.steady();
    const core::Timestamp wall = clock_.now();
    const std::uint64_t head = store_.head().value;
    const bool due = state_.with([&](State& state) {
        if (now < state.next_look) return false;
        state.next_look = now + kLook;
        state.series.count(now, head);
        if (now < state.next_measure) return false;
        state.next_measure = now + kMeasure;
        return true;
    });
    if (!due) return;
    // Not under the lock, which is a leaf.
    Measured measured = measure();
    state_.with([&](State& state) {
        const bool first = state.points == 0;
        auto point = state.series.measure(wall, std::move(measured.reading));
        // What was measured first has no beginning.
        if (!first) state.point = point;
        ++state.points;
        state.failed_batches.note(now, measured.failed_batches);
        state.slow_consumers.note(now, measured.slow_consumers);
        state.wrong_tokens.note(now, measured.wrong_tokens);
        state.lost_log_lines.note(now, measured.lost_log_lines);
    });
}

void HubWatch::recall(core::Timestamp sent_at) {
    const core::Timestamp now = clock_.now();
    state_.with([&](State& state) { state.series.recall(sent_at, now); });
}

HubWatch::Last HubWatch::last() const {
    const core::Timestamp now = clock_.now();
    return state_.with([&](const State& state) {
        Last last{.points = state.points,
                  .messages_per_second = state.series.per_second(),
                  .messages_24h = state.series.messages_24h(now),
                  .commit = shown(state.series.commit()),
                  .delivery = shown(state.series.delivery()),
                  .failed_batches = state.failed_batches.rise(),
                  .slow_consumers = state.slow_consumers.rise(),
                  .wrong_tokens = state.wrong_tokens.rise(),
                  .lost_log_lines = state.lost_log_lines.rise()};
        return last;
    });
}

HubWatch::Series HubWatch::series() const {
    const core::Timestamp now = clock_.now();
    return state_.with([&](const State& state) {
        Series series{.point = std::nullopt, .points = state.points, .minutes = {}, .hours = {}};
        if (state.point) series.point = shown(*state.point);
        for (const auto& point : state.series.minutes(now)) series.minutes.push_back(shown(point));
        for (const auto& hour : state.series.hours(now)) {
            series.hours.push_back({hour.at, hour.messages});
        }
        return series;
    });
}

}  // namespace agentcom::router

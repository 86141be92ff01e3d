#include "router/observer_feed.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <vector>

#include "agentcom/delivery/output_budget.hpp"

namespace agentcom::router {

namespace {

constexpr core::Millis kTick{1'000};
constexpr core::Millis kOverviewAtLeast{5'000};
/// How old counts of unread mail may become while somebody watches.
constexpr core::Millis kUnreadAge{2'000};
constexpr std::size_t kRowsOfEvent = 200;
/// How long whoever comes first waits for agents to be looked through.
constexpr core::Millis kLongestWaitForSweep{2'000};

}  // namespace

std::shared_ptr<void> ObserverFeed::watch(delivery::EventLoop& loop, delivery::Session& session) {
    const std::size_t index = loop.index();
    audience_->add(index, session);
    loops_[0].post([self = shared_from_this(), index, framing = &session.framing()] {
        self->came(index, *framing);
    });
    return {nullptr,
            [audience = audience_, index, &session](void*) { audience->remove(index, session); }};
}

void ObserverFeed::came(std::size_t loop, const delivery::Framing& framing) {
    framing_ = &framing;
    if (ready_) return show(loop);
    if (std::ranges::find(waiting_loops_, loop) == waiting_loops_.end()) {
        waiting_loops_.push_back(loop);
    }
    if (!std::exchange(running_, true)) begin_tick();
}

void ObserverFeed::begin_tick() {
    if (audience_->count() == 0) return stop();
    watch_.look();
    sweep_.begin_if_due(loops_[0], kUnreadAge);
    if (!waits_for_sweep()) begin_pass();
}

bool ObserverFeed::waits_for_sweep() {
    if (ready_ || sweep_.last()) return false;
    const auto go_on = [self = shared_from_this()] {
        if (std::exchange(self->sweep_awaited_, false)) self->begin_pass();
    };
    if (!sweep_.when_ended([&loop = loops_[0], go_on] { loop.post(go_on); })) return false;
    sweep_awaited_ = true;
    loops_[0].call_at(clock_.steady() + kLongestWaitForSweep, go_on);
    return true;
}

void ObserverFeed::begin_pass() {
    made_at_ = clock_.now();
    const auto last = sweep_.last();
    rows_.begin_pass(last ? last->findings : nullptr, made_at_, clock_.steady());
    go_on();
}

void ObserverFeed::go_on() {
    if (!rows_.step()) {
        // Others are served in between.
        return loops_[0].post([self = shared_from_this()] { self->go_on(); });
    }
    finish_tick();
}

void ObserverFeed::finish_tick() {
    tell_changes();
    ready_ = true;
    for (const std::size_t loop : std::exchange(waiting_loops_, {})) show(loop);
    loops_[0].call_at(clock_.steady() + kTick, [self = shared_from_this()] { self->begin_tick(); });
}

void ObserverFeed::stop() {
    running_ = ready_ = false;
    rows_.clear();
    snapshot_.reset();
    overview_ = {};
    series_ = {};
}

void ObserverFeed::tell_changes() {
    const core::SteadyTime now = clock_.steady();
    std::string overview;
    protocol::encode_overview(hub_.overview(rows_.counts()), overview);
    const bool tell_overview = overview != overview_ || now - overview_told_ >= kOverviewAtLeast;
    std::string point;
    // What a snapshot shows is of the moment of the last point that was told: what came since is
    // told by the next one.
    if (watch_.last().points != series_.points) {
        series_ = watch_.series();
        if (series_.point) protocol::encode_point(*series_.point, point);
    }
    overview_ = std::move(overview);
    snapshot_.reset();
    const auto changed = rows_.changed();
    if (!tell_overview && point.empty() && changed.empty() && rows_.gone().empty()) return;
    if (tell_overview) overview_told_ = now;
    ++number_;
    if (!ready_) return;  // nobody has been shown what this were a change of
    std::string text;
    protocol::encode_change(made_at_, tell_overview ? overview_ : std::string_view(), point,
                            changed, rows_.gone(), text);
    std::string event;
    append(event, "change", text);
    const auto shared = delivery::share(std::move(event), &loops_[0].output().budget());
    loops_.post_all([audience = audience_, shared](delivery::EventLoop& loop) {
        audience->tell(loop.index(), shared);
    });
}

void ObserverFeed::show(std::size_t loop) {
    if (!snapshot_) make_snapshot();
    loops_[loop].post(
        [audience = audience_, loop, snapshot = snapshot_] { audience->show(loop, snapshot); });
}

void ObserverFeed::make_snapshot() {
    std::string series_text;
    protocol::encode_series(series_.minutes, series_.hours, series_text);
    const auto rows = rows_.all();
    rows_shown_ = rows.size();
    core::Pieces snapshot;
    std::size_t shown = 0;
    bool first = true;
    do {
        const std::size_t end = std::min(rows.size(), shown + kRowsOfEvent);
        const auto part = std::span(rows).subspan(shown, end - shown);
        const bool complete = end == rows.size();
        std::string text;
        if (first) {
            protocol::encode_snapshot(hub_.identity(), made_at_, overview_, series_text, part,
                                      complete, text);
        } else {
            protocol::encode_more_agents(made_at_, part, complete, text);
        }
        std::string event;
        append(event, first ? "snapshot" : "agents", text);
        snapshot.append(std::move(event));
        first = false;
        shown = end;
    } while (shown < rows.size());
    snapshot.close_open();
    snapshot_ = delivery::share(std::move(snapshot), &loops_[0].output().budget());
}

}  // namespace agentcom::router

#include "router/backlog_sweep.hpp"

#include <algorithm>
#include <chrono>
#include <exception>

namespace agentcom::router {

namespace {

/// A slice: about so long on the loop, and so many agents read ahead.
constexpr core::Millis kSlice{1};
constexpr std::uint64_t kAgentsAhead = 64;
/// Of a loop's time no more than a twentieth is spent on looking through mailboxes.
constexpr int kRest = 19;
/// By which it takes turns with those who read.
constexpr const char* kOwner = "";
constexpr core::Millis kDay{86'400'000};
/// Subscriptions of one agent that are looked at: as many as it may have, as a rule.
constexpr std::uint64_t kMostSubscriptions = 1'000;

}  // namespace

/// A pass over all mailboxes.
struct BacklogSweep::Sweep {
    explicit Sweep(delivery::EventLoop& on) : loop(on) {}

    delivery::EventLoop& loop;
    Figures figures;
    std::shared_ptr<Findings> findings = std::make_shared<Findings>();
    std::optional<core::Seq> day_began;  // the last message that is older than a day
    bool of_holders = true;              // are looked at; then names that nobody holds a token for
    std::string after;                   // the last agent that was read ahead
    bool more = true;                    // others behind it
    std::vector<store::HolderRecord> agents;
    std::size_t next = 0;  // of them
    std::optional<services::Mailbox::Read> read;
    std::chrono::steady_clock::duration spent{};
};

std::optional<BacklogSweep::Figures> BacklogSweep::last() const {
    return state_.with([](const State& state) { return state.last; });
}

void BacklogSweep::begin_if_due(delivery::EventLoop& loop, core::Millis age) {
    if (limits_.interval.count() == 0) return;
    const core::SteadyTime now = clock_.steady();
    const bool begins = state_.with([&](State& state) {
        const core::SteadyTime due =
            state.ended + std::max<core::SteadyTime::duration>(age, kRest * state.spent);
        if (state.going_on || (state.begun && now < due)) return false;
        state.going_on = state.begun = true;
        return true;
    });
    if (!begins) return;
    go_on(std::make_shared<Sweep>(loop));
}

bool BacklogSweep::when_ended(std::function<void()> function) {
    return state_.with([&](State& state) {
        if (state.going_on) state.waiting.push_back(std::move(function));
        return state.going_on;
    });
}

void BacklogSweep::go_on(const std::shared_ptr<Sweep>& sweep) {
    sweep->loop.reads().add(
        kOwner,
        [self = shared_from_this(), sweep] {
            const auto began = std::chrono::steady_clock::now();
            const auto is_over = [&] { return std::chrono::steady_clock::now() - began >= kSlice; };
            bool done = false;
            while (!(done = self->step(*sweep)) && !is_over()) {
            }
            sweep->spent += std::chrono::steady_clock::now() - began;
            if (done) return self->finish(*sweep, true);
            self->go_on(sweep);
        },
        [self = shared_from_this(), sweep] { self->finish(*sweep, false); });
}

bool BacklogSweep::read_ahead(Sweep& sweep) const {
    if (!sweep.more && sweep.of_holders) {
        sweep.of_holders = false;
        sweep.more = true;
        sweep.after.clear();
    }
    // Names that nobody holds a token for are looked at for as long as there is room for them.
    const bool full = sweep.findings->size() >= limits_.most_findings;
    if (!sweep.more || (!sweep.of_holders && full)) return false;
    sweep.agents.clear();
    sweep.next = 0;
    core::Budget budget({.count = kAgentsAhead});
    bool more = false;
    if (sweep.of_holders) {
        auto page = store_.list_holders(sweep.after, clock_.now(), budget);
        sweep.agents = std::move(page.entries);
        more = page.more;
    } else {
        auto page = store_.list_unclaimed(sweep.after, budget);
        for (core::AgentId& each : page.entries) {
            sweep.agents.push_back(store::HolderRecord{.agent = std::move(each)});
        }
        more = page.more;
    }
    sweep.more = more && !sweep.agents.empty();
    if (!sweep.agents.empty()) sweep.after = sweep.agents.back().agent.str();
    return true;
}

bool BacklogSweep::step(Sweep& sweep) const {
    if (!sweep.day_began) {
        const core::Timestamp day{clock_.now().ms - kDay.count()};
        const core::Seq first = store_.first_sent_at_or_after(day);
        sweep.day_began = core::Seq{std::max<std::uint64_t>(first.value, 1) - 1};
    }
    if (sweep.next == sweep.agents.size()) return !read_ahead(sweep);
    const store::HolderRecord& holder = sweep.agents[sweep.next];
    if (!sweep.read) sweep.read = mailbox_.count_unread(holder.agent);
    if (!mailbox_.go_on(*sweep.read)) return false;
    add(sweep, holder, *sweep.read);
    sweep.read.reset();
    ++sweep.next;
    return false;
}

void BacklogSweep::add(Sweep& sweep, const store::HolderRecord& holder,
                       const services::Mailbox::Read& read) const {
    const core::AgentId& agent = holder.agent;
    Figures& figures = sweep.figures;
    Finding found{.known = sweep.of_holders,
                  .observer = sweep.of_holders && holder.role == core::Role::observer,
                  .unread = services::Mailbox::counted(read),
                  .more = read.view.capped != core::Seq{},
                  .oldest = std::nullopt,
                  .of_channels = 0,
                  .broadcasts_after = {}};
    // The read has stopped before the first message that it would have shown.
    if (found.unread > 0) found.oldest = store_.sent_at(read.view.position.next());
    const bool kept = sweep.findings->size() < limits_.most_findings;
    if (sweep.of_holders) {
        ++figures.holders;
        if (kept) {
            const core::Timestamp now = clock_.now();
            core::Budget budget({.steps = kMostSubscriptions});
            const auto counts = store_.count_deliveries(agent.str(), *sweep.day_began, budget);
            found.broadcasts_after = counts.broadcasts_after;
            for (const auto& [channel, messages] : counts.channels) {
                const std::uint64_t own = analytics_.published_24h(agent.str(), channel.str(), now);
                found.of_channels += messages - std::min(messages, own);
            }
        }
    }
    if (sweep.of_holders && found.unread > 0) {
        figures.messages += found.unread;
        ++figures.mailboxes;
        if (found.oldest && (!figures.oldest || *found.oldest < *figures.oldest)) {
            figures.oldest = found.oldest;
        }
        auto& worst = figures.worst;
        if (worst.size() < kWorst || worst.back().second < found.unread) {
            const auto place = std::ranges::find_if(
                worst, [&](const auto& other) { return other.second < found.unread; });
            worst.emplace(place, agent.str(), found.unread);
            if (worst.size() > kWorst) worst.pop_back();
        }
    }
    // A name is there only while mail waits for it.
    if (kept && (sweep.of_holders || found.unread > 0)) {
        sweep.findings->emplace(agent.str(), std::move(found));
    }
}

void BacklogSweep::finish(Sweep& sweep, bool complete) {
    sweep.figures.made_at = clock_.steady();
    sweep.figures.findings = std::move(sweep.findings);
    const auto waiting = state_.with([&](State& state) {
        state.going_on = false;
        state.spent = sweep.spent;
        state.ended = sweep.figures.made_at;
        if (complete) state.last = std::move(sweep.figures);
        return std::exchange(state.waiting, {});
    });
    for (const auto& function : waiting) function();
}

}  // namespace agentcom::router

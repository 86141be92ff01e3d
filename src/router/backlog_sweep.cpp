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

}  // namespace

/// A pass over all mailboxes.
struct BacklogSweep::Sweep {
    explicit Sweep(delivery::EventLoop& on) : loop(on) {}

    delivery::EventLoop& loop;
    Figures figures;
    std::string after;  // the last agent that was read ahead
    bool more = true;   // others behind it
    std::vector<store::HolderRecord> agents;
    std::size_t next = 0;  // of them
    std::optional<services::Mailbox::Read> read;
    std::chrono::steady_clock::duration spent{};
};

std::optional<BacklogSweep::Figures> BacklogSweep::last() const {
    return state_.with([](const State& state) { return state.last; });
}

void BacklogSweep::begin_if_due(delivery::EventLoop& loop) {
    if (interval_.count() == 0) return;
    const core::SteadyTime now = clock_.steady();
    const bool begins = state_.with([&](State& state) {
        if (state.going_on || now < state.next) return false;
        state.going_on = true;
        return true;
    });
    if (!begins) return;
    go_on(std::make_shared<Sweep>(loop));
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

bool BacklogSweep::step(Sweep& sweep) const {
    if (sweep.next == sweep.agents.size()) {
        if (!sweep.more) return true;
        core::Budget budget({.count = kAgentsAhead});
        auto page = store_.list_holders(sweep.after, clock_.now(), budget);
        sweep.agents = std::move(page.entries);
        sweep.next = 0;
        sweep.more = page.more && !sweep.agents.empty();
        if (!sweep.agents.empty()) sweep.after = sweep.agents.back().agent.str();
        return false;
    }
    const core::AgentId& agent = sweep.agents[sweep.next].agent;
    if (!sweep.read) sweep.read = mailbox_.count_unread(agent);
    if (!mailbox_.go_on(*sweep.read)) return false;
    add(sweep.figures, agent, services::Mailbox::counted(*sweep.read));
    sweep.read.reset();
    ++sweep.next;
    return false;
}

void BacklogSweep::add(Figures& figures, const core::AgentId& agent, std::uint64_t unread) {
    if (unread == 0) return;
    figures.messages += unread;
    ++figures.mailboxes;
    auto& worst = figures.worst;
    if (worst.size() == kWorst && worst.back().second >= unread) return;
    const auto place =
        std::ranges::find_if(worst, [unread](const auto& other) { return other.second < unread; });
    worst.emplace(place, agent.str(), unread);
    if (worst.size() > kWorst) worst.pop_back();
}

void BacklogSweep::finish(Sweep& sweep, bool complete) {
    sweep.figures.made_at = clock_.steady();
    state_.with([&](State& state) {
        state.going_on = false;
        state.next = sweep.figures.made_at +
                     std::max<core::SteadyTime::duration>(interval_, kRest * sweep.spent);
        if (complete) state.last = std::move(sweep.figures);
    });
}

}  // namespace agentcom::router

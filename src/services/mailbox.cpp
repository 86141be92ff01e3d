#include "agentcom/services/mailbox.hpp"

#include <algorithm>
#include <utility>

namespace agentcom::services {

Mailbox::ReadPosition Mailbox::begin_live(const core::AgentId& agent, core::Seq settled,
                                          core::Seq after, bool reads) {
    auto position = std::make_shared<std::atomic<std::uint64_t>>(after.value);
    state_.with([&](State& state) {
        Entry& entry = state[agent];
        if (entry.live) entry.replaced.push_back(std::move(*entry.live));
        entry.live = Live{settled, after, position, reads, after.value};
    });
    return position;
}

Mailbox::ReadPosition Mailbox::begin_stream(const core::AgentId& agent, core::Seq settled,
                                            core::Seq after) {
    auto position = std::make_shared<std::atomic<std::uint64_t>>(after.value);
    state_.with([&](State& state) {
        state[agent].replaced.push_back(Live{settled, after, position, false, after.value});
    });
    return position;
}

std::optional<store::MarkRead> Mailbox::end_live(const core::AgentId& agent,
                                                 const ReadPosition& position) {
    return state_.with([&](State& state) -> std::optional<store::MarkRead> {
        const auto found = state.find(agent);
        if (found == state.end()) return std::nullopt;
        Entry& entry = found->second;
        std::optional<Live> ended;
        if (entry.live && entry.live->position == position) {
            ended = std::exchange(entry.live, std::nullopt);
        } else {
            const auto older = std::ranges::find(entry.replaced, position, &Live::position);
            if (older == entry.replaced.end()) return std::nullopt;
            ended = std::move(*older);
            entry.replaced.erase(older);
        }
        const store::ReadSpan span = ended->written();
        // What was handed out for storing may not be committed yet, so it is stored again.
        if (!ended->reads || span.up_to <= span.after) {
            if (!ended->reads && span.up_to > ended->acked) {
                add_shown(entry, {core::Seq{}, ended->settled});
                add_shown(entry, span);
            }
            forget_if_over(state, found);
            return std::nullopt;
        }
        entry.ending.push_back(span);
        return store::MarkRead{agent, span};
    });
}

void Mailbox::stored(const core::AgentId& agent) {
    state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found == state.end() || found->second.ending.empty()) return;
        // Commits come in the order of the submissions.
        found->second.ending.erase(found->second.ending.begin());
        forget_if_over(state, found);
    });
}

void Mailbox::forget_if_over(State& state, State::iterator entry) {
    const Entry& what = entry->second;
    if (!what.live && what.replaced.empty() && what.ending.empty() && what.shown.empty() &&
        what.storing.empty()) {
        state.erase(entry);
    }
}

void Mailbox::add_shown(Entry& entry, store::ReadSpan span) {
    store::add_span(entry.shown, span);
    if (entry.shown.size() > kMaxShown) entry.shown.erase(entry.shown.begin());
}

std::vector<store::ReadSpan> Mailbox::known(const Entry& entry) {
    std::vector<store::ReadSpan> known = entry.shown;
    known.insert(known.end(), entry.storing.begin(), entry.storing.end());
    known.insert(known.end(), entry.ending.begin(), entry.ending.end());
    const auto add = [&](const Live& live) {
        known.push_back({core::Seq{}, live.settled});
        known.push_back(live.written());
    };
    for (const Live& older : entry.replaced) add(older);
    if (entry.live) add(*entry.live);
    return known;
}

std::vector<store::MarkRead> Mailbox::take_unstored() {
    std::vector<store::MarkRead> marks;
    state_.with([&](State& state) {
        for (auto& [agent, entry] : state) {
            if (!entry.live || !entry.live->reads) continue;
            const std::uint64_t now = entry.live->position->load();
            if (now <= entry.live->stored) continue;
            entry.live->stored = now;
            marks.push_back(store::MarkRead{agent, {entry.live->after, core::Seq{now}}});
        }
    });
    return marks;
}

std::vector<store::MarkRead> Mailbox::must_store_first(const core::AgentId& agent) const {
    return state_.with([&](const State& state) {
        std::vector<store::MarkRead> marks;
        const auto found = state.find(agent);
        if (found == state.end()) return marks;
        for (const store::ReadSpan& span : found->second.ending) marks.push_back({agent, span});
        for (const Live& older : found->second.replaced) {
            const store::ReadSpan read = older.written();
            if (older.reads && read.up_to > read.after) marks.push_back({agent, read});
        }
        return marks;
    });
}

bool Mailbox::show(const core::AgentId& agent, store::ReadSpan stretch,
                   const store::Spans& stored) {
    if (stretch.up_to <= stretch.after || store::covers(stored, stretch)) return false;
    return state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found != state.end()) {
            store::Spans all = stored;
            store::add_spans(all, known(found->second));
            if (store::covers(all, stretch)) return false;
        }
        add_shown(found != state.end() ? found->second : state[agent], stretch);
        return true;
    });
}

std::vector<store::MarkShown> Mailbox::take_shown() {
    std::vector<store::MarkShown> marks;
    state_.with([&](State& state) {
        for (auto& [agent, entry] : state) {
            if (entry.shown.empty() || !entry.storing.empty()) continue;
            entry.storing = std::exchange(entry.shown, {});
            marks.push_back(store::MarkShown{agent, entry.storing});
        }
    });
    return marks;
}

void Mailbox::stored_shown(const core::AgentId& agent) {
    state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found == state.end()) return;
        found->second.storing.clear();
        forget_if_over(state, found);
    });
}

store::AckMailbox Mailbox::acknowledge(const core::AgentId& agent, core::Seq up_to) {
    store::AckMailbox ack{agent, up_to};
    state_.with([&](State& state) {
        const auto found = state.find(agent);
        if (found == state.end()) return;
        Entry& entry = found->second;
        ack.shown = known(entry);
        store::drop_up_to(entry.shown, up_to);
        if (entry.live) {
            const core::Seq written{entry.live->position->load()};
            entry.live->acked = std::max(entry.live->acked, std::min(up_to, written));
        }
        forget_if_over(state, found);
    });
    return ack;
}

Mailbox::Read Mailbox::poll(const core::AgentId& agent, core::Seq since,
                            core::PageLimit limit) const {
    limit.count = std::min(limit.count, bounds_.count);
    Read read{
        .query = {.agent = agent, .since = since, .cap = bounds_.count, .max_bytes = bounds_.bytes},
        .budget = core::Budget(limit)};
    state_.with([&](const State& state) {
        const auto found = state.find(agent);
        if (found == state.end() || !found->second.live) return;
        const Live& live = *found->second.live;
        if (live.reads) read.query.live = live.written();
    });
    return read;
}

Mailbox::Read Mailbox::backlog_start(const core::AgentId& agent, core::Seq up_to) const {
    return {
        .query = {.agent = agent, .up_to = up_to, .cap = bounds_.count, .max_bytes = bounds_.bytes},
        .budget = core::Budget({.count = 0})};
}

Mailbox::Read Mailbox::first_unread(const core::AgentId& agent, core::Seq up_to) const {
    return {.query = {.agent = agent, .up_to = up_to, .cap = core::kUnbounded},
            .budget = core::Budget({.count = 0})};
}

Mailbox::Read Mailbox::count_unread(const core::AgentId& agent) const {
    Read read = poll(agent, core::Seq{}, {.count = 0});
    read.query.max_bytes = core::kUnbounded;
    return read;
}

std::uint64_t Mailbox::counted(const Read& complete) noexcept {
    const bool capped = complete.view.capped != core::Seq{};
    return capped ? complete.query.cap : complete.view.counted;
}

store::MailboxView Mailbox::stretch(const core::AgentId& agent, core::Seq since, core::Seq up_to,
                                    core::PageLimit limit) const {
    Read read{.query = {.agent = agent, .since = since, .up_to = up_to, .cap = core::kUnbounded},
              .budget = core::Budget(limit)};
    (void)go_on(read);
    return std::move(read.view);
}

bool Mailbox::go_on(Read& read, const store::MessageVisitor& visit) const {
    read.budget.next_turn();
    store_.read_mailbox(read.query, read.budget, read.view, visit);
    return read.view.complete();
}

}  // namespace agentcom::services

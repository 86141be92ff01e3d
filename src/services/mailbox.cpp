#include "agentcom/services/mailbox.hpp"

#include <algorithm>
#include <utility>

namespace agentcom::services {

Mailbox::ReadPosition Mailbox::begin_live(const core::AgentId& agent, core::Seq after) {
    auto position = std::make_shared<std::atomic<std::uint64_t>>(after.value);
    state_.with([&](State& state) {
        Entry& entry = state[agent];
        if (entry.live) entry.replaced.push_back(std::move(*entry.live));
        entry.live = Live{after, position, after.value};
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
        const store::ReadSpan span{ended->after, core::Seq{position->load()}};
        // What was handed out for storing may not be committed yet, so it is stored again.
        if (span.up_to <= span.after) {
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
    if (!what.live && what.replaced.empty() && what.ending.empty()) state.erase(entry);
}

std::vector<store::MarkRead> Mailbox::take_unstored() {
    std::vector<store::MarkRead> marks;
    state_.with([&](State& state) {
        for (auto& [agent, entry] : state) {
            if (!entry.live) continue;
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
            const core::Seq read{older.position->load()};
            if (read > older.after) marks.push_back({agent, {older.after, read}});
        }
        return marks;
    });
}

Mailbox::Read Mailbox::poll(const core::AgentId& agent, core::Seq since,
                            core::PageLimit limit) const {
    limit.count = std::min(limit.count, cap_);
    Read read{.query = {.agent = agent, .since = since, .cap = cap_},
              .budget = core::Budget(limit)};
    state_.with([&](const State& state) {
        const auto found = state.find(agent);
        if (found == state.end() || !found->second.live) return;
        const Live& live = *found->second.live;
        read.query.live = store::ReadSpan{live.after, core::Seq{live.position->load()}};
    });
    return read;
}

Mailbox::Read Mailbox::backlog_start(const core::AgentId& agent, core::Seq up_to) const {
    return {.query = {.agent = agent, .up_to = up_to, .cap = cap_},
            .budget = core::Budget({.count = 0})};
}

store::MailboxView Mailbox::stretch(const core::AgentId& agent, core::Seq since, core::Seq up_to,
                                    core::PageLimit limit) const {
    Read read{.query = {.agent = agent, .since = since, .up_to = up_to, .cap = core::kUnbounded},
              .budget = core::Budget(limit)};
    (void)go_on(read);
    return std::move(read.view);
}

bool Mailbox::go_on(Read& read) const {
    read.budget.next_turn();
    store_.read_mailbox(read.query, read.budget, read.view);
    return read.view.complete();
}

}  // namespace agentcom::services

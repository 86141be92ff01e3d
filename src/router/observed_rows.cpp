#include "router/observed_rows.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <utility>

#include "agentcom/services/alarms.hpp"

namespace agentcom::router {

namespace {

using protocol::AgentState;
using protocol::ObservedAgent;

/// Only that an agent was seen again is not worth a row before this.
constexpr core::Millis kSeenAgain{10'000};
constexpr std::size_t kRowsOfStep = 256;

/// Whether somebody who looks at the row would see the difference soon enough.
bool is_news(const std::optional<core::Timestamp>& now, core::Timestamp told) {
    return now ? now->ms < told.ms || now->ms - told.ms >= kSeenAgain.count() : told.ms != 0;
}

/// An observer, or a person who only came by a browser: what is sent to everyone waits for them,
/// too.
bool only_looks(const services::AgentActivity& activity, const services::Roster::Glance& glance,
                const BacklogSweep::Finding* finding) {
    if (finding != nullptr && finding->observer) return true;
    return glance.browsed && glance.last_seen.ms == 0 && !activity.connected && !activity.last_seen;
}

}  // namespace

ObservedRows::Row& ObservedRows::row(std::string_view agent) {
    const auto found = rows_.find(agent);
    if (found != rows_.end()) return found->second;
    Row& row = rows_[std::string(agent)];
    row.now.agent = row.now.name = agent;
    return row;
}

void ObservedRows::begin_pass(std::shared_ptr<const BacklogSweep::Findings> findings,
                              core::Timestamp now, core::SteadyTime steady) {
    ++pass_;
    time_ = now;
    polls_within_ = polls_within(sources_.settings);
    findings_ = std::move(findings);
    const std::int64_t minute = steady.time_since_epoch() / std::chrono::minutes(1);
    new_minute_ = std::exchange(minute_, minute) != minute;
    counting_ = {};
    going_.clear();
    stage_ = Stage::active;
    part_ = 0;
    const services::Presence::Page changes = sources_.presence.changed_since(presence_version_);
    presence_version_ = changes.version;
    for (const services::PresentAgent& present : changes.agents) {
        Row& changed = row(present.agent.str());
        describe_row(changed.now, present.profile);
        changed.profiled = true;
        changed.dirty = true;
    }
}

bool ObservedRows::step() {
    switch (stage_) {
        case Stage::active:
            if (!step_active()) return false;
            stage_ = Stage::found;
            if (findings_) finding_ = findings_->begin();
            return false;
        case Stage::found:
            if (!step_found()) return false;
            stage_ = Stage::settle;
            at_ = rows_.begin();
            return false;
        case Stage::settle:
            if (!step_settle()) return false;
            finish();
            stage_ = Stage::over;
            return true;
        case Stage::over:
            return true;
    }
    return true;
}

bool ObservedRows::step_active() {
    for (const services::AgentActivity& activity : sources_.analytics.part(part_, time_)) {
        const bool found = findings_ && findings_->contains(activity.agent);
        // A name that somebody has written to is shown while mail is found there.
        if (!activity.acted && !found) continue;
        update(row(activity.agent), activity);
    }
    return ++part_ == services::Analytics::parts();
}

bool ObservedRows::step_found() {
    if (!findings_) return true;
    for (std::size_t i = 0; i < kRowsOfStep; ++i, ++finding_) {
        if (finding_ == findings_->end()) return true;
        Row& met = row(finding_->first);
        if (met.pass == pass_) continue;
        services::AgentActivity nothing;
        nothing.agent = finding_->first;
        update(met, nothing);
    }
    return false;
}

void ObservedRows::update(Row& row, const services::AgentActivity& activity) {
    row.pass = pass_;
    const services::Roster::Glance glance = sources_.roster.glance(row.now.agent);
    const BacklogSweep::Finding* finding = nullptr;
    if (findings_) {
        const auto found = findings_->find(row.now.agent);
        if (found != findings_->end()) finding = &found->second;
    }
    if (activity.connected) {
        row.connected = true;
    } else if (row.connected || !row.profiled || glance.version != row.roster_version) {
        row.connected = false;
        read_profile(row, glance);
    }
    const ObservedAgent before = row.now;
    fill_row(row.now, sources_, activity, glance, finding, time_, polls_within_);
    row.only_looks = only_looks(activity, glance, finding);
    const ObservedAgent& now = row.now;
    row.dirty = row.dirty || before.known != now.known || before.state != now.state ||
                before.connected_since != now.connected_since || before.sent_24h != now.sent_24h ||
                before.received_24h != now.received_24h || before.unread != now.unread ||
                before.unread_more != now.unread_more ||
                before.oldest_unread != now.oldest_unread ||
                before.connections != now.connections || is_news(now.last_seen, row.told_seen) ||
                is_news(now.last_read, row.told_read);
    note_unread(row);
}

void ObservedRows::read_profile(Row& row, const services::Roster::Glance& glance) {
    row.roster_version = glance.version;
    row.profiled = true;
    row.dirty = true;
    describe_row(row.now, sources_.roster.find(row.now.agent));
}

void ObservedRows::note_unread(Row& row) {
    if (!row.now.unread) return;
    if (new_minute_ || row.marks_used == 0) {
        if (row.marks_used == kMarks) {
            std::ranges::rotate(row.marks, row.marks.begin() + 1);
            --row.marks_used;
        }
        row.marks[row.marks_used++] = *row.now.unread;
    }
}

bool ObservedRows::step_settle() {
    for (std::size_t i = 0; i < kRowsOfStep; ++i) {
        if (at_ == rows_.end()) return true;
        if (at_->second.pass != pass_) {
            if (!at_->second.text.empty()) going_.push_back(at_->first);
            at_ = rows_.erase(at_);
            continue;
        }
        settle(at_->second);
        ++at_;
    }
    return false;
}

void ObservedRows::settle(Row& row) {
    const ObservedAgent& now = row.now;
    row.changed = false;
    if (std::exchange(row.dirty, false) && !row.hidden) encode(row);
    if (now.known) {
        switch (now.state) {
            case AgentState::working:
                ++counting_.working;
                break;
            case AgentState::idle:
                ++counting_.idle;
                break;
            case AgentState::polling:
                ++counting_.polling;
                break;
            case AgentState::offline:
                ++counting_.offline;
                break;
        }
    }
    const std::uint64_t unread = now.unread.value_or(0);
    const std::int64_t long_ago = time_.ms - services::kTooLongUnread.count();
    if (now.known && !row.only_looks && unread > 0 && now.oldest_unread &&
        now.oldest_unread->ms <= long_ago && (!now.last_read || now.last_read->ms <= long_ago)) {
        ++counting_.not_reading_count;
        if (counting_.not_reading.size() < services::kMostNamed) {
            counting_.not_reading.push_back(now.agent);
        }
    }
    if (row.marks_used == 0 || unread <= row.marks.front()) return;
    auto& growing = counting_.growing;
    const std::uint64_t grew = unread - row.marks.front();
    if (growing.size() == kMostGrowing && growing.back().grew >= grew) return;
    const auto place = std::ranges::find_if(
        growing, [grew](const protocol::GrowingMailbox& other) { return other.grew < grew; });
    growing.insert(place, {now.agent, unread, grew});
    if (growing.size() > kMostGrowing) growing.pop_back();
}

void ObservedRows::limit_rows() {
    // With room for all, those that were left out come back by what follows, too.
    if (rows_.size() <= most_ && counts_.left_out == 0) return;
    // Online agents, then those who were seen last; names that nobody holds last of all.
    using Order = std::pair<std::int64_t, Row*>;
    std::vector<Order> order;
    order.reserve(rows_.size());
    for (auto& [agent, row] : rows_) {
        const bool online = row.now.state != AgentState::offline;
        const std::int64_t seen =
            row.now.last_seen ? row.now.last_seen->ms : (row.now.known ? 0 : -1);
        order.emplace_back(online ? std::numeric_limits<std::int64_t>::max() : seen, &row);
    }
    const auto shown_rows =
        static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(most_, order.size()));
    const auto end = order.begin() + shown_rows;
    if (end != order.end()) std::ranges::nth_element(order, end, std::greater<>());
    for (auto left = end; left != order.end(); ++left) {
        Row& row = *left->second;
        ++counting_.left_out;
        if (std::exchange(row.hidden, true)) continue;
        going_.push_back(row.now.agent);
        row.text.clear();
        row.text.shrink_to_fit();
    }
    for (auto shown = order.begin(); shown != end; ++shown) {
        Row& row = *shown->second;
        if (std::exchange(row.hidden, false)) encode(row);
    }
}

void ObservedRows::encode(Row& row) {
    row.text.clear();
    protocol::encode_observed_agent(row.now, row.text);
    row.told_seen = row.now.last_seen.value_or(core::Timestamp{});
    row.told_read = row.now.last_read.value_or(core::Timestamp{});
    row.changed = true;
}

void ObservedRows::finish() {
    limit_rows();
    counts_ = std::move(counting_);
    gone_ = std::move(going_);
}

std::vector<std::string_view> ObservedRows::changed() const {
    std::vector<std::string_view> texts;
    for (const auto& [agent, row] : rows_) {
        if (row.changed && !row.text.empty()) texts.push_back(row.text);
    }
    return texts;
}

std::vector<std::string_view> ObservedRows::all() const {
    std::vector<std::string_view> texts;
    texts.reserve(rows_.size());
    for (const auto& [agent, row] : rows_) {
        if (!row.text.empty()) texts.push_back(row.text);
    }
    return texts;
}

void ObservedRows::clear() {
    rows_.clear();
    rows_.rehash(0);
    findings_.reset();
    presence_version_ = 0;
    counts_ = {};
    gone_.clear();
    stage_ = Stage::over;
}

}  // namespace agentcom::router

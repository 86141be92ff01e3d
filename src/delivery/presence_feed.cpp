#include "agentcom/delivery/presence_feed.hpp"

#include <algorithm>
#include <utility>

#include "delivery/presence_log.hpp"

namespace agentcom::delivery {

namespace {

/// A session is told more when less than this waits for it to be written. What it is told then is
/// bounded, too, so that presence never makes a slow consumer of it.
constexpr std::size_t kLowWater = std::size_t{64} << 10;
/// Pages of the list of who is online that are kept for others who ask for the same.
constexpr std::size_t kKeptPages = 32;

bool has_room(Session& session) {
    const Outbox& outbox = session.outbox();
    const OutboxLimits& limits = outbox.limits();
    return outbox.empty() || (outbox.bytes() < std::min(kLowWater, limits.max_bytes / 4) &&
                              outbox.frames() < limits.max_frames / 2);
}

}  // namespace

PresenceFeed::PresenceFeed(Faults& faults, OutputBudget* budget)
    : faults_(faults), budget_(budget), log_(std::make_unique<PresenceLog>(budget)) {}
PresenceFeed::~PresenceFeed() = default;

bool PresenceFeed::would_make_void(const PresenceChange& change) const {
    return has_work() && log_->keeps(change.agent);
}

void PresenceFeed::add(PresenceChangePtr change) {
    log_->add(std::move(change));
    head_ = log_->head();
}

void PresenceFeed::watch(Session& session, std::uint64_t version) {
    // So that moving from one list to the other needs no memory.
    watchers_.reserve(watchers() + 1);
    stalled_.reserve(watchers() + 1);
    session.listing.presence_seen = version;
    session.listing.watching = true;
    session.listing.feed = this;
    watchers_.add(session, 0, version < head_);
}

void PresenceFeed::unwatch(Session& session) noexcept {
    if (!std::exchange(session.listing.watching, false)) return;
    auto& list = session.listing.stalled ? stalled_ : watchers_;
    list.remove(session.listing.watcher_place);
    session.listing.stalled = false;
    session.listing.feed = nullptr;
    in_snapshot_.erase(&session);
}

bool PresenceFeed::has_work() const noexcept { return watchers_.in_pass() || target_ < head_; }

void PresenceFeed::work(Slice& slice) {
    if (slice.sessions == 0 || slice.bytes == 0) return;
    if (!watchers_.in_pass() && target_ < head_) {
        target_ = head_;
        watchers_.begin_pass();
    }
    for (; slice.sessions > 0 && slice.bytes > 0; --slice.sessions) {
        Session* session = watchers_.next();
        if (session == nullptr) return;
        given_ = 0;
        tell(*session, target_);
        slice.bytes -= std::min(slice.bytes, given_);
    }
}

void PresenceFeed::tell(Session& session, std::uint64_t limit) noexcept {
    if (session.listing.stalled || session.closing()) return;
    bool told = false;
    const bool well = faults_.guard("presence update", [&] { told = give(session, limit); });
    if (!well) {
        faults_.guard("closing of a session",
                      [&] { session.close(protocol::CloseCode::internal_error); });
    } else if (!told) {
        stall(session);
    }
}

bool PresenceFeed::give(Session& session, std::uint64_t limit) {
    std::uint64_t& seen = session.listing.presence_seen;
    while (seen < limit && !session.closing()) {
        if (!has_room(session)) return false;
        if (seen < log_->floor()) {
            give_page(session);
            continue;
        }
        const PresenceLog::Stretch& stretch = log_->stretch(session.framing(), seen, limit);
        const auto untold = log_->untold(session.identity()->agent);
        std::size_t given = 0;
        // Around what is about the agent itself, which at most two frames are.
        for (std::size_t i = 0; i < stretch.frames.size() && (untold[0] | untold[1]) != 0; ++i) {
            const auto& [version, end] = stretch.frames[i];
            if (version != untold[0] && version != untold[1]) continue;
            const std::size_t begin = i == 0 ? 0 : stretch.frames[i - 1].second;
            if (begin > given) give_part(session, stretch.bytes, given, begin);
            given = end;
        }
        const std::size_t end = stretch.bytes->size();
        if (given < end) give_part(session, stretch.bytes, given, end);
        seen = stretch.to;
    }
    return true;
}

void PresenceFeed::give_part(Session& session, const SharedBytes& bytes, std::size_t begin,
                             std::size_t end) {
    session.push_part(bytes, std::string_view(*bytes).substr(begin, end - begin));
    given_ += end - begin;
}

void PresenceFeed::give_page(Session& session) {
    if (!source_) {
        session.listing.presence_seen = log_->floor();
        return;
    }
    Progress& progress = in_snapshot_[&session];
    const bool first = progress.version == 0;
    // A page that others were given serves when nothing it lacks has left the log.
    KeptPage& kept = page(progress.after, first ? log_->floor() : progress.version);
    if (first) progress.version = kept.page.version;
    session.push(kept.event.in(session.framing(), {}, budget_,
                               [&]() -> std::string_view { return kept.page.text; }));
    given_ += kept.page.text.size();
    if (!kept.page.next.empty()) {
        progress.after = kept.page.next;
        return;
    }
    session.listing.presence_seen = progress.version;
    in_snapshot_.erase(&session);
}

PresenceFeed::KeptPage& PresenceFeed::page(const std::string& after, std::uint64_t version) {
    const auto found = std::ranges::find(pages_, after, &KeptPage::after);
    if (found != pages_.end() && found->page.version >= version) return *found;
    KeptPage made{after, source_(after), {}};
    if (found != pages_.end()) return *found = std::move(made);
    if (pages_.size() < kKeptPages) return pages_.emplace_back(std::move(made));
    return pages_[next_page_++ % kKeptPages] = std::move(made);
}

void PresenceFeed::stall(Session& session) noexcept {
    watchers_.remove(session.listing.watcher_place);
    session.listing.stalled = true;
    stalled_.add(session);
}

void PresenceFeed::on_room(Session& session) noexcept {
    if (!session.listing.stalled || !has_room(session)) return;
    stalled_.remove(session.listing.watcher_place);
    session.listing.stalled = false;
    watchers_.add(session, 0, true);
}

void PresenceFeed::tick() {
    log_->tick();
    head_ = log_->head();
    pages_.clear();
    next_page_ = 0;
}

}  // namespace agentcom::delivery

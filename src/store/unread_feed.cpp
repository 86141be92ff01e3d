#include "store/unread_feed.hpp"

#include <algorithm>
#include <functional>

namespace agentcom::store {

bool Reading::is_own(core::Seq seq) {
    if (seq >= first_of_log_) {
        // The list of what the agent sent is walked alongside, which costs less than a look at the
        // message.
        if (!sent_) sent_.emplace(txn_, Feed::from_agent, agent_);
        return sent_->find(seq);
    }
    // Of a message that retention has taken, the mark is all that is known; it errs for one pair of
    // senders in half a million.
    const auto record = log_.read(seq).record;
    return !record || record->from == agent_;
}

UnreadFeed::UnreadFeed(Reading& reading, Feed feed, std::string_view owner, const Spans* read,
                       bool others_only)
    : reading_(&reading),
      feed_(feed),
      owner_(owner),
      list_(std::in_place, reading.txn(), feed, owner),
      read_(read),
      others_only_(others_only) {}

UnreadFeed::UnreadFeed(Reading& reading, const std::vector<std::uint64_t>& seqs)
    : reading_(&reading), plain_(&seqs) {}

const ReadSpan* UnreadFeed::hole() {
    const core::Seq seq = list_->seq();
    if (read_ != nullptr) {
        if (const ReadSpan* span = span_of(*read_, seq)) {
            finish();
            return span;
        }
    }
    if (!others_only_ || mark_of(list_->entry()) != reading_->mark()) return nullptr;
    if (!own_runs_) own_runs_ = reading_->notes().own_runs(reading_->agent(), feed_, owner_);
    const ReadSpan* run = span_of(*own_runs_, seq);
    if (run != nullptr) extend_run(run->after.next(), run->up_to, 0);
    return run;
}

bool UnreadFeed::settle_forward(bool found) {
    while (found) {
        const ReadSpan* jump = hole();
        if (jump == nullptr) return true;
        found = list_->at_or_after(jump->up_to.next());
    }
    return false;
}

bool UnreadFeed::settle_backward(bool found) {
    while (found) {
        const ReadSpan* jump = hole();
        if (jump == nullptr) return true;
        found = list_->at_or_before(jump->after);
    }
    return false;
}

bool UnreadFeed::first_after(core::Seq seq) {
    if (list_) return settle_forward(list_->at_or_after(seq.next()));
    const auto found = std::upper_bound(plain_->begin(), plain_->end(), seq.value);
    index_ = static_cast<std::size_t>(found - plain_->begin());
    return found != plain_->end();
}

bool UnreadFeed::last_up_to(core::Seq seq) {
    if (list_) {
        return settle_backward(seq.value >= core::kMaxSeq ? list_->last()
                                                          : list_->at_or_before(seq));
    }
    const auto found = std::upper_bound(plain_->begin(), plain_->end(), seq.value);
    if (found == plain_->begin()) return false;
    index_ = static_cast<std::size_t>(found - plain_->begin()) - 1;
    return true;
}

bool UnreadFeed::next() {
    if (list_) return settle_forward(list_->next());
    return ++index_ < plain_->size();
}

bool UnreadFeed::previous() {
    if (list_) return settle_backward(list_->previous());
    if (index_ == 0) return false;
    --index_;
    return true;
}

bool UnreadFeed::is_own() {
    if (!others_only_) return false;
    const Entry entry = list_->entry();
    if (mark_of(entry) == reading_->mark() && reading_->is_own(seq_of(entry))) {
        extend_run(seq_of(entry), seq_of(entry), 1);
        return true;
    }
    finish();
    return false;
}

void UnreadFeed::extend_run(core::Seq from, core::Seq to, std::uint64_t entries) noexcept {
    run_from_ = in_run_ ? std::min(run_from_, from) : from;
    run_to_ = in_run_ ? std::max(run_to_, to) : to;
    in_run_ = true;
    run_ += entries;
}

void UnreadFeed::finish() {
    if (in_run_ && run_ >= ReadNotes::kMinRun) {
        const ReadSpan run{core::Seq{run_from_.value - 1},
                           std::min(run_to_, reading_->committed())};
        if (run.after < run.up_to) {
            reading_->notes().add_own_run(reading_->agent(), feed_, owner_, run);
            own_runs_.reset();
        }
    }
    in_run_ = false;
    run_ = 0;
}

UnreadMerge::UnreadMerge(std::vector<UnreadFeed> feeds) : feeds_(std::move(feeds)) {
    heap_.reserve(feeds_.size());
    for (std::size_t i = 0; i < feeds_.size(); ++i) {
        UnreadFeed& feed = feeds_[i];
        if (feed.first_after(feed.after) && feed.seq() <= feed.up_to) {
            heap_.emplace_back(feed.seq().value, i);
        }
    }
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
}

bool UnreadMerge::take_smallest() {
    if (standing_ && (heap_.empty() || seq().value < heap_.front().first)) return true;
    if (heap_.empty()) return false;
    const std::size_t smallest = heap_.front().second;
    std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
    heap_.pop_back();
    if (standing_) {
        heap_.emplace_back(seq().value, current_);
        std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    }
    current_ = smallest;
    standing_ = true;
    return true;
}

UnreadMerge::Found UnreadMerge::next(core::Budget& budget) {
    while (take_smallest()) {
        if (!budget.step()) return Found::out_of_steps;
        if (!feeds_[current_].is_own()) return Found::message;
        advance();
    }
    return Found::end;
}

void UnreadMerge::advance() {
    UnreadFeed& feed = feeds_[current_];
    standing_ = feed.next() && feed.seq() <= feed.up_to;
}

void UnreadMerge::finish() {
    for (UnreadFeed& feed : feeds_) feed.finish();
}

}  // namespace agentcom::store

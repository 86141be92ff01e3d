#include "agentcom/delivery/read_queue.hpp"

#include <iterator>

namespace agentcom::delivery {

ReadQueue::Ring::iterator ReadQueue::find(std::string_view owner) {
    const auto found = names_.find(owner);
    if (found != names_.end()) return found->second;
    in_turn_.push_back({std::string(owner), {}});
    const auto last = std::prev(in_turn_.end());
    try {
        names_.emplace(last->name, last);
    } catch (...) {
        in_turn_.pop_back();
        throw;
    }
    return last;
}

void ReadQueue::drop_if_idle(Ring::iterator owner) noexcept {
    if (!owner->reads.empty()) return;
    names_.erase(owner->name);
    in_turn_.erase(owner);
}

void ReadQueue::add(std::string_view owner, std::function<void()> read,
                    std::function<void()> failed) {
    const auto its = find(owner);
    try {
        its->reads.push_back({std::move(read), std::move(failed)});
    } catch (...) {
        drop_if_idle(its);
        throw;
    }
    ++waiting_;
}

void ReadQueue::go_on(std::string_view owner, std::function<void()> read,
                      std::function<void()> failed) {
    const auto its = find(owner);
    try {
        its->reads.push_front({std::move(read), std::move(failed)});
    } catch (...) {
        drop_if_idle(its);
        throw;
    }
    ++waiting_;
}

void ReadQueue::work() noexcept {
    do {
        run_next();
    } while (waiting_ > 0 && spent_ < kTimeOfTurn);
}

void ReadQueue::run_next() noexcept {
    if (waiting_ == 0) return;
    const auto owner = in_turn_.begin();
    const Read read = std::move(owner->reads.front());
    owner->reads.pop_front();
    --waiting_;
    // Moved before it runs: what it adds of its own comes after the others.
    in_turn_.splice(in_turn_.end(), in_turn_, owner);
    drop_if_idle(owner);
    const Stopwatch watch(spent_);
    if (!faults_.guard("read", read.run)) faults_.guard("failed read", read.failed);
}

}  // namespace agentcom::delivery

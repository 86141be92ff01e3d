#include "agentcom/delivery/read_queue.hpp"

namespace agentcom::delivery {

std::deque<ReadQueue::Read>& ReadQueue::reads_of(std::string_view owner) {
    const auto found = owners_.find(owner);
    if (found != owners_.end()) return found->second;
    in_turn_.emplace_back(owner);
    try {
        return owners_.emplace(std::string(owner), std::deque<Read>()).first->second;
    } catch (...) {
        in_turn_.pop_back();
        throw;
    }
}

void ReadQueue::add(std::string_view owner, std::function<void()> read,
                    std::function<void()> failed) {
    reads_of(owner).push_back({std::move(read), std::move(failed)});
    ++waiting_;
}

void ReadQueue::go_on(std::string_view owner, std::function<void()> read,
                      std::function<void()> failed) {
    reads_of(owner).push_front({std::move(read), std::move(failed)});
    ++waiting_;
}

void ReadQueue::work() {
    do {
        run_next();
    } while (waiting_ > 0 && spent_ < kTimeOfTurn);
}

void ReadQueue::run_next() {
    if (waiting_ == 0) return;
    std::string owner = std::move(in_turn_.front());
    in_turn_.pop_front();
    const auto found = owners_.find(owner);
    if (found->second.empty()) {  // its first read could not be added
        owners_.erase(found);
        return;
    }
    Read read = std::move(found->second.front());
    found->second.pop_front();
    --waiting_;
    if (found->second.empty()) {
        owners_.erase(found);
    } else {
        in_turn_.push_back(std::move(owner));
    }
    const Stopwatch watch(spent_);
    if (!faults_.guard("read", [&] { read.run(); })) faults_.guard("failed read", read.failed);
}

}  // namespace agentcom::delivery

#include "app/loop_pulse.hpp"

namespace agentcom::app {

bool LoopPulse::beats() {
    while (answered_.size() < loops_.size()) {
        answered_.push_back(std::make_shared<std::atomic<bool>>(true));
    }
    bool all = true;
    for (std::size_t index = 0; index < loops_.size(); ++index) {
        const auto& answered = answered_[index];
        // To a loop that stands still nothing more is posted, or that would grow.
        if (!answered->exchange(false)) {
            all = false;
            continue;
        }
        loops_[index].post([answered] { answered->store(true); });
    }
    return all;
}

}  // namespace agentcom::app

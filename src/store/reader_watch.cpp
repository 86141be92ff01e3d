#include "store/reader_watch.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

namespace agentcom::store {
namespace {

constexpr std::chrono::seconds kLookInterval{1};
constexpr std::chrono::minutes kWarningInterval{1};
// A read of the hub itself takes milliseconds. A copy of the store may well take seconds on a busy
// hub, and then the room it pins is worth a line.
constexpr std::uint64_t kLateTransactions = 1'000;
constexpr std::uint64_t kLateTransactionsWhenHeld = 100;
constexpr std::chrono::seconds kHeld{2};

}  // namespace

const ReaderWatch::Finding& ReaderWatch::look() {
    const core::SteadyTime now = clock_.steady();
    if (now < next_look_) return last_;
    next_look_ = now + kLookInterval;
    if (const auto dead = env_.clear_dead_readers(); dead > 0) {
        spdlog::info("cleared {} readers of the store whose processes are gone", dead);
    }
    const OldestReader before = last_.oldest;
    last_.oldest = env_.oldest_reader();
    const OldestReader& oldest = last_.oldest;
    if (oldest.lag == 0 || oldest.pid != before.pid || oldest.snapshot != before.snapshot) {
        since_ = now;
    }
    last_.late = oldest.lag >= kLateTransactions ||
                 (oldest.lag >= kLateTransactionsWhenHeld && now - since_ >= kHeld);
    if (last_.late && now >= next_warning_) {
        next_warning_ = now + kWarningInterval;
        spdlog::warn(
            "process {} reads a snapshot of the store that is {} transactions old; until it ends, "
            "room that is freed cannot be used again and the file grows",
            oldest.pid, oldest.lag);
    }
    return last_;
}

}  // namespace agentcom::store

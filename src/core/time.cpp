#include "agentcom/core/time.hpp"

namespace agentcom::core {

Timestamp SystemClock::now() const noexcept {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return Timestamp{std::chrono::duration_cast<Millis>(since_epoch).count()};
}

SteadyTime SystemClock::steady() const noexcept { return std::chrono::steady_clock::now(); }

}  // namespace agentcom::core

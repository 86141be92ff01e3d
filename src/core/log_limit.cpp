#include "agentcom/core/log_limit.hpp"

#include <utility>

namespace agentcom::core {

std::string LogLimit::Admitted::note() const {
    return left_out == 0 ? std::string() : " (" + std::to_string(left_out) + " more like it)";
}

std::optional<LogLimit::Admitted> LogLimit::admit(SteadyTime now) noexcept {
    if (!began_ || now - *began_ >= interval_) {
        began_ = now;
        written_ = 0;
    }
    if (written_ >= most_) {
        ++left_out_;
        return std::nullopt;
    }
    ++written_;
    return Admitted{std::exchange(left_out_, 0)};
}

}  // namespace agentcom::core

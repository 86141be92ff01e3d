#include "agentcom/delivery/loop_figures.hpp"

namespace agentcom::delivery {

Outcome outcome_of(core::ErrorCode code) noexcept {
    switch (core::error_info(code).http_status) {
        case 401:
        case 403:
            return Outcome::denied;
        case 429:
            return Outcome::limited;
        case 503:
        case 507:
            return Outcome::unavailable;
        case 500:
            return Outcome::failed;
        default:
            return Outcome::invalid;
    }
}

}  // namespace agentcom::delivery

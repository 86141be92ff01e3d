#include "support/latencies.hpp"

#include <algorithm>
#include <cstddef>

namespace agentcom::test {

void Latencies::record(double took, double interval) {
    values_.push_back(took);
    for (double missed = took - interval; missed >= interval; missed -= interval) {
        values_.push_back(missed);
    }
}

double Latencies::percentile(double share) const {
    if (values_.empty()) return 0;
    std::vector<double> sorted = values_;
    const auto last = static_cast<double>(sorted.size() - 1);
    const auto place = sorted.begin() + static_cast<std::ptrdiff_t>(last * share);
    std::ranges::nth_element(sorted, place);
    return *place;
}

}  // namespace agentcom::test

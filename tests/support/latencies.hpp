#pragma once

#include <cstddef>
#include <vector>

namespace agentcom::test {

/// Latencies in milliseconds of something that is due at a fixed interval. One that took longer
/// than the interval stands for those that could not begin meanwhile, too.
class Latencies {
public:
    void record(double took, double interval);
    [[nodiscard]] std::size_t count() const noexcept { return values_.size(); }
    /// `share` of the values are at most this; 0 without values.
    [[nodiscard]] double percentile(double share) const;
    [[nodiscard]] double max() const { return percentile(1); }

private:
    std::vector<double> values_;
};

}  // namespace agentcom::test

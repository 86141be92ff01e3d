#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/pieces.hpp"

/// The hub's own figures for whoever watches it, as Prometheus understands them.
namespace agentcom::protocol {

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

/// Unit of what a histogram has counted: nanoseconds are shown as seconds.
enum class HistogramUnit : std::uint8_t { count, nanoseconds };

/// One series. Label names are literals; their values are few, whatever is stored.
struct MetricSample {
    std::vector<std::pair<std::string_view, std::string>> labels;
    double value = 0;
    std::optional<core::HistogramReading> histogram{};  // instead of a value
};

/// All series of one name. Name and help are literals.
struct MetricFamily {
    std::string_view name;
    std::string_view help;
    MetricKind kind = MetricKind::gauge;
    HistogramUnit unit = HistogramUnit::count;
    std::vector<MetricSample> samples;
};

struct MetricsReport {
    std::vector<MetricFamily> families;
};

/// In Prometheus' text format, version 0.0.4.
[[nodiscard]] std::string encode_metrics(const MetricsReport& report);

}  // namespace agentcom::protocol

#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/protocol/metrics.hpp"

namespace agentcom::router {

/// Gathers a report, family by family. Names and help are literals.
class MetricList {
public:
    using Labels = std::vector<std::pair<std::string_view, std::string>>;

    /// Begins a family of gauges, or of counters; `add` its series.
    void family(std::string_view name, std::string_view help,
                protocol::MetricKind kind = protocol::MetricKind::gauge) {
        report_.families.push_back({name, help, kind, protocol::HistogramUnit::count, {}});
    }
    void counters(std::string_view name, std::string_view help) {
        family(name, help, protocol::MetricKind::counter);
    }
    template <class Number>
    void add(Labels labels, Number value) {
        report_.families.back().samples.push_back(
            {std::move(labels), static_cast<double>(value), {}});
    }
    // Of one series.
    template <class Number>
    void gauge(std::string_view name, std::string_view help, Number value) {
        family(name, help);
        add({}, value);
    }
    template <class Number>
    void counter(std::string_view name, std::string_view help, Number value) {
        counters(name, help);
        add({}, value);
    }
    void histogram(std::string_view name, std::string_view help, protocol::HistogramUnit unit,
                   core::HistogramReading reading) {
        family(name, help, protocol::MetricKind::histogram);
        report_.families.back().unit = unit;
        report_.families.back().samples.push_back({{}, 0, std::move(reading)});
    }
    [[nodiscard]] protocol::MetricsReport report() && { return std::move(report_); }

private:
    protocol::MetricsReport report_;
};

}  // namespace agentcom::router

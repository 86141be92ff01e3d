// The one place that knows the library for Prometheus' text format.

#include <prometheus/text_serializer.h>

#include <sstream>
#include <utility>

#include "agentcom/protocol/metrics.hpp"

namespace agentcom::protocol {

namespace {

prometheus::MetricType type_of(MetricKind kind) noexcept {
    switch (kind) {
        case MetricKind::counter:
            return prometheus::MetricType::Counter;
        case MetricKind::histogram:
            return prometheus::MetricType::Histogram;
        case MetricKind::gauge:
            break;
    }
    return prometheus::MetricType::Gauge;
}

double shown(std::uint64_t amount, HistogramUnit unit) noexcept {
    constexpr double kNanoseconds = 1e9;
    const auto number = static_cast<double>(amount);
    return unit == HistogramUnit::nanoseconds ? number / kNanoseconds : number;
}

prometheus::ClientMetric::Histogram to_histogram(const core::HistogramReading& reading,
                                                 HistogramUnit unit) {
    prometheus::ClientMetric::Histogram histogram;
    histogram.bucket.reserve(reading.counts.size());
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < reading.counts.size(); ++i) {
        sum += reading.counts[i];
        // What is larger than every bound counts in the last bucket, which the library adds.
        if (i < reading.bounds.size()) {
            histogram.bucket.push_back({sum, shown(reading.bounds[i], unit)});
        }
    }
    histogram.sample_count = sum;
    histogram.sample_sum = shown(reading.sum, unit);
    return histogram;
}

}  // namespace

std::string encode_metrics(const MetricsReport& report) {
    std::vector<prometheus::MetricFamily> families;
    families.reserve(report.families.size());
    for (const MetricFamily& each : report.families) {
        prometheus::MetricFamily family{
            std::string(each.name), std::string(each.help), type_of(each.kind), {}};
        family.metric.reserve(each.samples.size());
        for (const MetricSample& sample : each.samples) {
            prometheus::ClientMetric metric;
            for (const auto& [name, value] : sample.labels) {
                metric.label.push_back({std::string(name), value});
            }
            if (sample.histogram) {
                metric.histogram = to_histogram(*sample.histogram, each.unit);
            } else if (each.kind == MetricKind::counter) {
                metric.counter.value = sample.value;
            } else {
                metric.gauge.value = sample.value;
            }
            family.metric.push_back(std::move(metric));
        }
        families.push_back(std::move(family));
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, families);
    return std::move(out).str();
}

}  // namespace agentcom::protocol

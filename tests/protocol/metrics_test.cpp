#include <gtest/gtest.h>

#include <array>
#include <string>

#include "agentcom/protocol/codec.hpp"
#include "agentcom/protocol/metrics.hpp"

namespace agentcom::protocol {
namespace {

constexpr std::array<std::uint64_t, 2> kBounds = {1'000'000, 250'000'000};

TEST(MetricsTest, EachFamilyIsDescribedAndLabelsAreEscaped) {
    MetricsReport report;
    report.families.push_back(
        {"a_total", "As.", MetricKind::counter, HistogramUnit::count, {{{}, 12'345'678, {}}}});
    report.families.push_back({"b",
                               "Bs.",
                               MetricKind::gauge,
                               HistogramUnit::count,
                               {{{{"agent", "a\"b\\c\nd"}, {"loop", "0"}}, 0.5, {}}}});
    EXPECT_EQ(encode_metrics(report),
              "# HELP a_total As.\n# TYPE a_total counter\na_total 12345678\n"
              "# HELP b Bs.\n# TYPE b gauge\nb{agent=\"a\\\"b\\\\c\\nd\",loop=\"0\"} 0.5\n");
}

TEST(MetricsTest, AHistogramAddsUpItsBoundsAndShowsNanosecondsAsSeconds) {
    core::HistogramReading reading{.bounds = kBounds, .counts = {3, 1, 2}, .sum = 1'500'000'000};
    MetricsReport report;
    report.families.push_back({"c_seconds",
                               "Cs.",
                               MetricKind::histogram,
                               HistogramUnit::nanoseconds,
                               {{{}, 0, reading}}});
    EXPECT_EQ(encode_metrics(report),
              "# HELP c_seconds Cs.\n# TYPE c_seconds histogram\n"
              "c_seconds_count 6\nc_seconds_sum 1.5\n"
              "c_seconds_bucket{le=\"0.001\"} 3\nc_seconds_bucket{le=\"0.25\"} 4\n"
              "c_seconds_bucket{le=\"+Inf\"} 6\n");
}

TEST(MetricsTest, AReportIsAnsweredAsItsText) {
    auto report = std::make_shared<MetricsReport>();
    report->families.push_back(
        {"b", "Bs.", MetricKind::gauge, HistogramUnit::count, {{{}, 1, {}}}});
    const HttpOutput output =
        encode_http(ReplyValue(Shared<MetricsReport>(std::move(report))), false);
    EXPECT_EQ(output.status, 200);
    EXPECT_EQ(output.body.str(), "# HELP b Bs.\n# TYPE b gauge\nb 1\n");
}

TEST(MetricsTest, AProbeSaysWhatIsWrongWith503) {
    const HttpOutput good = encode_http(ReplyValue(ProbeReport{}), false);
    EXPECT_EQ(good.status, 200);
    EXPECT_EQ(good.body.str(), R"({"status":"ok"})");
    for (const HealthState state : kHealthStates) {
        if (state == HealthState::ok) continue;
        const HttpOutput bad = encode_http(ReplyValue(ProbeReport{state}), false);
        EXPECT_EQ(bad.status, 503);
        EXPECT_EQ(bad.body.str(), R"({"status":"unavailable","reason":")" +
                                      std::string(health_state_name(state)) + "\"}");
    }
}

TEST(OperationsTest, SettingsThatShareARequestAreToldApart) {
    for (const Setting setting : {Setting::heartbeat_interval_ms, Setting::mailbox_ttl_ms}) {
        const bool ttl = setting == Setting::mailbox_ttl_ms;
        EXPECT_EQ(operation_of(GetSetting{setting}),
                  ttl ? Operation::get_mailbox_retention : Operation::get_heartbeat_interval);
        EXPECT_EQ(operation_of(PutSetting{setting, 1}),
                  ttl ? Operation::put_mailbox_retention : Operation::put_heartbeat_interval);
    }
    EXPECT_EQ(operation_of(Ping{}), Operation::ping);
    EXPECT_EQ(operation_of(GetMetrics{}), Operation::get_metrics);
}

}  // namespace
}  // namespace agentcom::protocol

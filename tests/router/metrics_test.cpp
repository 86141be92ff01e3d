// What the hub counts of itself, and who is shown it.

#include <algorithm>
#include <chrono>
#include <map>
#include <string>

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Millis;
using core::Role;
using Labels = std::map<std::string, std::string>;

class MetricsTest : public RouterTest {
protected:
    using Report = protocol::Shared<protocol::MetricsReport>;
    /// A fresh one: each is good for a second.
    Report report() {
        clock_.advance(Millis(1'000));
        return get<Report>(as("root", Role::admin), protocol::GetMetrics{});
    }
    static const protocol::MetricFamily& family(const Report& report, std::string_view name) {
        const auto found = std::ranges::find(report->families, name, &protocol::MetricFamily::name);
        if (found == report->families.end()) throw std::runtime_error(std::string(name));
        return *found;
    }
    static std::optional<double> value(const Report& report, std::string_view name,
                                       const Labels& labels = {}) {
        for (const protocol::MetricSample& sample : family(report, name).samples) {
            if (Labels(sample.labels.begin(), sample.labels.end()) == labels) return sample.value;
        }
        return std::nullopt;
    }
    static double answered(const Report& report, const std::string& operation,
                           const std::string& outcome) {
        return value(report, "agentcom_operations_total",
                     {{"operation", operation}, {"outcome", outcome}})
            .value();
    }
    static std::uint64_t observed(const Report& report, std::string_view name) {
        const auto& counts = family(report, name).samples.at(0).histogram.value().counts;
        std::uint64_t sum = 0;
        for (const std::uint64_t count : counts) sum += count;
        return sum;
    }
    /// Asks until mailboxes have been looked through again.
    Report with_backlog(const RouterOptions& options) {
        clock_.advance(options.metrics_backlog_interval);
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        for (;;) {
            Report made = report();
            const auto age = value(made, "agentcom_mailbox_figures_age_seconds");
            if (age && *age < 5) return made;
            if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error("no sweep");
        }
    }
};

TEST_F(MetricsTest, OperationsAreCountedByOutcomeOnWhicheverLoopTheyRun) {
    RouterOptions options;
    options.messages_per_second = 1;
    options.message_burst = 2;
    start(options);
    const Report before = report();
    for (std::size_t i = 0; i < 2; ++i) {
        ASSERT_TRUE(ask(as("alice"), direct("bob"), nullptr, i));
    }
    EXPECT_EQ(error_of(as("alice"), direct("bob")), ErrorCode::rate_limited);
    EXPECT_EQ(error_of({}, direct("bob")), ErrorCode::unauthorized);
    EXPECT_EQ(error_of(as("watcher", Role::observer), direct("bob")), ErrorCode::read_only);
    EXPECT_EQ(error_of(as("alice"), protocol::GetChannel{channel("none")}),
              ErrorCode::channel_not_found);
    const Report after = report();
    const auto more = [&](const char* operation, const char* outcome) {
        return answered(after, operation, outcome) - answered(before, operation, outcome);
    };
    EXPECT_EQ(more("send_message", "ok"), 2);
    EXPECT_EQ(more("send_message", "limited"), 1);
    EXPECT_EQ(more("send_message", "denied"), 2);
    EXPECT_EQ(more("send_message", "failed"), 0);
    EXPECT_EQ(more("get_channel", "invalid"), 1);
    EXPECT_EQ(value(after, "agentcom_errors_total", {{"code", "rate_limited"}}), 1);
    EXPECT_EQ(value(after, "agentcom_errors_total", {{"code", "read_only"}}), 1);
    EXPECT_EQ(observed(after, "agentcom_acknowledgement_seconds") -
                  observed(before, "agentcom_acknowledgement_seconds"),
              2U);
    EXPECT_EQ(value(after, "agentcom_store_messages_written_total"), 2);
}

TEST_F(MetricsTest, WhatWaitsForNoCommitIsNoAcknowledgement) {
    ASSERT_TRUE(ask(as("alice"), direct("bob")));
    clock_.advance(Millis(5));  // since the delivery of that
    const Report before = report();
    ASSERT_TRUE(ask(as("alice"), protocol::SetProfile{{"\"busy\""}, {}}));
    const Report after = report();
    EXPECT_EQ(answered(after, "set_profile", "ok") - answered(before, "set_profile", "ok"), 1);
    EXPECT_EQ(observed(after, "agentcom_acknowledgement_seconds"),
              observed(before, "agentcom_acknowledgement_seconds"));
}

TEST_F(MetricsTest, SettingsAreCountedUnderTheirOwnNames) {
    ASSERT_TRUE(ask(as("alice"), protocol::GetSetting{protocol::Setting::mailbox_ttl_ms}));
    const Report made = report();
    EXPECT_EQ(answered(made, "get_mailbox_retention", "ok"), 1);
    EXPECT_EQ(answered(made, "get_heartbeat_interval", "ok"), 0);
}

TEST_F(MetricsTest, ConnectionsThatIdentifyThemselvesAreCountedAsOperations) {
    join("alice");
    TestSession& other = fresh_session();
    protocol::Identify wrong = quietly();
    wrong.agent_id = "bob";
    wrong.token = std::string(64, '0');
    ASSERT_FALSE(on(0, [&] { return router_->identify(loop(), other, wrong); }));
    const Report made = report();
    EXPECT_EQ(answered(made, "identify", "ok"), 1);
    EXPECT_EQ(answered(made, "identify", "denied"), 1);
    EXPECT_EQ(value(made, "agentcom_agents_connected"), 1);
}

TEST_F(MetricsTest, UnreadMailIsCountedAndTheTenFullestMailboxesAreNamed) {
    const RouterOptions options;
    start(options);
    // As many agents as take several reads of the list of holders.
    std::vector<store::Submission> tokens;
    for (int i = 0; i < 100; ++i) {
        const core::Token token = core::Token::generate();
        tokens.push_back({store::CreateToken{agent("agent-" + std::to_string(100 + i)),
                                             token.digest(), token.prefix(), Role::agent},
                          {},
                          store::kNoLoop});
    }
    store_->submit(std::move(tokens));
    double sum = 0;
    std::vector<std::future<protocol::Reply>> sent;
    for (int i = 0; i < 14; ++i) {
        const std::string name = "agent-" + std::to_string(100 + 7 * i);
        for (int n = 0; n <= i; ++n) sent.push_back(begin(as("sender"), direct(name)));
        sum += i + 1;
    }
    for (auto& each : sent) ASSERT_TRUE(wait_for(each));
    Report made = with_backlog(options);
    EXPECT_EQ(value(made, "agentcom_mailbox_unread_messages"), sum);
    EXPECT_EQ(value(made, "agentcom_mailboxes_with_unread"), 14);
    const auto& worst = family(made, "agentcom_mailbox_worst_unread_messages").samples;
    ASSERT_EQ(worst.size(), 10U);
    for (std::size_t i = 0; i < worst.size(); ++i) {
        EXPECT_EQ(worst[i].value, 14.0 - static_cast<double>(i));
        EXPECT_EQ(worst[i].labels.at(0).second, "agent-" + std::to_string(100 + 7 * (13 - i)));
    }
    // The fullest one is read.
    const auto page = get<protocol::MailboxPage>(as("agent-191"), poll("agent-191"));
    ASSERT_TRUE(ask(as("agent-191"), protocol::Ack{"agent-191", page.last_seq}));
    made = with_backlog(options);
    EXPECT_EQ(value(made, "agentcom_mailbox_unread_messages"), sum - 14);
    EXPECT_EQ(family(made, "agentcom_mailbox_worst_unread_messages").samples.at(0).value, 13);
}

TEST_F(MetricsTest, MoreThanAMailboxShowsIsNotCounted) {
    RouterOptions options;
    options.mailbox_cap = 3;
    start(options);
    (void)create_token("bob");
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(ask(as("alice"), direct("bob")));
    EXPECT_EQ(value(with_backlog(options), "agentcom_mailbox_unread_messages"), 3);
}

TEST_F(MetricsTest, WhereMailboxesAreNotToBeLookedThroughThereAreNoFigures) {
    RouterOptions options;
    options.metrics_backlog_interval = Millis(0);
    start(options);
    (void)create_token("bob");
    ASSERT_TRUE(ask(as("alice"), direct("bob")));
    (void)report();
    settle();
    const Report made = report();
    EXPECT_TRUE(family(made, "agentcom_mailbox_unread_messages").samples.empty());
}

TEST_F(MetricsTest, WhoeverAsksWithinASecondIsGivenTheSame) {
    const Caller root = as("root", Role::admin);
    const auto one = get<Report>(root, protocol::GetMetrics{});
    EXPECT_EQ(get<Report>(root, protocol::GetMetrics{}), one);
    clock_.advance(Millis(1'000));
    EXPECT_NE(get<Report>(root, protocol::GetMetrics{}), one);
}

TEST_F(MetricsTest, WhoMayAskIsAsConfigured) {
    Caller here;
    here.local = true;
    Caller agent_here = as("alice");
    agent_here.local = true;
    struct Case {
        MetricsAccess access;
        std::optional<ErrorCode> here, agent_here, nobody, agent;
    };
    constexpr auto kNo = ErrorCode::unauthorized;
    constexpr auto kForbidden = ErrorCode::forbidden;
    for (const Case& each : {Case{MetricsAccess::loopback, {}, {}, kNo, kForbidden},
                             Case{MetricsAccess::token, kNo, kForbidden, kNo, kForbidden},
                             Case{MetricsAccess::open, {}, {}, {}, {}}}) {
        RouterOptions options;
        options.metrics_access = each.access;
        start(options);
        EXPECT_EQ(error_of(here, protocol::GetMetrics{}), each.here);
        EXPECT_EQ(error_of(agent_here, protocol::GetMetrics{}), each.agent_here);
        EXPECT_EQ(error_of({}, protocol::GetMetrics{}), each.nobody);
        EXPECT_EQ(error_of(as("alice"), protocol::GetMetrics{}), each.agent);
        EXPECT_EQ(error_of(as("eye", Role::observer), protocol::GetMetrics{}), std::nullopt);
        EXPECT_EQ(error_of(as("root", Role::admin), protocol::GetMetrics{}), std::nullopt);
    }
}

TEST_F(MetricsTest, BackgroundJobsTellWhenTheyRanAndWhetherTheyFailed) {
    RouterOptions options;
    start(options);
    on(0, [&] {
        router_->start_maintenance(loop());
        return true;
    });
    clock_.advance(options.evict_interval);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    Report made = report();
    while (value(made, "agentcom_job_runs_total", {{"task", "trim_log"}}) == 0.0) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline);
        made = report();
    }
    const double now = static_cast<double>(clock_.now().ms) / 1'000;
    EXPECT_NEAR(
        value(made, "agentcom_job_last_run_timestamp_seconds", {{"task", "trim_log"}}).value(), now,
        3'600);
    EXPECT_EQ(value(made, "agentcom_job_errors_total", {{"task", "trim_log"}}), 0);
    EXPECT_EQ(value(made, "agentcom_job_last_error_timestamp_seconds", {{"task", "trim_log"}}), 0);
    EXPECT_EQ(value(made, "agentcom_job_runs_total", {{"task", "expire_channels"}}), 0);
}

}  // namespace
}  // namespace agentcom::router

#include "agentcom/services/alarms.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace agentcom::services {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

AlarmFigures well() {
    AlarmFigures figures;
    figures.room_bytes = 1'000 * kMiB;
    figures.max_bytes = 2'000 * kMiB;
    return figures;
}
std::vector<std::string> codes(const std::vector<Alarm>& alarms) {
    std::vector<std::string> all;
    for (const Alarm& alarm : alarms) all.emplace_back(alarm.code);
    return all;
}
using Codes = std::vector<std::string>;

TEST(Alarms, AHubThatIsWellHasNone) { EXPECT_EQ(codes(judge_alarms(well())), Codes{}); }

TEST(Alarms, EachFigureHasItsOwnAndSaysWhatToDo) {
    struct Case {
        std::function<void(AlarmFigures&)> spoil;
        std::string code;
        bool critical;
    };
    const std::vector<Case> cases = {
        {[](auto& f) { f.store_full = true; }, "store_full", true},
        {[](auto& f) { f.room_bytes = 199 * kMiB; }, "store_nearly_full", false},
        {[](auto& f) { f.store_failed = true; }, "commits_failing", true},
        {[](auto& f) { f.failed_batches = 1; }, "commits_failing", true},
        {[](auto& f) { f.commit_stalled = true; }, "commit_stalled", true},
        {[](auto& f) { f.loop_stalled = true; }, "loop_stalled", true},
        {[](auto& f) { f.slow_consumers = 2; }, "slow_consumers", false},
        {[](auto& f) { f.wrong_tokens = 5; }, "refused_logins", false},
        {[](auto& f) { f.lost_log_lines = 2; }, "log_drops", false},
        {[](auto& f) { f.not_reading_count = 1; }, "unread_old", false},
    };
    for (const Case& each : cases) {
        AlarmFigures figures = well();
        each.spoil(figures);
        const auto alarms = judge_alarms(figures);
        ASSERT_EQ(codes(alarms), Codes{each.code});
        EXPECT_EQ(alarms[0].critical, each.critical) << each.code;
        EXPECT_TRUE(alarms[0].text.ends_with('.')) << alarms[0].text;
        EXPECT_GT(alarms[0].text.size(), 40U) << alarms[0].text;
    }
}

TEST(Alarms, LittleRoomIsATenthOr64MiB) {
    AlarmFigures figures = well();
    figures.room_bytes = 200 * kMiB;
    EXPECT_EQ(codes(judge_alarms(figures)), Codes{});
    figures.max_bytes = 100 * kMiB;
    figures.room_bytes = 64 * kMiB;
    EXPECT_EQ(codes(judge_alarms(figures)), Codes{});
    figures.room_bytes = 64 * kMiB - 1;
    EXPECT_EQ(codes(judge_alarms(figures)), Codes{"store_nearly_full"});
    // One that is full is not nearly so.
    figures.store_full = true;
    EXPECT_EQ(codes(judge_alarms(figures)), Codes{"store_full"});
}

TEST(Alarms, AFewWrongTokensAreSlips) {
    AlarmFigures figures = well();
    figures.wrong_tokens = kManyWrongTokens - 1;
    EXPECT_EQ(codes(judge_alarms(figures)), Codes{});
    figures.wrong_tokens = kManyWrongTokens;
    EXPECT_EQ(codes(judge_alarms(figures)), Codes{"refused_logins"});
}

TEST(Alarms, TheWorstComeFirstAndAgentsAreNamedUpToABound) {
    AlarmFigures figures = well();
    figures.wrong_tokens = 6;
    figures.not_reading_count = 30;
    for (int i = 0; i < 30; ++i) figures.not_reading.push_back("a" + std::to_string(i));
    figures.loop_stalled = true;
    const auto alarms = judge_alarms(figures);
    EXPECT_EQ(codes(alarms), (Codes{"loop_stalled", "unread_old", "refused_logins"}));
    EXPECT_EQ(alarms[1].agents.size(), kMostNamed);
    EXPECT_TRUE(alarms[1].text.starts_with("30 agents have"));
    EXPECT_TRUE(alarms[2].text.starts_with("6 wrong tokens were"));
}

TEST(Alarms, AreRememberedForAsLongAsTheyHold) {
    Alarms alarms;
    AlarmFigures figures = well();
    figures.slow_consumers = 1;
    EXPECT_EQ(alarms.judge(figures, {5})[0].since, core::Timestamp{5});
    EXPECT_EQ(alarms.judge(figures, {9})[0].since, core::Timestamp{5});
    EXPECT_TRUE(alarms.judge(well(), {10}).empty());
    EXPECT_EQ(alarms.judge(figures, {11})[0].since, core::Timestamp{11});
}

}  // namespace
}  // namespace agentcom::services

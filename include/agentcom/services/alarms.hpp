#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agentcom/core/time.hpp"

namespace agentcom::services {

/// What the rules look at; counts are of the last ten minutes.
struct AlarmFigures {
    bool store_full = false;
    bool store_failed = false;
    std::uint64_t room_bytes = 0;  // that may still be written
    std::uint64_t max_bytes = 0;   // of the store's file; 0: not known
    std::uint64_t failed_batches = 0;
    bool commit_stalled = false;
    bool loop_stalled = false;
    std::uint64_t slow_consumers = 0;
    std::uint64_t wrong_tokens = 0;
    std::uint64_t lost_log_lines = 0;
    /// Agents that have read nothing for an hour although mail waits: the first, and how many.
    std::vector<std::string> not_reading;
    std::uint64_t not_reading_count = 0;
};

struct Alarm {
    std::string_view code;  // stable
    bool critical = false;
    std::string text;  // sentences: what is wrong, and what to do
    std::vector<std::string> agents{};
    core::Timestamp since{};
};

/// Mail that waits for so long is a matter for alarm.
inline constexpr core::Millis kTooLongUnread{3'600'000};
/// Fewer wrong tokens in ten minutes are somebody's slip, and no matter for alarm.
inline constexpr std::uint64_t kManyWrongTokens = 5;
/// Agents that one alarm names.
inline constexpr std::size_t kMostNamed = 20;

/// What is wrong by these figures, the worst first. A pure function; `since` is left open.
[[nodiscard]] std::vector<Alarm> judge_alarms(const AlarmFigures& figures);

/// Remembers since when each alarm holds. For one thread.
class Alarms {
public:
    [[nodiscard]] std::vector<Alarm> judge(const AlarmFigures& figures, core::Timestamp now);

private:
    std::map<std::string_view, core::Timestamp> since_;
};

}  // namespace agentcom::services

#include "agentcom/services/alarms.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace agentcom::services {

namespace {

/// Room below this, or below a tenth of what there may be, is little.
constexpr std::uint64_t kLittleRoom = std::uint64_t{64} << 20;
constexpr std::uint64_t kTenth = 10;

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

std::string mebibytes(std::uint64_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

}  // namespace

std::vector<Alarm> judge_alarms(const AlarmFigures& of) {
    std::vector<Alarm> alarms;
    const auto add = [&](std::string_view code, bool critical, std::string text) -> Alarm& {
        return alarms.emplace_back(Alarm{code, critical, std::move(text)});
    };
    if (of.store_failed) {
        add("commits_failing", true,
            "The store has failed and nothing is written any more. Look into the hub's log, see to "
            "the disk, and start the hub again.");
    } else if (of.failed_batches > 0) {
        add("commits_failing", true,
            counted(of.failed_batches, "write to the store has", "writes to the store have") +
                " failed in the last ten minutes. Look into the hub's log, and see to the disk.");
    }
    if (of.store_full) {
        add("store_full", true,
            "The store is full and refuses what does not fit. Make room on the disk, raise "
            "store.map_size, "
            "or keep less by the settings of retention.");
    } else if (of.room_bytes < kLittleRoom || of.room_bytes < of.max_bytes / kTenth) {
        add("store_nearly_full", false,
            "The store has room for " + mebibytes(of.room_bytes) +
                " only. Make room on the disk, raise store.map_size, or keep less by the settings "
                "of retention.");
    }
    if (of.commit_stalled) {
        add("commit_stalled", true,
            "A write to the store does not come to its end. The disk may hang.");
    }
    if (of.loop_stalled) {
        add("loop_stalled", true,
            "A thread of the hub stands still, so that some connections are not served. Look into "
            "the hub's log; if it goes on, start the hub again.");
    }
    if (of.not_reading_count > 0) {
        Alarm& alarm = add("unread_old", false,
                           counted(of.not_reading_count, "agent has", "agents have") +
                               " read nothing for an hour while mail waits. See whether they still "
                               "run; remove those that are no longer needed.");
        alarm.agents = of.not_reading;
        alarm.agents.resize(std::min(alarm.agents.size(), kMostNamed));
    }
    if (of.slow_consumers > 0) {
        add("slow_consumers", false,
            counted(of.slow_consumers, "connection was", "connections were") +
                " closed in the last ten minutes because they did not take what they were sent. "
                "Their clients should read faster, or ask for less.");
    }
    if (of.wrong_tokens >= kManyWrongTokens) {
        add("refused_logins", false,
            std::to_string(of.wrong_tokens) +
                " wrong tokens were shown in the last ten minutes. The hub's log says from where: "
                "somebody has a "
                "token that was revoked or mistyped, or tries some out.");
    }
    if (of.lost_log_lines > 0) {
        add("log_drops", false,
            counted(of.lost_log_lines, "line", "lines") +
                " of the hub's log were lost in the last ten minutes, because whoever reads its "
                "standard error does not keep up.");
    }
    std::ranges::stable_sort(alarms, std::greater<>(), &Alarm::critical);
    return alarms;
}

std::vector<Alarm> Alarms::judge(const AlarmFigures& figures, core::Timestamp now) {
    std::vector<Alarm> alarms = judge_alarms(figures);
    std::erase_if(since_, [&](const auto& known) {
        return std::ranges::find(alarms, known.first, &Alarm::code) == alarms.end();
    });
    for (Alarm& alarm : alarms) alarm.since = since_.try_emplace(alarm.code, now).first->second;
    return alarms;
}

}  // namespace agentcom::services

#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agentcom/core/ids.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/protocol/observation.hpp"
#include "agentcom/services/analytics.hpp"
#include "agentcom/services/roster.hpp"
#include "router/agent_row.hpp"
#include "router/backlog_sweep.hpp"

namespace agentcom::router {

/// The rows of all agents, kept for as long as somebody watches. A pass brings them up to date,
/// step by step, and finds out what has changed. Bounded: past `most` rows those whose agents have
/// been away longest are not shown. For one thread.
class ObservedRows {
public:
    struct Counts {
        std::uint64_t working = 0;
        std::uint64_t idle = 0;
        std::uint64_t polling = 0;
        std::uint64_t offline = 0;
        std::uint64_t left_out = 0;
        std::vector<protocol::GrowingMailbox> growing;  // the fastest first, at most kMostGrowing
        std::vector<std::string> not_reading;           // at most as many as an alarm names
        std::uint64_t not_reading_count = 0;
    };
    static constexpr std::size_t kMostGrowing = 10;

    ObservedRows(AgentSources sources, std::uint64_t most) : sources_(sources), most_(most) {}

    void begin_pass(std::shared_ptr<const BacklogSweep::Findings> findings, core::Timestamp now,
                    core::SteadyTime steady);
    /// A few hundred rows. Whether the pass is over.
    [[nodiscard]] bool step();

    // Of the last complete pass:
    [[nodiscard]] const Counts& counts() const noexcept { return counts_; }
    /// JSON of the rows that have changed; valid until the next pass begins.
    [[nodiscard]] std::vector<std::string_view> changed() const;
    [[nodiscard]] const std::vector<std::string>& gone() const noexcept { return gone_; }
    /// JSON of all rows; valid until the next pass goes on.
    [[nodiscard]] std::vector<std::string_view> all() const;
    void clear();

private:
    static constexpr std::size_t kMarks = 6;  // minutes, the present one among them
    struct Row {
        protocol::ObservedAgent now;  // as it is
        std::string text;             // as it was shown last; empty while it is hidden
        core::Timestamp told_seen{};  // of what it was shown with
        core::Timestamp told_read{};
        std::uint64_t roster_version = 0;
        std::uint64_t pass = 0;  // that met it last
        bool connected = false;
        bool only_looks = false;  // nobody is to read its mail
        bool profiled = false;
        bool dirty = true;
        bool changed = false;                       // in the last pass
        bool hidden = false;                        // there are too many
        std::array<std::uint64_t, kMarks> marks{};  // unread, minute by minute, the oldest first
        std::size_t marks_used = 0;
    };
    using Rows = std::unordered_map<std::string, Row, core::TextHash, core::TextEqual>;
    enum class Stage : std::uint8_t { active, found, settle, over };

    Row& row(std::string_view agent);
    void update(Row& row, const services::AgentActivity& activity);
    void read_profile(Row& row, const services::Roster::Glance& glance);
    void note_unread(Row& row);
    void settle(Row& row);
    static void encode(Row& row);
    void limit_rows();
    bool step_active();
    bool step_found();
    bool step_settle();
    void finish();

    AgentSources sources_;
    const std::uint64_t most_;
    Rows rows_;
    std::shared_ptr<const BacklogSweep::Findings> findings_;
    std::uint64_t presence_version_ = 0;
    std::uint64_t pass_ = 0;
    core::Timestamp time_;
    core::Millis polls_within_{};
    std::int64_t minute_ = 0;
    bool new_minute_ = false;
    Stage stage_ = Stage::over;
    std::size_t part_ = 0;
    BacklogSweep::Findings::const_iterator finding_;
    Rows::iterator at_;
    Counts counting_;
    Counts counts_;
    std::vector<std::string> gone_;
    std::vector<std::string> going_;
};

}  // namespace agentcom::router

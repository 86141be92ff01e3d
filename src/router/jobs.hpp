#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/time.hpp"

namespace agentcom::router {

/// What the hub does without being asked.
enum class Job : std::uint8_t {
    evict_mailboxes,
    trim_log,
    expire_channels,
    drop_expired_tokens,
    store_positions,
    store_token_uses,
};
inline constexpr std::array<std::string_view, 6> kJobNames = {
    "evict_mailboxes",     "trim_log",        "expire_channels",
    "drop_expired_tokens", "store_positions", "store_token_uses"};

/// How the background jobs fare. Written by the maintenance loop, read by any thread.
class Jobs {
public:
    struct Figures {
        core::Counter runs;           // pieces of work that were done, or failed
        core::Counter errors;         // of these, that failed
        core::Counter last_run_ms;    // Unix milliseconds; 0: never
        core::Counter last_error_ms;  // likewise
    };

    void count(Job job, bool good, core::Timestamp now) noexcept {
        Figures& figures = figures_[static_cast<std::size_t>(job)];
        const auto ms = static_cast<std::uint64_t>(now.ms);
        figures.runs.add();
        figures.last_run_ms.set(ms);
        if (good) return;
        figures.errors.add();
        figures.last_error_ms.set(ms);
    }
    [[nodiscard]] const Figures& of(Job job) const noexcept {
        return figures_[static_cast<std::size_t>(job)];
    }

private:
    std::array<Figures, kJobNames.size()> figures_;
};

}  // namespace agentcom::router

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/core/time.hpp"

/// Texts as a model is to read them.
namespace agentcom::mcp {

/// "2026-01-31T09:05:00Z"
[[nodiscard]] std::string iso_time(core::Timestamp time);
/// "just now", "12 s ago", "3 min ago", "3 h ago", "2 d ago"
[[nodiscard]] std::string time_ago(core::Timestamp then, core::Timestamp now);
/// "1 message", "2 messages"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view what);

/// The first so many bytes at most, without cutting a character in two.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t bytes) noexcept;
/// As much of a text as an error repeats, which may be as long as a request.
[[nodiscard]] std::string shortened(std::string_view text);

/// What somebody wrote, so that it cannot pass for anything else: what looks like the mark of a
/// fence is changed, control characters and what turns, hides or joins text are shown as U+FFFD.
[[nodiscard]] std::string defused(std::string_view text);
/// The same on one line and without double quotes, for the first line of a fence.
[[nodiscard]] std::string defused_word(std::string_view text);
/// The first line in which something stands, defused and cut.
[[nodiscard]] std::string first_line(std::string_view text);

/// The marks around what others wrote: <<<KIND NUMBER ATTRIBUTES>>> and <<<end NUMBER>>>. The
/// number is random, so that nobody can have written the end of it beforehand.
class Fence {
public:
    Fence();
    [[nodiscard]] std::string begin(std::string_view kind, std::string_view attributes = {}) const;
    [[nodiscard]] std::string end() const;

private:
    std::string number_;
};

}  // namespace agentcom::mcp

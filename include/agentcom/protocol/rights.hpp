#pragma once

#include <cstdint>
#include <optional>

#include "agentcom/core/error.hpp"
#include "agentcom/core/token.hpp"

/// Who may do what, as far as tokens and their roles decide it.
namespace agentcom::protocol {

/// Who may ask.
enum class Right : std::uint8_t {
    anyone,
    reader,      // whoever holds a token; everybody where reads are anonymous
    holder,      // whoever holds a token, also an observer's
    sender,      // whoever holds a token, but not an observer's
    connection,  // a sender over its identified connection
    admin,
    watcher,   // administrators and observers, and others where metrics.access says so
    overseer,  // administrators and observers, who read every message
};

/// What a caller is, as far as rights go: nobody, or the role of the token it has shown.
enum class Standing : std::uint8_t { nobody, agent, admin, observer };
[[nodiscard]] Standing standing_of(core::Role role) noexcept;

/// Why this caller may not ask for what needs this right; nothing when it may. What is the caller's
/// own (a mailbox, a channel) and whether a connection is needed is not looked at here, nor whether
/// reads are anonymous and metrics open.
[[nodiscard]] std::optional<core::ErrorCode> refusal(Right right, Standing standing) noexcept;

}  // namespace agentcom::protocol

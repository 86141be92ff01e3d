#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/hooks/hook_input.hpp"

namespace agentcom::hooks {

/// The hub's answer to "what is unread": no bodies, only how many and from whom.
struct UnreadMail {
    std::string agent;
    std::uint64_t count = 0;
    std::vector<std::pair<std::string, std::uint64_t>> senders{};
    std::uint64_t newest_seq = 0;
    std::string epoch;
    bool more = false;  // others are unread, or others have sent, than are counted
};

/// What one session has been told, kept from one hook to the next.
struct SessionState {
    std::string agent;
    std::string epoch;            // of the store that `announced` belongs to
    std::uint64_t announced = 0;  // the newest message the session was told of
    int blocks = 0;               // how often this turn was made to go on
    bool operator==(const SessionState&) const = default;
};

/// A turn is made to go on by us at most so often.
inline constexpr int kMaxBlocks = 3;
/// Clients cut what is longer.
inline constexpr std::size_t kMaxAnnouncementBytes = 9'000;
/// So many senders are named.
inline constexpr std::size_t kMaxNamedSenders = 8;

/// Counts and names, and what to do; under kMaxAnnouncementBytes whatever the names are.
[[nodiscard]] std::string announcement(const UnreadMail& mail);

/// What the hook does: what it says, and how the session's state goes on.
struct Decision {
    /// Set when something is announced.
    std::optional<std::string> text{};
    std::string output;  // for standard output, or the body of the answer
    SessionState state;
};

/// What follows from the input alone, also when the hub cannot be asked: a new turn may be blocked
/// again.
[[nodiscard]] SessionState note_turn(const HookInput& input, Moment moment, SessionState state);

/// Whether there is mail that this session has not been told of, and how it is told at this moment.
/// The state is one that `note_turn` has seen.
[[nodiscard]] Decision decide(const HookInput& input, Moment moment, const UnreadMail& mail,
                              const SessionState& state);

}  // namespace agentcom::hooks

#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/command.hpp"
#include "cli/event_stream.hpp"

namespace agentcom::cli {

inline constexpr const char* kLossNote =
    "unread messages were lost to the mailbox's limits or its time-to-live; the history may have "
    "them";

/// Acknowledges what was shown of the agent's mailbox up to this number. Throws HubError.
void acknowledge(Hub& hub, std::int64_t seq);

/// The events of the agent's mailbox as they come, across broken connections and restarts of the
/// hub. What was returned once does not come again. One thread.
class MailFollower {
public:
    /// Behind `since`, where it is given, and what was acknowledged. Opens nothing yet.
    MailFollower(Hub& hub, std::optional<std::int64_t> since) : hub_(hub), since_(since) {}

    /// The next event; nothing when the deadline passes first. Throws HubError when the hub
    /// cannot be reached the first time, or refuses. Later it is tried again, at growing intervals
    /// up to 15 seconds, and standard error has a line about that.
    [[nodiscard]] std::optional<Event> next(Deadline deadline);
    /// Whether another event has come already.
    [[nodiscard]] bool has_next() const noexcept { return stream_ && stream_->has_next(); }
    /// Throws what keeps the hub out of reach at the moment, if anything does.
    void require_connection() const;

private:
    void connect(Deadline deadline);
    void lose(const HubError& error);

    Hub& hub_;
    std::optional<std::int64_t> since_;
    std::optional<EventStream> stream_;
    std::optional<HubError> trouble_;
    bool was_connected_ = false;
    core::Millis pause_{0};
};

}  // namespace agentcom::cli

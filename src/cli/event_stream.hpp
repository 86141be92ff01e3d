#pragma once

#include <memory>
#include <optional>
#include <string>

#include "agentcom/cli/hub_client.hpp"
#include "cli/event_reader.hpp"

namespace agentcom::cli {

/// A stream of server-sent events from the hub. One thread.
class EventStream {
public:
    /// A hub that has sent nothing for so long, not even a comment, is taken to be gone; it sends
    /// one after 15 seconds without anything else.
    static constexpr core::Millis kSilence{45'000};

    /// Throws HubError, also when the hub answers with an error.
    EventStream(HubClient& client, const std::string& target, Deadline opened_by);
    /// The next event; nothing when the deadline passes first. Throws HubError (broken) when the
    /// stream has ended or fallen silent.
    [[nodiscard]] std::optional<Event> next(Deadline deadline);
    /// Whether `next` has an event without waiting.
    [[nodiscard]] bool has_next() const noexcept { return reader_.has_next(); }

private:
    std::unique_ptr<AnswerStream> answer_;
    EventReader reader_;
    Deadline alive_until_;
};

}  // namespace agentcom::cli

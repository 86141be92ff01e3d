#pragma once

#include <string>

#include "cli/json_view.hpp"

namespace agentcom::cli {

/// A message as the hub gives it over HTTP or pushes it in a frame: the same to whoever reads the
/// client's output. A view of the text it was made of.
class MessageView {
public:
    explicit MessageView(JsonView message) : message_(message) {}

    /// One line of JSON: `seq`, `id`, `from`, `to`, `channel`, `channel_seq`, `type`, `payload`,
    /// `reply_to`, `timestamp`, without those that this message does not have.
    [[nodiscard]] std::string json() const;
    /// For people: one line that says who and when, then the payload, indented, so that no text
    /// looks like another message. Ends with a line feed.
    [[nodiscard]] std::string text() const;

private:
    JsonView message_;
};

/// What a message says: the text of a payload that is a text, or has one as `text` (besides the
/// channel's name); JSON otherwise.
[[nodiscard]] std::string payload_text(JsonView payload);

}  // namespace agentcom::cli

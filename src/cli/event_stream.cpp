#include "cli/event_stream.hpp"

#include <algorithm>

namespace agentcom::cli {

EventStream::EventStream(HubClient& client, const std::string& target, Deadline opened_by)
    : answer_(client.open(
          {.verb = "GET", .target = target, .headers = {{"Accept", "text/event-stream"}}},
          opened_by)),
      alive_until_(from_now(kSilence)) {
    HttpAnswer head = answer_->head(opened_by);
    if (head.status == 200 && head.content_type == "text/event-stream") {
        return;
    }
    while (answer_->read(head.body, opened_by) == AnswerStream::Read::some) {
    }
    if (head.status == 200) {
        throw HubError(HubError::Kind::malformed, "the hub's answer is no stream of events");
    }
    throw refusal(head);
}

std::optional<Event> EventStream::next(Deadline deadline) {
    for (;;) {
        if (auto event = reader_.next()) {
            return event;
        }
        std::string bytes;
        switch (answer_->read(bytes, std::min(deadline, alive_until_))) {
            case AnswerStream::Read::some:
                alive_until_ = from_now(kSilence);
                reader_.feed(bytes);
                break;
            case AnswerStream::Read::end:
                throw HubError(HubError::Kind::broken, "the hub has ended the stream");
            case AnswerStream::Read::late:
                if (deadline > alive_until_) {
                    throw HubError(HubError::Kind::broken, "the hub has fallen silent");
                }
                return std::nullopt;
        }
    }
}

}  // namespace agentcom::cli

#include "cli/event_reader.hpp"

#include <utility>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {

void EventReader::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (std::exchange(after_return_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const std::size_t end = bytes.find_first_of("\r\n");
        line_ += bytes.substr(0, end);
        if (line_.size() + event_.data.size() > kMaxEventBytes) {
            throw HubError(HubError::Kind::malformed, "an event of the hub is larger than 64 MiB");
        }
        if (end == std::string_view::npos) {
            return;
        }
        after_return_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        take_line(std::exchange(line_, {}));
    }
}

void EventReader::take_line(std::string_view line) {
    if (line.empty()) {
        Event done = std::exchange(event_, {});
        if (std::exchange(has_data_, false)) {
            if (done.name.empty()) {
                done.name = "message";
            }
            ready_.push_back(std::move(done));
        }
        return;
    }
    const std::size_t colon = line.find(':');
    const std::string_view field = line.substr(0, colon);
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (field == "data") {
        if (has_data_) {
            event_.data += '\n';
        }
        has_data_ = true;
        event_.data += value;
    } else if (field == "event") {
        event_.name = value;
    } else if (field == "id") {
        event_.id = std::string(value);
    }
}

std::optional<Event> EventReader::next() {
    if (ready_.empty()) {
        return std::nullopt;
    }
    Event event = std::move(ready_.front());
    ready_.pop_front();
    return event;
}

}  // namespace agentcom::cli

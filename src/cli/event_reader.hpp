#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace agentcom::cli {

/// One server-sent event.
struct Event {
    std::string name;               // "message" when the server gave none
    std::string data;               // its lines joined by line feeds
    std::optional<std::string> id;  // as it came with this event
};

/// Puts server-sent events together as their bytes come. Comments and unknown fields are passed
/// over, and so is an event without data.
class EventReader {
public:
    static constexpr std::size_t kMaxEventBytes = std::size_t{64} << 20;

    /// Throws HubError (malformed) when an event grows beyond kMaxEventBytes.
    void feed(std::string_view bytes);
    /// The next event that is complete.
    [[nodiscard]] std::optional<Event> next();
    [[nodiscard]] bool has_next() const noexcept { return !ready_.empty(); }

private:
    void take_line(std::string_view line);

    std::string line_;
    bool after_return_ = false;  // a line feed that follows belongs to the same line's end
    Event event_;
    bool has_data_ = false;
    std::deque<Event> ready_;
};

}  // namespace agentcom::cli

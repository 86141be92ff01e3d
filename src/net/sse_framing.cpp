#include "net/sse_framing.hpp"

#include <algorithm>

namespace agentcom::net {

// A payload keeps the line breaks of its sender. Within JSON they are spacing, so it does not
// matter which of them a client puts together again.
void append_sse_data(std::string& out, std::string_view text) {
    for (;;) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        out += "data: ";
        out += text.substr(0, end);
        out += '\n';
        if (end == text.size()) break;
        text.remove_prefix(text.substr(end).starts_with("\r\n") ? end + 2 : end + 1);
    }
    out += '\n';
}

void append_sse_event(std::string& out, std::string_view type, std::string_view text) {
    out += "event: ";
    out += type;
    out += '\n';
    append_sse_data(out, text);
}

void SseFraming::append(std::string& out, std::string_view text, core::Seq seq) const {
    append_event(out, "message", text, seq.value);
}

void SseFraming::append_event(std::string& out, std::string_view type, std::string_view text,
                              std::uint64_t number) const {
    if (number != 0) {
        out += "id: ";
        out += std::to_string(number);
        out += '\n';
    }
    append_sse_event(out, type, text);
}

const SseFraming& SseFraming::instance() noexcept {
    static const SseFraming framing;
    return framing;
}

}  // namespace agentcom::net

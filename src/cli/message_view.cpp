#include "cli/message_view.hpp"

#include "cli/terminal_text.hpp"

namespace agentcom::cli {
namespace {

std::string indented(const std::string& text) {
    std::string out;
    std::size_t at = 0;
    do {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out += "    " + text.substr(at, end - at) + '\n';
        at = end + 1;
    } while (at < text.size());
    return out;
}

/// In frames `type` names the frame.
JsonView type_of(const JsonView& message) {
    const JsonView in_frame = message["message_type"];
    return in_frame.exists() ? in_frame : message["type"];
}

}  // namespace

std::string payload_text(JsonView payload) {
    if (payload.is_text()) {
        return printable(payload.text());
    }
    const JsonView text = payload["text"];
    bool only_text = text.is_text();
    for (const auto& [name, value] : payload.members()) {
        only_text = only_text && (name == "text" || name == "channel");
    }
    return only_text ? printable(text.text()) : one_line(payload.raw());
}

std::string MessageView::json() const {
    std::string out;
    const auto add = [&](const char* name, JsonView value) {
        if (value.exists()) {
            out +=
                (out.empty() ? "{\"" : ",\"") + std::string(name) + "\":" + one_line(value.raw());
        }
    };
    for (const char* name : {"seq", "id", "from", "to", "channel", "channel_seq"}) {
        add(name, message_[name]);
    }
    add("type", type_of(message_));
    for (const char* name : {"payload", "reply_to", "timestamp"}) {
        add(name, message_[name]);
    }
    return out + "}\n";
}

std::string MessageView::text() const {
    const JsonView seq = message_["seq"];
    const JsonView number = message_["channel_seq"];
    const JsonView channel = message_["channel"];
    const JsonView to = message_["to"];
    std::string out = show_time(message_["timestamp"].number_or(0)) + "  " +
                      printable_line(message_["from"].text());
    if (channel.exists()) {
        out += " in #" + printable_line(channel.text());
    } else if (to.exists()) {
        out += to.is_null() || to.text() == "broadcast" ? " to everyone"
                                                        : " to " + printable_line(to.text());
    }
    if (const std::string type = type_of(message_).text(); type != "chat") {
        out += "  [" + printable_line(type) + ']';
    }
    out += number.exists() ? "  number " + number.text() : "";
    out += seq.exists() ? "  seq " + seq.text() : "";
    out += "  id " + printable_line(message_["id"].text());
    if (const std::string reply_to = message_["reply_to"].text(); !reply_to.empty()) {
        out += "  re " + printable_line(reply_to);
    }
    return out + '\n' + indented(payload_text(message_["payload"]));
}

}  // namespace agentcom::cli

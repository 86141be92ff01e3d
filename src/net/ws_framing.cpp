#include "net/ws_framing.hpp"

namespace agentcom::net {

void append_text_frame_head(std::string& out, std::size_t size) {
    constexpr char kFinalText = '\x81';
    out.push_back(kFinalText);
    if (size < 126) {
        out.push_back(static_cast<char>(size));
        return;
    }
    const int bytes = size <= 0xffff ? 2 : 8;
    out.push_back(static_cast<char>(bytes == 2 ? 126 : 127));
    for (int i = bytes - 1; i >= 0; --i) {
        out.push_back(static_cast<char>((size >> (8 * i)) & 0xff));
    }
}

void append_text_frame(std::string& out, std::string_view payload) {
    append_text_frame_head(out, payload.size());
    out.append(payload);
}

void WsFraming::append(std::string& out, std::string_view text, core::Seq) const {
    append_text_frame(out, text);
}

const WsFraming& WsFraming::instance() noexcept {
    static const WsFraming framing;
    return framing;
}

}  // namespace agentcom::net

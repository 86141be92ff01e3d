#include "agentcom/core/json_string.hpp"

#include <algorithm>
#include <array>

namespace agentcom::core {
namespace {

constexpr std::array<bool, 256> kEscaped = [] {
    std::array<bool, 256> escaped{};
    for (std::size_t i = 0; i < 0x20; ++i) escaped[i] = true;
    escaped['"'] = true;
    escaped['\\'] = true;
    return escaped;
}();

}  // namespace

bool is_plain_json_string(std::string_view text) noexcept {
    return std::none_of(text.begin(), text.end(),
                        [](char c) { return kEscaped[static_cast<unsigned char>(c)]; });
}

void append_json_string(std::string& out, std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out.push_back('"');
    std::size_t plain = 0;  // beginning of the run not yet appended
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (!kEscaped[c]) continue;
        out.append(text.substr(plain, i - plain));
        plain = i + 1;
        out.push_back('\\');
        switch (c) {
            case '"':
                out.push_back('"');
                break;
            case '\\':
                out.push_back('\\');
                break;
            case '\n':
                out.push_back('n');
                break;
            case '\r':
                out.push_back('r');
                break;
            case '\t':
                out.push_back('t');
                break;
            default:
                out.append("u00");
                out.push_back(kHex[c >> 4]);
                out.push_back(kHex[c & 0x0F]);
                break;
        }
    }
    out.append(text.substr(plain));
    out.push_back('"');
}

}  // namespace agentcom::core

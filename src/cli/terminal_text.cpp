#include "cli/terminal_text.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <utility>

#include "agentcom/core/utf8.hpp"

namespace agentcom::cli {
namespace {

std::string hex(const char* format, std::uint32_t value) {
    std::array<char, 16> out{};
    const int size = std::snprintf(out.data(), out.size(), format, value);
    return {out.data(), static_cast<std::size_t>(size)};
}

std::string json_escape(std::uint32_t c) {
    return c < 0x10000 ? hex("\\u%04x", c)
                       : hex("\\u%04x", 0xD800 + ((c - 0x10000) >> 10)) +
                             hex("\\u%04x", 0xDC00 + ((c - 0x10000) & 0x3FF));
}

template <class Judge>
std::string rewrite(std::string_view text, Judge judge) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = core::utf8_sequence_length(text, at);
        if (length == 0) {
            out += hex("\\x%02x", static_cast<unsigned char>(text[at++]));
            continue;
        }
        const std::string_view sequence = text.substr(at, length);
        judge(out, sequence, core::code_point(sequence));
        at += length;
    }
    return out;
}

/// A joiner behind a character that can be seen, as emoji and several scripts have them, is left;
/// behind ASCII, or in rows, by which text could be hidden, it is not.
bool has_its_place(std::uint32_t joiner, std::uint32_t before) {
    constexpr std::uint32_t kZeroWidthJoiner = 0x200D;
    constexpr std::uint32_t kEmojiStyle = 0xFE0F;
    if (joiner == kZeroWidthJoiner && before == kEmojiStyle) return true;
    return before >= 0xA0 && !core::joins(before) && !core::deceives(before);
}

std::string shown(std::string_view text, bool one_line) {
    std::uint32_t before = 0;
    return rewrite(text, [one_line, before](std::string& out, std::string_view bytes,
                                            std::uint32_t c) mutable {
        const std::uint32_t last = std::exchange(before, c);
        if (c == '\n' && one_line) {
            out += "\\n";
        } else if (c == '\t' && one_line) {
            out += "\\t";
        } else if (core::is_control(c) && c != '\n' && c != '\t') {
            out += hex("\\x%02x", c);
        } else if (core::deceives(c) || (core::joins(c) && !has_its_place(c, last))) {
            out += json_escape(c);
        } else {
            out += bytes;
        }
    });
}

}  // namespace

std::string printable(std::string_view text) { return shown(text, false); }
std::string printable_line(std::string_view text) { return shown(text, true); }

std::string escape_controls(std::string_view json) {
    return rewrite(json, [](std::string& out, std::string_view bytes, std::uint32_t c) {
        if (core::is_control(c) || core::deceives(c) || core::joins(c)) {
            out += json_escape(c);
        } else {
            out += bytes;
        }
    });
}

std::string show_time(std::int64_t unix_ms) {
    const std::time_t seconds = unix_ms / 1000;
    std::tm local{};
    std::array<char, 32> out{};
    if (::localtime_r(&seconds, &local) == nullptr) {
        return std::to_string(unix_ms);
    }
    return {out.data(), std::strftime(out.data(), out.size(), "%Y-%m-%d %H:%M:%S", &local)};
}

}  // namespace agentcom::cli

#include "mcp/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "agentcom/core/seq.hpp"
#include "agentcom/core/token.hpp"
#include "agentcom/core/utf8.hpp"

namespace agentcom::mcp {

namespace {

constexpr std::string_view kOpen = "<<<";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kAndSoOn = " \xE2\x80\xA6";     // …
constexpr std::size_t kFirstLineBytes = 160;

/// What is not shown to a model as it is. It loses nothing when an emoji falls into its parts, and
/// by rows of joiners text could be hidden.
bool hides(std::uint32_t c) noexcept {
    return (core::is_control(c) && c != '\n' && c != '\t') || core::deceives(c) || core::joins(c);
}

/// Whether a mark of a fence could begin with what follows its brackets.
bool looks_like_mark(std::string_view rest) noexcept {
    const auto word = rest.find_first_not_of(" \t<");
    if (word == std::string_view::npos) return false;
    rest.remove_prefix(word);
    constexpr std::array<std::string_view, 5> kWords{"message", "manifest", "agents", "channels",
                                                     "end"};
    return std::ranges::any_of(kWords, [&](std::string_view known) {
        return rest.size() >= known.size() &&
               std::ranges::equal(rest.substr(0, known.size()), known, [](char a, char b) {
                   return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b;
               });
    });
}

}  // namespace

std::string iso_time(core::Timestamp time) {
    using namespace std::chrono;
    const sys_time<milliseconds> at{milliseconds(time.ms)};
    const auto day = floor<days>(at);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<seconds>(at - day));
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ",
                  static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                  static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

std::string time_ago(core::Timestamp then, core::Timestamp now) {
    const std::int64_t seconds = (now.ms - then.ms) / 1'000;
    if (seconds < 2) return "just now";
    if (seconds < 120) return std::to_string(seconds) + " s ago";
    if (seconds < 7'200) return std::to_string(seconds / 60) + " min ago";
    if (seconds < 172'800) return std::to_string(seconds / 3'600) + " h ago";
    return std::to_string(seconds / 86'400) + " d ago";
}

std::string counted(std::uint64_t count, std::string_view what) {
    return std::to_string(count) + ' ' + std::string(what) + (count == 1 ? "" : "s");
}

std::string_view cut(std::string_view text, std::size_t bytes) noexcept {
    if (text.size() <= bytes) return text;
    while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
    return text.substr(0, bytes);
}

std::string shortened(std::string_view text) {
    const std::string_view shown = cut(text, kFirstLineBytes);
    std::string out(shown);
    if (shown.size() < text.size()) out += kAndSoOn;
    return out;
}

std::string defused(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with("\r\n")) {
            ++at;
            continue;
        }
        if (text.substr(at).starts_with(kOpen) && looks_like_mark(text.substr(at))) {
            out += "\xE2\x80\xB9\xE2\x80\xB9\xE2\x80\xB9";  // U+2039 three times
            at += kOpen.size();
            continue;
        }
        const std::size_t length = core::utf8_sequence_length(text, at);
        if (length == 0 || hides(core::code_point(text.substr(at, length)))) {
            out += kReplacement;
        } else {
            out += text.substr(at, length);
        }
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string defused_word(std::string_view text) {
    std::string word = defused(text);
    for (char& c : word) {
        if (c == '\n' || c == '\t') c = ' ';
        if (c == '"') c = '\'';
    }
    return word;
}

std::string first_line(std::string_view text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string_view::npos) return {};
    text.remove_prefix(begin);
    const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
    const std::string_view shown = cut(line, kFirstLineBytes);
    std::string out = defused(shown);
    if (shown.size() < text.size()) out += kAndSoOn;
    return out;
}

Fence::Fence() : number_(core::Epoch{core::random_u64()}.str()) {}

std::string Fence::begin(std::string_view kind, std::string_view attributes) const {
    std::string mark(kOpen);
    mark += kind;
    mark += ' ';
    mark += number_;
    if (!attributes.empty()) {
        mark += ' ';
        mark += attributes;
    }
    return mark + ">>>\n";
}

std::string Fence::end() const { return std::string(kOpen) + "end " + number_ + ">>>\n"; }

}  // namespace agentcom::mcp

#include "agentcom/core/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>

#include "agentcom/core/utf8_stream.hpp"

namespace agentcom::core {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;

constexpr unsigned char kFirstContinuation = 0x80;
constexpr unsigned char kLastContinuation = 0xBF;

bool is_continuation(unsigned char byte) noexcept { return (byte & 0xC0U) == 0x80U; }

unsigned char byte_at(std::string_view text, std::size_t at) noexcept {
    return static_cast<unsigned char>(text[at]);
}

// The range of the second byte is what excludes overlong forms, surrogates and what lies above
// U+10FFFF (RFC 3629, section 4).
struct Range {
    unsigned char low;
    unsigned char high;
};
Range second_byte(unsigned char first) noexcept {
    switch (first) {
        case 0xE0:
            return {0xA0, kLastContinuation};
        case 0xED:
            return {kFirstContinuation, 0x9F};
        case 0xF0:
            return {0x90, kLastContinuation};
        case 0xF4:
            return {kFirstContinuation, 0x8F};
        default:
            return {kFirstContinuation, kLastContinuation};
    }
}

bool second_byte_fits(unsigned char first, unsigned char second) noexcept {
    const Range range = second_byte(first);
    return second >= range.low && second <= range.high;
}

/// Where the first byte stands that is not ASCII, looked for in words; or one of the seven before
/// it.
std::size_t skip_ascii(std::string_view text, std::size_t at) noexcept {
    while (text.size() - at >= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & kHighBits) != 0) break;
        at += sizeof word;
    }
    return at;
}

std::size_t announced_length(unsigned char first) noexcept {
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return 2;
    if (first >= 0xE0 && first <= 0xEF) return 3;
    if (first >= 0xF0 && first <= 0xF4) return 4;
    return 0;
}

struct CodePoints {
    std::uint32_t first;
    std::uint32_t last;
};
/// In order. `DI`: Default_Ignorable_Code_Point, of DerivedCoreProperties.txt of the Unicode
/// Character Database, unassigned ones with it (Unicode 16.0; stable but for additions within its
/// own blocks).
constexpr auto kUnseen = std::to_array<CodePoints>({
    {0x00AD, 0x00AD},     // DI: soft hyphen
    {0x034F, 0x034F},     // DI: combining grapheme joiner
    {0x061C, 0x061C},     // DI: Arabic letter mark
    {0x115F, 0x1160},     // DI: Hangul fillers
    {0x17B4, 0x17B5},     // DI: Khmer inherent vowels
    {0x180B, 0x180F},     // DI: Mongolian variation selectors and vowel separator
    {0x200B, 0x200F},     // DI: zero width space, joiners, marks of direction
    {0x2028, 0x202E},     // separators of lines and paragraphs; DI: embeddings and overrides
    {0x2060, 0x206F},     // DI: word joiner, invisible operators, isolates, deprecated controls
    {0x2800, 0x2800},     // Braille pattern blank, which looks like a space
    {0x3164, 0x3164},     // DI: Hangul filler
    {0xE000, 0xF8FF},     // private use
    {0xFDD0, 0xFDEF},     // noncharacters
    {0xFE00, 0xFE0F},     // DI: variation selectors
    {0xFEFF, 0xFEFF},     // DI: zero width no-break space
    {0xFFA0, 0xFFA0},     // DI: half-width Hangul filler
    {0xFFF0, 0xFFFB},     // DI: unassigned; marks of interlinear annotation
    {0x1BCA0, 0x1BCA3},   // DI: shorthand format controls
    {0x1D173, 0x1D17A},   // DI: musical format controls
    {0xE0000, 0xE0FFF},   // DI: tags and more variation selectors
    {0xF0000, 0x10FFFF},  // private use
});

}  // namespace

std::size_t utf8_sequence_length(std::string_view text, std::size_t at) noexcept {
    if (at >= text.size()) return 0;
    const unsigned char first = byte_at(text, at);
    const std::size_t length = announced_length(first);
    if (length <= 1) return length;
    if (text.size() - at < length || !second_byte_fits(first, byte_at(text, at + 1))) return 0;
    for (std::size_t i = 2; i < length; ++i) {
        if (!is_continuation(byte_at(text, at + i))) return 0;
    }
    return length;
}

bool is_valid_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while ((at = skip_ascii(text, at)) < text.size()) {
        const std::size_t length = utf8_sequence_length(text, at);
        if (length == 0) return false;
        at += length;
    }
    return true;
}

bool Utf8Stream::take(std::string_view piece) noexcept {
    for (std::size_t at = 0; at < piece.size(); ++at) {
        if (more_ == 0) {
            at = skip_ascii(piece, at);
            if (at == piece.size()) return true;
            const unsigned char first = byte_at(piece, at);
            const std::size_t length = announced_length(first);
            if (length == 0) return false;
            more_ = static_cast<std::uint8_t>(length - 1);
            const Range range = second_byte(first);
            low_ = range.low;
            high_ = range.high;
            continue;
        }
        const unsigned char next = byte_at(piece, at);
        if (next < low_ || next > high_) return false;
        --more_;
        low_ = kFirstContinuation;
        high_ = kLastContinuation;
    }
    return true;
}

bool has_control_characters(std::string_view text) noexcept {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned char byte = byte_at(text, i);
        if (byte < 0x20 || byte == 0x7F) return true;
        if (byte == 0xC2 && i + 1 < text.size() && byte_at(text, i + 1) < 0xA0) return true;
    }
    return false;
}

std::uint32_t code_point(std::string_view sequence) noexcept {
    std::uint32_t value = byte_at(sequence, 0);
    if (sequence.size() > 1) value &= 0xFFU >> (sequence.size() + 1);
    for (std::size_t i = 1; i < sequence.size(); ++i) {
        value = value << 6 | (byte_at(sequence, i) & 0x3FU);
    }
    return value;
}

bool is_control(std::uint32_t code_point) noexcept {
    return code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
}

bool joins(std::uint32_t code_point) noexcept {
    return code_point == 0x200C || code_point == 0x200D || code_point == 0xFE0F;
}

bool deceives(std::uint32_t code_point) noexcept {
    constexpr std::uint32_t kPlaneEnd = 0xFFFE;  // the last two of each plane are noncharacters
    if ((code_point & kPlaneEnd) == kPlaneEnd) return true;
    const auto next = std::ranges::upper_bound(kUnseen, code_point, {}, &CodePoints::first);
    return next != kUnseen.begin() && code_point <= std::prev(next)->last && !joins(code_point);
}

void append_utf8(std::string& out, std::uint32_t code_point) {
    const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
    if (code_point < 0x80) {
        put(code_point);
    } else if (code_point < 0x800) {
        put(0xC0 | (code_point >> 6));
        put(0x80 | (code_point & 0x3F));
    } else if (code_point < 0x10000) {
        put(0xE0 | (code_point >> 12));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    } else {
        put(0xF0 | (code_point >> 18));
        put(0x80 | ((code_point >> 12) & 0x3F));
        put(0x80 | ((code_point >> 6) & 0x3F));
        put(0x80 | (code_point & 0x3F));
    }
}

}  // namespace agentcom::core

#include "agentcom/core/seq.hpp"

#include <array>
#include <cstring>

namespace agentcom::core {
namespace {

constexpr std::size_t kHexDigits = 16;
constexpr unsigned kSeqBits = 44;

std::array<char, kHexDigits> to_hex(std::uint64_t value) noexcept {
    // Two digits at a time, because a page has one of these for each message.
    constexpr auto kPairs = [] {
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::array<char, 512> pairs{};
        for (std::size_t i = 0; i < 256; ++i) {
            pairs[2 * i] = kDigits[i >> 4];
            pairs[2 * i + 1] = kDigits[i & 0xF];
        }
        return pairs;
    }();
    std::array<char, kHexDigits> text;
    for (std::size_t i = kHexDigits; i > 0; i -= 2, value >>= 8) {
        std::memcpy(&text[i - 2], &kPairs[2 * (value & 0xFF)], 2);
    }
    return text;
}

std::optional<std::uint64_t> from_hex(std::string_view text) noexcept {
    if (text.size() != kHexDigits) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        std::uint64_t digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<std::uint64_t>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<std::uint64_t>(c - 'a') + 10;
        } else {
            return std::nullopt;
        }
        value = (value << 4) | digit;
    }
    return value;
}

}  // namespace

std::string Epoch::str() const {
    const auto digits = to_hex(value);
    return {digits.data(), digits.size()};
}

std::optional<Seq> MessageId::seq_of(std::string_view text, Epoch epoch) noexcept {
    const auto id = from_hex(text);
    if (!id || (*id >> kSeqBits) != ((epoch.value << kSeqBits) >> kSeqBits)) return std::nullopt;
    const Seq seq{*id & kMaxSeq};
    if (seq.value == 0) return std::nullopt;
    return seq;
}

std::string MessageId::str() const {
    std::string text;
    append_to(text);
    return text;
}

std::array<char, 16> MessageId::digits() const noexcept { return to_hex(value); }

void MessageId::append_to(std::string& out) const {
    const auto text = digits();
    out.append(text.data(), text.size());
}

}  // namespace agentcom::core

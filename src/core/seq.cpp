#include "agentcom/core/seq.hpp"

#include <array>

namespace agentcom::core {
namespace {

constexpr std::size_t kHexDigits = 16;
constexpr unsigned kSeqBits = 44;

std::array<char, kHexDigits> to_hex(std::uint64_t value) noexcept {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<char, kHexDigits> text{};
    for (std::size_t i = kHexDigits; i-- > 0; value >>= 4) text[i] = kDigits[value & 0xF];
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

void MessageId::append_to(std::string& out) const {
    const auto digits = to_hex(value);
    out.append(digits.data(), digits.size());
}

}  // namespace agentcom::core

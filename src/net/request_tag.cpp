#include "net/request_tag.hpp"

#include <algorithm>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::size_t kLongestId = 128;

bool is_sane(std::string_view id) noexcept {
    constexpr std::string_view kOthers = "._:+/=-";
    return !id.empty() && id.size() <= kLongestId && std::ranges::all_of(id, [&](char c) {
        return is_alphanumeric(c) || kOthers.find(c) != kOthers.npos;
    });
}

/// Thirteen characters, which take no memory of their own. Neighbouring numbers look unlike, so
/// that nobody takes ids for an order.
std::string text_of(std::uint64_t number) {
    constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
    number ^= number >> 30;
    number *= 0xbf58476d1ce4e5b9;
    number ^= number >> 27;
    number *= 0x94d049bb133111eb;
    number ^= number >> 31;
    std::string text(13, '0');
    for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 5) {
        *digit = kDigits[number & 31];
    }
    return text;
}

bool is_hex(std::string_view text) noexcept {
    return std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_all_zeros(std::string_view text) noexcept {
    return text.find_first_not_of('0') == text.npos;
}

/// "00-<32 digits>-<16 digits>-<2 digits>"; versions to come may add to that.
std::string_view trace_of(std::string_view text) noexcept {
    constexpr std::size_t kSize = 55;
    if (text.size() < kSize || text[2] != '-' || text[35] != '-' || text[52] != '-') return {};
    const std::string_view version = text.substr(0, 2);
    const std::string_view trace = text.substr(3, 32);
    const std::string_view parent = text.substr(36, 16);
    if (!is_hex(version) || version == "ff" || !is_hex(trace) || is_all_zeros(trace) ||
        !is_hex(parent) || is_all_zeros(parent) || !is_hex(text.substr(53, 2))) {
        return {};
    }
    const bool more = text.size() > kSize;
    return more && (version == "00" || text[kSize] != '-') ? std::string_view() : trace;
}

}  // namespace

RequestTag tag_request(std::optional<std::string_view> request_id,
                       std::optional<std::string_view> traceparent, std::uint64_t number) {
    return {request_id && is_sane(*request_id) ? std::string(*request_id) : text_of(number),
            std::string(traceparent ? trace_of(*traceparent) : std::string_view())};
}

}  // namespace agentcom::net

#include "net/address.hpp"

#include <algorithm>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/ip/address_v6.hpp>
#include <charconv>
#include <cstring>
#include <string>

#include "agentcom/net/endpoint.hpp"
#include "net/text.hpp"

namespace agentcom::net {

namespace {

using Bytes = std::array<unsigned char, 16>;

constexpr unsigned kMappedPrefix = 96;  // bits before the address in ::ffff:a.b.c.d

Bytes bytes_of(const Address& address) noexcept {
    if (address.is_v6()) return address.to_v6().to_bytes();
    Bytes bytes{};
    bytes[10] = bytes[11] = 0xff;
    const auto v4 = address.to_v4().to_bytes();
    std::ranges::copy(v4, bytes.begin() + kMappedPrefix / 8);
    return bytes;
}

bool is_mapped(const Bytes& bytes) noexcept {
    return std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; }) &&
           bytes[10] == 0xff && bytes[11] == 0xff;
}

std::optional<Address> parse_address(std::string_view text) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(text), error);
    return error ? std::nullopt : std::optional(address);
}

/// An entry of X-Forwarded-For: some proxies add the port, and brackets around IPv6.
std::optional<Address> parse_forwarded(std::string_view text) {
    text = trim(text);
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        return parse_address(text.substr(1, end - 1));
    }
    if (const auto colon = text.find(':');
        colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        text = text.substr(0, colon);
    }
    return parse_address(text);
}

}  // namespace

bool AddressKey::is_loopback() const noexcept {
    // ::1 is the only address of its /64 that is used.
    return is_mapped(bytes) ? bytes[12] == 127
                            : std::ranges::all_of(bytes, [](auto b) { return b == 0; });
}

AddressKey address_key(const Address& address) noexcept {
    AddressKey key{bytes_of(address)};
    if (!is_mapped(key.bytes)) std::fill(key.bytes.begin() + 8, key.bytes.end(), 0);
    return key;
}

std::string to_text(const AddressKey& key) {
    const auto v6 = boost::asio::ip::make_address_v6(key.bytes);
    if (v6.is_v4_mapped()) {
        return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, v6).to_string();
    }
    return key.is_loopback() ? "::1" : v6.to_string() + "/64";
}

std::size_t AddressKeyHash::operator()(const AddressKey& key) const noexcept {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    std::memcpy(&high, key.bytes.data(), sizeof high);
    std::memcpy(&low, key.bytes.data() + sizeof high, sizeof low);
    // Neighbours differ in a few bits only; a multiplication spreads them over all.
    std::uint64_t mixed = (high ^ (low >> 32) ^ (low << 32)) * 0x9e3779b97f4a7c15U;
    mixed ^= mixed >> 29;
    return mixed * 0xbf58476d1ce4e5b9U;
}

std::optional<AddressRange> AddressRange::parse(std::string_view text) {
    const auto slash = std::min(text.find('/'), text.size());
    const auto address = parse_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    AddressRange range;
    range.network_ = bytes_of(*address);
    if (slash == text.size()) return range;
    const std::string_view digits = text.substr(slash + 1);
    unsigned bits = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (failure != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    const unsigned before = address->is_v4() ? kMappedPrefix : 0;
    if (bits > 128 - before) return std::nullopt;
    range.prefix_ = before + bits;
    return range;
}

bool AddressRange::contains(const Address& address) const noexcept {
    const Bytes bytes = bytes_of(address);
    const unsigned whole = prefix_ / 8;
    if (!std::equal(bytes.begin(), bytes.begin() + whole, network_.begin())) return false;
    const unsigned rest = prefix_ % 8;
    if (rest == 0) return true;
    const unsigned shift = 8 - rest;
    return bytes[whole] >> shift == network_[whole] >> shift;
}

bool TrustedProxies::trusts(const Address& address) const noexcept {
    return std::ranges::any_of(ranges_,
                               [&](const AddressRange& range) { return range.contains(address); });
}

TrustedProxies::Found TrustedProxies::search(const Address& peer,
                                             std::string_view forwarded_for) const {
    Found found{peer};
    while (!forwarded_for.empty() && trusts(found.nearest)) {
        const auto comma = forwarded_for.rfind(',');
        const bool last = comma == std::string_view::npos;
        const auto entry = parse_forwarded(last ? forwarded_for : forwarded_for.substr(comma + 1));
        if (!entry) return {found.nearest};
        found = {*entry, true};
        forwarded_for = last ? std::string_view() : forwarded_for.substr(0, comma);
    }
    return found;
}

bool is_address_range(std::string_view text) { return AddressRange::parse(text).has_value(); }

}  // namespace agentcom::net

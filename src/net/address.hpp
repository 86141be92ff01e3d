#pragma once

#include <array>
#include <boost/asio/ip/address.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace agentcom::net {

using Address = boost::asio::ip::address;

/// Whom something is counted against: an IPv4 address, or the /64 of an IPv6 one, because whoever
/// has one address of those has all of them.
struct AddressKey {
    std::array<unsigned char, 16> bytes{};  // an IPv4 address as ::ffff:a.b.c.d
    [[nodiscard]] bool is_loopback() const noexcept;
    bool operator==(const AddressKey&) const = default;
};
[[nodiscard]] AddressKey address_key(const Address& address) noexcept;
/// For log lines: "192.0.2.1", or "2001:db8::/64".
[[nodiscard]] std::string to_text(const AddressKey& key);

struct AddressKeyHash {
    [[nodiscard]] std::size_t operator()(const AddressKey& key) const noexcept;
};

/// A range of addresses in CIDR notation, or a single address.
class AddressRange {
public:
    [[nodiscard]] static std::optional<AddressRange> parse(std::string_view text);
    [[nodiscard]] bool contains(const Address& address) const noexcept;

private:
    std::array<unsigned char, 16> network_{};
    unsigned prefix_ = 128;  // bits
};

/// The proxies whose X-Forwarded-For is believed. Constant.
class TrustedProxies {
public:
    TrustedProxies() = default;
    explicit TrustedProxies(std::vector<AddressRange> ranges) : ranges_(std::move(ranges)) {}

    [[nodiscard]] bool trusts(const Address& address) const noexcept;
    /// Who asks, when `peer` is a trusted proxy that passes on this X-Forwarded-For: the rightmost
    /// address in it that is not a trusted proxy itself. What cannot be read ends the search: the
    /// proxy that sent it then stands for its client.
    [[nodiscard]] Address client(const Address& peer, std::string_view forwarded_for) const {
        return search(peer, forwarded_for).nearest;
    }
    /// Whether that is somebody whom the proxies name, and not a proxy in the place of its client.
    [[nodiscard]] bool names_client(const Address& peer, std::string_view forwarded_for) const {
        return search(peer, forwarded_for).named;
    }

private:
    struct Found {
        Address nearest;
        bool named = false;
    };
    [[nodiscard]] Found search(const Address& peer, std::string_view forwarded_for) const;

    std::vector<AddressRange> ranges_;
};

}  // namespace agentcom::net

#include "net/authority.hpp"

#include <boost/asio/ip/address_v6.hpp>
#include <charconv>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::size_t kLongestHost = 255;  // of a name in the DNS

bool is_registered_name(std::string_view text) noexcept {
    constexpr std::string_view kOthers = "-._~!$&'()*+,;=";
    if (text.empty() || text.size() > kLongestHost) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (is_alphanumeric(text[i]) || kOthers.find(text[i]) != std::string_view::npos) continue;
        if (text[i] != '%' || i + 2 >= text.size()) return false;
        if (hex_digit(text[i + 1]) < 0 || hex_digit(text[i + 2]) < 0) return false;
        i += 2;
    }
    return true;
}

bool is_ipv6_address(std::string_view text) {
    // No zone: it means something on the machine that wrote it only.
    if (text.find('%') != std::string_view::npos) return false;
    boost::system::error_code error;
    (void)boost::asio::ip::make_address_v6(std::string(text), error);
    return !error;
}

/// What follows the host: nothing, or a colon and digits, which may be missing.
bool read_port(std::string_view text, std::optional<std::uint16_t>& port) noexcept {
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    text.remove_prefix(1);
    if (text.empty()) return true;
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return false;
    port = value;
    return true;
}

}  // namespace

std::optional<Authority> Authority::parse(std::string_view text) {
    Authority authority;
    std::string_view host;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host = text.substr(1, end - 1);
        if (!is_ipv6_address(host)) return std::nullopt;
        text.remove_prefix(end + 1);
    } else {
        host = text.substr(0, text.find(':'));
        if (!is_registered_name(host)) return std::nullopt;
        text.remove_prefix(host.size());
    }
    if (!read_port(text, authority.port)) return std::nullopt;
    authority.host = to_lower(host);
    return authority;
}

}  // namespace agentcom::net

#include "net/site_policy.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <stdexcept>

#include "agentcom/net/endpoint.hpp"
#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::string_view kAny = "*";
/// What browsers send for pages without an origin: files, sandboxed frames.
constexpr std::string_view kNull = "null";

std::uint16_t default_port(std::string_view scheme) noexcept {
    return scheme == "https" ? 443 : 80;
}

std::string_view without_final_dot(std::string_view host) noexcept {
    return host.ends_with('.') ? host.substr(0, host.size() - 1) : host;
}

/// RFC 3986, 3.1.
bool is_scheme(std::string_view text) noexcept {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    });
}

/// A host as it is compared: in lower case, without brackets and without a final dot.
std::optional<std::string> host_of(std::string_view text) {
    auto authority = Authority::parse(text);
    if (!authority && text.find(':') != std::string_view::npos) {
        authority = Authority::parse('[' + std::string(text) + ']');
    }
    if (!authority || authority->port) return std::nullopt;
    return std::string(without_final_dot(authority->host));
}

/// A name or address that always means this machine, or a name without a dot: those are given by
/// the machine or its network, and cannot be registered by a stranger.
bool is_local(std::string_view host) {
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(std::string(host), error);
    if (!error) return address.is_loopback();
    return host.find('.') == std::string_view::npos || host.ends_with(".localhost");
}

}  // namespace

std::optional<SitePolicy::Origin> SitePolicy::Origin::parse(std::string_view text) {
    const auto end = text.find("://");
    if (end == std::string_view::npos || !is_scheme(text.substr(0, end))) return std::nullopt;
    auto authority = Authority::parse(text.substr(end + 3));
    if (!authority) return std::nullopt;
    std::string scheme = to_lower(text.substr(0, end));
    const std::uint16_t port = authority->port.value_or(default_port(scheme));
    return Origin{std::move(scheme), std::string(without_final_dot(authority->host)), port};
}

bool SitePolicy::is_origin(std::string_view text) {
    // A star stands for all origins or for itself, never for a part of a name.
    if (text.find('*') != std::string_view::npos) return text == kAny;
    return text == kNull || Origin::parse(text).has_value();
}

bool SitePolicy::is_host(std::string_view text) { return text == kAny || host_of(text); }

SitePolicy::SitePolicy(const std::vector<std::string>& origins,
                       const std::vector<std::string>& hosts, std::string_view listens_on,
                       bool on_loopback) {
    for (const std::string& text : origins) {
        if (!is_origin(text)) throw std::runtime_error(text + " is not an origin");
        any_origin_ = any_origin_ || text == kAny;
        null_origin_ = null_origin_ || text == kNull;
        if (auto origin = Origin::parse(text)) origins_.push_back(std::move(*origin));
    }
    // Who listens to the network knows its names, and only by being told.
    any_host_ = hosts.empty() && !on_loopback;
    for (const std::string& text : hosts) {
        if (!is_host(text)) throw std::runtime_error(text + " is not the name of a host");
        any_host_ = any_host_ || text == kAny;
        if (auto host = host_of(text)) hosts_.push_back(std::move(*host));
    }
    if (auto own = host_of(listens_on)) hosts_.push_back(std::move(*own));
}

bool SitePolicy::knows_host(const Authority* authority) const {
    // Browsers always name one.
    if (any_host_ || authority == nullptr) return true;
    const std::string_view host = without_final_dot(authority->host);
    return is_local(host) || std::ranges::find(hosts_, host) != hosts_.end();
}

bool SitePolicy::lists(std::string_view text) const {
    if (text == kNull) return any_origin_ || null_origin_;
    // What is no origin is nothing that could be answered with.
    const auto origin = Origin::parse(text);
    return origin && (any_origin_ || std::ranges::find(origins_, *origin) != origins_.end());
}

bool SitePolicy::admits(std::string_view text, const Authority* authority, bool https) const {
    return any_origin_ || lists(text) || is_own(text, authority, https);
}

bool SitePolicy::is_own(std::string_view text, const Authority* authority, bool https) {
    const auto origin = Origin::parse(text);
    if (!origin || authority == nullptr) return false;
    const std::string scheme = https ? "https" : "http";
    return *origin == Origin{scheme, std::string(without_final_dot(authority->host)),
                             authority->port.value_or(default_port(scheme))};
}

bool is_allowed_origin(std::string_view text) { return SitePolicy::is_origin(text); }
bool is_public_url(std::string_view text) {
    const auto path = text.find('/', text.find("://") + 3);
    if (path == std::string_view::npos)
        return SitePolicy::is_origin(text) && text.starts_with("http");
    const bool plain = std::ranges::all_of(
        text.substr(path), [](char c) { return is_token_character(c) || c == '/'; });
    return plain && !text.ends_with('/') && is_public_url(text.substr(0, path));
}
bool is_allowed_host(std::string_view text) { return SitePolicy::is_host(text); }

}  // namespace agentcom::net

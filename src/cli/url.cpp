#include "cli/url.hpp"

#include <algorithm>
#include <cctype>

#include "agentcom/cli/hub_client.hpp"

namespace agentcom::cli {
namespace {

[[noreturn]] void fail_url(std::string_view text, std::string_view why) {
    // Whoever puts a token or a password into a URL is not to find it on the screen.
    const std::string shown(text.substr(0, text.find_first_of("@?#")));
    throw HubError(HubError::Kind::address,
                   "the hub's URL " + shown + " cannot be used: " + std::string(why));
}

}  // namespace

Url Url::parse(std::string_view text) {
    Url url;
    std::string_view rest = text;
    if (rest.starts_with("https://")) {
        url.tls = true;
        rest.remove_prefix(8);
    } else if (rest.starts_with("http://")) {
        rest.remove_prefix(7);
    } else {
        fail_url(text, "it must begin with http:// or https://");
    }
    if (rest.find_first_of("?#@ \t\r\n") != std::string_view::npos) {
        fail_url(text, "it must be scheme://host:port");
    }
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    url.path = rest.substr(slash);
    while (url.path.ends_with('/')) {
        url.path.pop_back();
    }
    url.authority = rest.substr(0, slash);
    rest = url.authority;
    std::string_view port;
    if (rest.starts_with('[')) {
        const std::size_t end = rest.find(']');
        if (end == std::string_view::npos) {
            fail_url(text, "a bracket is not closed");
        }
        url.host = rest.substr(1, end - 1);
        port = rest.substr(end + 1);
    } else {
        const std::size_t colon = std::min(rest.find(':'), rest.size());
        url.host = rest.substr(0, colon);
        port = rest.substr(colon);
    }
    if (url.host.empty()) {
        fail_url(text, "it names no host");
    }
    if (port.empty()) {
        url.port = url.tls ? "443" : "80";
        return url;
    }
    url.port = port.substr(1);
    const bool digits =
        std::ranges::all_of(url.port, [](unsigned char c) { return std::isdigit(c); });
    if (port[0] != ':' || url.port.empty() || url.port.size() > 5 || !digits ||
        std::stoul(url.port) == 0 || std::stoul(url.port) > 65'535) {
        fail_url(text, "its port is no number from 1 to 65535");
    }
    return url;
}

}  // namespace agentcom::cli

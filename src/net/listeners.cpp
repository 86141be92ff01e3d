#include "net/listeners.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

using asio::ip::tcp;

/// How often another free port is tried when a further address does not have the first one's.
constexpr int kTries = 16;

struct Host {
    std::vector<asio::ip::address> addresses;
    bool is_name = false;
};

Host find(asio::io_context& context, const std::string& host) {
    error_code error;
    const auto literal = asio::ip::make_address(host, error);
    if (!error) return {{literal}, false};
    if (equal_ignoring_case(host, "localhost")) {
        return {{asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()}, true};
    }
    tcp::resolver resolver(context);
    const auto found = resolver.resolve(host, "", error);
    if (error || found.empty()) {
        throw std::runtime_error("cannot find the address of the host " + host + ": " +
                                 error.message());
    }
    Host all{{}, true};
    for (const auto& entry : found) {
        const auto address = entry.endpoint().address();
        if (std::ranges::find(all.addresses, address) == all.addresses.end()) {
            all.addresses.push_back(address);
        }
    }
    return all;
}

error_code listen(Acceptor& acceptor, const tcp::endpoint& where, bool of_name,
                  const EndpointOptions& options) {
    error_code error;
    acceptor.open(where.protocol(), error);
    if (!error) acceptor.set_option(Acceptor::reuse_address(true), error);
    // The IPv4 addresses of a name are listened on by themselves.
    if (!error && of_name && where.address().is_v6()) {
        acceptor.set_option(asio::ip::v6_only(true), error);
    }
    // Accepted sockets inherit it. Without, the system keeps megabytes for each slow reader.
    if (!error && options.limits.socket_send_buffer > 0) {
        acceptor.set_option(asio::socket_base::send_buffer_size(
                                static_cast<int>(options.limits.socket_send_buffer / 2)),
                            error);
    }
    if (!error) acceptor.bind(where, error);
    if (!error) acceptor.listen(Acceptor::max_listen_connections, error);
    return error;
}

bool is_missing(const error_code& error) {
    return error == asio::error::address_family_not_supported ||
           error == boost::system::errc::address_not_available;
}

/// Nothing when a free port of the first address is not free at another one.
std::optional<std::vector<Acceptor>> try_all(asio::io_context& context, const Host& host,
                                             const EndpointOptions& options) {
    std::vector<Acceptor> all;
    std::uint16_t port = options.port;
    error_code missing;
    for (const auto& address : host.addresses) {
        Acceptor acceptor(context);
        const error_code error = listen(acceptor, {address, port}, host.is_name, options);
        if (error && host.is_name && is_missing(error)) {
            missing = error;
            continue;
        }
        if (error == asio::error::address_in_use && options.port == 0 && !all.empty()) {
            return std::nullopt;
        }
        if (error) {
            throw std::runtime_error("cannot listen on " + options.host + ":" +
                                     std::to_string(options.port) + ": " + error.message());
        }
        port = acceptor.local_endpoint().port();
        all.push_back(std::move(acceptor));
    }
    if (all.empty()) {
        throw std::runtime_error("this machine has no address of the host " + options.host + ": " +
                                 missing.message());
    }
    return all;
}

}  // namespace

std::vector<Acceptor> listen_on(asio::io_context& context, const EndpointOptions& options) {
    const Host host = find(context, options.host);
    for (int i = 0; i < kTries; ++i) {
        if (auto all = try_all(context, host, options)) return std::move(*all);
    }
    throw std::runtime_error("cannot listen on " + options.host +
                             ": no port is free at all of its addresses");
}

void check_host(const std::string& host) {
    asio::io_context context;
    (void)find(context, host);
}

}  // namespace agentcom::net

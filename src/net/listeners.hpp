#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <string>
#include <vector>

#include "agentcom/net/endpoint.hpp"
#include "net/await.hpp"

namespace agentcom::net {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

/// Listens on every address that `options.host` stands for, on one port, also where that is to be
/// any free one. `localhost` is both 127.0.0.1 and ::1 whatever the system's tables say (RFC 6761,
/// 6.3). Addresses of a name that this machine has not are left out, unless none is left. Throws
/// std::runtime_error with one sentence for the operator.
[[nodiscard]] std::vector<Acceptor> listen_on(asio::io_context& context,
                                              const EndpointOptions& options);

/// Whether there are addresses that the host stands for. Throws as `listen_on` does when not.
void check_host(const std::string& host);

}  // namespace agentcom::net

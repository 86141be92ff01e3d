#pragma once

#include <boost/asio/ssl/context.hpp>

#include "agentcom/net/endpoint.hpp"

namespace agentcom::net {

/// A server context for TLS 1.2 and newer. Throws std::runtime_error with one sentence for the
/// operator when a file cannot be read or the key does not belong to the certificate.
[[nodiscard]] boost::asio::ssl::context make_tls_context(const TlsOptions& options);

}  // namespace agentcom::net

#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "agentcom/core/guarded.hpp"
#include "agentcom/core/time.hpp"
#include "agentcom/net/endpoint.hpp"

namespace agentcom::net {

/// The certificate and key that the hub presents, and what it speaks: TLS 1.2 and newer, with
/// forward secrecy and authenticated ciphers alone, of which the hub chooses. Thread-safe.
class ServerTls {
public:
    /// Throws std::runtime_error with one sentence for the operator when a file cannot be used, the
    /// key has a password or does not belong to the certificate, or that has expired.
    ServerTls(const TlsOptions& options, core::Timestamp now);

    using Context = std::shared_ptr<boost::asio::ssl::context>;
    /// Reads such files, maybe others than before. Throws as the constructor does.
    [[nodiscard]] static Context read(const TlsOptions& options, core::Timestamp now);
    void replace(Context context) noexcept;
    /// For connections that begin now; those that began with an older one are not touched.
    [[nodiscard]] Context context() const;

private:
    core::Guarded<Context> context_;
};

}  // namespace agentcom::net

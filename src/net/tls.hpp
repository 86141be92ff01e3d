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
    /// Throws std::runtime_error with one sentence for the operator when a file cannot be used, or
    /// the key has a password or does not belong to the certificate. One that has expired, or whose
    /// time has not come, is only warned of.
    ServerTls(const TlsOptions& options, core::Timestamp now);

    using Context = std::shared_ptr<boost::asio::ssl::context>;
    /// Reads such files. Throws as the constructor does.
    [[nodiscard]] static Context read(const TlsOptions& options, core::Timestamp now);
    /// Reads what is to take the place of what is presented now. Throws as the constructor does,
    /// and when it is not the time of the new certificate while it is that of the present one.
    [[nodiscard]] Context read_next(const TlsOptions& options, core::Timestamp now) const;
    void replace(Context context) noexcept;
    /// For connections that begin now; those that began with an older one are not touched.
    [[nodiscard]] Context context() const;

private:
    core::Guarded<Context> context_;
};

}  // namespace agentcom::net

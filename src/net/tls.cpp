#include "net/tls.hpp"

#include <boost/system/error_code.hpp>
#include <stdexcept>

namespace agentcom::net {

namespace ssl = boost::asio::ssl;

ssl::context make_tls_context(const TlsOptions& options) {
    ssl::context context(ssl::context::tls_server);
    context.set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                        ssl::context::no_sslv3 | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                        SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
    boost::system::error_code error;
    context.use_certificate_chain_file(options.certificate_chain_file, error);
    if (error) {
        throw std::runtime_error("cannot use the TLS certificate " +
                                 options.certificate_chain_file + ": " + error.message());
    }
    context.use_private_key_file(options.private_key_file, ssl::context::pem, error);
    if (error) {
        throw std::runtime_error("cannot use the TLS private key " + options.private_key_file +
                                 ": " + error.message());
    }
    return context;
}

}  // namespace agentcom::net

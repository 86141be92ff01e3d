#include "net/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/system/error_code.hpp>
#include <ctime>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace agentcom::net {

namespace ssl = boost::asio::ssl;

namespace {

/// For TLS 1.2; all suites of TLS 1.3 are of this kind.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct FreeKey {
    void operator()(EVP_PKEY* key) const noexcept { ::EVP_PKEY_free(key); }
};
struct FreeBio {
    void operator()(BIO* bio) const noexcept { ::BIO_free(bio); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string last_reason() {
    const char* reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    ::ERR_clear_error();
    return reason != nullptr ? reason : "it is not understood";
}

/// OpenSSL would ask for a password at the terminal, if there were one.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
    *static_cast<bool*>(asked) = true;
    return -1;
}

Key read_key(const std::string& file) {
    const std::string beginning = "cannot use the TLS private key " + file;
    const std::unique_ptr<BIO, FreeBio> bio(::BIO_new_file(file.c_str(), "r"));
    if (!bio) throw std::runtime_error(beginning + ": " + last_reason());
    bool asked = false;
    Key key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, &asked));
    if (key) return key;
    if (asked) {
        ::ERR_clear_error();
        throw std::runtime_error(beginning +
                                 ": it has a password, which the hub cannot ask for; write it "
                                 "without one, with openssl pkey");
    }
    throw std::runtime_error(beginning + ": " + last_reason());
}

std::string text_of(const ASN1_TIME* time) {
    const std::unique_ptr<BIO, FreeBio> bio(::BIO_new(::BIO_s_mem()));
    ::ASN1_TIME_print(bio.get(), time);
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(std::max(size, 0L))};
}

/// Why nobody accepts the certificate at this time, whatever else is right with it.
std::optional<std::string> objection(ssl::context& context, core::Timestamp now) {
    const X509* certificate = ::SSL_CTX_get0_certificate(context.native_handle());
    auto second = static_cast<std::time_t>(now.ms / 1000);
    const ASN1_TIME* end = ::X509_get0_notAfter(certificate);
    if (::X509_cmp_time(end, &second) < 0) return "it expired on " + text_of(end);
    const ASN1_TIME* begin = ::X509_get0_notBefore(certificate);
    if (::X509_cmp_time(begin, &second) > 0) return "it is valid from " + text_of(begin) + " on";
    return std::nullopt;
}

/// The clock may be what is wrong, and may be set right while the hub runs; and a hub that does not
/// start serves nobody, also those who do not look at the time.
void warn_of_time(ssl::context& context, const std::string& file, core::Timestamp now) {
    if (const auto problem = objection(context, now)) {
        spdlog::warn("clients will not accept the TLS certificate {}: {}", file, *problem);
    }
}

std::shared_ptr<ssl::context> make_context(const TlsOptions& options) {
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    SSL_CTX* native = context->native_handle();
    context->set_options(ssl::context::default_workarounds | ssl::context::no_sslv2 |
                         ssl::context::no_sslv3 | ssl::context::no_tlsv1 |
                         ssl::context::no_tlsv1_1 | SSL_OP_NO_RENEGOTIATION |
                         SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
    if (::SSL_CTX_set_cipher_list(native, kCiphers) != 1) {
        throw std::runtime_error("the TLS library has none of the ciphers " +
                                 std::string(kCiphers));
    }
    boost::system::error_code error;
    const std::string& file = options.certificate_chain_file;
    context->use_certificate_chain_file(file, error);
    if (error) {
        throw std::runtime_error("cannot use the TLS certificate " + file + ": " + error.message());
    }
    X509* certificate = ::SSL_CTX_get0_certificate(native);
    const Key key = read_key(options.private_key_file);
    // The library looks at this by itself only when both are of the same kind.
    if (::X509_check_private_key(certificate, key.get()) != 1 ||
        ::SSL_CTX_use_PrivateKey(native, key.get()) != 1) {
        ::ERR_clear_error();
        throw std::runtime_error("the TLS private key " + options.private_key_file +
                                 " does not belong to the certificate " + file);
    }
    return context;
}

}  // namespace

ServerTls::ServerTls(const TlsOptions& options, core::Timestamp now)
    : context_(std::in_place, read(options, now)) {}

ServerTls::Context ServerTls::read(const TlsOptions& options, core::Timestamp now) {
    Context made = make_context(options);
    warn_of_time(*made, options.certificate_chain_file, now);
    return made;
}

ServerTls::Context ServerTls::read_next(const TlsOptions& options, core::Timestamp now) const {
    Context made = make_context(options);
    const auto problem = objection(*made, now);
    if (problem && !objection(*context(), now)) {
        throw std::runtime_error("cannot use the TLS certificate " +
                                 options.certificate_chain_file + ": " + *problem);
    }
    warn_of_time(*made, options.certificate_chain_file, now);
    return made;
}

void ServerTls::replace(Context context) noexcept {
    context_.with([&](Context& current) { current.swap(context); });
}

ServerTls::Context ServerTls::context() const {
    return context_.with([](const Context& context) { return context; });
}

}  // namespace agentcom::net

// HTTP and WebSocket over TLS, with a certificate made on the spot.

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

template <auto Function>
struct Freed {
    template <class T>
    void operator()(T* object) const {
        Function(object);
    }
};
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

/// Writes a self-signed certificate for localhost and its key.
net::TlsOptions make_certificate(const std::filesystem::path& directory) {
    const std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>> key(EVP_EC_gen("P-256"));
    const std::unique_ptr<X509, Freed<X509_free>> certificate(X509_new());
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("localhost"), -1, -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    X509_sign(certificate.get(), key.get(), EVP_sha256());
    net::TlsOptions options{directory / "cert.pem", directory / "key.pem"};
    const File cert_file(std::fopen(options.certificate_chain_file.c_str(), "w"));
    PEM_write_X509(cert_file.get(), certificate.get());
    const File key_file(std::fopen(options.private_key_file.c_str(), "w"));
    PEM_write_PrivateKey(key_file.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return options;
}

/// A blocking TLS connection that trusts anybody.
class TlsClient {
public:
    explicit TlsClient(std::uint16_t port)
        : context_(SSL_CTX_new(TLS_client_method())), bio_(BIO_new_ssl_connect(context_.get())) {
        BIO_set_conn_hostname(bio_.get(), ("127.0.0.1:" + std::to_string(port)).c_str());
        if (BIO_do_connect(bio_.get()) <= 0) throw std::runtime_error("no TLS connection");
    }
    void send(std::string_view bytes) {
        while (!bytes.empty()) {
            const int sent = BIO_write(bio_.get(), bytes.data(), static_cast<int>(bytes.size()));
            if (sent <= 0) throw std::runtime_error("TLS write failed");
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
    }
    /// All that comes up to and including this text; throws when the connection ends before.
    std::string read_until(std::string_view text) {
        while (got_.find(text) == std::string::npos) {
            std::array<char, 16'384> piece{};
            const int count = BIO_read(bio_.get(), piece.data(), static_cast<int>(piece.size()));
            if (count <= 0) throw std::runtime_error("the connection has ended after: " + got_);
            got_.append(piece.data(), static_cast<std::size_t>(count));
        }
        const std::size_t end = got_.find(text) + text.size();
        std::string result = got_.substr(0, end);
        got_.erase(0, end);
        return result;
    }
    /// True when the other side says goodbye in TLS instead of merely hanging up.
    bool ends_properly() {
        std::array<char, 16'384> piece{};
        while (BIO_read(bio_.get(), piece.data(), static_cast<int>(piece.size())) > 0) {
        }
        SSL* ssl = nullptr;
        BIO_get_ssl(bio_.get(), &ssl);
        return (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    }

private:
    std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
    std::unique_ptr<BIO, Freed<BIO_free_all>> bio_;
    std::string got_;
};

class Tls : public ::testing::Test {
protected:
    HubSettings with_certificate() {
        HubSettings settings;
        settings.tls = make_certificate(dir_.path());
        return settings;
    }
    TempDir dir_;
    Hub hub_{with_certificate()};
};

std::string masked_text(std::string_view text) {
    std::string frame{'\x81'};
    if (text.size() < 126) {
        frame.push_back(static_cast<char>(0x80U | text.size()));
    } else {
        frame += {'\xfe', static_cast<char>(text.size() >> 8), static_cast<char>(text.size())};
    }
    return frame + std::string(4, '\0') + std::string(text);
}

constexpr std::string_view kHandshake =
    "GET /ws HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

TEST_F(Tls, ServesHttpAndSaysGoodbye) {
    TlsClient client(hub_.port());
    client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_TRUE(client.read_until("\"agents_connected\":0}").starts_with("HTTP/1.1 200 "));
    client.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    client.read_until("\"agents_connected\":0}");
    EXPECT_TRUE(client.ends_properly());
}

TEST_F(Tls, CarriesManyLargeMessagesOverOneWebSocket) {
    const std::string token = hub_.create_token("alice");
    TlsClient client(hub_.port());
    client.send(kHandshake);
    client.read_until("\r\n\r\n");
    client.send(masked_text(R"({"type":"identify","agent_id":"alice","token":")" + token + "\"}"));
    client.read_until("\"identified\"");
    const std::string padding(60'000, 'x');
    for (int i = 0; i < 50; ++i) {
        client.send(masked_text(R"({"type":"message","to":"alice","payload":{"p":")" + padding +
                                R"("},"ref":"r)" + std::to_string(i) + "\"}"));
    }
    for (int i = 0; i < 50; ++i) client.read_until(padding);
    client.send(masked_text(R"({"type":"ping"})"));
    client.read_until("\"pong\"");
}

TEST_F(Tls, PlainTextOnThePortHarmsNobody) {
    {
        Socket plain(hub_.port());
        plain.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
        while (!plain.receive_some().empty()) {
        }
    }
    TlsClient client(hub_.port());
    client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.read_until("}").find("\"ok\""), std::string::npos);
}

TEST_F(Tls, AHandshakeThatNeverComesIsGivenUp) {
    Socket silent(hub_.port());
    ASSERT_TRUE(hub_.wait_for_connections(1));
    hub_.pass(core::Millis{31'000});
    EXPECT_EQ(silent.receive_some(), "");
    EXPECT_TRUE(hub_.wait_for_connections(0));
}

}  // namespace
}  // namespace agentcom::test

// HTTP and WebSocket over TLS, with a certificate made on the spot.

#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "support/certificate.hpp"
#include "support/hub_fixture.hpp"

namespace agentcom::test {
namespace {

net::TlsOptions certified(const std::filesystem::path& directory, CertificateKind kind = {}) {
    const CertificateFiles files = make_certificate(directory, kind);
    return {files.certificate, files.key};
}

/// What the operator is told when a hub starts with this; nothing when it does start.
std::string complaint_about(const net::TlsOptions& options) {
    try {
        HubSettings settings;
        settings.tls = options;
        const Hub hub(settings);
    } catch (const std::runtime_error& error) {
        return error.what();
    }
    return {};
}

/// A blocking TLS connection that trusts anybody.
class TlsClient {
public:
    /// `ciphers`: of TLS 1.2, which is then all that is offered.
    explicit TlsClient(std::uint16_t port, const char* ciphers = nullptr)
        : context_(offering(ciphers)), bio_(BIO_new_ssl_connect(context_.get())) {
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
    /// The serial number of the certificate that was presented.
    [[nodiscard]] long serial() const {
        const std::unique_ptr<X509, Freed<X509_free>> shown(SSL_get1_peer_certificate(ssl()));
        return ASN1_INTEGER_get(X509_get_serialNumber(shown.get()));
    }
    [[nodiscard]] std::string cipher() const { return SSL_get_cipher(ssl()); }
    /// True when the other side says goodbye in TLS instead of merely hanging up.
    bool ends_properly() {
        std::array<char, 16'384> piece{};
        while (BIO_read(bio_.get(), piece.data(), static_cast<int>(piece.size())) > 0) {
        }
        return (SSL_get_shutdown(ssl()) & SSL_RECEIVED_SHUTDOWN) != 0;
    }

private:
    static SSL_CTX* offering(const char* ciphers) {
        SSL_CTX* context = SSL_CTX_new(TLS_client_method());
        if (ciphers != nullptr) {
            SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
            SSL_CTX_set_cipher_list(context, ciphers);
        }
        return context;
    }
    [[nodiscard]] SSL* ssl() const {
        SSL* ssl = nullptr;
        BIO_get_ssl(bio_.get(), &ssl);
        return ssl;
    }

    std::unique_ptr<SSL_CTX, Freed<SSL_CTX_free>> context_;
    std::unique_ptr<BIO, Freed<BIO_free_all>> bio_;
    std::string got_;
};

class Tls : public ::testing::Test {
protected:
    HubSettings with_certificate() {
        HubSettings settings;
        settings.tls = certified(dir_.path());
        return settings;
    }
    /// Has the files read again; why they cannot be used, or nothing.
    std::string renewal() {
        HubSettings settings;
        settings.tls = {.certificate_chain_file = (dir_.path() / "cert.pem").string(),
                        .private_key_file = (dir_.path() / "key.pem").string()};
        try {
            hub_.reload(std::move(settings));
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return {};
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

TEST_F(Tls, ASessionsCookieComesBackByTlsAlone) {
    const std::string body = R"({"token":")" + hub_.create_token("alice") + "\"}";
    TlsClient client(hub_.port());
    client.send("POST /api/session HTTP/1.1\r\nHost: x\r\nOrigin: https://x\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string head = client.read_until("\r\n\r\n");
    EXPECT_TRUE(head.starts_with("HTTP/1.1 200 ")) << head;
    EXPECT_NE(head.find("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure\r\n"),
              std::string::npos)
        << head;
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

TEST_F(Tls, PlainHttpOnThePortGetsASentenceAndHarmsNobody) {
    {
        Socket plain(hub_.port());
        plain.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
        std::string answer;
        for (std::string some = plain.receive_some(); !some.empty(); some = plain.receive_some()) {
            answer += some;
        }
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
        EXPECT_NE(answer.find("\r\nConnection: close\r\n"), std::string::npos) << answer;
        EXPECT_NE(answer.find("\r\nContent-Type: text/plain"), std::string::npos) << answer;
        EXPECT_TRUE(
            answer.ends_with("\r\n\r\nThis port speaks TLS: use https:// or wss:// here.\n"))
            << answer;
    }
    ASSERT_TRUE(hub_.wait_for_connections(0));
    {
        Socket garbage(hub_.port());
        garbage.send("\x01\x02 no TLS, no HTTP\r\n\r\n");
        while (!garbage.receive_some().empty()) {
        }
    }
    TlsClient client(hub_.port());
    client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_NE(client.read_until("}").find("\"ok\""), std::string::npos);
}

TEST_F(Tls, ARenewedCertificateIsShownToNewConnectionsAndOldOnesStay) {
    TlsClient old(hub_.port());
    old.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    old.read_until("\"agents_connected\":0}");
    EXPECT_EQ(old.serial(), 1);
    certified(dir_.path(), {.serial = 2});
    EXPECT_EQ(renewal(), "");
    TlsClient fresh(hub_.port());
    EXPECT_EQ(fresh.serial(), 2);
    old.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    old.read_until("\"agents_connected\":0}");
    fresh.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    fresh.read_until("\"agents_connected\":0}");
}

TEST_F(Tls, ARenewalThatCannotBeUsedLeavesWhatThereWas) {
    const auto still_serves_the_first = [this] {
        TlsClient client(hub_.port());
        client.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
        client.read_until("\"agents_connected\":0}");
        return client.serial() == 1;
    };
    const std::string file = (dir_.path() / "cert.pem").string();
    certified(dir_.path(), {.serial = 2, .expires = core::Timestamp{1'600'000'000'000}});
    EXPECT_EQ(renewal(), "cannot use the TLS certificate " + file +
                             ": it expired on Sep 13 12:26:40 2020 GMT");
    certified(dir_.path(), {.serial = 2, .begins = core::Timestamp{3'900'000'000'000}});
    EXPECT_EQ(renewal(), "cannot use the TLS certificate " + file +
                             ": it is valid from Aug  1 21:20:00 2093 GMT on");
    EXPECT_TRUE(still_serves_the_first());
    certified(dir_.path(), {.serial = 3, .password = "secret"});
    EXPECT_NE(renewal(), "");
    std::filesystem::remove(dir_.path() / "key.pem");
    EXPECT_NE(renewal(), "");
    EXPECT_TRUE(still_serves_the_first());
    certified(dir_.path(), {.serial = 4, .rsa = true});
    EXPECT_EQ(renewal(), "");
    EXPECT_EQ(TlsClient(hub_.port()).serial(), 4);
}

TEST(TlsFiles, APairThatDoesNotFitIsToldAtTheStart) {
    TempDir first;
    TempDir second;
    const auto ours = certified(first.path());
    for (const bool rsa : {false, true}) {
        const auto other = certified(second.path(), {.rsa = rsa});
        const std::string told =
            complaint_about({ours.certificate_chain_file, other.private_key_file});
        EXPECT_EQ(told, "the TLS private key " + other.private_key_file +
                            " does not belong to the certificate " + ours.certificate_chain_file);
    }
}

TEST(TlsFiles, WhatElseCannotBeUsedIsToldInOneSentence) {
    TempDir dir;
    const auto options = certified(dir.path(), {.password = "secret"});
    EXPECT_NE(complaint_about(options).find("it has a password"), std::string::npos);
    certified(dir.path());
    EXPECT_EQ(complaint_about(options), "");
    const auto broken = [&](const std::string& file) {
        certified(dir.path());
        std::ofstream(file) << "no PEM";
        return complaint_about(options);
    };
    EXPECT_TRUE(broken(options.private_key_file)
                    .starts_with("cannot use the TLS private key " + options.private_key_file));
    EXPECT_TRUE(
        broken(options.certificate_chain_file)
            .starts_with("cannot use the TLS certificate " + options.certificate_chain_file));
}

TEST(TlsFiles, ACertificateWhoseTimeItIsNotIsReplacedByWhatThereIs) {
    TempDir dir;
    HubSettings settings;
    settings.tls = certified(dir.path(), {.expires = core::Timestamp{1'600'000'000'000}});
    Hub hub(settings);
    EXPECT_EQ(TlsClient(hub.port()).serial(), 1) << "the hub serves those who do not look";
    // The one that is presented is no better.
    certified(dir.path(), {.serial = 2, .begins = core::Timestamp{3'900'000'000'000}});
    hub.reload(settings);
    EXPECT_EQ(TlsClient(hub.port()).serial(), 2);
}

TEST_F(Tls, OnlyCiphersWithForwardSecrecyAndAuthenticationAreSpoken) {
    // The client's order does not count.
    TlsClient client(hub_.port(), "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384");
    EXPECT_EQ(client.cipher(), "ECDHE-ECDSA-AES256-GCM-SHA384");
    for (const char* cipher : {"ECDHE-ECDSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA"}) {
        EXPECT_THROW(TlsClient(hub_.port(), cipher), std::runtime_error) << cipher;
    }
    certified(dir_.path(), {.rsa = true});
    ASSERT_EQ(renewal(), "");
    for (const char* cipher : {"AES128-GCM-SHA256", "AES256-SHA", "DHE-RSA-AES128-GCM-SHA256",
                               "ECDHE-RSA-AES128-SHA256"}) {
        EXPECT_THROW(TlsClient(hub_.port(), cipher), std::runtime_error) << cipher;
    }
    EXPECT_EQ(TlsClient(hub_.port(), "ECDHE-RSA-AES128-GCM-SHA256").cipher(),
              "ECDHE-RSA-AES128-GCM-SHA256");
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

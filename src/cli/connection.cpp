#include "cli/connection.hpp"

#include <poll.h>

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>

namespace agentcom::cli {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Kind = HubError::Kind;

class TlsTrust {
public:
    explicit TlsTrust(const HubAddress& address) : pinned_(address.pinned_certificate.has_value()) {
        context_.set_options(asio::ssl::context::default_workarounds |
                             asio::ssl::context::no_tlsv1 | asio::ssl::context::no_tlsv1_1);
        context_.set_verify_mode(asio::ssl::verify_peer);
        error_code unusable;
        if (address.ca_file.empty() && !pinned_) {
            context_.set_default_verify_paths(unusable);
            return;
        }
        // A certificate that is no authority may stand for itself.
        unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN;
        if (!address.ca_file.empty()) {
            context_.load_verify_file(address.ca_file, unusable);
            if (unusable && !pinned_) {
                throw HubError(Kind::address, "cannot use the certificates in " + address.ca_file +
                                                  ": " + unusable.message());
            }
        }
        if (address.pinned_certificate) {
            context_.add_certificate_authority(asio::buffer(*address.pinned_certificate), unusable);
            flags |= X509_V_FLAG_NO_CHECK_TIME;
        }
        ::X509_VERIFY_PARAM_set_flags(::SSL_CTX_get0_param(context_.native_handle()), flags);
    }

    [[nodiscard]] asio::ssl::context& context() noexcept { return context_; }
    [[nodiscard]] bool checks_names() const noexcept { return !pinned_; }

private:
    asio::ssl::context context_{asio::ssl::context::tls_client};
    bool pinned_;
};

std::shared_ptr<TlsTrust> load_trust(const HubAddress& address, const Url& url) {
    return url.tls ? std::make_shared<TlsTrust>(address) : nullptr;
}

namespace {

constexpr std::size_t kPieceBytes = 64 * std::size_t{1024};

using TlsStream = asio::ssl::stream<tcp::socket>;

template <class Stream>
class AsioConnection final : public Connection {
    static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

public:
    AsioConnection(const HubAddress& address, const Url& url,
                   const std::shared_ptr<TlsTrust>& trust, Deadline deadline)
        : shown_(address.url), trust_(trust), stream_(make_stream(context_, trust)) {
        connect(url, deadline);
        if constexpr (kTls) {
            shake_hands(url, deadline);
        }
    }

    void write(std::string_view bytes, Deadline deadline) override {
        const error_code error = step(deadline, Kind::late, [&](auto done) {
            asio::async_write(stream_, asio::buffer(bytes),
                              [done](error_code outcome, std::size_t) { done(outcome); });
        });
        if (error) {
            fail(Kind::broken, "the connection to the hub at " + shown_ + " broke", error);
        }
    }

    AnswerStream::Read read_some(std::string& into, Deadline deadline) override {
        if (!reading_) {
            reading_ = true;
            stream_.async_read_some(asio::buffer(piece_),
                                    [this](error_code error, std::size_t got) {
                                        reading_ = false;
                                        read_error_ = error;
                                        got_ = got;
                                    });
        }
        context_.restart();
        while (reading_) {
            if (context_.run_one_until(deadline) == 0) {
                return AnswerStream::Read::late;
            }
        }
        into.append(piece_.data(), got_);
        if (got_ > 0 || !read_error_) {
            return AnswerStream::Read::some;
        }
        if (read_error_ == asio::error::eof || read_error_ == asio::ssl::error::stream_truncated) {
            return AnswerStream::Read::end;
        }
        fail(Kind::broken, "the connection to the hub at " + shown_ + " broke", read_error_);
    }

    [[nodiscard]] bool is_stale() override {
        pollfd watched{.fd = socket().native_handle(), .events = POLLIN, .revents = 0};
        return reading_ || ::poll(&watched, 1, 0) != 0;
    }

    void cut() override {
        asio::post(context_, [this] {
            error_code ignored;
            socket().close(ignored);
        });
    }

private:
    static Stream make_stream(asio::io_context& context, const std::shared_ptr<TlsTrust>& trust) {
        if constexpr (kTls) {
            return Stream(context, trust->context());
        } else {
            return Stream(context);
        }
    }
    [[nodiscard]] tcp::socket& socket() {
        if constexpr (kTls) {
            return stream_.next_layer();
        } else {
            return stream_;
        }
    }

    void connect(const Url& url, Deadline deadline) {
        tcp::resolver resolver(context_);
        error_code error;
        const auto endpoints = resolver.resolve(url.host, url.port, error);
        if (!error) {
            error = step(deadline, Kind::unreachable, [&](auto done) {
                asio::async_connect(socket(), endpoints,
                                    [done](error_code outcome, const auto&) { done(outcome); });
            });
        }
        if (error) {
            fail(Kind::unreachable, "cannot reach the hub at " + shown_, error);
        }
        // Small requests are not to wait for the answer to the one before.
        socket().set_option(tcp::no_delay(true), error);
    }

    void shake_hands(const Url& url, Deadline deadline) {
        error_code literal;
        (void)asio::ip::make_address(url.host, literal);
        if (literal) {
            ::SSL_set_tlsext_host_name(stream_.native_handle(), url.host.c_str());
        }
        if (trust_->checks_names()) {
            stream_.set_verify_callback(asio::ssl::host_name_verification(url.host));
        }
        const error_code error = step(deadline, Kind::unreachable, [&](auto done) {
            stream_.async_handshake(asio::ssl::stream_base::client,
                                    [done](error_code outcome) { done(outcome); });
        });
        if (!error) {
            return;
        }
        const long verdict = ::SSL_get_verify_result(stream_.native_handle());
        // One whose name does not fit has no fault that OpenSSL knows a name for.
        const bool wrong_name = verdict == X509_V_ERR_UNSPECIFIED;
        if (verdict != X509_V_OK && !wrong_name) {
            throw HubError(Kind::untrusted,
                           "the certificate of the hub at " + shown_ +
                               " is not trusted: " + ::X509_verify_cert_error_string(verdict));
        }
        if (wrong_name) {
            throw HubError(Kind::untrusted, "the certificate of the hub at " + shown_ +
                                                " is not for the host " + url.host);
        }
        fail(Kind::unreachable, "cannot speak TLS with the hub at " + shown_, error);
    }

    /// Starts one operation and runs it to its end.
    template <class Start>
    error_code step(Deadline deadline, Kind late, Start start) {
        error_code outcome = asio::error::timed_out;
        start([&outcome](error_code error) { outcome = error; });
        context_.restart();
        context_.run_until(deadline);
        if (!context_.stopped()) {
            throw HubError(late, "the hub at " + shown_ + " does not answer");
        }
        return outcome;
    }

    [[noreturn]] static void fail(Kind kind, const std::string& what, error_code why) {
        throw HubError(kind, what + ": " + why.message());
    }

    const std::string shown_;
    asio::io_context context_;
    std::shared_ptr<TlsTrust> trust_;
    Stream stream_;
    std::array<char, kPieceBytes> piece_{};
    bool reading_ = false;
    error_code read_error_;
    std::size_t got_ = 0;
};

}  // namespace

std::unique_ptr<Connection> Connection::open(const HubAddress& address, const Url& url,
                                             const std::shared_ptr<TlsTrust>& trust,
                                             Deadline deadline) {
    if (trust) {
        return std::make_unique<AsioConnection<TlsStream>>(address, url, trust, deadline);
    }
    return std::make_unique<AsioConnection<tcp::socket>>(address, url, trust, deadline);
}

}  // namespace agentcom::cli

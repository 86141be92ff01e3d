#include "app/admin_client.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "app/config_values.hpp"

namespace agentcom::app {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::seconds kTimeout{10};
constexpr std::chrono::seconds kConnectTimeout{1};

struct Address {
    bool tls = false;
    std::string host;
    std::string port;
};

/// Of the URLs that serve writes: scheme://host:port, the host in brackets when it is IPv6.
Address parse_url(std::string_view url) {
    Address address;
    address.tls = url.starts_with("https://");
    url.remove_prefix(std::min(url.find("://") + 3, url.size()));
    const std::size_t colon = url.rfind(':');
    if (colon == std::string_view::npos) {
        throw std::runtime_error("the hub's address in agentcom.run is unusable");
    }
    address.port = url.substr(colon + 1);
    std::string_view host = url.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    }
    address.host = host;
    return address;
}

/// Whether the answer has all of the body that its Content-Length promises.
bool is_complete(std::string_view answer) {
    static constexpr std::string_view kLength = "\r\nContent-Length: ";
    const std::size_t end_of_header = answer.find("\r\n\r\n");
    const std::size_t field = answer.substr(0, end_of_header).find(kLength);
    if (end_of_header == std::string_view::npos || field == std::string_view::npos) {
        return false;
    }
    const std::string_view value = answer.substr(field + kLength.size());
    const auto length = parse_count(value.substr(0, value.find("\r\n")));
    return length && answer.size() - end_of_header - 4 >= *length;
}

/// One request and its answer on one connection; every step must end before the deadline.
class Exchange {
public:
    explicit Exchange(const RunningHub& hub, std::chrono::seconds timeout = kTimeout)
        : hub_(hub), deadline_(std::chrono::steady_clock::now() + timeout) {}

    void connect_only() {
        tcp::socket socket(context_);
        connect(socket, parse_url(hub_.url));
    }

    std::string run(const std::string& request) {
        const Address address = parse_url(hub_.url);
        if (!address.tls) {
            tcp::socket socket(context_);
            connect(socket, address);
            return talk(socket, request);
        }
        asio::ssl::context tls(asio::ssl::context::tls_client);
        // The hub runs on this machine with this very certificate; its names do not matter, and
        // neither does it whether it has expired meanwhile. After a renewal it may present what
        // the file held before, until it is told to read it again.
        error_code unusable;
        tls.load_verify_file(hub_.certificate, unusable);
        tls.add_certificate_authority(asio::buffer(hub_.presented), unusable);
        ::X509_VERIFY_PARAM_set_flags(::SSL_CTX_get0_param(tls.native_handle()),
                                      X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
        tls.set_verify_mode(asio::ssl::verify_peer);
        asio::ssl::stream<tcp::socket> stream(context_, tls);
        connect(stream.next_layer(), address);
        check(step([&](auto done) {
            stream.async_handshake(asio::ssl::stream_base::client,
                                   [done](error_code error) { done(error); });
        }));
        return talk(stream, request);
    }

private:
    void connect(tcp::socket& socket, const Address& address) {
        tcp::resolver resolver(context_);
        error_code unresolved;
        const auto endpoints = resolver.resolve(address.host, address.port, unresolved);
        check(unresolved);
        check(step([&](auto done) {
            asio::async_connect(socket, endpoints,
                                [done](error_code error, const auto&) { done(error); });
        }));
    }

    template <class Stream>
    std::string talk(Stream& stream, const std::string& request) {
        check(step([&](auto done) {
            asio::async_write(stream, asio::buffer(request),
                              [done](error_code error, std::size_t) { done(error); });
        }));
        std::string answer;
        // A connection that ends too early shows in the answer's body.
        (void)step([&](auto done) {
            asio::async_read(
                stream, asio::dynamic_buffer(answer),
                [&answer](error_code error, std::size_t) -> std::size_t {
                    static constexpr std::size_t kPiece = 4096;
                    return error || is_complete(answer) ? 0 : kPiece;
                },
                [done](error_code error, std::size_t) { done(error); });
        });
        return answer;
    }

    /// Starts one operation and runs it to its end.
    template <class Start>
    error_code step(Start start) {
        error_code outcome = asio::error::timed_out;
        start([&outcome](error_code error) { outcome = error; });
        context_.restart();
        context_.run_until(deadline_);
        if (!context_.stopped()) {
            throw std::runtime_error("the hub at " + hub_.url + " does not answer");
        }
        return outcome;
    }

    void check(error_code error) const {
        if (error) {
            throw std::runtime_error("cannot reach the hub at " + hub_.url + ": " +
                                     error.message());
        }
    }

    const RunningHub& hub_;
    asio::io_context context_;
    std::chrono::steady_clock::time_point deadline_;
};

AdminClient::Answer parse_answer(std::string_view text) {
    static constexpr std::string_view kProtocol = "HTTP/1.1 ";
    const std::size_t end_of_header = text.find("\r\n\r\n");
    const auto status = parse_count(text.substr(std::min(kProtocol.size(), text.size()), 3));
    if (!text.starts_with(kProtocol) || !status || end_of_header == std::string_view::npos) {
        throw std::runtime_error("the hub's answer is not HTTP");
    }
    return {static_cast<std::uint16_t>(*status),
            nlohmann::json::parse(text.substr(end_of_header + 4), nullptr, false)};
}

std::string text_of(const nlohmann::json& object, const char* key) {
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

AdminClient::Answer AdminClient::ask(std::string_view verb, std::string_view target,
                                     const std::string& body) const {
    std::string request(verb);
    request += ' ';
    request += target;
    request += " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ";
    request += token_;
    request += "\r\nContent-Type: application/json\r\nContent-Length: ";
    request += std::to_string(body.size());
    request += "\r\n\r\n";
    request += body;
    Answer answer = parse_answer(Exchange(hub_).run(request));
    if (answer.status >= 400) {
        const std::string message = text_of(answer.body, "message");
        throw std::runtime_error(
            "the hub at " + hub_.url + " answers " + std::to_string(answer.status) + ' ' +
            text_of(answer.body, "error") + (message.empty() ? "" : ": " + message));
    }
    if (answer.body.is_discarded()) {
        throw std::runtime_error("the hub at " + hub_.url + " sent an incomplete answer");
    }
    return answer;
}

bool AdminClient::reaches() const noexcept {
    try {
        Exchange(hub_, kConnectTimeout).connect_only();
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

std::string encode_path_segment(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789ABCDEF";
    static constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (kPlain.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += kHex[byte >> 4];
            out += kHex[byte & 15];
        }
    }
    return out;
}

}  // namespace agentcom::app

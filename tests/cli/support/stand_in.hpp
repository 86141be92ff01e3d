#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/socket_client.hpp"

namespace agentcom::cli {

/// A server on loopback that answers each request as the test says: what real hubs do only when
/// they are at fault, and what they do not do yet.
class StandIn {
public:
    struct Request {
        std::string line;                            // "GET /x HTTP/1.1"
        std::map<std::string, std::string> headers;  // lower-case names
        std::string body;
    };
    /// One connection, while one request of it is answered.
    class Peer {
    public:
        explicit Peer(int descriptor) : descriptor_(descriptor) {}
        void send(std::string_view bytes) const {
            (void)::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        }
        void answer(int status, std::string_view type, std::string_view body) const {
            send("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + std::string(type) +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                 std::string(body));
        }
        /// Until the other side has closed the connection.
        void wait_for_end() const {
            pollfd watched{.fd = descriptor_, .events = POLLIN, .revents = 0};
            (void)::poll(&watched, 1, 30'000);
        }

    private:
        int descriptor_;
    };
    /// True: the connection is kept for another request.
    using Handler = std::function<bool(const Request&, const Peer&)>;

    explicit StandIn(Handler handler)
        : handler_(std::move(handler)),
          listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
        (void)::listen(listener_, 16);
        (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
        port_ = ntohs(address.sin_port);
        acceptor_ = std::thread([this] { accept_all(); });
    }
    ~StandIn() {
        ::shutdown(listener_, SHUT_RDWR);
        acceptor_.join();
        ::close(listener_);
        {
            const std::lock_guard lock(mutex_);
            for (const int descriptor : open_) {
                ::shutdown(descriptor, SHUT_RDWR);
            }
        }
        for (std::thread& thread : threads_) {
            thread.join();
        }
    }
    StandIn(const StandIn&) = delete;
    StandIn& operator=(const StandIn&) = delete;

    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::vector<Request> requests() const {
        const std::lock_guard lock(mutex_);
        return requests_;
    }
    /// Waits until so many have come.
    [[nodiscard]] bool wait_for_requests(std::size_t count) {
        std::unique_lock lock(mutex_);
        return came_.wait_for(lock, test::kPatience, [&] { return requests_.size() >= count; });
    }

private:
    void accept_all() {
        for (;;) {
            const int descriptor = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
            if (descriptor < 0) {
                return;
            }
            const std::lock_guard lock(mutex_);
            open_.push_back(descriptor);
            threads_.emplace_back([this, descriptor] { serve(descriptor); });
        }
    }
    void serve(int descriptor) {
        std::string buffer;
        while (true) {
            const auto request = read_request(descriptor, buffer);
            if (!request) {
                break;
            }
            {
                const std::lock_guard lock(mutex_);
                requests_.push_back(*request);
                came_.notify_all();
            }
            if (!handler_(*request, Peer(descriptor))) {
                break;
            }
        }
        const std::lock_guard lock(mutex_);
        std::erase(open_, descriptor);
        ::close(descriptor);
    }
    static std::optional<Request> read_request(int descriptor, std::string& buffer) {
        std::size_t end = 0;
        while ((end = buffer.find("\r\n\r\n")) == std::string::npos) {
            if (!read_more(descriptor, buffer)) {
                return std::nullopt;
            }
        }
        Request request;
        std::size_t at = buffer.find("\r\n");
        request.line = buffer.substr(0, at);
        while (at < end) {
            const std::size_t next = buffer.find("\r\n", at + 2);
            const std::string field = buffer.substr(at + 2, next - at - 2);
            const std::size_t colon = field.find(": ");
            std::string name = field.substr(0, colon);
            std::ranges::transform(name, name.begin(), [](unsigned char c) {
                return static_cast<char>(std::tolower(c));
            });
            request.headers[name] = field.substr(colon + 2);
            at = next;
        }
        buffer.erase(0, end + 4);
        const auto length = request.headers.find("content-length");
        const std::size_t size = length == request.headers.end() ? 0 : std::stoul(length->second);
        while (buffer.size() < size) {
            if (!read_more(descriptor, buffer)) {
                return std::nullopt;
            }
        }
        request.body = buffer.substr(0, size);
        buffer.erase(0, size);
        return request;
    }
    static bool read_more(int descriptor, std::string& buffer) {
        std::array<char, 4096> piece{};
        const ssize_t got = ::recv(descriptor, piece.data(), piece.size(), 0);
        buffer.append(piece.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        return got > 0;
    }

    Handler handler_;
    int listener_;
    std::uint16_t port_ = 0;
    std::thread acceptor_;
    mutable std::mutex mutex_;
    std::condition_variable came_;
    std::vector<int> open_;
    std::vector<Request> requests_;
    std::list<std::thread> threads_;
};

}  // namespace agentcom::cli

#include "connection.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ctime>
#include <limits>
#include <stdexcept>
#include <utility>

namespace agentcom::bench {

namespace {

constexpr std::size_t kReadBytes = std::size_t{256} << 10;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNap = kNsPerSecond / 10;

std::string upgrade_request(const Target& target) {
    return "GET /ws HTTP/1.1\r\nHost: " + target.host + ":" + std::to_string(target.port) +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}

}  // namespace

std::int64_t now_ns() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

Target Target::parse(const std::string& url) {
    constexpr std::string_view kScheme = "http://";
    const std::size_t colon = url.rfind(':');
    if (!url.starts_with(kScheme) || colon <= kScheme.size()) {
        throw std::runtime_error("expected a URL like http://127.0.0.1:4000, got " + url);
    }
    Target target{.host = url.substr(kScheme.size(), colon - kScheme.size())};
    const char* end = url.data() + url.size();
    const auto [rest, error] = std::from_chars(url.data() + colon + 1, end, target.port);
    if (error != std::errc{} || (rest != end && *rest != '/')) {
        throw std::runtime_error("the URL has no usable port: " + url);
    }
    return target;
}

void Connection::mark_dirty() {
    if (!std::exchange(dirty_, true)) poller_->dirty_.push_back(this);
}

void Connection::send_text(std::string_view payload) {
    std::array<char, 14> header{};
    std::size_t size = 0;
    header[size++] = '\x81';
    if (payload.size() < 126) {
        header[size++] = static_cast<char>(0x80 | payload.size());
    } else {
        const int bytes = payload.size() <= 0xffff ? 2 : 8;
        header[size++] = static_cast<char>(0x80 | (bytes == 2 ? 126 : 127));
        for (int i = bytes - 1; i >= 0; --i) {
            header[size++] = static_cast<char>((payload.size() >> (8 * i)) & 0xff);
        }
    }
    size += 4;  // the mask, zero
    out_.append(header.data(), size);
    out_.append(payload);
    mark_dirty();
}

void Connection::send_raw(std::string_view bytes) {
    out_.append(bytes);
    mark_dirty();
}

Poller::Poller(Target target)
    : target_(std::move(target)), epoll_(::epoll_create1(0)), buffer_(kReadBytes) {
    if (epoll_ < 0) throw std::runtime_error("epoll_create1 failed");
    // The system rounds a thread's sleeps up by 50 us otherwise.
    ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

Poller::~Poller() {
    close_all();
    ::close(epoll_);
}

Connection& Poller::connect(Connection::Kind kind, std::size_t index,
                            std::function<void(Connection&)> opened) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(target_.host.c_str(), std::to_string(target_.port).c_str(), &hints, &found) !=
        0) {
        throw std::runtime_error("cannot resolve " + target_.host);
    }
    const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int connected = fd < 0 ? -1 : ::connect(fd, found->ai_addr, found->ai_addrlen);
    const int error = errno;
    ::freeaddrinfo(found);
    if (connected != 0 && error != EINPROGRESS) {
        throw std::runtime_error(std::string("cannot connect: ") + std::strerror(error));
    }
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>();
    connection->poller_ = this;
    connection->fd_ = fd;
    connection->kind_ = kind;
    connection->index_ = index;
    connection->opened_ = std::move(opened);
    connection->want_write_ = true;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT;
    event.data.ptr = connection.get();
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    connections_.push_back(std::move(connection));
    Connection& added = *connections_.back();
    if (kind == Connection::Kind::websocket) {
        added.send_raw(upgrade_request(target_));
    } else if (added.opened_) {
        std::exchange(added.opened_, {})(added);
    }
    return added;
}

void Poller::lost(Connection& connection, const char* what) {
    ::close(connection.fd_);
    connection.fd_ = -1;
    throw std::runtime_error("connection " + std::to_string(connection.index_) + " lost: " + what);
}

void Poller::flush(Connection& connection) {
    connection.dirty_ = false;
    if (!connection.open() || connection.out_.empty()) return;
    const ssize_t sent = ::send(connection.fd_, connection.out_.data(), connection.out_.size(),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) lost(connection, std::strerror(errno));
    if (sent > 0) connection.out_.erase(0, static_cast<std::size_t>(sent));
    const bool want = !connection.out_.empty();
    if (want == connection.want_write_) return;
    connection.want_write_ = want;
    epoll_event event{};
    event.events = EPOLLIN | (want ? static_cast<std::uint32_t>(EPOLLOUT) : 0U);
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd_, &event);
}

void Poller::read(Connection& connection) {
    const ssize_t got = ::recv(connection.fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got == 0) lost(connection, "closed by the hub");
    if (got < 0) {
        if (errno == EAGAIN) return;
        lost(connection, std::strerror(errno));
    }
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(got));
    if (!connection.in_.empty()) {
        connection.in_.append(bytes);
        const std::string joined = std::exchange(connection.in_, {});
        connection.in_ = joined.substr(consume(connection, joined));
        return;
    }
    bytes.remove_prefix(consume(connection, bytes));
    connection.in_.assign(bytes);
}

std::size_t Poller::consume_http(Connection& connection, std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    const std::string_view head = bytes.substr(0, end);
    std::from_chars(head.data() + 9, head.data() + 12, connection.status_);
    if (connection.kind_ == Connection::Kind::websocket) {
        if (connection.status_ != 101) lost(connection, "upgrade refused");
        connection.upgraded_ = true;
        if (connection.opened_) std::exchange(connection.opened_, {})(connection);
        return end + 4;
    }
    if (connection.kind_ == Connection::Kind::stream) {
        if (connection.status_ != 200) lost(connection, "stream refused");
        connection.upgraded_ = true;
        if (connection.handler_) connection.handler_(connection, {});
        return end + 4;
    }
    constexpr std::string_view kLength = "Content-Length: ";
    std::size_t length = 0;
    if (const std::size_t at = head.find(kLength); at != std::string_view::npos) {
        std::from_chars(head.data() + at + kLength.size(), head.data() + head.size(), length);
    }
    if (bytes.size() < end + 4 + length) return 0;
    if (connection.handler_) connection.handler_(connection, bytes.substr(end + 4, length));
    return end + 4 + length;
}

std::size_t Poller::consume_event(Connection& connection, std::string_view bytes) {
    constexpr std::string_view kEnd = "\n\n";
    const std::size_t end = bytes.find(kEnd);
    if (end == std::string_view::npos) return 0;
    if (connection.handler_) connection.handler_(connection, bytes.substr(0, end));
    return end + kEnd.size();
}

std::size_t Poller::consume(Connection& connection, std::string_view bytes) {
    std::size_t used = 0;
    while (used < bytes.size()) {
        const std::string_view rest = bytes.substr(used);
        if (!connection.upgraded_) {
            const std::size_t taken = consume_http(connection, rest);
            if (taken == 0) break;
            used += taken;
            continue;
        }
        if (connection.kind_ == Connection::Kind::stream) {
            const std::size_t taken = consume_event(connection, rest);
            if (taken == 0) break;
            used += taken;
            continue;
        }
        if (rest.size() < 2) break;
        const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(rest[i]); };
        std::size_t header = 2;
        std::uint64_t length = byte(1) & 0x7fU;
        if (length >= 126) {
            const std::size_t count = length == 126 ? 2 : 8;
            header += count;
            if (rest.size() < header) break;
            length = 0;
            for (std::size_t i = 2; i < header; ++i) length = (length << 8) | byte(i);
        }
        if (rest.size() < header + length) break;
        const unsigned opcode = byte(0) & 0x0fU;
        const std::string_view payload = rest.substr(header, length);
        used += header + length;
        if (opcode == 1 && connection.handler_) connection.handler_(connection, payload);
        if (opcode == 8) lost(connection, "close frame");
        if (opcode == 9) {
            connection.out_.append("\x8a\x80\0\0\0\0", 6);
            connection.mark_dirty();
        }
    }
    return used;
}

bool Poller::run_until(const std::function<bool()>& done, std::int64_t deadline,
                       const std::function<std::int64_t()>& idle) {
    std::array<epoll_event, 512> events{};
    for (;;) {
        const std::int64_t due = idle ? idle() : std::numeric_limits<std::int64_t>::max();
        for (std::size_t i = 0; i < dirty_.size(); ++i) flush(*dirty_[i]);
        dirty_.clear();
        if (done()) return true;
        const std::int64_t left = deadline - now_ns();
        if (left <= 0) return false;
        // An open-loop sender sleeps until its next message is due, to the microsecond.
        const std::int64_t sleep =
            std::clamp<std::int64_t>(due - now_ns(), 0, std::min(left, kNap));
        const timespec timeout{.tv_sec = sleep / kNsPerSecond, .tv_nsec = sleep % kNsPerSecond};
        const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()),
                                         &timeout, nullptr);
        for (int i = 0; i < count; ++i) {
            auto& connection =
                *static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr);
            if (!connection.open()) continue;
            const std::uint32_t what = events[static_cast<std::size_t>(i)].events;
            if ((what & EPOLLOUT) != 0) flush(connection);
            if ((what & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) read(connection);
        }
    }
}

void Poller::close_all() {
    for (const auto& connection : connections_) {
        if (connection->open()) ::close(connection->fd_);
        connection->fd_ = -1;
    }
    connections_.clear();
    dirty_.clear();
}

}  // namespace agentcom::bench

#include "support/socket_client.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace agentcom::test {

namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

bool is_push(const nlohmann::json& frame) {
    static const std::array<std::string_view, 6> kPushed{
        "message",    "channel_message", "channel_agent_joined",
        "agent_left", "agent_joined",    "status_changed"};
    const std::string type = frame.value("type", "");
    return std::ranges::find(kPushed, type) != kPushed.end();
}

}  // namespace

Socket::Socket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd_);
        fail(std::string("connect: ") + std::strerror(error));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Socket::~Socket() { close(); }

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

void Socket::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0) fail(std::string("send: ") + std::strerror(errno));
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::string Socket::receive_some() {
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(kPatience).count();
    if (::poll(&waiting, 1, static_cast<int>(ms)) == 0) fail("nothing arrived in time");
    std::array<char, 65'536> buffer{};
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return got <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(got));
}

std::size_t Socket::available() const {
    int bytes = 0;
    if (::ioctl(fd_, FIONREAD, &bytes) != 0) throw std::runtime_error("cannot look at a socket");
    return static_cast<std::size_t>(bytes);
}

void Socket::close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Socket::cut() {
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close();
}

HttpClient::Response HttpClient::request(const std::string& method, const std::string& path,
                                         const std::optional<std::string>& body,
                                         const std::vector<std::string>& headers) {
    std::string text = method + " " + path + " HTTP/1.1\r\nHost: hub\r\n";
    if (!token_.empty()) text += "Authorization: Bearer " + token_ + "\r\n";
    for (const std::string& header : headers) text += header + "\r\n";
    if (body) {
        const bool typed = std::ranges::any_of(
            headers, [](const std::string& header) { return header.starts_with("Content-Type"); });
        if (!typed) text += "Content-Type: application/json\r\n";
        text += "Content-Length: " + std::to_string(body->size()) + "\r\n";
    }
    send_raw(text + "\r\n" + body.value_or(""));
    return read_response();
}

HttpClient::Response HttpClient::read_response() {
    const auto more = [this] {
        const std::string some = socket_.receive_some();
        if (some.empty()) fail("the hub closed the HTTP connection");
        buffer_ += some;
    };
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) more();
    Response response;
    response.status = std::stoi(buffer_.substr(9, 3));
    std::size_t line = buffer_.find("\r\n") + 2;
    while (line < end) {
        const std::size_t next = buffer_.find("\r\n", line);
        const std::size_t colon = buffer_.find(':', line);
        std::string name = buffer_.substr(line, colon - line);
        std::ranges::transform(name, name.begin(),
                               [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        response.headers[name] = buffer_.substr(colon + 2, next - colon - 2);
        line = next + 2;
    }
    const std::size_t length = response.headers.contains("content-length")
                                   ? std::stoul(response.headers["content-length"])
                                   : 0;
    while (buffer_.size() < end + 4 + length) more();
    response.body = buffer_.substr(end + 4, length);
    buffer_.erase(0, end + 4 + length);
    return response;
}

bool HttpClient::closed_by_peer() {
    while (true) {
        if (socket_.receive_some().empty()) return true;
    }
}

WsClient::WsClient(std::uint16_t port) : socket_(port) {
    socket_.send(
        "GET /ws HTTP/1.1\r\nHost: hub\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        const std::string some = socket_.receive_some();
        if (some.empty()) fail("the hub closed during the upgrade");
        buffer_ += some;
    }
    if (buffer_.substr(9, 3) != "101") fail("upgrade refused: " + buffer_);
    buffer_.erase(0, end + 4);
}

void WsClient::send_frame(unsigned opcode, std::string_view payload) {
    std::string frame;
    frame.push_back(static_cast<char>(0x80U | opcode));
    if (payload.size() < 126) {
        frame.push_back(static_cast<char>(0x80U | payload.size()));
    } else {
        const int bytes = payload.size() <= 0xffff ? 2 : 8;
        frame.push_back(static_cast<char>(0x80U | (bytes == 2 ? 126U : 127U)));
        for (int i = bytes - 1; i >= 0; --i) {
            frame.push_back(static_cast<char>((payload.size() >> (8 * i)) & 0xffU));
        }
    }
    constexpr std::array<unsigned char, 4> kMask{0x12, 0x34, 0x56, 0x78};
    frame.append(reinterpret_cast<const char*>(kMask.data()), kMask.size());
    for (std::size_t i = 0; i < payload.size(); ++i) {
        frame.push_back(static_cast<char>(static_cast<unsigned char>(payload[i]) ^ kMask[i % 4]));
    }
    socket_.send(frame);
}

std::optional<WsClient::Frame> WsClient::next_frame() {
    while (!closed_) {
        if (buffer_.size() >= 2) {
            const auto byte = [this](std::size_t i) {
                return static_cast<unsigned char>(buffer_[i]);
            };
            std::size_t header = 2;
            std::uint64_t length = byte(1) & 0x7fU;
            if (length >= 126) header += length == 126 ? 2 : 8;
            if (buffer_.size() >= header) {
                if (header > 2) {
                    length = 0;
                    for (std::size_t i = 2; i < header; ++i) length = (length << 8) | byte(i);
                }
                if (buffer_.size() >= header + length) {
                    Frame frame{byte(0) & 0x0fU, buffer_.substr(header, length)};
                    buffer_.erase(0, header + length);
                    return frame;
                }
            }
        }
        const std::string some = socket_.receive_some();
        if (some.empty()) closed_ = Closed{};
        buffer_ += some;
    }
    return std::nullopt;
}

nlohmann::json WsClient::receive() {
    while (auto frame = next_frame()) {
        if (frame->opcode == 0x1) return nlohmann::json::parse(frame->payload);
        if (frame->opcode == 0x9) send_frame(0xA, frame->payload);
        if (frame->opcode == 0x8) {
            closed_ = Closed{1005, {}};
            if (frame->payload.size() >= 2) {
                closed_->code = static_cast<std::uint16_t>(
                    (static_cast<unsigned char>(frame->payload[0]) << 8) |
                    static_cast<unsigned char>(frame->payload[1]));
                closed_->reason = frame->payload.substr(2);
            }
        }
    }
    fail("the connection has ended with " + std::to_string(closed_->code) + " " + closed_->reason);
}

nlohmann::json WsClient::receive(std::string_view type) {
    for (;;) {
        nlohmann::json frame = receive();
        if (frame.value("type", "") == type) return frame;
        others.push_back(std::move(frame));
    }
}

nlohmann::json WsClient::ask(const nlohmann::json& value) {
    send(value);
    for (;;) {
        nlohmann::json frame = receive();
        if (!is_push(frame)) return frame;
        others.push_back(std::move(frame));
    }
}

nlohmann::json WsClient::identify(const std::string& agent, const std::string& token,
                                  nlohmann::json extra) {
    extra["type"] = "identify";
    extra["agent_id"] = agent;
    extra["token"] = token;
    return ask(extra);
}

WsClient::Closed WsClient::wait_closed() {
    try {
        for (;;) others.push_back(receive());
    } catch (const std::runtime_error&) {
        if (!closed_) throw;
    }
    return *closed_;
}

void WsClient::close() {
    send_frame(0x8, std::string("\x03\xe8", 2));
    (void)wait_closed();
    socket_.close();
}

}  // namespace agentcom::test

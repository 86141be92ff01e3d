#include "hostile/support/attacker.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace agentcom::test {
namespace {

constexpr std::array<unsigned char, 4> kMask{0x12, 0x34, 0x56, 0x78};

/// Header of a final, masked text frame.
std::string frame_header(std::size_t length) {
    std::string header{'\x81'};
    if (length < 126) {
        header.push_back(static_cast<char>(0x80U | length));
    } else {
        const int bytes = length <= 0xffff ? 2 : 8;
        header.push_back(static_cast<char>(0x80U | (bytes == 2 ? 126U : 127U)));
        for (int i = bytes - 1; i >= 0; --i) {
            header.push_back(static_cast<char>((length >> (8 * i)) & 0xffU));
        }
    }
    header.append(reinterpret_cast<const char*>(kMask.data()), kMask.size());
    return header;
}

bool wait_for(int descriptor, short events, std::chrono::milliseconds patience) {
    pollfd waiting{.fd = descriptor, .events = events, .revents = 0};
    return ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

std::string text_frame(std::string_view payload) {
    std::string frame = frame_header(payload.size());
    for (std::size_t i = 0; i < payload.size(); ++i) {
        frame.push_back(static_cast<char>(static_cast<unsigned char>(payload[i]) ^ kMask[i % 4]));
    }
    return frame;
}

std::string json_frame(const nlohmann::json& value) { return text_frame(value.dump()); }

std::string unfinished_frame(std::size_t announced, std::size_t sent) {
    return frame_header(announced) + text_frame(std::string(sent, ' ')).substr(0, sent);
}

std::string get_request(std::string_view path, std::string_view token) {
    std::string text = "GET ";
    text.append(path)
        .append(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ")
        .append(token);
    return text + "\r\n\r\n";
}

std::string post_request(std::string_view path, std::string_view token, std::string_view body) {
    std::string text = "POST ";
    text.append(path)
        .append(" HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ")
        .append(token);
    text += "\r\nContent-Type: application/json\r\nContent-Length: ";
    return text + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

Attacker::Attacker(std::uint16_t port, int receive_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer > 0) {
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        const int error = errno;
        ::close(fd_);
        throw std::runtime_error(std::string("connect: ") + std::strerror(error));
    }
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Attacker::~Attacker() {
    if (fd_ >= 0) ::close(fd_);
}

Attacker::Attacker(Attacker&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), ended_(other.ended_), buffer_(std::move(other.buffer_)) {}

std::size_t Attacker::send(std::string_view bytes, std::chrono::milliseconds patience) {
    std::size_t taken = 0;
    while (taken < bytes.size() && !ended_) {
        const ssize_t sent =
            ::send(fd_, bytes.data() + taken, bytes.size() - taken, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent > 0) {
            taken += static_cast<std::size_t>(sent);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            if (!wait_for(fd_, POLLOUT, patience)) return taken;
        } else {
            ended_ = true;
        }
    }
    return taken;
}

std::string Attacker::read_some() {
    if (ended_ || !wait_for(fd_, POLLIN, kPatience)) return {};
    std::string buffer(std::size_t{256} * 1024, '\0');
    const ssize_t got = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (got <= 0) {
        ended_ = true;
        return {};
    }
    buffer.resize(static_cast<std::size_t>(got));
    return buffer;
}

std::optional<std::string_view> Attacker::read_until(
    std::initializer_list<std::string_view> texts) {
    std::size_t longest = 0;
    for (const std::string_view text : texts) longest = std::max(longest, text.size());
    while (true) {
        std::size_t first = std::string::npos;
        std::optional<std::string_view> which;
        for (const std::string_view text : texts) {
            const std::size_t found = buffer_.find(text);
            if (found >= first) continue;
            first = found;
            which = text;
        }
        if (which) {
            buffer_.erase(0, first + which->size());
            return which;
        }
        const std::string some = read_some();
        if (some.empty()) return std::nullopt;
        // Only the beginning of a text can be in what has been looked at.
        if (buffer_.size() >= longest) buffer_.erase(0, buffer_.size() - longest + 1);
        buffer_ += some;
    }
}

bool Attacker::discard(std::size_t bytes) {
    const std::size_t at_hand = std::min(bytes, buffer_.size());
    buffer_.erase(0, at_hand);
    for (bytes -= at_hand; bytes > 0;) {
        std::string some = read_some();
        if (some.empty()) return false;
        if (some.size() > bytes) buffer_ = some.substr(bytes);
        bytes -= std::min(bytes, some.size());
    }
    return true;
}

bool Attacker::read_to_end() {
    buffer_.clear();
    while (!read_some().empty()) {
    }
    return ended_;
}

bool Attacker::upgrade() {
    send(
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    const auto status = read_until({" 101 ", "\r\n"});
    return status == " 101 " && read_until("\r\n\r\n");
}

bool Attacker::identify(const std::string& agent, const std::string& token,
                        nlohmann::json options) {
    options["type"] = "identify";
    options["agent_id"] = agent;
    options["token"] = token;
    send(json_frame(options));
    // An error has its type in front, too.
    return read_until({R"("type":"identified")", R"("type":"error")"}) == R"("type":"identified")";
}

}  // namespace agentcom::test

// Where the real daemon listens when its host is a name.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>

#include "app/command_fixture.hpp"

namespace agentcom::app {
namespace {

/// The status line of GET /health at this address; nothing when nobody listens there.
template <class Address>
std::optional<std::string> greet(const Address& address) {
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    const int fd = ::socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    std::optional<std::string> line;
    if (fd >= 0 && ::connect(fd, generic, sizeof address) == 0) {
        const std::string request =
            "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        std::string all;
        if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
            std::array<char, 1'024> piece{};
            for (ssize_t got = 0; (got = ::recv(fd, piece.data(), piece.size(), 0)) > 0;) {
                all.append(piece.data(), static_cast<std::size_t>(got));
            }
        }
        line = all.substr(0, all.find('\r'));
    }
    if (fd >= 0) ::close(fd);
    return line;
}

sockaddr_in ipv4(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

sockaddr_in6 ipv6(std::uint16_t port) {
    sockaddr_in6 address{};
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port);
    address.sin6_addr = in6addr_loopback;
    return address;
}

/// Whether this machine has ::1 at all.
bool has_ipv6() {
    const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in6 any_port = ipv6(0);
    const bool bound =
        fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&any_port), sizeof any_port) == 0;
    if (fd >= 0) ::close(fd);
    return bound;
}

class Listen : public CommandTest {};

TEST_F(Listen, LocalhostIsBothFamiliesOnOnePort) {
    test::Program hub({"serve", "--data-dir", data(), "--port", "0", "--host", "localhost"});
    const std::string line = hub.wait_for_line("listening on ");
    const auto end = line.find(" (");
    ASSERT_NE(end, std::string::npos) << line;
    const auto port = static_cast<std::uint16_t>(std::stoul(line.substr(line.rfind(':', end) + 1)));
    EXPECT_NE(line.find("listening on http://localhost:" + std::to_string(port)),
              std::string::npos);
    EXPECT_EQ(greet(ipv4(port)), "HTTP/1.1 200 OK");
    if (has_ipv6()) {
        EXPECT_TRUE(line.ends_with(" (127.0.0.1, ::1)")) << line;
        EXPECT_EQ(greet(ipv6(port)), "HTTP/1.1 200 OK");
    } else {
        EXPECT_TRUE(line.ends_with(" (127.0.0.1)")) << line;
    }
    EXPECT_EQ(hub.errors().find("without TLS"), std::string::npos);
    // Commands find it by its name.
    EXPECT_EQ(run({"token", "create", "alice", "--data-dir", data()}).status, 0);
    hub.signal(SIGTERM);
    EXPECT_EQ(hub.wait(), 0) << hub.errors();
    EXPECT_FALSE(greet(ipv4(port)));
}

TEST_F(Listen, AnAddressIsThatOneAlone) {
    auto hub = serve();
    const std::string url = RunFile::read(data())->url;
    const auto port = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
    EXPECT_EQ(greet(ipv4(port)), "HTTP/1.1 200 OK");
    EXPECT_FALSE(greet(ipv6(port)));
    // A second hub does not get only one of the two.
    const Ran second = run({"serve", "--data-dir", directory_ / "other", "--host", "localhost",
                            "--port", std::to_string(port)});
    EXPECT_EQ(second.status, 1);
    expect_one_line(second.errors, "Address already in use");
}

}  // namespace
}  // namespace agentcom::app

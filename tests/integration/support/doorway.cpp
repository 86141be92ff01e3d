#include "integration/support/doorway.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>
#include <vector>

#include "support/socket_client.hpp"

namespace agentcom::test {

namespace {

sockaddr_in on_loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

}  // namespace

Doorway::Doorway(std::uint16_t hub_port)
    : hub_port_(hub_port),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
    sockaddr_in address = on_loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, SOMAXCONN) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
        throw std::runtime_error("cannot listen on loopback");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
}

Doorway::~Doorway() {
    const std::uint64_t one = 1;
    (void)!::write(stop_, &one, sizeof one);
    thread_.join();
    for (const auto& [end, other] : ends_) ::close(end);
    ::close(listener_);
    ::close(stop_);
}

std::size_t Doorway::passed() const {
    const std::lock_guard lock(mutex_);
    return requests_.size();
}

void Doorway::await(const std::string& part, std::size_t behind) {
    std::unique_lock lock(mutex_);
    if (!asked_.wait_for(lock, kPatience,
                         [&] { return requests_.find(part, behind) != std::string::npos; })) {
        throw std::runtime_error("nobody has asked for " + part + " in time");
    }
}

void Doorway::run() {
    for (;;) {
        std::vector<pollfd> watched{{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const auto& [end, other] : ends_) watched.push_back({end, POLLIN, 0});
        if (::poll(watched.data(), watched.size(), -1) < 0) continue;
        if (watched[0].revents != 0) return;
        if (watched[1].revents != 0) accept_one();
        for (std::size_t i = 2; i < watched.size(); ++i) {
            const int from = watched[i].fd;
            const auto found = ends_.find(from);
            if (watched[i].revents == 0 || found == ends_.end()) continue;
            const OtherEnd to = found->second;
            if (carry(from, to)) continue;
            for (const int end : {from, to.descriptor}) {
                ends_.erase(end);
                ::close(end);
            }
        }
    }
}

void Doorway::accept_one() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int hub = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = on_loopback(hub_port_);
    if (::connect(hub, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(hub);
        ::close(client);
        return;
    }
    ends_.insert({client, {.descriptor = hub, .is_hub = true}});
    ends_.insert({hub, {.descriptor = client, .is_hub = false}});
}

bool Doorway::carry(int from, const OtherEnd& to) {
    std::array<char, 16'384> buffer{};
    const auto got = ::recv(from, buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    const auto size = static_cast<std::size_t>(got);
    for (std::size_t done = 0; done < size;) {
        const auto sent = ::send(to.descriptor, buffer.data() + done, size - done, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        done += static_cast<std::size_t>(sent);
    }
    if (to.is_hub) {
        {
            const std::lock_guard lock(mutex_);
            requests_.append(buffer.data(), size);
        }
        asked_.notify_all();
    }
    return true;
}

}  // namespace agentcom::test

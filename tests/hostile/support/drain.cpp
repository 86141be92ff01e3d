#include "hostile/support/drain.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

#include "support/socket_client.hpp"

namespace agentcom::test {

Drain::Drain()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    add(wake_);
    thread_ = std::thread([this] { run(); });
}

Drain::~Drain() {
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
    thread_.join();
    ::close(wake_);
    ::close(epoll_);
}

void Drain::add(int descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
}

void Drain::run() {
    std::string buffer(std::size_t{1} << 20, '\0');
    std::array<epoll_event, 256> events{};
    while (true) {
        const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
        for (int i = 0; i < count; ++i) {
            const int descriptor = events[static_cast<std::size_t>(i)].data.fd;
            if (descriptor == wake_) return;
            const ssize_t got = ::recv(descriptor, buffer.data(), buffer.size(), MSG_DONTWAIT);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got <= 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr);
            {
                const std::lock_guard lock(mutex_);
                got > 0 ? bytes_ += static_cast<std::size_t>(got) : ++ended_;
            }
            changed_.notify_all();
        }
    }
}

std::size_t Drain::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

std::size_t Drain::ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
}

bool Drain::wait_for_bytes(std::size_t bytes) {
    std::unique_lock lock(mutex_);
    while (bytes_ < bytes) {
        if (changed_.wait_for(lock, kPatience) == std::cv_status::timeout) return false;
    }
    return true;
}

bool Drain::wait_for_ends(std::size_t connections) {
    std::unique_lock lock(mutex_);
    while (ended_ < connections) {
        if (changed_.wait_for(lock, kPatience) == std::cv_status::timeout) return false;
    }
    return true;
}

}  // namespace agentcom::test

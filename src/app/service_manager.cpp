#include "app/service_manager.hpp"

#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <ctime>

#include "app/config_values.hpp"

namespace agentcom::app {
namespace {

using std::chrono::microseconds;

/// Of the time that the watchdog waits: what is late, or lost, has more than one other chance.
constexpr int kPulsesOfWatchdog = 4;
constexpr std::string_view kSocketVariable = "NOTIFY_SOCKET";

std::string_view find(const Environment& environment, std::string_view name) {
    const auto found = std::ranges::find(environment, name, &Environment::value_type::first);
    return found != environment.end() ? std::string_view(found->second) : std::string_view();
}

std::optional<core::Millis> pulse_of(const Environment& environment) {
    const auto wait = parse_count(find(environment, "WATCHDOG_USEC"));
    if (!wait || *wait == 0) return std::nullopt;
    // A process that was started by the one that is watched inherits the variable.
    const std::string_view pid = find(environment, "WATCHDOG_PID");
    if (!pid.empty() && pid != std::to_string(::getpid())) return std::nullopt;
    const microseconds all(static_cast<std::int64_t>(*wait));
    return std::max(std::chrono::duration_cast<core::Millis>(all / kPulsesOfWatchdog),
                    core::Millis{1});
}

std::int64_t monotonic_us() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::chrono::duration_cast<microseconds>(std::chrono::seconds(now.tv_sec) +
                                                    std::chrono::nanoseconds(now.tv_nsec))
        .count();
}

}  // namespace

ServiceManager::ServiceManager(const Environment& environment)
    : address_(find(environment, kSocketVariable)) {
    if (address_.empty()) return;
    if ((address_.front() != '/' && address_.front() != '@') ||
        address_.size() >= sizeof(sockaddr_un::sun_path)) {
        spdlog::warn("{} is {}, which is no socket: the service manager is told nothing",
                     kSocketVariable, address_);
        return;
    }
    // A name that begins so is of no file (unix(7), "abstract").
    if (address_.front() == '@') address_.front() = '\0';
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 1, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    pulse_ = pulse_of(environment);
}

ServiceManager::~ServiceManager() {
    if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::tell(std::string_view what) const {
    if (socket_ < 0) return;
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::ranges::copy(address_, static_cast<char*>(to.sun_path));
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
    const auto* name = reinterpret_cast<const sockaddr*>(&to);
    if (::sendto(socket_, what.data(), what.size(), MSG_NOSIGNAL, name, length) < 0) {
        spdlog::warn("cannot tell the service manager: {}", std::strerror(errno));
    }
}

void ServiceManager::ready(std::string_view status) {
    tell("READY=1\nSTATUS=" + std::string(status));
}

void ServiceManager::reloading() {
    tell("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_us()));
}

void ServiceManager::stopping(core::Millis most) {
    const auto time = std::chrono::duration_cast<microseconds>(most).count();
    tell("STOPPING=1\nEXTEND_TIMEOUT_USEC=" + std::to_string(time));
}

void ServiceManager::alive() { tell("WATCHDOG=1"); }

}  // namespace agentcom::app

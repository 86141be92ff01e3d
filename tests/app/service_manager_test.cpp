// What the service manager is told, over a real datagram socket: by the class, and by the daemon.
#include "app/service_manager.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <future>
#include <string>
#include <vector>

#include "app/command_fixture.hpp"
#include "support/hub_fixture.hpp"

namespace agentcom::app {
namespace {

/// The manager's side of the socket.
class Listener {
public:
    explicit Listener(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        name.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
        if (name.front() == '@') address.sun_path[0] = '\0';
        const timeval patience{.tv_sec = 20, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    }
    ~Listener() { ::close(socket_); }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    /// The next word; empty when none comes.
    [[nodiscard]] std::string next(int flags = 0) const {
        std::string word(4096, '\0');
        const auto size = ::recv(socket_, word.data(), word.size(), flags);
        word.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return word;
    }
    /// The next that is not about the watchdog.
    [[nodiscard]] std::string next_event() const {
        std::string word = next();
        while (word == "WATCHDOG=1") word = next();
        return word;
    }

private:
    int socket_;
};

using ToldServiceManager = CommandTest;

TEST_F(ToldServiceManager, EveryWordIsOneDatagram) {
    for (const std::string& name :
         {directory_ / "notify", "@agentcom-test-" + std::to_string(::getpid())}) {
        const Listener listener(name);
        ServiceManager manager({{"NOTIFY_SOCKET", name}});
        manager.ready("listening on somewhere");
        EXPECT_EQ(listener.next(), "READY=1\nSTATUS=listening on somewhere");
        manager.reloading();
        EXPECT_TRUE(listener.next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
        manager.alive();
        EXPECT_EQ(listener.next(), "WATCHDOG=1");
        manager.stopping(core::Millis{20'000});
        EXPECT_EQ(listener.next(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000");
    }
}

TEST_F(ToldServiceManager, WithoutOneThatListensNothingHappens) {
    for (const std::string& name :
         {std::string(), std::string("relative"), directory_ / "nobody", std::string(500, '/')}) {
        ServiceManager manager({{"NOTIFY_SOCKET", name}, {"WATCHDOG_USEC", "nonsense"}});
        manager.ready("well");
        EXPECT_FALSE(manager.pulse());
    }
}

TEST_F(ToldServiceManager, TheWatchdogIsFedFourTimesAsOftenAsItAsks) {
    const std::string socket = directory_ / "notify";
    const auto pulse = [&](const std::string& wait, const std::string& pid) {
        return ServiceManager(
                   {{"NOTIFY_SOCKET", socket}, {"WATCHDOG_USEC", wait}, {"WATCHDOG_PID", pid}})
            .pulse();
    };
    EXPECT_EQ(pulse("30000000", std::to_string(::getpid())), core::Millis(7'500));
    EXPECT_EQ(pulse("30000000", ""), core::Millis(7'500));
    EXPECT_EQ(pulse("1", ""), core::Millis(1));
    EXPECT_FALSE(pulse("30000000", "1")) << "another process is watched";
    EXPECT_FALSE(pulse("0", ""));
    EXPECT_FALSE(pulse("-1", ""));
}

TEST_F(ToldServiceManager, TheDaemonSaysWhenItServesReloadsLivesAndStops) {
    const std::string name = directory_ / "notify";
    const Listener listener(name);
    const auto hub = serve({"NOTIFY_SOCKET=" + name, "WATCHDOG_USEC=100000"});
    const std::string ready = listener.next();
    EXPECT_TRUE(ready.starts_with("READY=1\nSTATUS=listening on http://127.0.0.1:")) << ready;
    for (int i = 0; i < 3; ++i) EXPECT_EQ(listener.next(), "WATCHDOG=1");
    hub->signal(SIGHUP);
    EXPECT_TRUE(listener.next_event().starts_with("RELOADING=1\n"));
    EXPECT_EQ(listener.next_event(), ready);
    EXPECT_EQ(listener.next(), "WATCHDOG=1");
    hub->signal(SIGTERM);
    EXPECT_EQ(listener.next_event(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=20000000");
    EXPECT_EQ(hub->wait(), 0);
    EXPECT_EQ(listener.next(MSG_DONTWAIT), "") << "who stops feeds no watchdog";
}

TEST_F(ToldServiceManager, AHubThatCannotStartIsNotReady) {
    const std::string name = directory_ / "notify";
    const Listener listener(name);
    const auto ran =
        run({"serve", "--data-dir", "/dev/null", "--port", "0"}, {"NOTIFY_SOCKET=" + name});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(listener.next(MSG_DONTWAIT), "");
}

}  // namespace
}  // namespace agentcom::app

// A hub that stood still must not blame its clients for it.

#include <csignal>
#include <thread>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

class HostileLiveness : public Arena {};

TEST_F(HostileLiveness, AHubThatWasSuspendedClosesNobodyForIt) {
    static constexpr std::size_t kClients = 60;
    start_hub({"AGENTCOM_LIMITS_LIVENESS_TIMEOUT=2s"});
    const auto tokens = create_tokens(hub(), "healthy", kClients);
    std::vector<WsClient> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
        clients.emplace_back(port()).identify("healthy-" + std::to_string(i), tokens[i],
                                              {{"presence", false}});
    }
    ::kill(hub().pid(), SIGSTOP);
    // The hub's own clock is what is tested, and that of another process cannot be moved.
    std::this_thread::sleep_for(std::chrono::seconds(3));
    ::kill(hub().pid(), SIGCONT);
    std::size_t closed = 0;
    for (WsClient& client : clients) {
        try {
            if (client.ask({{"type", "ping"}}).at("type") != "pong") ++closed;
        } catch (const std::runtime_error&) {
            ++closed;
        }
    }
    EXPECT_EQ(closed, 0U) << "of " << kClients;
}

}  // namespace
}  // namespace agentcom::test

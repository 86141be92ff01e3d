// A hub that stood still must not blame its clients for it.

#include <csignal>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

constexpr const char* kLiveness = "AGENTCOM_LIMITS_LIVENESS_TIMEOUT=2s";

class HostileLiveness : public Arena {};

TEST_F(HostileLiveness, AHubThatWasSuspendedClosesNobodyForIt) {
    static constexpr std::size_t kClients = 60;
    start_hub({kLiveness});
    const auto tokens = create_tokens(hub(), "healthy", kClients);
    std::vector<WsClient> clients;
    for (std::size_t i = 0; i < kClients; ++i) {
        clients.emplace_back(port()).identify("healthy-" + std::to_string(i), tokens[i],
                                              {{"presence", false}});
    }
    // The hub's own clock is what is tested, and that of another process cannot be moved. A second
    // hub, which goes on, tells when the time is over: it closes a client that answers no ping.
    const TempDir directory;
    HubProcess other(directory.path(), {}, {kLiveness});
    Attacker mute(other.port());
    const std::string token = other.create_token("mute");
    ::kill(hub().pid(), SIGSTOP);
    const bool over = mute.upgrade() && mute.identify("mute", token) && mute.read_to_end();
    ::kill(hub().pid(), SIGCONT);
    ASSERT_TRUE(over);
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

// Agents that come and go all the time, over real connections: in the end every watcher knows the
// truth, also one that has not read for a long time, and nobody pays for it.

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "support/hub_process.hpp"
#include "support/presence_view.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::test {
namespace {

using Json = nlohmann::json;

constexpr int kAgents = 30;
constexpr int kThreads = 3;
constexpr int kReconnectsEach = 400;

std::string agent_name(int number) { return "agent" + std::to_string(number); }

/// Reads until this agent's status is this text.
void read_until(WsClient& socket, PresenceView& view, const std::string& agent,
                const std::string& status) {
    while (true) {
        for (const Json& frame : std::exchange(socket.others, {})) view.read(frame);
        const auto online = view.online();
        const auto found = online.find(agent);
        if (found != online.end() && found->second == '"' + status + '"') return;
        view.read(socket.receive());
    }
}

TEST(PresenceStorm, EveryWatcherEndsWithTheTruth) {
    TempDir dir;
    HubProcess hub(dir.path() / "data", {},
                   {"AGENTCOM_SERVER_THREADS=2", "AGENTCOM_LIMITS_TAKEOVERS_PER_MINUTE=0",
                    "AGENTCOM_LIMITS_LIVENESS_TIMEOUT=10m", "AGENTCOM_STORE_DURABILITY=relaxed"});
    std::vector<std::string> tokens;
    for (int i = 0; i < kAgents; ++i) tokens.push_back(hub.create_token(agent_name(i)));
    struct Watcher {
        std::string name;
        std::unique_ptr<WsClient> socket;
        PresenceView view;
    };
    std::vector<Watcher> watchers;
    for (const char* name : {"prompt0", "prompt1", "late0", "late1"}) {
        watchers.push_back({name, std::make_unique<WsClient>(hub.port()), PresenceView(name)});
        const Json answer = watchers.back().socket->identify(name, hub.create_token(name));
        ASSERT_EQ(answer.at("type"), "identified") << answer.dump();
        watchers.back().view.read(watchers.back().socket->ask({{"type", "list_agents"}}), true);
    }
    std::vector<std::thread> readers;
    for (int i = 0; i < 2; ++i) {
        readers.emplace_back([&watcher = watchers[static_cast<std::size_t>(i)]] {
            read_until(*watcher.socket, watcher.view, "last", "over");
        });
    }
    // Frames large enough that those who do not read fall behind.
    const std::string name(3'900, 'n');
    std::vector<std::thread> threads;
    std::vector<std::map<int, std::unique_ptr<WsClient>>> present(kThreads);
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            std::mt19937 random(static_cast<unsigned>(t));  // the same course every time
            auto& mine = present[static_cast<std::size_t>(t)];
            for (int i = 0; i < kReconnectsEach; ++i) {
                const int who = static_cast<int>(random() % kAgents);
                std::unique_ptr<WsClient> before = std::move(mine[who]);
                if (before && random() % 3 == 0) {
                    before->cut();
                    before.reset();
                }
                if (random() % 4 == 0) continue;
                auto socket = std::make_unique<WsClient>(hub.port());
                const Json answer = socket->identify(
                    agent_name(who), tokens[static_cast<std::size_t>(who)],
                    {{"presence", false}, {"name", name}, {"status", std::to_string(i)}});
                EXPECT_EQ(answer.at("type"), "identified") << answer.dump();
                mine[who] = std::move(socket);
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    // The ends of connections that were cut may still be on their way; when the list has settled,
    // whoever watches must come to the same.
    HttpClient http(hub.port(), hub.admin_token());
    const auto list = [&] {
        PresenceView truth("nobody");
        Json frame = http.get("/api/agents?limit=1000").json();
        frame["type"] = "agents";
        truth.read(frame, true);
        return truth.online();
    };
    WsClient last(hub.port());
    ASSERT_EQ(last.identify("last", hub.create_token("last")).at("type"), "identified");
    auto truth = list();
    for (int same = 0; same < 20;) {
        last.ask({{"type", "ping"}});
        auto now = list();
        same = now == truth ? same + 1 : 0;
        truth = std::move(now);
    }
    EXPECT_EQ(last.ask({{"type", "status"}, {"status", "over"}}).at("type"), "status_updated");
    truth = list();
    for (std::thread& reader : readers) reader.join();
    for (std::size_t i = 2; i < watchers.size(); ++i) {
        read_until(*watchers[i].socket, watchers[i].view, "last", "over");
    }
    for (Watcher& watcher : watchers) {
        auto expected = truth;
        expected.erase(watcher.name);
        EXPECT_EQ(watcher.view.online(), expected) << watcher.name;
    }
}

}  // namespace
}  // namespace agentcom::test

// Presence as watchers see it: the last word is the truth, and clients that replace one another
// are slowed down.

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "router/router_fixture.hpp"
#include "support/presence_view.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using protocol::CloseCode;

class PresenceTest : public RouterTest {
protected:
    void SetUp() override {
        RouterOptions options;
        options.takeovers_per_minute = 0;
        start(options);
    }
    std::map<std::string, std::string> truth(const std::string& without) {
        std::map<std::string, std::string> online;
        for (const auto& each : get<protocol::AgentList>(as("x"), protocol::ListAgents{}).agents) {
            if (each.agent.str() != without) online[each.agent.str()] = each.status.text;
        }
        return online;
    }
};

TEST_F(PresenceTest, EveryWatcherEndsWithTheTruthAfterThousandsOfReconnects) {
    constexpr int kAgents = 40;
    constexpr int kRounds = 20;
    constexpr int kStepsPerRound = 300;
    std::vector<protocol::Identify> agents;
    for (int i = 0; i < kAgents; ++i) {
        protocol::Identify options = quietly();
        options.agent_id = "agent" + std::to_string(i);
        options.token = create_token(options.agent_id);
        agents.push_back(options);
    }
    struct Watcher {
        std::size_t loop;
        TestSession* session;
        test::PresenceView view;
        int reads_every;  // rounds
    };
    std::vector<Watcher> watchers;
    for (const int reads_every : {1, 1, 7, 1'000}) {
        for (const std::size_t index : {0U, 1U}) {
            const std::string name = "watcher" + std::to_string(watchers.size());
            watchers.push_back(
                {index, &join(name, {}, index), test::PresenceView(name), reads_every});
        }
    }
    // What was there before it came, a client asks for.
    Json list{{"type", "agents"}, {"agents", Json::array()}};
    for (const auto& [name, status] : truth({})) {
        list["agents"].push_back({{"agent_id", name}, {"status", Json::parse(status)}});
    }
    for (Watcher& watcher : watchers) {
        (void)written(*watcher.session, watcher.loop);
        watcher.view.read(list, true);
    }

    /// The connections of one loop; the same agents come and go on both at once.
    struct Side {
        std::mt19937 random;
        std::map<std::string, TestSession*> present;
        std::vector<std::unique_ptr<TestSession>> sessions;
    };
    std::vector<Side> sides(2);
    sides[0].random.seed(1);
    sides[1].random.seed(2);
    const auto step = [&](std::size_t index) {
        Side& side = sides[index];
        const protocol::Identify& who = agents[side.random() % agents.size()];
        TestSession*& session = side.present[who.agent_id];
        const auto kind = side.random() % 4;
        if (session != nullptr && kind == 0) {
            router_->handle(loop(index), as(who.agent_id), session,
                            protocol::SetStatus{{std::to_string(side.random() % 100)}},
                            [](protocol::Reply&&) {});
            return;
        }
        TestSession* before = std::exchange(session, nullptr);
        if (before == nullptr || kind == 1) {
            side.sessions.push_back(std::make_unique<TestSession>());
            session = side.sessions.back().get();
            EXPECT_TRUE(router_->identify(loop(index), *session, who));
        }
        if (before != nullptr) router_->disconnected(loop(index), *before);
    };
    for (int round = 0; round < kRounds; ++round) {
        std::vector<std::future<void>> done;
        for (std::size_t index = 0; index < 2; ++index) {
            // In pieces, so that what the loops tell each other arrives in between.
            for (int piece = 0; piece < 10; ++piece) {
                auto promise = std::make_shared<std::promise<void>>();
                done.push_back(promise->get_future());
                loop(index).post([&, index, promise] {
                    for (int i = 0; i < kStepsPerRound / 10; ++i) step(index);
                    promise->set_value();
                });
            }
        }
        for (auto& each : done) wait_for(each);
        for (Watcher& watcher : watchers) {
            if (round % watcher.reads_every != watcher.reads_every - 1) continue;
            std::vector<Json> frames;
            on(watcher.loop, [&] { write_out(*watcher.session, watcher.loop, frames); });
            watcher.view.read(frames);
        }
    }
    for (Watcher& watcher : watchers) {
        // What it lacks comes when there is room for it.
        for (int i = 0; i < 4; ++i) {
            watcher.view.read(written(*watcher.session, watcher.loop));
        }
        const std::string name = watcher.session->identity()->agent.str();
        EXPECT_EQ(watcher.view.online(), truth(name)) << name;
        EXPECT_TRUE(watcher.session->closes.empty());
    }
    for (std::size_t index = 0; index < 2; ++index) {
        on(index, [&] {
            for (const auto& session : sides[index].sessions) {
                router_->disconnected(loop(index), *session);
            }
        });
    }
}

TEST_F(PresenceTest, OneThatHasMissedThousandsIsGivenTheListInFramesOfBoundedSize) {
    TestSession& slow = join("slow");
    TestSession& prompt = join("prompt");
    (void)written(slow);
    on(0, [&] { slow.push(std::string(300'000, '\x0a')); });  // it does not read
    constexpr int kAgents = 600;
    std::vector<TestSession*> sessions;
    std::vector<protocol::Identify> agents;
    for (int i = 0; i < kAgents; ++i) {
        protocol::Identify options = quietly();
        options.agent_id = "agent" + std::to_string(i);
        options.token = create_token(options.agent_id);
        options.name = core::JsonText{'"' + std::string(100, 'n') + '"'};
        agents.push_back(options);
        sessions.push_back(&fresh_session());
    }
    test::PresenceView view("prompt");
    for (int round = 0; round < 5; ++round) {
        on(0, [&] {
            for (int i = 0; i < kAgents; ++i) {
                TestSession*& session = sessions[static_cast<std::size_t>(i)];
                router_->disconnected(loop(), *session);
                session = &fresh_session();
                EXPECT_TRUE(
                    router_->identify(loop(), *session, agents[static_cast<std::size_t>(i)]));
            }
        });
        view.read(written(prompt));
    }
    EXPECT_EQ(view.lists, 0);
    EXPECT_EQ(view.online().size(), kAgents + 0U);
    settle();
    std::vector<Json> frames;
    on(0, [&] {
        EXPECT_EQ(slow.outbox().bytes(), 300'000U);
        slow.on_written(slow.outbox().consume(300'000));
    });
    test::PresenceView late("slow");
    for (int i = 0; i < 5; ++i) {
        const auto more = written(slow);
        frames.insert(frames.end(), more.begin(), more.end());
    }
    late.read(frames);
    EXPECT_EQ(late.lists, 1);
    EXPECT_EQ(late.online(), truth("slow"));
    ASSERT_GE(frames.size(), 3U);
    std::string last;
    for (std::size_t i = 0; i < frames.size(); ++i) {
        EXPECT_LT(frames[i].dump().size(), 100'000U);
        for (const Json& each : frames[i].at("agents")) {
            EXPECT_LT(last, each.at("agent_id").get<std::string>());
            last = each.at("agent_id");
        }
        EXPECT_EQ(frames[i].contains("more"), i + 1 < frames.size());
        if (frames[i].contains("more")) {
            EXPECT_EQ(frames[i].at("cursor"), last);
        }
    }
}

class TakeoverTest : public RouterTest {};

TEST_F(TakeoverTest, ClientsThatTakeTurnsReplacingOneAnotherAreSlowedDown) {
    protocol::Identify request = quietly();
    request.agent_id = "alice";
    request.token = create_token("alice");
    const auto connect = [&](TestSession& session) {
        return on(0, [&] { return router_->identify(loop(), session, request); });
    };
    int taken = 0;
    TestSession* newcomer = nullptr;
    while (true) {
        newcomer = &fresh_session();
        const protocol::Reply reply = connect(*newcomer);
        if (!reply) {
            EXPECT_EQ(reply.error().code, ErrorCode::rate_limited);
            break;
        }
        ASSERT_LT(++taken, 30);
    }
    EXPECT_GE(taken, 5) << "a few are nobody's business";
    EXPECT_FALSE(newcomer->identity());
    // The one it could not replace stays; other agents are not concerned.
    EXPECT_EQ(get<protocol::AgentList>(as("x"), protocol::ListAgents{}).agents.size(), 1U);
    (void)join("bob", quietly());
    clock_.advance(core::Millis{1'000});
    EXPECT_TRUE(connect(*newcomer)) << "the same connection may try again";
    // One that keeps asking is sent away.
    TestSession& stubborn = fresh_session();
    for (int i = 0; i < 10; ++i) EXPECT_FALSE(connect(stubborn));
    EXPECT_EQ(stubborn.closes, std::vector{CloseCode::rate_limited});
    clock_.advance(core::Millis{3'600'000});
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(connect(fresh_session()));
}

TEST_F(TakeoverTest, WhoComesBackAfterItsConnectionHasEndedReplacesNobody) {
    protocol::Identify request = quietly();
    request.token = create_token("alice");
    for (int i = 0; i < 50; ++i) leave(join("alice", request));
}

}  // namespace
}  // namespace agentcom::router

// One agent that takes all there is of something; the others must find some left.

#include <string>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"
#include "hostile/support/drain.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

constexpr std::size_t kPlaces = 400;

std::string with_number(const char* prefix, std::size_t number) {
    return std::string(prefix) + std::to_string(number);
}

class HostileQuotas : public Arena {
protected:
    /// How many of the requests succeed, one after the other on one connection.
    template <class Request>
    std::size_t successes(const std::string& token, std::size_t count, Request request) {
        HttpClient client(port(), token);
        std::size_t taken = 0;
        for (std::size_t i = 0; i < count; ++i) {
            if (request(client, i).status / 100 == 2) ++taken;
        }
        return taken;
    }
    std::size_t write_to_unknown(const std::string& token, const char* prefix, std::size_t count) {
        return successes(token, count, [&](HttpClient& client, std::size_t i) {
            return client.request("POST", "/api/message", message_body(with_number(prefix, i), 1));
        });
    }
    std::size_t create_channels(const std::string& token, const char* prefix, std::size_t count) {
        return successes(token, count, [&](HttpClient& client, std::size_t i) {
            return client.post("/api/channels", {{"name", with_number(prefix, i)}});
        });
    }
};

TEST_F(HostileQuotas, NamesOfUnknownRecipients) {
    start_hub({with_number("AGENTCOM_LIMITS_MAX_UNCLAIMED_MAILBOXES=", kPlaces)});
    const std::string greedy = hub().create_token("greedy");
    const std::string modest = hub().create_token("modest");
    begin();
    EXPECT_LE(write_to_unknown(greedy, "nobody-", kPlaces), kPlaces / 4);
    EXPECT_EQ(write_to_unknown(modest, "somebody-", 10), 10U);
    observe(kWhile);
    end(mebibytes(64));
    EXPECT_EQ(hub().terminate(), 0);
    restart_hub();
    EXPECT_EQ(write_to_unknown(greedy, "nothing-", 10), 0U) << "the share is forgotten";
    EXPECT_EQ(write_to_unknown(modest, "anybody-", 10), 10U);
}

TEST_F(HostileQuotas, NamesComeBackWithTheLastMessageForThem) {
    start_hub({with_number("AGENTCOM_LIMITS_MAX_UNCLAIMED_MAILBOXES=", kPlaces),
               "AGENTCOM_MAILBOX_TTL=1s", "AGENTCOM_MAILBOX_EVICT_INTERVAL=1s"});
    const std::string greedy = hub().create_token("greedy");
    begin();
    EXPECT_GT(write_to_unknown(greedy, "nobody-", kPlaces), 0U);
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (write_to_unknown(greedy, "nothing-", 1) == 0) {
        ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no name has come back";
        observe(10);
    }
    end(mebibytes(64));
}

TEST_F(HostileQuotas, Channels) {
    start_hub({with_number("AGENTCOM_LIMITS_MAX_CHANNELS=", kPlaces)});
    const std::string greedy = hub().create_token("greedy");
    const std::string modest = hub().create_token("modest");
    begin();
    EXPECT_LE(create_channels(greedy, "mine-", kPlaces), kPlaces / 4);
    EXPECT_EQ(create_channels(modest, "ours-", 10), 10U);
    // What is deleted may be made anew.
    EXPECT_EQ(HttpClient(port(), greedy).request("DELETE", "/api/channels/mine-0").status, 200);
    EXPECT_EQ(create_channels(greedy, "another-", 1), 1U);
    observe(kWhile);
    end(mebibytes(64));
}

TEST_F(HostileQuotas, LongPollsThatTheirClientsHaveLeft) {
    start_hub({with_number("AGENTCOM_LIMITS_MAX_WAITING_POLLS=", kPlaces)});
    const std::string greedy = hub().create_token("greedy");
    const std::string modest = hub().create_token("modest");
    begin();
    for (std::size_t i = 0; i < sized(10'000, 2'000, kPlaces); ++i) {
        Attacker(port()).send(get_request("/api/mailbox/greedy?wait=60", greedy));
    }
    observe(kWhile);
    for (const std::string& who : {std::string("greedy"), std::string("modest")}) {
        HttpClient client(port(), who == "greedy" ? greedy : modest);
        EXPECT_EQ(client.get("/api/mailbox/" + who + "?wait=1").status, 200) << who;
    }
    end(mebibytes(64));
}

TEST_F(HostileQuotas, LongPollsThatOneAgentHolds) {
    start_hub({with_number("AGENTCOM_LIMITS_MAX_WAITING_POLLS=", kPlaces)});
    const std::string greedy = hub().create_token("greedy");
    const std::string modest = hub().create_token("modest");
    begin();
    std::vector<Attacker> held;
    for (std::size_t i = 0; i < kPlaces; ++i) {
        held.emplace_back(port());
        held.back().send(get_request("/api/mailbox/greedy?wait=60", greedy));
    }
    observe(kWhile);
    HttpClient client(port(), modest);
    EXPECT_EQ(client.get("/api/mailbox/modest?wait=1").status, 200);
    end(mebibytes(64));
}

TEST_F(HostileQuotas, StatusFrames) {
    static constexpr std::size_t kWatchers = 20;
    const std::size_t count = sized(60'000, 12'000, 1'000);
    start_hub();
    const auto tokens = create_tokens(hub(), "watcher", kWatchers);
    const std::string token = hub().create_token("busy");
    std::vector<Attacker> watchers;
    Drain drain;
    for (std::size_t i = 0; i < kWatchers; ++i) {
        Attacker& one = watchers.emplace_back(port());
        ASSERT_TRUE(one.upgrade());
        ASSERT_TRUE(one.identify(with_number("watcher-", i), tokens[i], {{"presence", true}}));
        drain.add(one.descriptor());
    }
    begin();
    Attacker attacker(port());
    ASSERT_TRUE(attacker.upgrade());
    ASSERT_TRUE(attacker.identify("busy", token));
    // Its own answers are read, too.
    drain.add(attacker.descriptor());
    const std::size_t before = drain.bytes();
    const std::string frame =
        text_frame(R"({"type":"status","status":")" + std::string(4'000, 's') + "\"}");
    for (std::size_t i = 0; i < count && attacker.send(frame) == frame.size(); ++i) {
    }
    observe(kWhile);
    const std::size_t sent = drain.bytes() - before;
    std::printf("[ figures  ] %zu status frames made the hub send %zu MB\n", count,
                sent / 1'000'000);
    // Each of them to each watcher would be so many times as much.
    EXPECT_LT(sent, count * kWatchers * frame.size() / 4);
    end(mebibytes(96));
}

}  // namespace
}  // namespace agentcom::test

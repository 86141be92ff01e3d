// Requests that are dear to answer: whoever asks for them must not hold up the others of its loop.

#include <chrono>
#include <string>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"
#include "hostile/support/drain.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

class HostileLoops : public Arena {
protected:
    [[nodiscard]] Attacker connect(const std::string& agent, const std::string& token,
                                   nlohmann::json options = {{"presence", false},
                                                             {"echo", false}}) {
        Attacker one(port());
        EXPECT_TRUE(one.upgrade());
        EXPECT_TRUE(one.identify(agent, token, std::move(options)));
        return one;
    }
    /// For setting up what takes many messages.
    static std::vector<std::string> fast() {
        return {"AGENTCOM_LIMITS_MESSAGES_PER_SECOND=0", "AGENTCOM_STORE_DURABILITY=relaxed"};
    }
};

/// A request after whose answer the hub closes.
std::string last_request(const std::string& token) {
    return "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: "
           "Bearer " +
           token + "\r\n\r\n";
}

TEST_F(HostileLoops, ABacklogOfManyMessages) {
    auto settings = fast();
    settings.emplace_back("AGENTCOM_MAILBOX_CAP=100000");
    start_hub(settings);
    const std::string slow = hub().create_token("slow");
    {
        Attacker sender = connect("sender", hub().create_token("sender"));
        const std::string frame = message_frame("slow", 10);
        ASSERT_TRUE(pump(
            sender, sized(300'000, 60'000, 5'000), [&](std::size_t) { return frame; },
            "\"message_sent\""));
        sender.send(text_frame(R"({"type":"message","to":"slow","payload":{"text":"the end"}})"));
        ASSERT_TRUE(sender.read_until("\"message_sent\""));
    }
    begin();
    Attacker reader = connect("slow", slow, {{"acks", true}, {"presence", false}, {"echo", false}});
    EXPECT_TRUE(reader.read_until("the end"));
    observe(kWhile);
    end(mebibytes(256));
}

TEST_F(HostileLoops, PollsOfWhoHasSentManyBroadcasts) {
    static constexpr std::size_t kPolls = 200;
    start_hub(fast());
    const std::string mouth = hub().create_token("mouth");
    {
        Attacker sender = connect("mouth", mouth);
        const std::string frame = R"({"type":"message","payload":{}})";
        ASSERT_TRUE(pump(
            sender, sized(1'000'000, 100'000, 10'000), [&](std::size_t) { return frame; },
            "\"message_sent\""));
    }
    begin();
    Attacker reader(port());
    std::string polls;
    for (std::size_t i = 0; i < kPolls; ++i) polls += get_request("/api/mailbox/mouth", mouth);
    const auto began = std::chrono::steady_clock::now();
    reader.send(polls + last_request(mouth));
    EXPECT_TRUE(reader.read_to_end());
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    std::printf("[ figures  ] %zu polls of own broadcasts took %.0f ms\n", kPolls, took.count());
    // Some hundredths of a millisecond each.
    EXPECT_LT(took.count(), kSanitized ? 20'000 : 600);
    observe(kWhile);
    end(mebibytes(256));
}

TEST_F(HostileLoops, PipelinedPolls) {
    static constexpr int kPolls = 390;
    start_hub();
    const std::string victim = hub().create_token("victim");
    HttpClient writer(port(), hub().create_token("writer"));
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(writer
                      .request("POST", "/api/message",
                               message_body("victim", sized(64'000, 16'000, 4'000)))
                      .status,
                  200);
    }
    begin();
    std::string polls;
    for (int i = 0; i < kPolls; ++i) polls += get_request("/api/mailbox/victim", victim);
    Attacker reader(port());
    reader.send(polls + last_request(victim));
    EXPECT_TRUE(reader.read_to_end());
    observe(kWhile);
    end(mebibytes(192));
}

TEST_F(HostileLoops, ThreadsThatManyConnectionsReadAtOnce) {
    start_hub();
    const std::string reader = hub().create_token("reader");
    const std::string root = HttpClient(port(), reader)
                                 .request("POST", "/api/message", message_body("sink", 1))
                                 .json()
                                 .at("id");
    (void)ask_many(port(), sized(10'000, 6'000, 600), [&](std::size_t) {
        return post_request("/api/message", reader, message_body("sink", 1, root));
    });
    begin();
    std::vector<Attacker> readers;
    for (std::size_t i = 0; i < sized(1'500, 300, 30); ++i) {
        readers.emplace_back(port());
        readers.back().send(get_request("/api/threads/" + root + "/replies", reader));
    }
    observe(2 * kWhile);
    end(mebibytes(320));
}

TEST_F(HostileLoops, PagesThatManyWithoutATokenReadAtOnce) {
    start_hub({"AGENTCOM_AUTH_ANONYMOUS_READS=true"});
    HttpClient writer(port(), hub().create_token("writer"));
    ASSERT_EQ(writer.post("/api/channels", {{"name", "open"}}).status, 201);
    for (std::size_t i = 0; i < sized(200, 200, 20); ++i) {
        ASSERT_EQ(
            writer.request("POST", "/api/channels/open/publish", message_body({}, 10'000)).status,
            200);
    }
    begin();
    std::vector<Attacker> readers;
    for (std::size_t i = 0; i < sized(1'000, 300, 30); ++i) {
        readers.emplace_back(port());
        const std::string one =
            "GET /api/channels/open/history?limit=200 HTTP/1.1\r\nHost: localhost\r\n\r\n";
        readers.back().send(one + one + one);
    }
    observe(2 * kWhile);
    end(mebibytes(384));
}

TEST_F(HostileLoops, ManyPublicationsToManySubscribers) {
    const std::size_t subscribers = sized(500, 300, 50);
    const std::size_t publications = sized(1'024, 1'024, 200);
    start_hub();
    const auto tokens = create_tokens(hub(), "subscriber", subscribers);
    const std::string publisher = hub().create_token("publisher");
    ASSERT_EQ(HttpClient(port(), publisher).post("/api/channels", {{"name", "all"}}).status, 201);
    std::vector<Attacker> crowd;
    Drain drain;
    for (std::size_t i = 0; i < subscribers; ++i) {
        crowd.push_back(connect("subscriber-" + std::to_string(i), tokens[i]));
        crowd.back().send(text_frame(R"({"type":"channel_subscribe","channel":"all"})"));
        ASSERT_TRUE(crowd.back().read_until("\"channel_subscribed\""));
        drain.add(crowd.back().descriptor());
    }
    begin();
    Attacker attacker = connect("publisher", publisher);
    std::string piece;
    const std::string frame =
        text_frame(R"({"type":"channel_publish","channel":"all","payload":{"text":"here"}})");
    for (std::size_t i = 0; i < publications; ++i) piece += frame;
    attacker.send(piece);
    for (std::size_t i = 0; i < publications; ++i) {
        ASSERT_TRUE(attacker.read_until("\"channel_published\""));
    }
    EXPECT_TRUE(drain.wait_for_bytes(subscribers * publications * 100));
    observe(kWhile);
    end(mebibytes(256));
}

TEST_F(HostileLoops, ListingsOfManyEntries) {
    static constexpr std::size_t kOwners = 8;
    const std::size_t count = sized(100'000, 10'000, 800);
    start_hub(fast());
    const auto owners = create_tokens(hub(), "owner", kOwners);
    (void)ask_many(port(), count, [&](std::size_t i) {
        const std::string body = R"({"name":"channel-)" + std::to_string(i) + "\"}";
        return post_request("/api/channels", owners[i % kOwners], body);
    });
    (void)create_tokens(hub(), "somebody", count);
    {
        // Agents that the analytics remember.
        Attacker sender = connect("owner-0", owners[0]);
        ASSERT_TRUE(pump(
            sender, count,
            [](std::size_t i) { return message_frame("somebody-" + std::to_string(i), 1); },
            "\"message_sent\""));
    }
    begin();
    const std::string& admin = hub().admin_token();
    for (const char* path : {"/api/channels", "/admin/tokens", "/api/analytics/agents",
                             "/api/analytics/summary", "/api/agents"}) {
        Attacker reader(port());
        std::string requests;
        for (int i = 0; i < 10; ++i) requests += get_request(path, admin);
        reader.send(requests + last_request(admin));
        EXPECT_TRUE(reader.read_to_end()) << path;
    }
    Attacker reader = connect("owner-1", owners[1]);
    std::string frames;
    for (int i = 0; i < 10; ++i) frames += text_frame(R"({"type":"list_channels"})");
    reader.send(frames);
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(reader.read_until(R"("type":"channels")"));
    observe(kWhile);
    end(mebibytes(256));
}

TEST_F(HostileLoops, LookUpsOfNamesThatLookLikeManyOthers) {
    start_hub(fast());
    const std::string token = hub().create_token("attacker");
    const std::string name(118, 'n');
    (void)create_tokens(hub(), name, sized(2'000, 1'000, 300));
    begin();
    std::vector<Attacker> readers;
    const std::string wrong = "/api/directory/" + std::string(60, 'n') + std::string(62, 'm');
    for (int i = 0; i < 8; ++i) {
        readers.emplace_back(port());
        std::string requests;
        for (int j = 0; j < 20; ++j) requests += get_request(wrong, token);
        readers.back().send(requests + last_request(token));
    }
    observe(kWhile);
    for (Attacker& reader : readers) EXPECT_TRUE(reader.read_to_end());
    end(mebibytes(64));
}

TEST_F(HostileLoops, AStormOfPresence) {
    const std::size_t count = sized(9'000, 1'500, 150);
    start_hub();
    const auto tokens = create_tokens(hub(), "visitor", count);
    begin();
    std::vector<Attacker> crowd;
    crowd.reserve(count);
    Drain drain;
    for (std::size_t i = 0; i < count; ++i) {
        crowd.push_back(connect("visitor-" + std::to_string(i), tokens[i], {{"presence", true}}));
        drain.add(crowd.back().descriptor());
    }
    crowd.clear();  // and all leave at once
    observe(kWhile);
    end(mebibytes(kSanitized ? 192 : 128));
}

TEST_F(HostileLoops, LongPollsThatAreWokenAtOnce) {
    const std::size_t count = sized(10'000, 3'000, 200);
    start_hub({"AGENTCOM_LIMITS_MAX_WAITING_POLLS=100000"});
    const std::string victim = hub().create_token("victim");
    const std::string writer = hub().create_token("writer");
    begin();
    std::vector<Attacker> waiting;
    for (std::size_t i = 0; i < count; ++i) {
        waiting.emplace_back(port());
        waiting.back().send(get_request("/api/mailbox/victim?wait=60", victim));
    }
    observe(kWhile);
    const auto sent =
        HttpClient(port(), writer).request("POST", "/api/message", message_body("victim", 100'000));
    EXPECT_EQ(sent.status, 200);
    for (Attacker& one : waiting) EXPECT_TRUE(one.read_until("\r\n\r\n"));
    observe(kWhile);
    end(mebibytes(sized(256, 128, 128)));
}

TEST_F(HostileLoops, LongPollsOfSubscribersThatAPublicationWakes) {
    const std::size_t count = sized(9'000, 3'000, 200);
    start_hub({"AGENTCOM_LIMITS_MAX_WAITING_POLLS=100000"});
    const std::string victim = hub().create_token("victim");
    HttpClient publisher(port(), hub().create_token("publisher"));
    ASSERT_EQ(publisher.post("/api/channels", {{"name", "all"}}).status, 201);
    ASSERT_EQ(HttpClient(port(), victim).request("POST", "/api/channels/all/subscribe").status,
              200);
    begin();
    std::vector<Attacker> waiting;
    for (std::size_t i = 0; i < count; ++i) {
        waiting.emplace_back(port());
        waiting.back().send(get_request("/api/mailbox/victim?wait=60", victim));
    }
    observe(kWhile);
    EXPECT_EQ(publisher.request("POST", "/api/channels/all/publish", message_body({}, 10)).status,
              200);
    for (Attacker& one : waiting) EXPECT_TRUE(one.read_until("\r\n\r\n"));
    observe(kWhile);
    end(mebibytes(128));
}

TEST_F(HostileLoops, KeyedSendsWithAWindowOfDays) {
    static constexpr std::size_t kSends = 2'000;
    start_hub({"AGENTCOM_STORE_IDEMPOTENCY_WINDOW=30d"});
    Attacker sender = connect("sender", hub().create_token("sender"));
    begin();
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(pump(
        sender, kSends,
        [](std::size_t i) {
            return R"({"type":"message","to":"sink","payload":{},"idempotency_key":"k)" +
                   std::to_string(i) + "\"}";
        },
        "\"message_sent\""));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - began;
    std::printf("[ figures  ] %zu keyed sends took %.0f ms\n", kSends, took.count());
    EXPECT_LT(took.count(), kSanitized ? 20'000 : 2'000);
    observe(kWhile);
    end(mebibytes(64));
}

}  // namespace
}  // namespace agentcom::test

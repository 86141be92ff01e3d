// Clients that ask for large answers and do not read them.

#include <memory>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"
#include "hostile/support/drain.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

/// Nearly what a message may have.
constexpr std::size_t kLarge = 1'000'000;
/// What answers of some megabytes to some connections take; without bounds it is many times that.
constexpr std::size_t kBound = mebibytes(192);

class HostileReaders : public Arena {
protected:
    /// Large messages of the agent "writer", all stored.
    void write_large(std::size_t count, std::string_view to, std::string_view reply_to = {}) {
        HttpClient client(port(), writer_);
        for (std::size_t i = 0; i < count; ++i) {
            const auto answer =
                client.request("POST", "/api/message", message_body(to, kLarge, reply_to));
            ASSERT_EQ(answer.status, 200) << answer.body;
        }
    }
    /// So many connections that ask for the path and read nothing, while the innocents go on.
    void ask_and_do_not_read(std::size_t connections, std::string_view path,
                             std::string_view token) {
        begin();
        std::vector<Attacker> readers;
        for (std::size_t i = 0; i < connections; ++i) {
            readers.emplace_back(port());
            readers.back().send(get_request(path, token));
        }
        observe(kWhile);
        end(kBound);
    }

    void SetUp() override {
        start_hub();
        writer_ = hub().create_token("writer");
    }
    std::string writer_;
};

TEST_F(HostileReaders, PagesOfTheHistory) {
    write_large(sized(200, 50, 15), "sink");
    ask_and_do_not_read(sized(20, 20, 10), "/api/messages?limit=200", writer_);
}

TEST_F(HostileReaders, RepliesInAThread) {
    const auto root =
        HttpClient(port(), writer_).request("POST", "/api/message", message_body("sink", 10));
    const std::string id = root.json().at("id");
    write_large(sized(1'000, 50, 15), "sink", id);
    ask_and_do_not_read(sized(4, 20, 10), "/api/threads/" + id + "/replies", writer_);
}

TEST_F(HostileReaders, WholeThreads) {
    const auto root =
        HttpClient(port(), writer_).request("POST", "/api/message", message_body("sink", 10));
    const std::string id = root.json().at("id");
    write_large(sized(1'000, 50, 15), "sink", id);
    ask_and_do_not_read(sized(4, 20, 10), "/api/threads/" + id + "?limit=1000", writer_);
}

TEST_F(HostileReaders, MailboxPolls) {
    const std::string victim = hub().create_token("victim");
    write_large(sized(100, 50, 15), "victim");
    ask_and_do_not_read(sized(20, 20, 10), "/api/mailbox/victim", victim);
}

TEST_F(HostileReaders, ChannelHistoriesOverWebSocketAreGivenBack) {
    HttpClient client(port(), writer_);
    ASSERT_EQ(client.post("/api/channels", {{"name", "big"}}).status, 201);
    for (std::size_t i = 0; i < sized(200, 50, 15); ++i) {
        const auto answer =
            client.request("POST", "/api/channels/big/publish", message_body({}, kLarge));
        ASSERT_EQ(answer.status, 200) << answer.body;
    }
    const auto tokens = create_tokens(hub(), "reader", 8);
    begin();
    {
        std::vector<Attacker> readers;
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            Attacker& reader = readers.emplace_back(port());
            ASSERT_TRUE(reader.upgrade());
            ASSERT_TRUE(reader.identify("reader-" + std::to_string(i), tokens[i]));
            reader.send(text_frame(R"({"type":"channel_history","channel":"big","limit":200})"));
        }
        observe(kWhile);
        // Now they read, so that all of it has been through the hub. Two kilobytes belong to what
        // comes in any case.
        Drain drain;
        for (const Attacker& reader : readers) drain.add(reader.descriptor());
        EXPECT_TRUE(drain.wait_for_bytes(tokens.size() * kLarge));
        observe(kWhile);
    }
    EXPECT_TRUE(wait_for_memory_below(mebibytes(96)));
    end(kBound);
}

TEST_F(HostileReaders, AnswersThatWaitBehindAWrite) {
    const std::size_t count = sized(200, 200, 50);
    const auto tokens = create_tokens(hub(), "colourful", count);
    const std::string colour(4'000, 'c');
    std::vector<Attacker> crowd;
    for (std::size_t i = 0; i < count; ++i) {
        Attacker& one = crowd.emplace_back(port());
        ASSERT_TRUE(one.upgrade());
        ASSERT_TRUE(one.identify("colourful-" + std::to_string(i), tokens[i],
                                 {{"presence", false},
                                  {"name", colour},
                                  {"status", colour},
                                  {"capabilities", {colour}}}));
    }
    begin();
    Attacker attacker(port());
    ASSERT_TRUE(attacker.upgrade());
    ASSERT_TRUE(attacker.identify("writer", writer_));
    // All in one piece: the write is not committed yet when the reads are answered.
    std::string piece = text_frame(message_frame("sink", 10));
    for (int i = 0; i < 250; ++i) piece += text_frame(R"({"type":"list_agents"})");
    attacker.send(piece);
    observe(kWhile);
    end(kBound);
}

TEST_F(HostileReaders, WhoReadsIsNotCutByWhatComesAtOnce) {
    // More than an outbox holds, in few commits, to those who read as fast as they can.
    constexpr std::size_t kPublications = 40;
    constexpr std::size_t kSubscribers = 4;
    const std::string body = R"({"payload":{"text":")" + std::string(kLarge / 2, 'x') + R"("}})";
    HttpClient publisher(port(), writer_);
    ASSERT_EQ(publisher.post("/api/channels", {{"name", "all"}}).status, 201);
    Drain drain;
    std::vector<Attacker> crowd;
    for (std::size_t i = 0; i < kSubscribers; ++i) {
        const std::string name = "reader-" + std::to_string(i);
        const std::string token = hub().create_token(name);
        ASSERT_EQ(HttpClient(port(), token).post("/api/channels/all/subscribe", {}).status, 200);
        Attacker& reader = crowd.emplace_back(port());
        if (i % 2 == 0) {
            ASSERT_TRUE(reader.upgrade());
            ASSERT_TRUE(reader.identify(name, token, {{"presence", false}, {"acks", i == 0}}));
        } else {
            reader.send(get_request("/api/mailbox/" + name + "/stream", token));
            ASSERT_TRUE(reader.read_until("\r\n\r\n"));
        }
        drain.add(reader.descriptor());
    }
    begin();
    std::vector<Attacker> senders;
    const std::string request = post_request("/api/channels/all/publish", writer_, body);
    for (std::size_t i = 0; i < kPublications; ++i) {
        senders.emplace_back(port());
        senders.back().send(std::string_view(request).substr(0, request.size() - 1));
    }
    for (Attacker& sender : senders)
        sender.send(std::string_view(request).substr(request.size() - 1));
    for (Attacker& sender : senders) EXPECT_TRUE(sender.read_until(" 200 "));
    EXPECT_TRUE(drain.wait_for_bytes(kPublications * kSubscribers * (kLarge / 2)));
    EXPECT_EQ(drain.ended(), 0U);
    observe(kWhile);
    end(kBound);
}

TEST_F(HostileReaders, TogetherTheyHoldNoMoreThanTheHubGivesThem) {
    // Each holds an answer of some megabytes, within every bound of its own.
    hub().terminate();
    start_hub({"AGENTCOM_LIMITS_OUTPUT_BYTES=32MiB"});
    writer_ = hub().create_token("writer-2");
    write_large(10, "sink");
    ask_and_do_not_read(sized(200, 100, 40), "/api/messages?limit=200", writer_);
}

}  // namespace
}  // namespace agentcom::test

// Many requests that wait for long, each as large as it may be: what is kept of them.

#include <string>
#include <vector>

#include "hostile/support/arena.hpp"
#include "hostile/support/attacker.hpp"
#include "hostile/support/drain.hpp"
#include "hostile/support/filling.hpp"

namespace agentcom::test {
namespace {

constexpr std::size_t kLongestId = 256;  // as JSON text, quotes with it
/// Of a body: kept for each, it would be more than is allowed for; on the way it is little.
constexpr std::size_t kLarge = 200'000;
constexpr std::size_t kBound = mebibytes(64);
constexpr std::size_t kLongQuery = 12'000;  // a header may have 16 KiB

constexpr const char* kWait =
    R"("method":"tools/call","params":{"name":"wait_for_message","arguments":{"timeout_s":25})";
constexpr const char* kListen = R"("method":"subscriptions/listen","params":{"notifications":)"
                                R"({"resourceSubscriptions":["agentcom://inbox"]})";

class HostileWaiting : public Arena {
protected:
    /// A call of MCP (`rest`: from its method on, `params` unfinished) with an id of so many bytes,
    /// and otherwise as much as a request may have.
    static std::string call(const std::string& token, std::size_t id, const std::string& rest) {
        const std::string meta =
            R"("io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
            R"("io.modelcontextprotocol/clientCapabilities":{},)"
            R"("io.modelcontextprotocol/clientInfo":{"name":"c","version":"1"},)";
        std::string body = R"({"jsonrpc":"2.0","id":")" + std::string(id - 2, 'x') + "\"," + rest +
                           R"(,"_meta":{)" + meta + R"("progressToken":")";
        body += std::string(kLarge - std::min(kLarge, body.size()), 'p') + "\"}}}";
        std::string request = post_request("/mcp?x=" + std::string(kLongQuery, 'q'), token, body);
        const bool listens = rest == kListen;
        const std::string headers =
            std::string("MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: ") +
            (listens ? "subscriptions/listen" : "tools/call") +
            (listens ? "\r\n" : "\r\nMcp-Name: wait_for_message\r\n");
        return request.insert(request.find("Content-Type:"), headers);
    }
    /// One connection for each request; `answered`: what each is told by then.
    void send_all(std::vector<Attacker>& callers, const std::string& request, std::size_t count,
                  const char* answered = nullptr) {
        for (std::size_t i = 0; i < count; ++i) {
            Attacker& one = callers.emplace_back(port());
            ASSERT_EQ(one.send(request), request.size());
            ASSERT_TRUE(answered == nullptr || one.read_until(answered));
        }
    }
};

TEST_F(HostileWaiting, CallsOfMcp) {
    const std::size_t count = sized(1'000, 400, 100);
    start_hub();
    const std::string token = hub().create_token("greedy");
    begin();
    std::vector<Attacker> callers;
    send_all(callers, call(token, kLongestId, kWait), count);
    std::vector<Attacker> refused;
    send_all(refused, call(token, kLarge, kWait), count / 4, "HTTP/1.1 400");
    observe(kWhile);
    // They do wait, and are answered as others are.
    const std::string other = hub().create_token("other");
    HttpClient(port(), other).request("POST", "/api/message", message_body("greedy", 1));
    for (Attacker& one : callers) EXPECT_TRUE(one.read_until("\"from\":\"other\""));
    // What the bodies took goes back although nobody takes anything any more.
    EXPECT_TRUE(wait_for_memory_below(mebibytes(kSanitized ? 1'000 : 32)));
    end(kBound);
}

TEST_F(HostileWaiting, SubscriptionsOfMcp) {
    static constexpr std::size_t kOfEach = 16;
    static constexpr std::size_t kSends = 200;
    start_hub();
    const auto tokens = create_tokens(hub(), "greedy", sized(12, 6, 3));
    begin();
    std::vector<Attacker> streams;
    std::vector<Attacker> refused;
    Drain drain;
    for (const std::string& token : tokens) {
        send_all(streams, call(token, kLongestId, kListen), kOfEach, "acknowledged");
        send_all(refused, call(token, kLarge, kListen), 4, "HTTP/1.1 400");
    }
    for (const Attacker& one : streams) drain.add(one.descriptor());
    observe(kWhile);
    // A notice repeats the id, and nothing else of the request.
    const std::size_t before = drain.bytes();
    HttpClient other(port(), hub().create_token("other"));
    for (std::size_t i = 0; i < kSends; ++i) {
        other.request("POST", "/api/message", message_body("greedy-0", 1));
    }
    observe(kWhile);
    const std::size_t told = drain.bytes() - before;
    std::printf("[ figures  ] %zu sends made the hub write %zu KB of notices\n", kSends,
                told / 1'000);
    EXPECT_GT(told, 0U);
    EXPECT_LT(told, kSends * kOfEach * 3 * kLongestId);
    end(kBound);
}

TEST_F(HostileWaiting, LongPollsAndStreams) {
    const std::size_t count = sized(1'000, 400, 100);
    start_hub();
    const std::string token = hub().create_token("greedy");
    begin();
    // A body of GET is read, and means nothing.
    const auto with_body = [&](const std::string& path) {
        std::string request = post_request(path + "x=" + std::string(kLongQuery, 'q'), token,
                                           std::string(kLarge, ' '));
        return "GET" + request.substr(4);
    };
    std::vector<Attacker> callers;
    send_all(callers, with_body("/api/mailbox/greedy?wait=55&"), count);
    std::vector<Attacker> streams;
    send_all(streams, with_body("/api/mailbox/greedy/stream?"), 16, "event-stream");
    observe(kWhile);
    const std::string other = hub().create_token("other");
    HttpClient(port(), other).request("POST", "/api/message", message_body("greedy", 1));
    for (Attacker& one : callers) EXPECT_TRUE(one.read_until("\"from\":\"other\""));
    end(kBound);
}

}  // namespace
}  // namespace agentcom::test

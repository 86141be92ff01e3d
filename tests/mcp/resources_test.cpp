// The inbox as a resource, streams of its changes, and the prompt.

#include <string>

#include "mcp/mcp_fixture.hpp"
#include "support/event_source.hpp"

namespace agentcom::test {
namespace {

class McpListen : public Mcp {
protected:
    EventSource listen(const std::string& token, const Json& filter, const Json& id = "listen:0") {
        const Json body = {{"jsonrpc", "2.0"},
                           {"id", id},
                           {"method", "subscriptions/listen"},
                           {"params", {{"notifications", filter}, {"_meta", McpClient::meta()}}}};
        std::string headers = "Content-Type: application/json\r\n";
        for (const std::string& line : McpClient::headers("subscriptions/listen")) {
            headers += line + "\r\n";
        }
        return EventSource(hub_.port(), "/mcp", token, headers, "POST", body.dump());
    }
    static Json inbox() {
        return {{"resourceSubscriptions", {"agentcom://inbox", "agentcom://x"}}};
    }
    static Json next(EventSource& stream) {
        const auto event = stream.next();
        if (!event) throw std::runtime_error("the stream has ended");
        EXPECT_EQ(event->type, "");
        EXPECT_EQ(event->id, "");
        return Json::parse(event->data);
    }
    static Json subscription(const Json& id = "listen:0") {
        return {{"io.modelcontextprotocol/subscriptionId", id}};
    }
};

TEST_F(Mcp, TheInboxIsAResource) {
    const Json list = alice_.modern("resources/list").json().at("result");
    EXPECT_EQ(list.at("resources").at(0).at("uri"), "agentcom://inbox");
    EXPECT_EQ(alice_.modern("resources/templates/list").json().at("result").at("resourceTemplates"),
              Json::array());
    alice_.ok("send_message", {{"to", "bob"}, {"text", "secret"}});
    const Json read =
        bob_.modern("resources/read", {{"uri", "agentcom://inbox"}}).json().at("result");
    const Json& content = read.at("contents").at(0);
    EXPECT_EQ(content.at("mimeType"), "application/json");
    EXPECT_EQ(read.at("ttlMs"), 0);
    const Json inbox = Json::parse(content.at("text").get<std::string>());
    EXPECT_EQ(inbox.at("unread"), 1);
    EXPECT_EQ(inbox.at("senders"), Json::array({{{"name", "alice"}, {"count", 1}}}));
    EXPECT_FALSE(has(content.at("text"), "secret"));
    const Json legacy = bob_.legacy("resources/read", {{"uri", "agentcom://inbox"}}).json();
    EXPECT_EQ(Json::parse(legacy.at("result").at("contents").at(0).at("text").get<std::string>()),
              inbox);
}

TEST_F(Mcp, AnUnknownResourceHasAnErrorForEachEra) {
    const Json modern =
        alice_.modern("resources/read", {{"uri", "agentcom://x"}}).json().at("error");
    EXPECT_EQ(modern.at("code"), -32602);
    EXPECT_EQ(modern.at("data"), (Json{{"uri", "agentcom://x"}}));
    const Json legacy =
        alice_.legacy("resources/read", {{"uri", "agentcom://x"}}).json().at("error");
    EXPECT_EQ(legacy.at("code"), -32002);
    EXPECT_EQ(alice_.modern("resources/read").json().at("error").at("code"), -32602);
}

TEST_F(Mcp, ThePromptTellsHowToBegin) {
    const Json list = alice_.modern("prompts/list").json().at("result");
    EXPECT_EQ(list.at("prompts").at(0).at("name"), "agentcom-onboard");
    const Json prompt =
        alice_.modern("prompts/get", {{"name", "agentcom-onboard"}}).json().at("result");
    const Json& message = prompt.at("messages").at(0);
    EXPECT_EQ(message.at("role"), "user");
    EXPECT_TRUE(has(message.at("content").at("text"), "You are \"alice\""));
    EXPECT_EQ(alice_.modern("prompts/get", {{"name", "x"}}).json().at("error").at("code"), -32602);
    EXPECT_EQ(alice_.legacy("prompts/get").json().at("error").at("code"), -32602);
}

TEST_F(McpListen, AStreamAcknowledgesWhatItHonoursThenTellsOfMail) {
    EventSource stream = listen(bob_token_, inbox());
    EXPECT_EQ(stream.status(), 200);
    EXPECT_TRUE(stream.says("Content-Type: text/event-stream"));
    EXPECT_TRUE(stream.says("X-Accel-Buffering: no"));
    EXPECT_EQ(next(stream),
              (Json{{"jsonrpc", "2.0"},
                    {"method", "notifications/subscriptions/acknowledged"},
                    {"params",
                     {{"_meta", subscription()},
                      {"notifications", {{"resourceSubscriptions", {"agentcom://inbox"}}}}}}}));
    alice_.ok("send_message", {{"to", "bob"}, {"text", "secret"}});
    const Json updated = {{"jsonrpc", "2.0"},
                          {"method", "notifications/resources/updated"},
                          {"params", {{"_meta", subscription()}, {"uri", "agentcom://inbox"}}}};
    EXPECT_EQ(next(stream), updated);
    alice_.ok("send_message", {{"to", "bob"}, {"text", "another"}});
    EXPECT_EQ(next(stream), updated);
    // Nothing was shown by that.
    EXPECT_EQ(bob_.ok("check_inbox").at("structuredContent").at("count"), 2);
}

TEST_F(McpListen, MailThatWaitsIsToldAtOnceAndOnce) {
    alice_.ok("send_message", {{"to", "bob"}, {"text", "one"}});
    alice_.ok("send_message", {{"to", "bob"}, {"text", "two"}});
    EventSource stream = listen(bob_token_, inbox(), 7);
    EXPECT_EQ(next(stream).at("params").at("_meta"), subscription(7));
    EXPECT_EQ(next(stream).at("method"), "notifications/resources/updated");
    hub_.settle();
    EXPECT_FALSE(stream.has_input());
}

TEST_F(McpListen, AFilterThatNamesNothingOfTheHubsTellsNothing) {
    EventSource stream = listen(bob_token_, {{"toolsListChanged", true}});
    EXPECT_EQ(next(stream).at("params").at("notifications"), Json::object());
    alice_.ok("send_message", {{"to", "bob"}, {"text", "one"}});
    hub_.settle();
    EXPECT_FALSE(stream.has_input());
}

TEST_F(McpListen, AStreamIsKeptAliveAndEndsWithAResult) {
    EventSource stream = listen(bob_token_, inbox());
    (void)next(stream);
    hub_.pass(std::chrono::seconds(20));
    stream.await_comments(1);
    hub_.endpoint().begin_shutdown();
    const Json last = next(stream);
    EXPECT_EQ(last.at("id"), "listen:0");
    EXPECT_EQ(last.at("result").at("resultType"), "complete");
    EXPECT_EQ(last.at("result").at("_meta").at("io.modelcontextprotocol/subscriptionId"),
              "listen:0");
    EXPECT_FALSE(stream.next().has_value());
}

TEST_F(McpListen, AStreamTooManyIsAnErrorOfJsonRpc) {
    std::vector<EventSource> streams;
    const std::size_t most = router::RouterOptions{}.max_streams_per_agent;
    for (std::size_t i = 0; i < most; ++i) {
        streams.push_back(listen(bob_token_, inbox()));
        (void)next(streams.back());
    }
    McpClient bob(hub_.port(), bob_token_);
    const auto answer = bob.modern("subscriptions/listen", {{"notifications", inbox()}});
    EXPECT_EQ(answer.json().at("error").at("data").at("error"), "too_many_connections");
}

}  // namespace
}  // namespace agentcom::test

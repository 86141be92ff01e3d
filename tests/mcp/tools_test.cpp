// Every tool against a live hub: what it does, what it says, what it refuses.

#include <algorithm>
#include <atomic>
#include <future>
#include <string>

#include "mcp/mcp_fixture.hpp"

namespace agentcom::test {
namespace {

TEST_F(Mcp, AnUnknownToolIsAnError) {
    const auto answer = alice_.modern("tools/call", {{"name", "rm"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.json().at("error").at("code"), -32602);
    EXPECT_EQ(answer.json().at("error").at("message"), "Unknown tool: rm");
    EXPECT_EQ(alice_.modern("tools/call").json().at("error").at("code"), -32602);
}

TEST_F(Mcp, ArgumentsThatDoNotFitAreAnsweredWithAdvice) {
    EXPECT_TRUE(has(alice_.refusal("check_inbox", {{"limit", 0}}), "an integer from 1 to 100"));
    EXPECT_TRUE(has(alice_.refusal("check_inbox", {{"limit", 1.5}}), "limit"));
    EXPECT_TRUE(has(alice_.refusal("check_inbox", {{"full", "perhaps"}}), "true or false"));
    EXPECT_TRUE(has(alice_.refusal("check_inbox", {{"ful", true}}),
                    "There are: full, limit, max_bytes, after"));
    EXPECT_TRUE(has(alice_.refusal("check_inbox", Json::array()), "JSON object"));
    EXPECT_TRUE(has(alice_.refusal("ack"), "\"seq\" is missing"));
    EXPECT_TRUE(
        has(alice_.refusal("send_message", {{"to", "bob"}, {"payload", "text"}}), "a JSON object"));
    EXPECT_TRUE(has(alice_.refusal("set_status", {{"status", "x"}, {"capabilities", {1, 2}}}),
                    "an array of texts"));
    EXPECT_TRUE(has(alice_.refusal("read_message", {{"id", {1}}}), "a text"));
    EXPECT_TRUE(has(alice_.refusal("read_message", {{"id", std::string(513, '1')}}),
                    "a text of at most 512 bytes"));
    EXPECT_TRUE(has(alice_.refusal("send_message", {{"to", std::string(129, 'b')}, {"text", "x"}}),
                    "a text of at most 128 bytes"));
    alice_.ok("send_message", {{"to", "bob"}, {"text", std::string(100'000, 'x')}});
}

TEST_F(Mcp, WhatModelsWriteInsteadOfNumbersAndNothingIsTaken) {
    alice_.ok("check_inbox", {{"limit", "5"}, {"full", "true"}, {"after", nullptr}});
    alice_.ok("check_inbox", {{"limit", 5.0}});
    const auto answer =
        alice_.modern("tools/call", {{"name", "check_inbox"}, {"arguments", nullptr}});
    EXPECT_EQ(answer.json().at("result").at("isError"), false);
}

TEST_F(Mcp, AnEmptyInboxSaysSo) {
    const Json result = alice_.ok("check_inbox");
    EXPECT_EQ(McpClient::text_of(result), "No unread mail.\n");
    EXPECT_EQ(result.at("structuredContent").at("count"), 0);
    EXPECT_EQ(result.at("structuredContent").at("messages"), Json::array());
}

TEST_F(Mcp, AMessageIsListedReadAndAcknowledged) {
    const Json sent = alice_.ok(
        "send_message", {{"to", "bob"}, {"text", "first line\nsecond line"}, {"type", "question"}});
    const std::string id = sent.at("structuredContent").at("id");
    const auto seq = sent.at("structuredContent").at("seq").get<std::uint64_t>();

    const Json listed = bob_.ok("check_inbox");
    const Json& entry = listed.at("structuredContent").at("messages").at(0);
    EXPECT_EQ(entry.at("id"), id);
    EXPECT_EQ(entry.at("from"), "alice");
    EXPECT_EQ(entry.at("trust"), "agent");
    EXPECT_EQ(entry.at("type"), "question");
    EXPECT_EQ(entry.at("seq"), seq);
    EXPECT_TRUE(has(entry.at("first_line"), "first line"));
    EXPECT_FALSE(has(listed.dump(), "second line"));
    EXPECT_FALSE(entry.contains("payload"));
    EXPECT_TRUE(has(McpClient::text_of(listed), "ack with seq " + std::to_string(seq)));

    // Looking changes nothing.
    const Json full = bob_.ok("check_inbox", {{"full", true}});
    EXPECT_EQ(full.at("structuredContent").at("messages").at(0).at("payload").at("text"),
              "first line\nsecond line");
    EXPECT_TRUE(has(McpClient::text_of(full), "second line"));

    for (const Json& name : {Json(id), Json(std::to_string(seq)), Json(seq)}) {
        const Json read = bob_.ok("read_message", {{"id", name}});
        EXPECT_TRUE(has(McpClient::text_of(read), "first line\nsecond line")) << name;
        EXPECT_EQ(read.at("structuredContent").at("message").at("id"), id) << name;
    }

    const Json acked = bob_.ok("ack", {{"seq", seq}});
    EXPECT_EQ(acked.at("structuredContent"), (Json{{"acked", seq}, {"unread", 0}}));
    EXPECT_EQ(McpClient::text_of(bob_.ok("check_inbox")), "No unread mail.\n");
    // The message is there all the same, for who sent it, too.
    alice_.ok("read_message", {{"id", id}});
}

TEST_F(Mcp, AMessageOfOthersIsNotToBeRead) {
    const std::string carol = hub_.create_token("carol");
    const Json sent = alice_.ok("send_message", {{"to", "bob"}, {"text", "for bob"}});
    McpClient other(hub_.port(), carol);
    const std::string id = sent.at("structuredContent").at("id");
    EXPECT_TRUE(has(other.refusal("read_message", {{"id", id}}), "not_found"));
    EXPECT_TRUE(has(other.refusal("read_message", {{"id", "nonsense"}}), "not_found"));
    EXPECT_TRUE(has(other.refusal("read_thread", {{"id", id}}), "no message"));
}

TEST_F(Mcp, TheInboxComesInPages) {
    for (int i = 0; i < 5; ++i)
        alice_.ok("send_message", {{"to", "bob"}, {"text", std::to_string(i)}});
    const Json first = bob_.ok("check_inbox", {{"limit", 3}}).at("structuredContent");
    EXPECT_EQ(first.at("count"), 3);
    EXPECT_EQ(first.at("more"), true);
    const Json rest = bob_.ok("check_inbox", {{"limit", 3}, {"after", first.at("last_seq")}})
                          .at("structuredContent");
    EXPECT_EQ(rest.at("count"), 2);
    EXPECT_EQ(rest.at("more"), false);
    EXPECT_EQ(rest.at("messages").at(0).at("first_line"), "3");
}

TEST_F(Mcp, BodiesKeepWithinTheirBytes) {
    alice_.ok("send_message", {{"to", "bob"}, {"text", std::string(600, 'a')}});
    alice_.ok("send_message", {{"to", "bob"}, {"text", std::string(600, 'b')}});
    const Json listed = bob_.ok("check_inbox", {{"full", true}, {"max_bytes", 1'000}});
    const std::string text = McpClient::text_of(listed);
    EXPECT_TRUE(has(text, std::string(600, 'a')));
    EXPECT_FALSE(has(text, std::string(200, 'b')));
    EXPECT_TRUE(has(text, "only its first line: 600 bytes"));
    EXPECT_FALSE(listed.at("structuredContent").at("messages").at(1).contains("payload"));

    const Json piece = bob_.ok("read_message", {{"id", "2"}, {"max_bytes", 500}});
    EXPECT_TRUE(has(McpClient::text_of(piece), "for the rest: offset 500"));
    const Json rest = bob_.ok("read_message", {{"id", "2"}, {"offset", 500}});
    EXPECT_EQ(rest.at("structuredContent").at("message").at("piece"), std::string(100, 'b'));
}

TEST_F(Mcp, ASendSaysWhoWillReadIt) {
    const Json waiting = alice_.ok("send_message", {{"to", "bob"}, {"text", "hello"}});
    EXPECT_TRUE(has(McpClient::text_of(waiting),
                    "bob is known, not seen since the hub was started, 1 unread with this one"));
    EXPECT_EQ(waiting.at("structuredContent").at("delivery"), "waiting");

    bob_.ok("check_inbox");
    pass(std::chrono::hours(3));
    EXPECT_TRUE(
        has(McpClient::text_of(alice_.ok("send_message", {{"to", "bob"}, {"text", "again"}})),
            "last seen 3 h ago, 2 unread with this one"));

    WsClient bob(hub_.port());
    bob.identify("bob", bob_token_, {{"acks", true}});
    const Json handed = alice_.ok("send_message", {{"to", "bob"}, {"text", "now"}});
    EXPECT_TRUE(has(McpClient::text_of(handed), "bob is connected now"));
    EXPECT_EQ(handed.at("structuredContent").at("delivery"), "handed_over");
    EXPECT_EQ(handed.at("structuredContent").at("recipient").at("unread"), 3);
}

TEST_F(Mcp, ASendToNobodySaysWhoMayBeMeant) {
    const Json sent = alice_.ok("send_message", {{"to", "bbo"}, {"text", "hello"}});
    const std::string text = McpClient::text_of(sent);
    EXPECT_TRUE(has(text, "Nobody has the name bbo. Did you mean bob?")) << text;
    EXPECT_TRUE(has(text, "keeps the message"));
    EXPECT_EQ(sent.at("structuredContent").at("delivery"), "nobody");
    EXPECT_EQ(sent.at("structuredContent").at("recipient").at("did_you_mean"),
              Json::array({"bob"}));
    // It is kept, indeed.
    McpClient bbo(hub_.port(), hub_.create_token("bbo"));
    EXPECT_EQ(bbo.ok("check_inbox").at("structuredContent").at("count"), 1);

    EXPECT_TRUE(has(McpClient::text_of(alice_.ok(
                        "send_message", {{"to", "somebody-quite-else"}, {"text", "hello"}})),
                    "list_agents shows"));
}

TEST_F(Mcp, ASendThatCannotBeIsRefusedWithAdvice) {
    EXPECT_TRUE(has(alice_.refusal("send_message", {{"to", "bob"}}), "Nothing to send"));
    EXPECT_TRUE(has(
        alice_.refusal("send_message", {{"to", "bob"}, {"text", "a"}, {"payload", Json::object()}}),
        "not both"));
    EXPECT_TRUE(has(alice_.refusal("send_message", {{"to", "#dev team"}, {"text", "a"}}),
                    "invalid_recipient"));
    EXPECT_TRUE(has(alice_.refusal("send_message", {{"to", ""}, {"text", "a"}}), "list_agents"));
    EXPECT_TRUE(
        has(alice_.refusal("send_message",
                           {{"to", "bob"}, {"text", "a"}, {"reply_to", std::string(200, 'x')}}),
            "reply_to"));
    McpClient observer(hub_.port(), hub_.create_token("watcher", core::Role::observer));
    EXPECT_TRUE(has(observer.refusal("send_message", {{"to", "bob"}, {"text", "a"}}), "read_only"));
    observer.ok("check_inbox");
}

TEST_F(Mcp, ANameThatNobodyCanHaveYetIsRefusedWithThoseThatLookLikeIt) {
    // A name outside the grammar is nobody's until somebody holds a token for it.
    const std::string text = alice_.refusal("send_message", {{"to", "alicé"}, {"text", "a"}});
    EXPECT_TRUE(has(text, "Not sent: nobody has the name alicé. Did you mean alice?")) << text;
}

TEST_F(Mcp, EverybodyCanBeWrittenToAtOnce) {
    const Json sent = alice_.ok("send_message", {{"to", "broadcast"}, {"text", "hello all"}});
    EXPECT_EQ(sent.at("structuredContent").at("delivery"), "broadcast");
    const Json entry = bob_.ok("check_inbox").at("structuredContent").at("messages").at(0);
    EXPECT_EQ(entry.at("to"), "broadcast");
}

TEST_F(Mcp, ARepeatedCallSendsOnceAndSaysSo) {
    Json request = alice_.request("tools/call", {{"name", "send_message"},
                                                 {"arguments", {{"to", "bob"}, {"text", "once"}}},
                                                 {"_meta", McpClient::meta()}});
    const auto headers = McpClient::headers("tools/call", "send_message");
    const Json first = alice_.post(request.dump(), headers).json().at("result");
    const Json second = alice_.post(request.dump(), headers).json().at("result");
    EXPECT_EQ(first.at("structuredContent").at("duplicate"), false);
    EXPECT_EQ(second.at("structuredContent").at("duplicate"), true);
    EXPECT_EQ(first.at("structuredContent").at("id"), second.at("structuredContent").at("id"));
    EXPECT_TRUE(has(McpClient::text_of(second), "nothing was sent"));
    // The same words in another call are another message.
    request["id"] = "another";
    EXPECT_EQ(alice_.post(request.dump(), headers)
                  .json()
                  .at("result")
                  .at("structuredContent")
                  .at("duplicate"),
              false);
    EXPECT_EQ(bob_.ok("check_inbox").at("structuredContent").at("count"), 2);
}

TEST_F(Mcp, AGivenIdempotencyKeyCountsInItsPlace) {
    const Json message = {{"to", "bob"}, {"text", "once"}, {"idempotency_key", "k"}};
    alice_.ok("send_message", message);
    EXPECT_EQ(alice_.ok("send_message", message).at("structuredContent").at("duplicate"), true);
    Json other = message;
    other["text"] = "other words";
    EXPECT_TRUE(has(alice_.refusal("send_message", other), "idempotency_conflict"));
}

TEST_F(Mcp, JsonTravelsAsItIs) {
    alice_.ok("send_message", {{"to", "bob"}, {"payload", {{"n", 1}, {"list", {1, 2}}}}});
    const Json full = bob_.ok("check_inbox", {{"full", true}});
    EXPECT_EQ(full.at("structuredContent").at("messages").at(0).at("payload"),
              (Json{{"n", 1}, {"list", {1, 2}}}));
    EXPECT_TRUE(has(McpClient::text_of(full), "format=json"));
}

TEST_F(Mcp, AnAnswerMakesAThread) {
    const std::string question = alice_.ok("send_message", {{"to", "bob"}, {"text", "ready?"}})
                                     .at("structuredContent")
                                     .at("id");
    const std::string reply =
        bob_.ok("send_message", {{"to", "alice"}, {"text", "yes"}, {"reply_to", question}})
            .at("structuredContent")
            .at("id");
    const Json thread = alice_.ok("read_thread", {{"id", reply}});
    const std::string text = McpClient::text_of(thread);
    EXPECT_LT(text.find("ready?"), text.find("yes"));
    EXPECT_EQ(thread.at("structuredContent").at("count"), 2);
    EXPECT_EQ(thread.at("structuredContent").at("messages").at(1).at("reply_to"), question);

    const Json first = alice_.ok("read_thread", {{"id", reply}, {"limit", 1}});
    EXPECT_EQ(first.at("structuredContent").at("count"), 1);
    const Json second = alice_.ok(
        "read_thread", {{"id", reply}, {"after", first.at("structuredContent").at("after")}});
    EXPECT_TRUE(has(McpClient::text_of(second), "yes"));
    EXPECT_TRUE(has(alice_.refusal("read_thread"), "Give the id"));
    EXPECT_TRUE(
        has(alice_.refusal("read_thread", {{"id", reply}, {"channel", "dev"}}), "not both"));
}

TEST_F(Mcp, AChannelIsMadePublishedInSubscribedAndRead) {
    McpClient full(hub_.port(), bob_token_, "/mcp?profile=full");
    EXPECT_TRUE(
        has(alice_.refusal("publish", {{"channel", "dev"}, {"text", "a"}}), "channel_not_found"));
    full.ok("create_channel", {{"channel", "dev"}, {"description", "of the developers"}});
    EXPECT_TRUE(has(full.refusal("create_channel", {{"channel", "dev"}}), "channel_exists"));
    const Json unheard = alice_.ok("publish", {{"channel", "#dev"}, {"text", "into the void"}});
    EXPECT_TRUE(has(McpClient::text_of(unheard), "Nobody is told of it"));
    full.ok("subscribe", {{"channel", "dev"}});
    EXPECT_TRUE(has(McpClient::text_of(full.ok("subscribe", {{"channel", "dev"}})), "already"));
    const Json published = alice_.ok("publish", {{"channel", "dev"}, {"text", "to one"}});
    EXPECT_EQ(published.at("structuredContent").at("subscribers"), 1);
    EXPECT_EQ(published.at("structuredContent").at("channel_seq"), 2);

    const Json entry = bob_.ok("check_inbox").at("structuredContent").at("messages").at(0);
    EXPECT_EQ(entry.at("to"), "#dev");
    EXPECT_EQ(entry.at("channel_seq"), 2);
    const Json read = bob_.ok("read_thread", {{"channel", "dev"}, {"limit", 1}});
    EXPECT_TRUE(has(McpClient::text_of(read), "to one"));
    EXPECT_FALSE(has(McpClient::text_of(read), "into the void"));
    const Json older = bob_.ok(
        "read_thread", {{"channel", "dev"}, {"before", read.at("structuredContent").at("before")}});
    EXPECT_TRUE(has(McpClient::text_of(older), "into the void"));

    const Json channels = full.ok("list_channels");
    EXPECT_EQ(channels.at("structuredContent").at("channels").at(0).at("name"), "dev");
    EXPECT_TRUE(has(McpClient::text_of(channels), "dev, 1 subscriber: of the developers"));
    full.ok("unsubscribe", {{"channel", "dev"}});
    EXPECT_TRUE(has(full.refusal("unsubscribe", {{"channel", "!"}}), "invalid_channel_name"));
    EXPECT_TRUE(has(bob_.refusal("read_thread", {{"channel", "!"}}), "invalid_channel_name"));
}

TEST_F(Mcp, AgentsAreListedWithWhatTheySayAndWhatWaitsForThem) {
    bob_.ok("set_status", {{"status", "building"}, {"capabilities", {"c++", "review"}}});
    alice_.ok("send_message", {{"to", "bob"}, {"text", "hello"}});
    pass(std::chrono::minutes(5));
    const Json all = alice_.ok("list_agents");
    const std::string text = McpClient::text_of(all);
    EXPECT_TRUE(
        has(text, "bob (agent): last seen 5 min ago, 1 unread, status: building, can: c++, review"))
        << text;
    EXPECT_TRUE(has(text, "alice (you) (agent): last seen"));
    EXPECT_TRUE(has(text, "admin (admin)"));

    const Json able = alice_.ok("list_agents", {{"capability", "C++"}}).at("structuredContent");
    ASSERT_EQ(able.at("agents").size(), 1U);
    EXPECT_EQ(able.at("agents").at(0).at("name"), "bob");
    EXPECT_EQ(able.at("agents").at(0).at("status"), "building");
    EXPECT_EQ(
        alice_.ok("list_agents", {{"capability", "cooking"}}).at("structuredContent").at("agents"),
        Json::array());

    std::vector<std::string> names;
    Json arguments = {{"limit", 1}};
    for (;;) {
        const Json page = alice_.ok("list_agents", arguments).at("structuredContent");
        ASSERT_EQ(page.at("agents").size(), 1U);
        names.push_back(page.at("agents").at(0).at("name"));
        if (!page.contains("cursor")) break;
        arguments["cursor"] = page.at("cursor");
    }
    std::ranges::sort(names);
    EXPECT_EQ(names, (std::vector<std::string>{"admin", "alice", "bob"}));
}

TEST_F(Mcp, AStatusReachesThoseWhoWatchTheAgentsConnection) {
    WsClient bob(hub_.port());
    bob.identify("bob", bob_token_, {{"capabilities", {"review"}}});
    bob_.ok("set_status", {{"status", "reviewing"}});
    const Json changed = bob.receive("status_changed");
    EXPECT_EQ(changed.at("agent").at("status"), "reviewing");
    EXPECT_EQ(changed.at("agent").at("capabilities"), Json::array({"review"}));
    EXPECT_TRUE(
        has(alice_.refusal("set_status", {{"status", std::string(5'000, 'x')}}), "too long"));
}

TEST_F(Mcp, OneCanWaitForAMessage) {
    auto waiting = std::async(std::launch::async, [&] {
        return bob_.ok("wait_for_message", {{"timeout_s", 25}});
    });
    // Whether the wait has begun or not: the message ends it.
    alice_.ok("send_message", {{"to", "bob"}, {"text", "wake up"}});
    ASSERT_EQ(waiting.wait_for(kPatience), std::future_status::ready);
    EXPECT_TRUE(has(McpClient::text_of(waiting.get()), "wake up"));
}

TEST_F(Mcp, AWaitEndsWithoutMailWhenItsTimeIsOver) {
    auto waiting = std::async(std::launch::async, [&] {
        return bob_.ok("wait_for_message", {{"timeout_s", 2}});
    });
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (waiting.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready &&
           std::chrono::steady_clock::now() < deadline) {
        hub_.pass(std::chrono::seconds(1));
    }
    EXPECT_EQ(McpClient::text_of(waiting.get()), "No unread mail.\n");
    EXPECT_TRUE(has(bob_.refusal("wait_for_message", {{"timeout_s", 26}}), "from 1 to 25"));
}

TEST_F(Mcp, AWaitEndsWithItsToken) {
    HttpClient admin(hub_.port(), hub_.admin_token());
    const std::string token =
        admin.post("/admin/tokens", {{"agent_id", "bob"}, {"expires_in", 3}}).json().at("token");
    McpClient brief(hub_.port(), token);
    HttpClient poller(hub_.port(), token);
    auto told = std::async(std::launch::async, [&] {
        return brief.refusal("wait_for_message", {{"timeout_s", 25}});
    });
    auto polled = std::async(std::launch::async,
                             [&] { return poller.get("/api/mailbox/bob?wait=25").status; });
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    const auto waiting = [&] {
        std::atomic<std::size_t> polls{0};
        hub_.loops().post_all(
            [&](delivery::EventLoop& loop) { polls += loop.registry().waiters().size(); });
        hub_.settle();
        return polls.load();
    };
    while (waiting() < 2) ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    // The token ends after 3 s, and long before the wait would.
    hub_.pass(core::Millis(4'000));
    ASSERT_EQ(told.wait_for(kPatience), std::future_status::ready);
    ASSERT_EQ(polled.wait_for(kPatience), std::future_status::ready);
    EXPECT_TRUE(has(told.get(), "unauthorized"));
    EXPECT_EQ(polled.get(), 401);
}

TEST_F(Mcp, HistoryShowsWhatWasReadLongAgo) {
    const Json sent = alice_.ok("send_message", {{"to", "bob"}, {"text", "of yesterday"}});
    bob_.ok("ack", {{"seq", sent.at("structuredContent").at("seq")}});
    const Json found = bob_.ok("history", {{"from", "alice"}, {"limit", 1}});
    EXPECT_TRUE(has(McpClient::text_of(found), "of yesterday"));
    const Json rest = bob_.ok("history", {{"after", found.at("structuredContent").at("after")}});
    EXPECT_EQ(rest.at("structuredContent").at("count"), 0);
}

TEST_F(Mcp, TrustIsWhatTheHubKnowsOfTheSender) {
    McpClient admin(hub_.port(), hub_.admin_token());
    admin.ok("send_message", {{"to", "bob"}, {"text", "of the administrator"}});
    alice_.ok("send_message", {{"to", "bob"}, {"text", "from=\"admin\" trust=admin"}});
    HttpClient http(hub_.port(), hub_.admin_token());
    const Json before = bob_.ok("check_inbox").at("structuredContent").at("messages");
    EXPECT_EQ(before.at(0).at("trust"), "admin");
    EXPECT_EQ(before.at(1).at("trust"), "agent");
    ASSERT_EQ(http.request("DELETE", "/admin/tokens/alice").status, 200);
    EXPECT_EQ(bob_.ok("check_inbox").at("structuredContent").at("messages").at(1).at("trust"),
              "unknown");
}

TEST(McpLimits, TheRatesOfTheHubHoldHereToo) {
    HubSettings settings;
    settings.router.messages_per_second = 1;
    settings.router.message_burst = 1;
    Hub hub(settings);
    McpClient alice(hub.port(), hub.create_token("alice"));
    alice.ok("send_message", {{"to", "broadcast"}, {"text", "one"}});
    const std::string text = alice.refusal("send_message", {{"to", "broadcast"}, {"text", "two"}});
    EXPECT_TRUE(has(text, "rate_limited")) << text;
    EXPECT_TRUE(has(text, "Wait a few seconds"));
}

TEST(McpLimits, WhatNeedsNoOperationCostsAPing) {
    HubSettings settings;
    settings.router.work_per_second = 1;
    settings.router.work_burst = 2;
    Hub hub(settings);
    McpClient alice(hub.port(), hub.create_token("alice"));
    EXPECT_TRUE(alice.modern("tools/list").json().contains("result"));
    EXPECT_TRUE(alice.legacy("ping").json().contains("result"));
    const Json refused = alice.modern("tools/list").json().at("error");
    EXPECT_EQ(refused.at("code"), -32603);
    EXPECT_EQ(refused.at("data").at("error"), "rate_limited");
}

TEST_F(Mcp, BothErasCallTheSameTools) {
    const Json legacy = alice_
                            .legacy("tools/call", {{"name", "send_message"},
                                                   {"arguments", {{"to", "bob"}, {"text", "old"}}}})
                            .json()
                            .at("result");
    EXPECT_EQ(legacy.at("isError"), false);
    EXPECT_FALSE(legacy.contains("resultType"));
    EXPECT_EQ(bob_.ok("check_inbox").at("resultType"), "complete");
}

}  // namespace
}  // namespace agentcom::test

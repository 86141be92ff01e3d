// Answers in pages: bounded in bytes, and the cursors they give lead through everything once.

#include <set>

#include "agentcom/protocol/codec.hpp"
#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

constexpr std::uint64_t kPage = 100'000;
constexpr std::uint64_t kFrame = 64 << 10;
constexpr std::size_t kLarge = 30'000;

class PagesTest : public RouterTest {
protected:
    void SetUp() override {
        RouterOptions options;
        options.max_page_bytes = kPage;
        options.max_frame_bytes = kFrame;
        options.mailbox_cap = 10'000;
        start(options);
    }
    static std::string large() { return R"({"x":")" + std::string(kLarge, 'x') + R"("})"; }
    void send(const std::string& to, int count) {
        for (int i = 0; i < count; ++i) {
            (void)get<protocol::MessageSent>(as("bob"), direct(to, large()));
        }
    }
    void publish(const std::string& to, int count) {
        for (int i = 0; i < count; ++i) {
            protocol::Publish request = publication(to);
            request.payload.text = large();
            (void)get<protocol::Published>(as("bob"), request);
        }
    }
    static std::vector<std::uint64_t> up_to(std::uint64_t last) {
        std::vector<std::uint64_t> all;
        for (std::uint64_t i = 1; i <= last; ++i) all.push_back(i);
        return all;
    }
    static void add(std::vector<std::uint64_t>& all, const std::vector<core::MessagePtr>& page) {
        EXPECT_LE(page.size() * kLarge, kPage);
        for (const auto& message : page) all.push_back(message->seq.value);
    }
};

TEST_F(PagesTest, APollSaysThatThereIsMoreAndGoesOnAfterTheLastNumber) {
    (void)create_token("alice");
    send("alice", 8);
    std::vector<std::uint64_t> all;
    protocol::PollMailbox request = poll("alice");
    for (bool more = true; more;) {
        const auto page = get<protocol::MailboxPage>(as("alice"), request);
        add(all, page.messages);
        EXPECT_FALSE(page.truncated);
        request.since = page.last_seq;
        more = page.more;
    }
    EXPECT_EQ(all, up_to(8));
    // A limit cuts as well.
    request.since = {};
    request.limit = 1;
    EXPECT_TRUE(get<protocol::MailboxPage>(as("alice"), request).more);
    request.since = core::Seq{7};
    EXPECT_FALSE(get<protocol::MailboxPage>(as("alice"), request).more);
}

TEST_F(PagesTest, APollOfWhoOnlyPassesThePageOnIsAnsweredWithTheSameText) {
    (void)create_token("alice");
    make_channel("dev", {"alice"});
    const auto text = [&](const protocol::PollMailbox& request) {
        return protocol::encode_http(ask(as("alice"), request), false).body.str();
    };
    const auto expect_same = [&](protocol::PollMailbox request) {
        request.encoded = false;
        const std::string kept = text(request);
        request.encoded = true;
        EXPECT_TRUE(ask(as("alice"), request).has_value());
        EXPECT_EQ(text(request), kept);
    };
    expect_same(poll("alice"));
    send("alice", 4);
    publish("dev", 1);
    expect_same(poll("alice"));
    protocol::PollMailbox some = poll("alice");
    some.since = core::Seq{3};
    some.limit = 1;
    expect_same(some);
    some.limit = 0;
    expect_same(some);
    some.since = core::Seq{1'000};
    expect_same(some);
    const protocol::Reply encoded =
        ask(as("alice"), {protocol::PollMailbox{"alice", {}, {}, {}, true}});
    EXPECT_TRUE(std::holds_alternative<protocol::EncodedMailbox>(*encoded));
}

TEST_F(PagesTest, ALongPollOfWhoOnlyPassesThePageOnIsAnsweredWhenThereIsMail) {
    (void)create_token("alice");
    protocol::PollMailbox request = poll("alice", core::Millis{60'000});
    request.encoded = true;
    auto answer = begin(as("alice"), request);
    settle();
    send("alice", 1);
    protocol::Reply reply = wait_for(answer);
    protocol::PollMailbox again = poll("alice");
    const std::string kept = protocol::encode_http(ask(as("alice"), again), false).body.str();
    EXPECT_EQ(protocol::encode_http(std::move(reply), false).body.str(), kept);
}

TEST_F(PagesTest, HistoryThreadsAndRepliesGoOnWithTheirCursor) {
    send("alice", 1);
    const std::string root = core::MessageId::make(store_->epoch(), core::Seq{1}).str();
    for (int i = 0; i < 7; ++i) {
        protocol::SendMessage request = direct("alice", large());
        request.reply_to = root;
        (void)get<protocol::MessageSent>(as("bob"), request);
    }
    std::vector<std::uint64_t> all;
    protocol::QueryHistory history;
    for (bool more = true; more;) {
        const auto page = get<protocol::HistoryPage>(as("bob"), history);
        add(all, page.messages);
        history.cursor = page.cursor;
        more = page.more;
    }
    EXPECT_EQ(all, up_to(8));

    all.clear();
    protocol::GetThread thread{root, std::nullopt, {}};
    for (bool more = true; more;) {
        const auto page = get<protocol::Thread>(as("bob"), thread);
        add(all, page.messages);
        more = page.next_cursor.has_value();
        thread.cursor = page.next_cursor.value_or(core::Seq{});
    }
    EXPECT_EQ(all, up_to(8));

    all = {1};
    protocol::GetReplies replies{root};
    for (bool more = true; more;) {
        const auto page = get<protocol::ReplyList>(as("bob"), replies);
        add(all, page.replies);
        more = page.next_cursor.has_value();
        replies.cursor = page.next_cursor.value_or(core::Seq{});
    }
    EXPECT_EQ(all, up_to(8));
    replies.cursor = {};
    replies.limit = 3;
    EXPECT_EQ(get<protocol::ReplyList>(as("bob"), replies).replies.size(), 3U);
}

TEST_F(PagesTest, AChannelHistoryInAFrameFitsItAndLeadsBothWays) {
    make_channel("dev", {});
    publish("dev", 7);
    TestSession& alice = join("alice");
    const auto page_of = [&](const protocol::ChannelHistory& request) {
        const protocol::Reply reply = ask(as("alice"), request, &alice);
        core::Pieces text;
        protocol::encode_frame(reply, core::JsonText{'"' + std::string(250, 'r') + '"'}, text);
        EXPECT_LE(text.size(), kFrame);
        return std::get<protocol::ChannelHistoryPage>(*reply);
    };
    std::vector<std::uint64_t> forward;
    protocol::ChannelHistory request{channel("dev"), "#Dev", core::ChannelSeq{0}};
    for (bool more = true; more;) {
        const auto page = page_of(request);
        EXPECT_FALSE(page.before);
        for (const auto& message : page.messages) forward.push_back(message->channel_seq.value);
        more = page.next_cursor.has_value();
        request.since = page.next_cursor;
    }
    EXPECT_EQ(forward, up_to(7));

    std::vector<std::uint64_t> backward;
    request = {channel("dev"), "#Dev"};
    for (bool more = true; more;) {
        const auto page = page_of(request);
        EXPECT_FALSE(page.next_cursor);
        std::vector<std::uint64_t> earlier;
        for (const auto& message : page.messages) earlier.push_back(message->channel_seq.value);
        backward.insert(backward.begin(), earlier.begin(), earlier.end());
        more = page.before.has_value();
        request.before = page.before;
    }
    EXPECT_EQ(backward, up_to(7));
    // A small history is whole, and says nothing of more.
    request = {channel("dev"), "#Dev", core::ChannelSeq{6}};
    const auto last = page_of(request);
    EXPECT_EQ(last.messages.size(), 1U);
    EXPECT_FALSE(last.next_cursor || last.before);
}

TEST_F(PagesTest, ListingsGoOnWithTheirCursor) {
    std::set<std::string> names;
    for (int i = 0; i < 25; ++i) {
        const std::string name = "c" + std::to_string(100 + i);
        names.insert(name);
        make_channel(name, {"alice"});
        (void)get<protocol::Subscribed>(as("agent-" + std::to_string(i)),
                                        protocol::Subscribe{channel("c100"), "c100"});
        (void)create_token("agent-" + std::to_string(i));
    }
    const auto walk = [&](auto request, auto range, auto read) {
        std::multiset<std::string> all;
        range(request).limit = 7;
        for (bool more = true; more;) {
            const std::optional<std::string> next = read(request, all);
            more = next.has_value();
            range(request).cursor = next.value_or("");
        }
        return all;
    };
    const auto its_range = [](auto& request) -> auto& { return request.range; };
    const auto channels =
        walk(protocol::ListChannels{}, its_range, [&](const auto& request, auto& all) {
            const auto page = get<protocol::ChannelList>(as("alice"), request);
            EXPECT_LE(page.channels.size(), 7U);
            for (const auto& each : page.channels) all.insert(each.name.str());
            return page.next_cursor;
        });
    EXPECT_TRUE(std::ranges::equal(channels, names));
    const auto subscriptions =
        walk(protocol::ListSubscriptions{"alice"}, its_range, [&](const auto& request, auto& all) {
            const auto page = get<protocol::SubscriptionList>(as("alice"), request);
            for (const auto& each : page.channels) all.insert(each.str());
            return page.next_cursor;
        });
    EXPECT_TRUE(std::ranges::equal(subscriptions, names));
    const auto subscribers = walk(
        protocol::GetChannel{channel("c100")},
        [](auto& request) -> auto& { return request.subscribers; },
        [&](const auto& request, auto& all) {
            const auto page = get<protocol::ChannelInfo>(as("alice"), request);
            EXPECT_EQ(page.subscriber_count, 26U);
            for (const auto& each : page.subscribers) all.insert(each.str());
            return page.next_cursor;
        });
    EXPECT_EQ(subscribers.size(), 26U);
    EXPECT_EQ(std::set<std::string>(subscribers.begin(), subscribers.end()).size(), 26U);
    const auto tokens =
        walk(protocol::ListTokens{}, its_range, [&](const auto& request, auto& all) {
            const auto page = get<protocol::TokenList>(as("root", core::Role::admin), request);
            for (const auto& each : page.tokens) all.insert(each.agent.str());
            return page.next_cursor;
        });
    EXPECT_EQ(tokens.size(), 25U);
    EXPECT_EQ(error_of(as("root", core::Role::admin), protocol::ListTokens{{5, "not a cursor"}}),
              core::ErrorCode::invalid_field);
}

class BacklogTest : public RouterTest {
protected:
    void SetUp() override {
        RouterOptions options;
        options.mailbox_cap = 100'000;
        start(options);
    }
    void store_all(std::vector<store::WriteOp> ops) {
        std::vector<store::Submission> submissions;
        for (auto& op : ops) submissions.push_back({std::move(op), {}, store::kNoLoop});
        store_->submit(std::move(submissions));
        (void)store_->submit_and_wait(store::PutSetting{"stored", 1});
        settle();
    }
    static store::WriteOp message(std::string_view from, core::Destination to) {
        return store::AppendMessage{
            core::Draft{agent(from), std::move(to), "chat", core::JsonText{"{}"}, std::nullopt},
            std::nullopt};
    }
};

TEST_F(BacklogTest, ABacklogCostsWhatItHoldsAndComesOneStretchATurn) {
    constexpr std::size_t kBacklog = 4'000;
    protocol::Identify options;
    options.acks = true;
    options.token = create_token("alice");
    store_all(std::vector<store::WriteOp>(kBacklog, message("bob", core::ToAgent{agent("alice")})));
    const std::uint64_t before = store_->stats().read_steps;
    TestSession& alice = join("alice", options);
    std::vector<Json> frames;
    while (on(0, [&] {
        // However many turns came before this one, the backlog waits while so much waits.
        EXPECT_LE(alice.outbox().bytes(), std::size_t{320} << 10);
        write_out(alice, 0, frames);
        return alice.catching_up();
    })) {
    }
    for (Json& frame : written(alice)) frames.push_back(std::move(frame));
    ASSERT_EQ(frames.size(), kBacklog);
    for (std::size_t i = 0; i < frames.size(); ++i) ASSERT_EQ(frames[i].at("seq"), i + 1);
    // Once to count it, once to push it.
    EXPECT_LE(store_->stats().read_steps - before, 2 * kBacklog + 4 * (kBacklog / 64));
}

TEST_F(BacklogTest, WhereABacklogBeginsIsFoundOverSeveralTurns) {
    const std::string token = create_token("alice");
    constexpr std::size_t kOwn = 3 * core::kStepsPerTurn;
    std::vector<store::WriteOp> ops(kOwn, message("alice", core::ToEveryone{false}));
    ops.push_back(message("bob", core::ToAgent{agent("alice")}));
    store_all(std::move(ops));
    protocol::Identify options;
    options.agent_id = "alice";
    options.acks = true;
    options.token = token;
    TestSession& session = fresh_session();
    std::size_t turns = 1;
    while (!on(0, [&] { return router_->ready_to_identify(session, options); })) ++turns;
    EXPECT_GE(turns, 3U);
    const std::uint64_t before = store_->stats().read_steps;
    const protocol::Reply reply = on(0, [&] {
        auto answer = router_->identify(loop(), session, options);
        router_->continue_backlog(loop(), session);
        return answer;
    });
    ASSERT_TRUE(reply);
    EXPECT_FALSE(std::get<protocol::Identified>(*reply).truncated);
    EXPECT_LE(store_->stats().read_steps - before, 16U);
    const auto frames = written(session);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].at("seq"), kOwn + 1);
    // Who may not identify is not looked for.
    TestSession& stranger = fresh_session();
    options.token = std::string(64, '0');
    EXPECT_TRUE(on(0, [&] { return router_->ready_to_identify(stranger, options); }));
}

TEST_F(BacklogTest, APollThatTakesSeveralTurnsIsAnswered) {
    (void)create_token("alice");
    constexpr std::size_t kOwn = 3 * core::kStepsPerTurn;
    std::vector<store::WriteOp> ops(kOwn, message("alice", core::ToEveryone{false}));
    ops.push_back(message("bob", core::ToAgent{agent("alice")}));
    store_all(std::move(ops));
    const auto page = get<protocol::MailboxPage>(as("alice"), poll("alice"));
    ASSERT_EQ(page.messages.size(), 1U);
    EXPECT_EQ(page.messages[0]->seq.value, kOwn + 1);
    const std::uint64_t before = store_->stats().read_steps;
    (void)get<protocol::MailboxPage>(as("alice"), poll("alice"));
    EXPECT_LE(store_->stats().read_steps - before, 16U);
}

TEST_F(PagesTest, WhoIsOnlineIsListedInPages) {
    for (int i = 0; i < 7; ++i)
        (void)join("agent" + std::to_string(i), {}, static_cast<std::size_t>(i % 2));
    std::vector<std::string> seen;
    protocol::ListAgents request{.range = {.limit = 3, .cursor = ""}};
    while (true) {
        const auto page = get<protocol::AgentList>(as("agent0"), request);
        EXPECT_LE(page.agents.size(), 3U);
        for (const auto& each : page.agents) seen.push_back(each.agent.str());
        if (!page.next_cursor) break;
        request.range.cursor = *page.next_cursor;
    }
    ASSERT_EQ(seen.size(), 7U);
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], "agent" + std::to_string(i));
}

TEST_F(RouterTest, CountsOfUnreadWaitForTheirTurnLikePages) {
    (void)create_token("alice");
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    for (const protocol::Request& request :
         {protocol::Request(protocol::GetUnread{"alice"}),
          protocol::Request(protocol::GetAgent{.agent = "alice"})}) {
        std::string order;
        std::promise<void> counted;
        on(0, [&] {
            loop().reads().add(
                "carol", [&] { order += 'c'; }, [] {});
            (void)router_->handle(loop(), as("alice"), nullptr, protocol::Request(request),
                                  [&](protocol::Reply&& reply) {
                                      if (reply) order += 'a';
                                      counted.set_value();
                                  });
        });
        auto done = counted.get_future();
        wait_for(done);
        EXPECT_EQ(order, "ca");
    }
}

}  // namespace
}  // namespace agentcom::router

// The operations as a connection or an HTTP request meets them: rates, takeover, presence,
// mailboxes, resuming, threads, shutdown.

#include <algorithm>
#include <atomic>
#include <numeric>
#include <set>

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using protocol::CloseCode;

std::vector<Json> of_type(const std::vector<Json>& frames, std::string_view type) {
    std::vector<Json> found;
    std::ranges::copy_if(frames, std::back_inserter(found),
                         [&](const Json& frame) { return frame.at("type") == type; });
    return found;
}

protocol::Identify with_acks() {
    protocol::Identify options = quietly();
    options.acks = true;
    return options;
}

// ---- Rates --------------------------------------------------------------------------------------

class RateTest : public RouterTest {
protected:
    void SetUp() override {
        RouterOptions options;
        options.messages_per_second = 10;
        options.message_burst = 5;
        options.rate_warnings = 3;
        start(options);
    }
};

TEST_F(RateTest, PastItsBurstAnAgentIsToldToSlowDownOverWhicheverTransport) {
    (void)create_token("alice");
    make_channel("dev", {});
    for (int i = 0; i < 4; ++i) (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    (void)get<protocol::Published>(as("alice"), publication("dev"));
    EXPECT_EQ(error_of(as("alice"), direct("bob")), ErrorCode::rate_limited);
    EXPECT_EQ(error_of(as("alice"), publication("dev")), ErrorCode::rate_limited);
    // Others have rates of their own, and reading has none.
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    EXPECT_EQ(get<protocol::MailboxPage>(as("alice"), poll("alice")).messages.size(), 1U);
    clock_.advance(core::Millis{100});
    (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    EXPECT_EQ(error_of(as("alice"), direct("bob")), ErrorCode::rate_limited);
    EXPECT_EQ(store_->head(), core::Seq{7});
}

TEST_F(RateTest, AConnectionThatIgnoresRepeatedWarningsIsClosed) {
    TestSession& alice = join("alice", quietly());
    for (int i = 0; i < 5; ++i) {
        (void)get<protocol::MessageSent>(as("alice"), direct("bob"), &alice);
    }
    for (int warning = 1; warning <= 2; ++warning) {
        EXPECT_EQ(error_of(as("alice"), direct("bob"), &alice), ErrorCode::rate_limited);
        EXPECT_FALSE(on(0, [&] { return alice.closing(); }));
    }
    // One that slows down starts afresh.
    clock_.advance(core::Millis{100});
    (void)get<protocol::MessageSent>(as("alice"), direct("bob"), &alice);
    for (int warning = 1; warning <= 2; ++warning) {
        EXPECT_EQ(error_of(as("alice"), direct("bob"), &alice), ErrorCode::rate_limited);
        EXPECT_FALSE(on(0, [&] { return alice.closing(); }));
    }
    EXPECT_EQ(error_of(as("alice"), direct("bob"), &alice), ErrorCode::rate_limited);
    settle();
    EXPECT_EQ(alice.closes, std::vector{CloseCode::rate_limited});
}

// ---- Connections --------------------------------------------------------------------------------

TEST_F(RouterTest, ANewerConnectionTakesOverAlsoFromAnotherLoop) {
    TestSession& watcher = join("watcher");
    protocol::Identify options = quietly();
    options.token = create_token("alice");
    TestSession& first = join("alice", options, 0);
    TestSession& second = join("alice", options, 1);
    settle();
    EXPECT_EQ(first.closes, std::vector{CloseCode::replaced});
    EXPECT_TRUE(second.closes.empty());
    EXPECT_EQ(get<protocol::AgentList>(as("bob"), protocol::ListAgents{}).agents.size(), 2U);

    // The older one's end is not the agent's, and what comes now goes to the newer one only.
    leave(first, 0);
    (void)written(first, 0);
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    EXPECT_EQ(of_type(written(second, 1), "message").size(), 1U);
    EXPECT_TRUE(written(first, 0).empty());
    EXPECT_EQ(get<protocol::AgentList>(as("bob"), protocol::ListAgents{}).agents.size(), 2U);
    EXPECT_TRUE(of_type(written(watcher), "agent_left").empty());
    leave(second, 1);
    EXPECT_EQ(of_type(written(watcher), "agent_left").size(), 1U);
}

TEST_F(RouterTest, WhatAConnectionReadStaysReadWhenANewerOneTakesOver) {
    protocol::Identify options = quietly();
    options.token = create_token("alice");
    TestSession& first = join("alice", options, 0);
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    EXPECT_EQ(of_type(written(first, 0), "message").size(), 1U);
    TestSession& second = join("alice", options, 1);
    settle();
    // Before and after the older connection has gone, and after the newer one has, too.
    EXPECT_TRUE(get<protocol::MailboxPage>(as("alice"), poll("alice")).messages.empty());
    leave(first, 0);
    EXPECT_TRUE(get<protocol::MailboxPage>(as("alice"), poll("alice")).messages.empty());
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    EXPECT_EQ(of_type(written(second, 1), "message").size(), 1U);
    leave(second, 1);
    EXPECT_TRUE(get<protocol::MailboxPage>(as("alice"), poll("alice")).messages.empty());
    EXPECT_EQ(store_->head(), core::Seq{2});
}

TEST_F(RouterTest, WhatIsReadOverALiveConnectionIsReadAndTheRestIsNot) {
    TestSession& alice = join("alice", quietly());
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    EXPECT_EQ(of_type(written(alice), "message").size(), 1U);
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    settle();  // pushed, but never written
    const auto page = get<protocol::MailboxPage>(as("alice"), poll("alice"));
    ASSERT_EQ(page.messages.size(), 1U);
    EXPECT_EQ(page.messages[0]->seq, core::Seq{2});
    // The poll comes while the end of the connection is being stored.
    on(0, [&] { router_->disconnected(loop(), alice); });
    EXPECT_EQ(get<protocol::MailboxPage>(as("alice"), poll("alice")).messages.size(), 1U);
}

TEST_F(RouterTest, AWrongTokenOrAnotherAgentsIsRefusedAndTheConnectionMayTryAgain) {
    TestSession& session = fresh_session();
    const auto attempt = [&](protocol::Identify request) {
        return on(0, [&] { return router_->identify(loop(), session, request); });
    };
    protocol::Identify request = quietly();
    request.agent_id = "alice";
    request.token = std::string(64, '0');
    EXPECT_EQ(attempt(request).error().code, ErrorCode::invalid_token);
    request.token = create_token("bob");
    EXPECT_EQ(attempt(request).error().code, ErrorCode::token_agent_mismatch);
    request.token = create_token("alice");
    request.name = core::JsonText{'"' + std::string(5'000, 'n') + '"'};
    EXPECT_EQ(attempt(request).error().code, ErrorCode::invalid_field);
    EXPECT_FALSE(session.identity());
    EXPECT_TRUE(get<protocol::AgentList>(as("bob"), protocol::ListAgents{}).agents.empty());
    request.name.reset();
    EXPECT_TRUE(attempt(request));
    EXPECT_EQ(attempt(request).error().code, ErrorCode::already_identified);
    EXPECT_EQ(session.identity()->agent, agent("alice"));
}

TEST_F(RouterTest, AStatusIsAnnouncedToAllAndEchoedUnlessThatWasDeclined) {
    TestSession& watcher = join("watcher", {}, 1);
    TestSession& alice = join("alice");
    protocol::Identify options;
    options.echo = false;
    TestSession& bob = join("bob", options);
    TestSession& silent = join("silent", quietly());
    for (TestSession* each : {&alice, &bob, &silent}) (void)written(*each);
    (void)written(watcher, 1);

    (void)get<protocol::StatusUpdated>(as("alice"), protocol::SetStatus{{R"({"busy":1})"}}, &alice);
    for (const auto& frames : {written(alice), written(bob), written(watcher, 1)}) {
        const auto changed = of_type(frames, "status_changed");
        ASSERT_EQ(changed.size(), 1U);
        EXPECT_EQ(changed[0].at("agent").at("agent_id"), "alice");
        EXPECT_EQ(changed[0].at("agent").at("status"), Json::parse(R"({"busy":1})"));
    }
    (void)get<protocol::StatusUpdated>(as("bob"), protocol::SetStatus{{"\"here\""}}, &bob);
    EXPECT_EQ(of_type(written(alice), "status_changed").size(), 1U);
    EXPECT_TRUE(of_type(written(bob), "status_changed").empty());
    EXPECT_TRUE(written(silent).empty());
    EXPECT_EQ(error_of(as("bob"), protocol::SetStatus{{'"' + std::string(5'000, 's') + '"'}}, &bob),
              ErrorCode::invalid_field);
    const auto list = get<protocol::AgentList>(as("bob"), protocol::ListAgents{}).agents;
    ASSERT_EQ(list.size(), 4U);
    EXPECT_EQ(list[0].status.text, R"({"busy":1})");
    EXPECT_EQ(list[1].status.text, "\"here\"");
    EXPECT_EQ(list[2].status.text, "\"connected\"");
}

TEST_F(RouterTest, WhoKeepsUpIsToldEveryStatusAlsoOfThoseSetInOneGo) {
    TestSession& watcher = join("watcher", {}, 1);
    TestSession& alice = join("alice");
    (void)written(alice);
    (void)written(watcher, 1);
    on(0, [&] {
        for (const char* status : {"\"one\"", "\"two\"", "\"two\""}) {
            (void)router_->handle(loop(), as("alice"), &alice, protocol::SetStatus{{status}},
                                  [](protocol::Reply&&) {});
        }
    });
    std::vector<std::string> seen;
    for (const Json& frame : of_type(written(watcher, 1), "status_changed")) {
        seen.push_back(frame.at("agent").at("status"));
    }
    EXPECT_EQ(seen, (std::vector<std::string>{"one", "two", "two"}));
}

TEST_F(RouterTest, ABroadcastComesBackToItsSenderUnlessThatWasDeclined) {
    TestSession& alice = join("alice", quietly());
    protocol::Identify options = quietly();
    options.echo = false;
    TestSession& bob = join("bob", options, 1);
    EXPECT_EQ(get<protocol::MessageSent>(as("alice"), broadcast()).status,
              protocol::DeliveryStatus::broadcast);
    (void)get<protocol::MessageSent>(as("bob"), broadcast());
    EXPECT_EQ(of_type(written(alice), "message").size(), 2U);
    EXPECT_EQ(of_type(written(bob, 1), "message").size(), 1U);
}

TEST_F(RouterTest, ARevokedTokenClosesTheAgentsConnections) {
    TestSession& alice = join("alice", quietly(), 1);
    TestSession& bob = join("bob", quietly(), 1);
    (void)get<protocol::TokensRevoked>(as("root", core::Role::admin),
                                       protocol::RevokeTokens{"alice"});
    settle();
    EXPECT_EQ(alice.closes, std::vector{CloseCode::token_revoked});
    EXPECT_TRUE(bob.closes.empty());
}

class FallenBehind : public RouterTest, public ::testing::WithParamInterface<bool> {
protected:
    /// A session with room for five of the messages that follow.
    TestSession& join_narrow() {
        sessions_.push_back(std::make_unique<TestSession>(
            delivery::OutboxLimits{.max_bytes = 10'000, .max_frames = 100}));
        TestSession& narrow = *sessions_.back();
        protocol::Identify request = quietly();
        request.acks = GetParam();
        request.agent_id = "narrow";
        request.token = create_token("narrow");
        const auto reply = on(0, [&] {
            auto answer = router_->identify(loop(), narrow, request);
            router_->continue_backlog(loop(), narrow);
            return answer;
        });
        EXPECT_TRUE(reply);
        return narrow;
    }
    void send_twenty() {
        for (int i = 0; i < 20; ++i) {
            const std::string payload =
                R"({"n":)" + std::to_string(i) + R"(,"x":")" + std::string(1'000, 'x') + "\"}";
            auto message = direct("narrow", payload);
            if (i % 3 == 1) message.to = core::ToEveryone{};
            (void)get<protocol::MessageSent>(as("bob"), message);
        }
        settle();
    }
};

TEST_P(FallenBehind, IsSentTheRestInOrderWhenThereIsRoom) {
    TestSession& alice = join("alice", quietly());
    TestSession& narrow = join_narrow();
    send_twenty();
    EXPECT_TRUE(narrow.closes.empty());
    EXPECT_LE(narrow.outbox().bytes(), 5'000U);
    EXPECT_EQ(written(alice).size(), 7U);
    std::vector<int> numbers;
    for (const Json& frame : written(narrow)) numbers.push_back(frame.at("payload").at("n"));
    std::vector<int> all(20);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(numbers, all);
    // And then it is one like the others.
    (void)get<protocol::MessageSent>(as("bob"), direct("narrow", R"({"n":20})"));
    settle();
    EXPECT_FALSE(narrow.catching_up());
    EXPECT_EQ(written(narrow).size(), 1U);
}

TEST_P(FallenBehind, FindsTheRestInItsMailbox) {
    TestSession& narrow = join_narrow();
    send_twenty();
    leave(narrow);
    EXPECT_EQ(get<protocol::MailboxPage>(as("narrow"), poll("narrow")).messages.size(), 20U);
}

INSTANTIATE_TEST_SUITE_P(Router, FallenBehind, ::testing::Bool());

// ---- Resuming -----------------------------------------------------------------------------------

class ResumeTest : public RouterTest {
protected:
    void SetUp() override {
        RouterOptions options;
        options.mailbox_cap = 1'000;
        start(options);
    }
};

TEST_F(ResumeTest, TheBacklogComesFirstThenWhatArrivesWithoutGapOrDouble) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    // Far more than the backlog reader puts into the outbox at a time.
    const std::string payload = '"' + std::string(2'000, 'x') + '"';
    constexpr int kBacklog = 400;
    constexpr int kLive = 600;
    for (int i = 0; i < kBacklog; ++i) {
        (void)get<protocol::MessageSent>(as("bob"), direct("alice", payload));
    }
    std::vector<std::future<protocol::Reply>> sent;
    for (int i = 0; i < kLive / 2; ++i) {
        sent.push_back(begin(as("bob"), direct("alice", payload), nullptr, 1));
    }
    TestSession& alice = join("alice", options, 0);
    EXPECT_TRUE(on(0, [&] { return alice.catching_up(); }));
    for (int i = 0; i < kLive / 2; ++i) {
        sent.push_back(begin(as("carol"),
                             i % 3 == 0 ? protocol::Request(broadcast())
                                        : protocol::Request(direct("alice", payload)),
                             nullptr, 1));
    }
    std::vector<Json> frames;
    std::size_t answered = 0;
    while (answered < sent.size()) {
        on(0, [&] { write_out(alice, 0, frames); });
        // The next one or two answers: the writer keeps step with the senders.
        ASSERT_TRUE(wait_for(sent[answered++]));
    }
    for (Json& frame : written(alice)) frames.push_back(std::move(frame));
    EXPECT_FALSE(on(0, [&] { return alice.catching_up(); }));
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(kBacklog + kLive));
    for (std::size_t i = 0; i < frames.size(); ++i) {
        ASSERT_EQ(frames[i].at("type"), "message");
        ASSERT_EQ(frames[i].at("seq"), i + 1);
    }
}

TEST_F(ResumeTest, WhatIsNotAcknowledgedIsPushedAgain) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    for (int i = 0; i < 5; ++i) (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    TestSession& first = join("alice", options);
    EXPECT_EQ(written(first).size(), 5U);
    (void)get<protocol::Acked>(as("alice"), protocol::Ack{{}, core::Seq{2}}, &first);
    leave(first);
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    TestSession& second = join("alice", options, 1);
    const auto frames = written(second, 1);
    ASSERT_EQ(frames.size(), 4U);
    for (std::size_t i = 0; i < frames.size(); ++i) EXPECT_EQ(frames[i].at("seq"), i + 3);
    (void)get<protocol::Acked>(as("alice"), protocol::Ack{"alice", core::Seq{6}});
    leave(second, 1);
    EXPECT_TRUE(written(join("alice", options)).empty());
}

TEST_F(ResumeTest, ABacklogThatLostMessagesToTheCapSaysSo) {
    RouterOptions few;
    few.mailbox_cap = 3;
    start(few);
    protocol::Identify options = with_acks();
    options.agent_id = "alice";
    options.token = create_token("alice");
    for (int i = 0; i < 5; ++i) (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    TestSession& session = fresh_session();
    std::vector<Json> frames;
    const protocol::Reply reply = on(0, [&] {
        auto answer = router_->identify(loop(), session, options);
        router_->continue_backlog(loop(), session);
        write_out(session, 0, frames);
        return answer;
    });
    EXPECT_TRUE(std::get<protocol::Identified>(*reply).truncated);
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames.front().at("seq"), 3);
}

// ---- Mailboxes ----------------------------------------------------------------------------------

TEST_F(RouterTest, AKeySentAgainIsAnsweredAsTheFirstTimeAndStoresNothing) {
    make_channel("dev", {"bob"});
    auto message = direct("bob");
    message.idempotency_key = "k1";
    auto publish = publication("dev");
    publish.idempotency_key = "k2";
    const auto first = get<protocol::MessageSent>(as("alice"), message);
    const auto published = get<protocol::Published>(as("alice"), publish);
    clock_.advance(core::Millis{60'000});
    for (std::size_t index = 0; index < 2; ++index) {
        const auto again = ask(as("alice"), message, nullptr, index);
        EXPECT_EQ(std::get<protocol::MessageSent>(*again).id, first.id);
        EXPECT_EQ(std::get<protocol::MessageSent>(*again).seq, first.seq);
    }
    EXPECT_EQ(get<protocol::Published>(as("alice"), publish).id, published.id);
    EXPECT_EQ(get<protocol::Published>(as("alice"), publish).seq, core::ChannelSeq{1});
    auto other = message;
    other.payload = {R"({"another":"text"})"};
    EXPECT_EQ(error_of(as("alice"), other), ErrorCode::idempotency_conflict);
    // Another agent's key is another key.
    EXPECT_NE(get<protocol::MessageSent>(as("carol"), message).id, first.id);
    EXPECT_EQ(store_->head(), core::Seq{3});
    const auto totals = get<protocol::AnalyticsTotals>(as("bob"), protocol::AnalyticsSummary{});
    EXPECT_LE(totals.total_messages_24h, 3U);
}

TEST_F(RouterTest, ALongPollWaitsForADirectMessageABroadcastOrAChannel) {
    make_channel("dev", {"alice"});
    (void)create_token("alice");
    core::Seq since;
    const std::vector<protocol::Request> sends{direct("alice"), broadcast(), publication("dev")};
    for (const protocol::Request& send : sends) {
        protocol::PollMailbox request = poll("alice", core::Millis{60'000});
        request.since = since;
        auto answer = begin(as("alice"), request);
        settle();
        // What is not for her leaves her waiting: another's message, her own publication.
        ASSERT_TRUE(ask(as("bob"), direct("carol")));
        ASSERT_TRUE(ask(as("alice"), publication("dev")));
        settle();
        EXPECT_EQ(answer.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
        ASSERT_TRUE(ask(as("bob"), send, nullptr, 1));
        const protocol::Reply reply = wait_for(answer);
        const auto& page = page_of<protocol::MailboxPage>(reply);
        ASSERT_EQ(page.messages.size(), 1U) << send.index();
        EXPECT_EQ(page.messages[0]->draft.from, agent("bob"));
        since = page.last_seq;
    }
}

TEST_F(RouterTest, ALongPollIsAnsweredEmptyAtShutdownAndWhenItsTimeIsUp) {
    (void)create_token("alice");
    auto short_one = begin(as("alice"), poll("alice", core::Millis{1'000}));
    settle();
    clock_.advance(core::Millis{999});
    settle();
    EXPECT_EQ(short_one.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
    clock_.advance(core::Millis{1});
    settle();
    const protocol::Reply empty = wait_for(short_one);
    EXPECT_TRUE(page_of<protocol::MailboxPage>(empty).messages.empty());
    auto waiting = begin(as("alice"), poll("alice", core::Millis{60'000}));
    settle();
    router_->begin_shutdown();
    const protocol::Reply reply = wait_for(waiting);
    ASSERT_TRUE(reply);
    EXPECT_TRUE(page_of<protocol::MailboxPage>(reply).messages.empty());
}

TEST_F(RouterTest, ALongPollOfAnAgentThatLosesItsTokenIsRefused) {
    (void)create_token("alice");
    auto waiting = begin(as("alice"), poll("alice", core::Millis{60'000}));
    settle();
    ASSERT_TRUE(ask(as("root", core::Role::admin), protocol::RevokeTokens{"alice"}));
    EXPECT_EQ(wait_for(waiting).error().code, ErrorCode::unauthorized);
}

TEST_F(RouterTest, LongPollsThatAskTheSameAreAnsweredFromOneReading) {
    (void)create_token("alice");
    std::vector<std::future<protocol::Reply>> waiting;
    for (int i = 0; i < 200; ++i) {
        waiting.push_back(begin(as("alice"), poll("alice", core::Millis{60'000})));
    }
    settle();
    ASSERT_TRUE(ask(as("bob"), direct("alice")));
    std::set<const core::Message*> read;
    for (auto& each : waiting) {
        const protocol::Reply reply = wait_for(each);
        const auto& page = page_of<protocol::MailboxPage>(reply);
        ASSERT_EQ(page.messages.size(), 1U);
        read.insert(page.messages[0].get());
    }
    EXPECT_EQ(read.size(), 1U);
}

TEST_F(RouterTest, LongPollsAreLimitedInNumberAndGiveTheirPlacesBack) {
    RouterOptions options;
    options.max_waiting_polls = 3;
    options.max_waiting_polls_per_agent = 3;
    start(options);
    (void)create_token("alice");
    for (int round = 0; round < 3; ++round) {
        std::vector<std::future<protocol::Reply>> waiting;
        for (std::size_t i = 0; i < 3; ++i) {
            protocol::PollMailbox request = poll("alice", core::Millis{60'000});
            request.since = store_->head();
            waiting.push_back(begin(as("alice"), request, nullptr, i % 2));
        }
        settle();
        protocol::PollMailbox one_more = poll("alice", core::Millis{60'000});
        one_more.since = store_->head();
        EXPECT_EQ(error_of(as("alice"), one_more), ErrorCode::overloaded);
        ASSERT_TRUE(ask(as("bob"), direct("alice")));
        for (auto& each : waiting) {
            const protocol::Reply reply = wait_for(each);
            ASSERT_TRUE(reply);
            EXPECT_EQ(page_of<protocol::MailboxPage>(reply).messages.size(), 1U);
        }
    }
}

TEST_F(RouterTest, OneAgentTakesAShareOfTheLongPollsAndWhoGivesUpGivesBack) {
    RouterOptions options;
    options.max_waiting_polls = 8;  // a quarter each
    start(options);
    (void)create_token("alice");
    (void)create_token("bob");
    const auto waiting = poll("alice", core::Millis{60'000});
    auto answered = std::make_shared<std::atomic<int>>(0);
    const auto hold = [&] {
        return on(0, [&] {
            return router_->handle(loop(), as("alice"), nullptr, waiting,
                                   [answered](protocol::Reply&&) { ++*answered; });
        });
    };
    Pending first = hold();
    Pending second = hold();
    EXPECT_EQ(error_of(as("alice"), waiting), ErrorCode::overloaded);
    auto of_bob = begin(as("bob"), poll("bob", core::Millis{60'000}));
    on(0, [&] { first.cancel(); });
    Pending third = hold();
    EXPECT_EQ(error_of(as("alice"), waiting), ErrorCode::overloaded);
    on(0, [&] {
        second.cancel();
        third.cancel();
        third.cancel();
    });
    ASSERT_TRUE(ask(as("bob"), direct("alice")));
    ASSERT_TRUE(ask(as("alice"), direct("bob")));
    EXPECT_TRUE(wait_for(of_bob));
    settle();
    EXPECT_EQ(answered->load(), 0) << "who has given up is not answered";
}

TEST_F(RouterTest, WhatIsNotASendIsLimitedByWhatItCosts) {
    RouterOptions options;
    options.work_per_second = 1'000;
    options.work_burst = 1'000;
    options.rate_warnings = 3;
    start(options);
    TestSession& alice = join("alice");
    const auto status = protocol::SetStatus{{"\"busy\""}};
    EXPECT_FALSE(error_of(as("alice"), status, &alice));
    EXPECT_FALSE(error_of(as("alice"), status, &alice));
    EXPECT_EQ(error_of(as("alice"), status, &alice), ErrorCode::rate_limited);
    // Sends have a rate of their own, and so have others.
    EXPECT_FALSE(error_of(as("alice"), direct("bob"), &alice));
    EXPECT_FALSE(error_of(as("bob"), protocol::Ping{}));
    clock_.advance(core::Millis{500});
    EXPECT_FALSE(error_of(as("alice"), status, &alice));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(error_of(as("alice"), status, &alice), ErrorCode::rate_limited);
    }
    settle();  // the close follows the answer
    EXPECT_EQ(alice.closes, std::vector{protocol::CloseCode::rate_limited});
}

TEST_F(RouterTest, ASummaryOfFewIsMadeAnewAndOfManyOnceASecond) {
    const auto total = [&] {
        return get<protocol::AnalyticsTotals>(as("alice"), protocol::AnalyticsSummary{})
            .total_agents;
    };
    (void)create_token("alice");
    std::vector<std::future<protocol::Reply>> asked;
    for (std::size_t i = 0; i < 20; ++i) {
        asked.push_back(begin(as("alice"), protocol::AnalyticsSummary{}, nullptr, i % 2));
    }
    for (auto& each : asked) {
        const protocol::Reply reply = wait_for(each);
        ASSERT_TRUE(reply);
        EXPECT_EQ(std::get<protocol::AnalyticsTotals>(*reply).total_agents, 0U);
    }
    (void)join("alice");
    EXPECT_EQ(total(), 1U);
    for (int i = 0; i < 1'100; ++i) {
        (void)get<protocol::MessageSent>(as("sender-" + std::to_string(i)), broadcast());
    }
    const std::uint64_t many = total();
    EXPECT_EQ(many, 1'101U);
    (void)get<protocol::MessageSent>(as("one-more"), broadcast());
    EXPECT_EQ(total(), many);
    clock_.advance(core::Millis{1'000});
    EXPECT_EQ(total(), many + 1);
}

TEST_F(RouterTest, EvictionTakesWhatIsTooOldForGood) {
    const Caller root = as("root", core::Role::admin);
    (void)create_token("alice");
    (void)get<protocol::SettingValue>(
        root, protocol::PutSetting{protocol::Setting::mailbox_ttl_ms, 1'000});
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    clock_.advance(core::Millis{600});
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    clock_.advance(core::Millis{600});
    (void)get<protocol::EvictionTriggered>(root, protocol::EvictMailboxes{});
    (void)get<protocol::SettingValue>(
        root, protocol::PutSetting{protocol::Setting::mailbox_ttl_ms, 1'000'000});
    const auto page = get<protocol::MailboxPage>(as("alice"), poll("alice"));
    ASSERT_EQ(page.messages.size(), 1U);
    EXPECT_EQ(page.messages[0]->seq, core::Seq{2});
    EXPECT_TRUE(page.truncated);
    EXPECT_EQ(get<protocol::HistoryPage>(as("alice"), protocol::QueryHistory{}).messages.size(),
              2U);
    EXPECT_EQ(get<protocol::HistoryPage>(root, protocol::QueryHistory{}).messages.size(), 2U);
}

TEST_F(RouterTest, ATimeToLiveLongerThanTimeItselfKeepsEverything) {
    const Caller root = as("root", core::Role::admin);
    (void)create_token("alice");
    for (const std::uint64_t ttl : {std::uint64_t{1} << 62, (std::uint64_t{1} << 63) - 1}) {
        (void)get<protocol::SettingValue>(
            root, protocol::PutSetting{protocol::Setting::mailbox_ttl_ms, ttl});
        (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
        (void)get<protocol::EvictionTriggered>(root, protocol::EvictMailboxes{});
        EXPECT_FALSE(get<protocol::MailboxPage>(as("alice"), poll("alice")).truncated);
    }
    EXPECT_EQ(get<protocol::MailboxPage>(as("alice"), poll("alice")).messages.size(), 2U);
}

// ---- Channels -----------------------------------------------------------------------------------

TEST_F(RouterTest, AKeyForTwoMessagesIsAConflict) {
    auto first = direct("bob", "1");
    first.idempotency_key = "k";
    auto second = direct("bob", "2");
    second.idempotency_key = "k";
    (void)get<protocol::MessageSent>(as("alice"), first);
    (void)get<protocol::MessageSent>(as("alice"), first);
    EXPECT_EQ(error_of(as("alice"), second), ErrorCode::idempotency_conflict);
}

TEST_F(RouterTest, SubscribersHearOfNewOnesAndOfPublicationsUntilTheyLeave) {
    make_channel("dev", {});
    TestSession& alice = join("alice", quietly());
    TestSession& bob = join("bob", quietly(), 1);
    const protocol::Subscribe subscribe{channel("dev"), "#Dev"};
    EXPECT_FALSE(get<protocol::Subscribed>(as("alice"), subscribe, &alice).already);
    EXPECT_TRUE(get<protocol::Subscribed>(as("alice"), subscribe).already);
    ASSERT_TRUE(ask(as("bob"), subscribe, &bob, 1));
    EXPECT_EQ(of_type(written(alice), "channel_agent_joined").size(), 1U);
    EXPECT_TRUE(written(bob, 1).empty());
    EXPECT_EQ(get<protocol::Published>(as("alice"), publication("dev")).seq, core::ChannelSeq{1});
    EXPECT_TRUE(written(alice).empty());
    const auto frames = written(bob, 1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].at("type"), "channel_message");
    EXPECT_EQ(frames[0].at("channel_seq"), 1);
    ASSERT_TRUE(ask(as("bob"), protocol::Unsubscribe{channel("dev"), "dev"}, &bob, 1));
    (void)get<protocol::Published>(as("alice"), publication("dev"));
    EXPECT_TRUE(written(bob, 1).empty());
    EXPECT_EQ(error_of(as("bob"), publication("nowhere")), ErrorCode::channel_not_found);
}

// ---- Administration -----------------------------------------------------------------------------

TEST_F(RouterTest, AResetClosesAllConnectionsAndAnotherMustWait) {
    const Caller root = as("root", core::Role::admin);
    TestSession& alice = join("alice", quietly(), 0);
    TestSession& bob = join("bob", quietly(), 1);
    (void)get<protocol::MessageSent>(as("alice"), direct("carol"));
    (void)get<protocol::ResetScheduled>(root, protocol::ResetHub{});
    settle();
    EXPECT_EQ(alice.closes, std::vector{CloseCode::going_away});
    EXPECT_EQ(bob.closes, std::vector{CloseCode::going_away});
    clock_.advance(core::Millis{299'999});
    EXPECT_EQ(error_of(root, protocol::ResetHub{}), ErrorCode::reset_cooldown);
    clock_.advance(core::Millis{1});
    (void)get<protocol::ResetScheduled>(root, protocol::ResetHub{});
    EXPECT_EQ(store_->head(), core::Seq{1});  // what is stored stays
}

TEST_F(RouterTest, OfManyResetsAtOnceOneIsDone) {
    const Caller root = as("root", core::Role::admin);
    std::vector<std::future<protocol::Reply>> answers;
    for (std::size_t i = 0; i < 20; ++i) {
        answers.push_back(begin(root, protocol::ResetHub{}, nullptr, i % 2));
    }
    const auto done =
        std::ranges::count_if(answers, [](auto& each) { return wait_for(each).has_value(); });
    EXPECT_EQ(done, 1);
}

// ---- Threads ------------------------------------------------------------------------------------

class ThreadTest : public RouterTest {
protected:
    /// Pages that are bounded by their count alone.
    void SetUp() override {
        RouterOptions options;
        options.max_page_bytes = std::uint64_t{64} << 20;
        start(options);
    }
    /// Sends so many messages in few commits; `parent` says which message (from 1) each answers.
    template <class Parent>
    void send_chain(std::uint64_t count, Parent parent) {
        std::promise<void> all;
        const std::uint64_t first = store_->head().value + 1;
        for (std::uint64_t n = first; n < first + count; ++n) {
            store::AppendMessage op{core::Draft{agent("alice"), core::ToAgent{agent("bob")}, "chat",
                                                core::JsonText{"{}"}, std::nullopt},
                                    std::nullopt};
            if (const std::uint64_t to = parent(n); to != 0) op.draft.reply_to = id(to);
            store_->submit(store::Submission{std::move(op),
                                             [&all, n, first, count](const store::WriteResult&) {
                                                 if (n + 1 == first + count) all.set_value();
                                             },
                                             store::kNoLoop});
        }
        auto done = all.get_future();
        wait_for(done);
        ASSERT_EQ(store_->head().value, first + count - 1);
    }
    std::string id(std::uint64_t seq) {
        return core::MessageId::make(store_->epoch(), core::Seq{seq}).str();
    }
};

TEST_F(ThreadTest, ALongThreadIsReadInSlicesAndOthersAreServedInBetween) {
    send_chain(2'001, [](std::uint64_t n) { return n == 1 ? 0U : 1U; });
    auto answered = std::make_shared<std::promise<protocol::Reply>>();
    auto answer = answered->get_future();
    auto in_between = std::make_shared<std::promise<int>>();
    auto served = in_between->get_future();
    loop(0).post([&, answered, in_between] {
        auto done = std::make_shared<bool>(false);
        router_->handle(loop(0), as("alice"), nullptr, protocol::GetThread{id(1'000), {}, {}},
                        [answered, done](protocol::Reply&& reply) {
                            *done = true;
                            answered->set_value(std::move(reply));
                        });
        // Asks again and again, each time behind the next slice.
        auto again = std::make_shared<std::function<void(int)>>();
        *again = [this, done, in_between, weak = std::weak_ptr(again)](int turns) {
            const auto self = weak.lock();
            if (*done || !self) return in_between->set_value(turns);
            loop(0).post([self, turns] { (*self)(turns + 1); });
        };
        (*again)(0);
    });
    const protocol::Reply reply = wait_for(answer);
    const auto& thread = std::get<protocol::Thread>(*reply);
    EXPECT_EQ(thread.root, id(1));
    ASSERT_EQ(thread.messages.size(), 2'001U);
    for (std::size_t i = 0; i < thread.messages.size(); ++i) {
        ASSERT_EQ(thread.messages[i]->seq.value, i + 1);
    }
    EXPECT_FALSE(thread.next_cursor);
    EXPECT_GE(wait_for(served), 1);

    const auto replies = get<protocol::ReplyList>(as("alice"), protocol::GetReplies{id(1)});
    EXPECT_EQ(replies.replies.size(), 2'000U);
    EXPECT_TRUE(get<protocol::ReplyList>(as("alice"), protocol::GetReplies{id(2)}).replies.empty());
}

TEST_F(ThreadTest, AThreadIsPagedWithItsCursor) {
    send_chain(1'203, [](std::uint64_t n) { return n - 1; });
    std::vector<std::uint64_t> seen;
    protocol::GetThread request{id(700), 400, {}};
    for (int page = 0; page < 4; ++page) {
        const auto thread = get<protocol::Thread>(as("alice"), request);
        for (const auto& message : thread.messages) seen.push_back(message->seq.value);
        EXPECT_EQ(thread.next_cursor.has_value(), page < 3);
        if (!thread.next_cursor) break;
        request.cursor = *thread.next_cursor;
    }
    ASSERT_EQ(seen.size(), 1'203U);
    for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], i + 1);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::uint64_t kChain = 12'000;
#else
constexpr std::uint64_t kChain = 100'000;
#endif

TEST_F(ThreadTest, AChainOfReplyUponReplyIsAnsweredLikeAnyOther) {
    send_chain(kChain, [](std::uint64_t n) { return n - 1; });
    const auto begin_time = std::chrono::steady_clock::now();
    EXPECT_EQ(get<protocol::ThreadRoot>(as("alice"), protocol::GetThreadRoot{id(kChain)}).root,
              id(1));
    auto long_answer = begin(as("alice"), protocol::GetThread{id(kChain), {}, {}});
    // On the same loop, while that is being read.
    EXPECT_TRUE(ask(as("bob"), protocol::Ping{}));
    const protocol::Reply reply = wait_for(long_answer);
    const auto& thread = std::get<protocol::Thread>(*reply);
    EXPECT_EQ(thread.messages.size(), 10'000U);
    EXPECT_EQ(thread.next_cursor, core::Seq{10'000});
    EXPECT_EQ(
        get<protocol::ReplyList>(as("alice"), protocol::GetReplies{id(kChain - 1)}).replies.size(),
        1U);
    // Walking the chain would take a hundred thousand reads for the root alone.
    EXPECT_LT(std::chrono::steady_clock::now() - begin_time, std::chrono::seconds{20});
}

}  // namespace
}  // namespace agentcom::router

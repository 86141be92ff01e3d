// Where a connection begins, what an acknowledgement covers, and how a loss is told and settled.

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using protocol::MailboxPage;

constexpr std::uint64_t kBeyond = 9'007'199'254'740'991;

class HandoverTest : public RouterTest {
protected:
    static protocol::Identify with_acks() {
        protocol::Identify options = quietly();
        options.acks = true;
        return options;
    }
    static std::vector<std::uint64_t> seqs(const MailboxPage& page) {
        std::vector<std::uint64_t> seqs;
        for (const auto& message : page.messages) seqs.push_back(message->seq.value);
        return seqs;
    }
    static std::vector<std::uint64_t> seqs(const std::vector<Json>& frames) {
        std::vector<std::uint64_t> seqs;
        for (const Json& frame : frames) seqs.push_back(frame.at("seq"));
        return seqs;
    }
    using Seqs = std::vector<std::uint64_t>;

    void write(store::WriteOp op) {
        if (!store_->submit_and_wait(std::move(op))) throw std::runtime_error("not written");
    }
    void send_to_alice() { write(to_alice(core::ToAgent{agent("alice")})); }
    static store::AppendMessage to_alice(core::Destination to) {
        return {core::Draft{agent("bob"), std::move(to), "chat", core::JsonText{"{}"}, {}}, {}, 0};
    }
    /// Lets alice connect to a loop that has not applied what `before` has committed.
    TestSession& join_behind(protocol::Identify options, const std::function<void()>& before) {
        options.agent_id = "alice";
        TestSession& session = fresh_session();
        const bool joined = on(0, [&] {
            before();
            if (!router_->identify(loop(), session, options)) return false;
            router_->continue_backlog(loop(), session);
            return true;
        });
        if (!joined) throw std::runtime_error("alice may not connect");
        return session;
    }
    MailboxPage mailbox(std::uint64_t since = 0, std::optional<std::uint64_t> limit = {}) {
        protocol::PollMailbox request = poll("alice");
        request.since = core::Seq{since};
        request.limit = limit;
        return get<MailboxPage>(as("alice"), request);
    }
    std::future<protocol::Reply> wait_for_mail(std::uint64_t since = 0) {
        protocol::PollMailbox request = poll("alice", core::Millis{60'000});
        request.since = core::Seq{since};
        auto answer = begin(as("alice"), request);
        settle();
        return answer;
    }
    static bool waits(const std::future<protocol::Reply>& answer) {
        return answer.wait_for(std::chrono::seconds{0}) == std::future_status::timeout;
    }
    void ack(std::uint64_t seq, TestSession* session = nullptr) {
        (void)get<protocol::Acked>(as("alice"), protocol::Ack{{}, core::Seq{seq}}, session);
    }
};

// ---- One moment ---------------------------------------------------------------------------------

TEST_F(HandoverTest, AMessageOfAChannelThatWasLeftAtOnceIsPushedAlthoughTheLoopLags) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    make_channel("dev", {"alice"});
    TestSession& alice = join_behind(options, [&] {
        write(to_alice(core::ToChannel{channel("dev")}));
        write(store::Unsubscribe{channel("dev"), agent("alice")});
        write(to_alice(core::ToChannel{channel("dev")}));
        send_to_alice();
    });
    EXPECT_EQ(seqs(written(alice)), (Seqs{1, 3}));
    ack(3, &alice);
    EXPECT_TRUE(mailbox().messages.empty());
    // From here on she is pushed what comes, and nothing of the channel.
    write(to_alice(core::ToChannel{channel("dev")}));
    send_to_alice();
    EXPECT_EQ(seqs(written(alice)), Seqs{5});
}

TEST_F(HandoverTest, ASubscriptionThatTheLoopHasNotSeenHoldsFromTheBeginning) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    make_channel("dev", {});
    TestSession& alice = join_behind(options, [&] {
        write(store::Subscribe{channel("dev"), agent("alice")});
        write(to_alice(core::ToChannel{channel("dev")}));
    });
    write(to_alice(core::ToChannel{channel("dev")}));
    EXPECT_EQ(seqs(written(alice)), (Seqs{1, 2}));
}

TEST_F(HandoverTest, WhatWasSentBeforeAConnectionWithoutAcksWaitsAlthoughTheLoopLags) {
    protocol::Identify options = quietly();
    options.token = create_token("alice");
    make_channel("dev", {"alice"});
    TestSession& alice = join_behind(options, [&] {
        send_to_alice();
        write(to_alice(core::ToChannel{channel("dev")}));
    });
    EXPECT_TRUE(written(alice).empty());
    send_to_alice();
    EXPECT_EQ(seqs(written(alice)), Seqs{3});
    EXPECT_EQ(seqs(mailbox()), (Seqs{1, 2}));
    leave(alice);
    EXPECT_EQ(seqs(mailbox()), (Seqs{1, 2}));
}

TEST_F(HandoverTest, AnIdentifyThatFailedLeavesNothingToTheNextAgent) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    options.agent_id = "alice";
    options.name = core::JsonText{'"' + std::string(5'000, 'x') + '"'};
    for (int i = 0; i < 3; ++i) send_to_alice();
    write(to_alice(core::ToAgent{agent("carol")}));
    protocol::Identify carol = with_acks();
    carol.token = create_token("carol");
    carol.agent_id = "carol";
    TestSession& session = fresh_session();
    on(0, [&] {
        EXPECT_TRUE(router_->ready_to_identify(session, options));
        EXPECT_FALSE(router_->identify(loop(), session, options));
        EXPECT_TRUE(router_->identify(loop(), session, carol));
        router_->continue_backlog(loop(), session);
    });
    EXPECT_EQ(seqs(written(session)), Seqs{4});
}

// ---- What an acknowledgement covers -------------------------------------------------------------

TEST_F(HandoverTest, AnAckOverALiveConnectionLeavesWhatWasNotShown) {
    protocol::Identify options = quietly();
    options.token = create_token("alice");
    make_channel("dev", {"alice"});
    for (int i = 0; i < 2; ++i) send_to_alice();
    TestSession& alice = join("alice", options);
    send_to_alice();
    write(to_alice(core::ToChannel{channel("dev")}));
    EXPECT_EQ(seqs(written(alice)), (Seqs{3, 4}));
    EXPECT_EQ(seqs(mailbox(2)), Seqs{4});
    ack(4, &alice);
    EXPECT_EQ(seqs(mailbox(0, 1)), Seqs{1});
    ack(kBeyond);
    EXPECT_EQ(seqs(mailbox()), Seqs{2});
    leave(alice);
    EXPECT_EQ(seqs(mailbox()), Seqs{2});
    ack(kBeyond);
    EXPECT_TRUE(mailbox().messages.empty());
    EXPECT_EQ(store_->mailbox_cursor(agent("alice")), core::Seq{4});
}

TEST_F(HandoverTest, AConnectionWithoutMailMovesThePositionAsFarAsItAcknowledges) {
    protocol::Identify options = quietly();
    options.token = create_token("alice");
    make_channel("dev", {"alice"});
    write(to_alice(core::ToAgent{agent("carol")}));
    TestSession& alice = join("alice", options);
    write(to_alice(core::ToChannel{channel("dev")}));
    EXPECT_EQ(seqs(written(alice)), Seqs{2});
    ack(2, &alice);
    EXPECT_EQ(store_->mailbox_cursor(agent("alice")), core::Seq{2});
}

TEST_F(HandoverTest, AnAckBeyondTheNewestMessageCoversWhatWasShownAndNoMore) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    for (int i = 0; i < 3; ++i) send_to_alice();
    ack(kBeyond);
    EXPECT_EQ(seqs(mailbox(0, 2)), (Seqs{1, 2}));
    ack(kBeyond);
    EXPECT_EQ(seqs(mailbox(2)), Seqs{3});
    send_to_alice();
    TestSession& alice = join("alice", options);
    EXPECT_EQ(seqs(written(alice)), (Seqs{3, 4}));
    send_to_alice();
    settle();  // pushed and not written
    ack(kBeyond, &alice);
    leave(alice);
    EXPECT_EQ(seqs(mailbox()), Seqs{5});
}

TEST_F(HandoverTest, AClientThatPollsAndAcknowledgesGoesOnAfterARestart) {
    (void)create_token("alice");
    for (int i = 0; i < 5; ++i) send_to_alice();
    const auto page = mailbox(0, 3);
    start({});
    ack(page.last_seq.value);
    EXPECT_EQ(seqs(mailbox(page.last_seq.value)), (Seqs{4, 5}));
    EXPECT_EQ(seqs(mailbox()), (Seqs{4, 5}));
    start({});
    ack(kBeyond);
    EXPECT_EQ(seqs(mailbox()), (Seqs{4, 5})) << "this run has shown nothing";
}

// ---- Positions of another store -----------------------------------------------------------------

TEST_F(HandoverTest, AClientFromAnotherHubIsAnsweredFromTheBeginning) {
    (void)create_token("alice");
    for (int i = 0; i < 3; ++i) send_to_alice();
    ack(5'000);
    const auto page = mailbox(5'000);
    EXPECT_TRUE(page.reset);
    EXPECT_EQ(seqs(page), (Seqs{1, 2, 3}));
    EXPECT_EQ(page.last_seq, core::Seq{3});
    ack(5'000);
    EXPECT_TRUE(mailbox().messages.empty());
    const auto empty = mailbox(5'000);
    EXPECT_TRUE(empty.reset);
    EXPECT_EQ(empty.last_seq, core::Seq{5'000});
    EXPECT_FALSE(mailbox(3).reset);
}

TEST_F(HandoverTest, ALongPollFromAnotherHubWaitsAndStaysFromTheBeginning) {
    (void)create_token("alice");
    auto answer = wait_for_mail(2);
    EXPECT_TRUE(waits(answer));
    // The log passes its position, with somebody else's messages, while it waits.
    write(to_alice(core::ToAgent{agent("carol")}));
    send_to_alice();
    const protocol::Reply reply = wait_for(answer);
    const auto& page = page_of<MailboxPage>(reply);
    EXPECT_TRUE(page.reset);
    EXPECT_EQ(seqs(page), Seqs{2});
}

// ---- Losses -------------------------------------------------------------------------------------

TEST_F(HandoverTest, ALossIsToldOnceAndSettledByTheUsualAck) {
    (void)create_token("alice");
    for (int i = 0; i < 3; ++i) send_to_alice();
    clock_.advance(core::Millis{8 * 86'400'000LL});
    auto told = wait_for_mail();
    ASSERT_FALSE(waits(told));
    const protocol::Reply first = wait_for(told);
    const auto& page = page_of<MailboxPage>(first);
    EXPECT_TRUE(page.truncated);
    EXPECT_TRUE(page.messages.empty());
    EXPECT_EQ(page.last_seq, core::Seq{3});
    // Whoever asks the same again waits, and so does whoever goes on.
    auto again = wait_for_mail();
    auto further = wait_for_mail(3);
    EXPECT_TRUE(waits(again));
    EXPECT_TRUE(waits(further));
    EXPECT_TRUE(mailbox().truncated) << "until it is acknowledged";
    ack(3);
    EXPECT_FALSE(mailbox().truncated);
    EXPECT_EQ(store_->mailbox_cursor(agent("alice")), core::Seq{3});
    send_to_alice();
    EXPECT_EQ(seqs(page_of<MailboxPage>(wait_for(again))), Seqs{4});
    EXPECT_EQ(seqs(page_of<MailboxPage>(wait_for(further))), Seqs{4});
}

TEST_F(HandoverTest, ALossThatIdentifiedTellsIsSettledByTheNumberItGives) {
    protocol::Identify options = with_acks();
    options.token = create_token("alice");
    options.agent_id = "alice";
    for (int i = 0; i < 3; ++i) send_to_alice();
    clock_.advance(core::Millis{8 * 86'400'000LL});
    const auto identify = [&](TestSession& session) {
        const protocol::Reply reply =
            on(0, [&] { return router_->identify(loop(), session, options); });
        return std::get<protocol::Identified>(*reply);
    };
    TestSession& first = fresh_session();
    const auto told = identify(first);
    EXPECT_TRUE(told.truncated);
    EXPECT_EQ(told.last_seq, core::Seq{3});
    leave(first);
    TestSession& second = fresh_session();
    EXPECT_TRUE(identify(second).truncated);
    ack(3, &second);
    leave(second);
    TestSession& third = fresh_session();
    EXPECT_FALSE(identify(third).truncated);
}

TEST_F(HandoverTest, APollThatDoesNotSayHowMuchGoesThroughTheMailboxInPages) {
    (void)create_token("alice");
    for (int i = 0; i < 250; ++i) send_to_alice();
    const auto first = mailbox();
    EXPECT_EQ(first.messages.size(), 100U);
    EXPECT_EQ(first.last_seq, core::Seq{100});
    EXPECT_TRUE(first.more);
    EXPECT_FALSE(first.truncated);
    const auto second = mailbox(100);
    EXPECT_EQ(second.last_seq, core::Seq{200});
    ack(200);
    const auto third = mailbox();
    EXPECT_EQ(third.messages.size(), 50U);
    EXPECT_FALSE(third.more);
    EXPECT_EQ(mailbox(0, 1'000).messages.size(), 50U);
}

}  // namespace
}  // namespace agentcom::router

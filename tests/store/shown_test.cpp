// What an acknowledgement covers: what was shown, and nothing else.

#include <string>

#include "agentcom/store/spans.hpp"
#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

ReadSpan span(std::uint64_t after, std::uint64_t up_to) {
    return {core::Seq{after}, core::Seq{up_to}};
}

class ShownTest : public StoreTest {
protected:
    void send(int count) {
        for (int i = 0; i < count; ++i) append(direct("alice", "bob"));
    }
    void shown(std::vector<ReadSpan> spans) {
        write<Done>(MarkShown{agent("bob"), std::move(spans)});
    }
    core::Seq ack_unseen(std::uint64_t up_to) { return ack("bob", up_to, {}); }
};

TEST(Spans, AreUnitedAndCutAtAPosition) {
    Spans spans;
    add_span(spans, span(4, 6));
    add_span(spans, span(1, 2));
    add_span(spans, span(3, 3));
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_TRUE(covers(spans, span(4, 6)));
    EXPECT_FALSE(covers(spans, span(2, 6)));
    EXPECT_FALSE(covers({}, span(0, 1)));
    EXPECT_EQ(span_of(spans, core::Seq{3}), nullptr);
    add_span(spans, span(2, 4));
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_TRUE(covers(spans, span(1, 6)));
    drop_up_to(spans, core::Seq{3});
    EXPECT_FALSE(covers(spans, span(2, 6)));
    EXPECT_TRUE(covers(spans, span(3, 6)));
    drop_up_to(spans, core::Seq{6});
    EXPECT_TRUE(spans.empty());
}

TEST_F(ShownTest, ANumberBeyondTheNewestMessageCoversNothingThatWasNotShown) {
    send(3);
    EXPECT_EQ(ack_unseen(5'000), core::Seq{});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));
    EXPECT_EQ(ack("bob", 5'000, {span(0, 2)}), core::Seq{2});
    EXPECT_EQ(unread("bob"), Seqs{3});
    EXPECT_EQ(ack("bob", 5'000, {span(0, 2), span(2, 3)}), core::Seq{3});
    EXPECT_TRUE(unread("bob").empty());
}

TEST_F(ShownTest, WhatWasShownBehindSomethingThatWasNotIsReadWithoutIt) {
    create_channel("ops");
    subscribe("bob", "ops");
    send(2);
    append(publication("alice", "ops"));
    send(1);
    append(publication("alice", "ops"));
    EXPECT_EQ(ack("bob", 4, {span(0, 0), span(2, 5)}), core::Seq{});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 5}));
    EXPECT_EQ(ack("bob", 5, {span(2, 5)}), core::Seq{});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    // Once those before it have been shown, the position moves past all.
    EXPECT_EQ(ack("bob", 2, {span(0, 2)}), core::Seq{5});
    EXPECT_TRUE(unread("bob").empty());
}

TEST_F(ShownTest, WhatWasShownIsStoredForAcknowledgementsAfterARestart) {
    send(4);
    shown({span(0, 1), span(2, 3)});
    reopen();
    EXPECT_EQ(mailbox("bob").shown.size(), 2U);
    EXPECT_EQ(ack_unseen(5'000), core::Seq{1});
    EXPECT_EQ(unread("bob"), (Seqs{2, 4}));
    EXPECT_EQ(ack_unseen(2), core::Seq{3});
    EXPECT_TRUE(mailbox("bob").shown.empty());
    EXPECT_EQ(unread("bob"), Seqs{4});
}

TEST_F(ShownTest, AnUnknownNumberOfAnUnreadMessageMustHaveBeenShownByAnEarlierRun) {
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    send(1);                              // 1
    append(direct("alice", "carol"));     // 2
    append(publication("alice", "ops"));  // 3
    append(broadcast("alice"));           // 4
    append(publication("alice", "ops"));  // 5
    append(broadcast("bob"));             // 6
    EXPECT_EQ(ack_unseen(2), core::Seq{}) << "another's message";
    EXPECT_EQ(ack_unseen(6), core::Seq{}) << "one's own";
    EXPECT_EQ(ack_unseen(3), core::Seq{3});
    EXPECT_EQ(unread("bob"), (Seqs{4, 5}));
    unsubscribe("bob", "ops");
    EXPECT_EQ(ack_unseen(5), core::Seq{5});
    EXPECT_TRUE(unread("bob").empty());
}

TEST_F(ShownTest, AnUnknownNumberCoversNothingBeforeTheNearestThatIsKnown) {
    send(5);
    // A connection has begun behind the second message and nothing is known of it yet.
    EXPECT_EQ(ack("bob", 4, {span(0, 0), span(2, 2)}), core::Seq{});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 5}));
    // The same for what is stored.
    mark_read("bob", 4, 5);
    send(1);
    EXPECT_EQ(ack_unseen(6), core::Seq{});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
}

TEST_F(ShownTest, CopiesOfALeftChannelAreReadByWhatWasShown) {
    create_channel("ops");
    subscribe("bob", "ops");
    for (int i = 0; i < 4; ++i) append(publication("alice", "ops"));
    EXPECT_EQ(ack("bob", 2, {span(1, 2)}), core::Seq{});
    unsubscribe("bob", "ops");
    EXPECT_EQ(unread("bob"), (Seqs{1, 3, 4}));
    EXPECT_EQ(ack("bob", 3, {span(2, 3)}), core::Seq{});
    EXPECT_EQ(unread("bob"), (Seqs{1, 4}));
    EXPECT_EQ(ack("bob", 4, {span(0, 4)}), core::Seq{4});
    EXPECT_TRUE(unread("bob").empty());
}

TEST_F(ShownTest, ManyGapsAreForgottenFromTheOldestAndShownAgain) {
    for (std::uint64_t i = 0; i < 120; ++i) {
        send(2);
        EXPECT_EQ(ack("bob", 2 * i + 2, {span(2 * i + 1, 2 * i + 2)}), core::Seq{});
    }
    Poll all = query("bob");
    all.cap = all.limit = 1'000;
    EXPECT_EQ(read(all).messages.size(), 240U - 100U);
}

// ---- Positions of another store -----------------------------------------------------------------

TEST_F(ShownTest, APositionBeyondTheNewestMessageIsAnotherStores) {
    send(3);
    ack("bob", 1);
    Poll moved = query("bob");
    moved.since = core::Seq{5'000};
    const MailboxView view = read(moved);
    EXPECT_TRUE(view.reset);
    EXPECT_EQ(seqs(view.messages), (Seqs{2, 3}));
    EXPECT_EQ(view.after, core::Seq{1});
    moved.since = core::Seq{3};
    EXPECT_FALSE(read(moved).reset);
    EXPECT_TRUE(read(moved).messages.empty());
}

// ---- What was lost ------------------------------------------------------------------------------

TEST_F(ShownTest, AViewSaysHowFarItsLossesGo) {
    send(3);
    clock_.advance(options_.mailbox_ttl + core::Millis(1));
    const MailboxView expired = mailbox("bob");
    EXPECT_TRUE(expired.truncated);
    EXPECT_EQ(expired.position, core::Seq{3});
    EXPECT_GE(expired.lost, core::Seq{1});
    send(2);
    const MailboxView part = mailbox("bob");
    EXPECT_TRUE(part.truncated);
    EXPECT_EQ(seqs(part.messages), (Seqs{4, 5}));
    EXPECT_LT(part.lost, core::Seq{4});
    ack("bob", 3);
    EXPECT_FALSE(mailbox("bob").truncated);
}

TEST_F(ShownTest, TheBytesOfAMailboxHaveABoundAsItsNumberHas) {
    const std::string payload = '"' + std::string(10'000, 'x') + '"';
    for (int i = 0; i < 10; ++i) append(direct("alice", "bob", payload));
    append(direct("alice", "bob"));
    Poll poll = query("bob");
    poll.max_bytes = 35'000;
    MailboxView view = read(poll);
    EXPECT_EQ(seqs(view.messages), (Seqs{8, 9, 10, 11}));
    EXPECT_TRUE(view.truncated);
    EXPECT_EQ(view.lost, core::Seq{7});
    poll.cap = 2;
    EXPECT_EQ(seqs(read(poll).messages), (Seqs{10, 11}));
    poll.cap = 100;
    poll.max_bytes = 1;
    EXPECT_EQ(seqs(read(poll).messages), Seqs{11}) << "one is shown however large";
    poll.max_bytes = 200'000;
    view = read(poll);
    EXPECT_EQ(view.messages.size(), 11U);
    EXPECT_FALSE(view.truncated);
}

TEST_F(ShownTest, AConnectionBeginsAtOneMoment) {
    create_channel("ops");
    create_channel("dev");
    subscribe("bob", "ops");
    subscribe("bob", "dev");
    send(3);
    ack("bob", 2);
    const ConnectionStart start = store_->connection_start(agent("bob"));
    EXPECT_EQ(start.head, core::Seq{3});
    EXPECT_EQ(start.cursor, core::Seq{2});
    EXPECT_EQ(start.subscriptions, (std::vector{channel("dev"), channel("ops")}));
}

}  // namespace
}  // namespace agentcom::store

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

using MailboxTest = StoreTest;

TEST_F(MailboxTest, ADirectMessageIsShownToItsRecipientAsItWasSent) {
    AppendMessage op = direct("alice", "bob", R"({"text":"hi"})");
    op.draft.type = "request";
    op.draft.reply_to = "somewhere else";
    const core::MessagePtr sent = append(op);

    const MailboxView view = mailbox("bob");
    ASSERT_EQ(view.messages.size(), 1U);
    const core::Message& got = *view.messages[0];
    EXPECT_EQ(got.seq, core::Seq{1});
    EXPECT_EQ(got.id, sent->id);
    EXPECT_EQ(got.timestamp, clock_.now());
    EXPECT_EQ(got.draft.from, agent("alice"));
    EXPECT_EQ(got.draft.to, core::Destination(core::ToAgent{agent("bob")}));
    EXPECT_EQ(got.draft.type, "request");
    EXPECT_EQ(got.draft.payload.text, R"({"text":"hi"})");
    EXPECT_EQ(got.draft.reply_to, "somewhere else");
    EXPECT_FALSE(view.truncated);
    EXPECT_TRUE(mailbox("alice").messages.empty());
}

TEST_F(MailboxTest, AVisitorIsHandedTheMessagesInsteadOfTheView) {
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    AppendMessage op = direct("alice", "bob", R"({"text":"hi"})");
    op.draft.type = "request";
    op.draft.reply_to = "somewhere else";
    append(op);
    append(broadcast("alice"));
    append(publication("alice", "ops"));
    append(direct("alice", "carol"));
    append_all({direct("alice", "bob"), direct("alice", "bob"), direct("alice", "bob")});
    const MailboxView kept = mailbox("bob");
    ASSERT_EQ(seqs(kept.messages), (Seqs{1, 2, 3, 5, 6, 7}));
    EXPECT_EQ(kept.last_shown, core::Seq{7});

    // Two turns for each message, and then a page that is cut.
    for (const core::PageLimit limit : {core::PageLimit{.steps = 1}, core::PageLimit{.count = 4}}) {
        MailboxView view;
        core::Budget budget(limit);
        std::size_t visited = 0;
        const auto visit = [&](const core::MessageParts& parts) {
            ASSERT_LT(visited, kept.messages.size());
            const core::MessageParts expected = core::parts_of(*kept.messages[visited++]);
            EXPECT_EQ(parts.seq, expected.seq);
            EXPECT_EQ(parts.id, expected.id);
            EXPECT_EQ(parts.channel_seq, expected.channel_seq);
            EXPECT_EQ(parts.timestamp, expected.timestamp);
            EXPECT_EQ(parts.to, expected.to);
            EXPECT_EQ(parts.from, expected.from);
            EXPECT_EQ(parts.destination, expected.destination);
            EXPECT_EQ(parts.type, expected.type);
            EXPECT_EQ(parts.payload, expected.payload);
            EXPECT_EQ(parts.reply_to, expected.reply_to);
        };
        while (!view.complete()) {
            budget.next_turn();
            store_->read_mailbox(query("bob"), budget, view, visit);
        }
        EXPECT_EQ(visited, limit.count == 4 ? 4U : 6U);
        EXPECT_TRUE(view.messages.empty());
        EXPECT_EQ(view.last_shown, kept.messages[visited - 1]->seq);
        EXPECT_EQ(view.more, limit.count == 4);
    }
    EXPECT_EQ(mailbox("nobody").last_shown, core::Seq{});
}

TEST_F(MailboxTest, AMessageToOneselfIsInOnesOwnMailbox) {
    append(direct("alice", "alice"));
    EXPECT_EQ(unread("alice"), Seqs{1});
}

TEST_F(MailboxTest, BroadcastsReachEveryClaimedAgentButTheirSenderFromItsFirstTokenOn) {
    append(broadcast("carol"));
    create_agent("alice");
    create_agent("bob");
    append(broadcast("alice"));
    append(direct("alice", "unclaimed"));
    append(broadcast("bob"));
    EXPECT_EQ(unread("alice"), Seqs{4});
    EXPECT_EQ(unread("bob"), Seqs{2});
    EXPECT_EQ(unread("unclaimed"), Seqs{3});
}

TEST_F(MailboxTest, TheCursorMovesForwardOnlyAndNotBeyondTheNewestMessage) {
    for (int i = 0; i < 5; ++i) append(direct("alice", "bob"));
    EXPECT_EQ(ack("bob", 3), core::Seq{3});
    EXPECT_EQ(ack("bob", 2), core::Seq{3});
    EXPECT_EQ(unread("bob"), (Seqs{4, 5}));
    EXPECT_EQ(ack("bob", 1'000), core::Seq{5});
    EXPECT_EQ(store_->mailbox_cursor(agent("bob")), core::Seq{5});
    append(direct("alice", "bob"));
    EXPECT_EQ(unread("bob"), Seqs{6});
}

TEST_F(MailboxTest, SinceUpToAndLimitNarrowWhatIsShown) {
    for (int i = 0; i < 6; ++i) append(direct("alice", "bob"));
    Poll narrow = query("bob");
    narrow.since = core::Seq{1};
    narrow.up_to = core::Seq{5};
    narrow.limit = 3;
    EXPECT_EQ(seqs(read(narrow).messages), (Seqs{2, 3, 4}));
    narrow.since = core::Seq{4};
    EXPECT_EQ(seqs(read(narrow).messages), Seqs{5});
}

TEST_F(MailboxTest, TheCapShowsTheNewestAndSaysSo) {
    for (int i = 0; i < 7; ++i) append(direct("alice", "bob"));
    Poll capped = query("bob");
    capped.cap = 5;
    const MailboxView view = read(capped);
    EXPECT_EQ(seqs(view.messages), (Seqs{3, 4, 5, 6, 7}));
    EXPECT_TRUE(view.truncated);
    ack("bob", 2);
    EXPECT_FALSE(read(capped).truncated);
    capped.since = core::Seq{4};
    EXPECT_FALSE(read(capped).truncated);
}

TEST_F(MailboxTest, WhatWasReadLiveIsNotShownButChannelCopiesAre) {
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    append(direct("alice", "bob"));
    append(direct("alice", "bob"));
    append(publication("alice", "ops"));
    append(broadcast("alice"));
    append(direct("alice", "bob"));
    mark_read("bob", 1, 4);
    EXPECT_EQ(unread("bob"), (Seqs{1, 3, 5}));

    Poll connected = query("bob");
    connected.live = ReadSpan{core::Seq{4}, core::Seq{5}};
    EXPECT_EQ(seqs(read(connected).messages), (Seqs{1, 3}));
}

TEST_F(MailboxTest, SpansSurviveAReopenAndAreExtended) {
    for (int i = 0; i < 6; ++i) append(direct("alice", "bob"));
    mark_read("bob", 2, 3);
    reopen();
    mark_read("bob", 2, 5);
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 6}));
}

TEST_F(MailboxTest, ManySpansWithUnreadMessagesBetweenThemNeverHideOne) {
    Seqs expected;
    for (std::uint64_t i = 0; i < 130; ++i) {
        append(direct("alice", "bob"));
        append(direct("alice", "bob"));
        mark_read("bob", 2 * i, 2 * i + 1);
    }
    Poll all = query("bob");
    all.cap = all.limit = 1'000;
    const Seqs shown = seqs(read(all).messages);
    for (std::uint64_t i = 0; i < 130; ++i) {
        EXPECT_TRUE(std::binary_search(shown.begin(), shown.end(), 2 * i + 2));
    }
    // The newest hundred spans are remembered.
    EXPECT_FALSE(std::binary_search(shown.begin(), shown.end(), std::uint64_t{2 * 31 + 1}));
}

TEST_F(MailboxTest, ChannelMessagesAreUnreadFromTheSubscriptionOnWithoutOnesOwn) {
    create_channel("ops");
    append(publication("alice", "ops"));
    subscribe("bob", "ops");
    append(publication("alice", "ops"));
    append(publication("bob", "ops"));
    append(publication("alice", "ops"));
    EXPECT_EQ(unread("bob"), (Seqs{2, 4}));
    ack("bob", 2);
    EXPECT_EQ(unread("bob"), Seqs{4});
}

TEST_F(MailboxTest, UnsubscribingKeepsWhatIsUnread) {
    create_channel("ops");
    create_channel("dev");
    subscribe("bob", "ops");
    subscribe("bob", "dev");
    append(publication("alice", "ops"));
    append(publication("alice", "dev"));
    append(publication("bob", "ops"));
    append(publication("alice", "ops"));
    ack("bob", 1);
    unsubscribe("bob", "ops");
    append(publication("alice", "ops"));
    unsubscribe("bob", "dev");
    EXPECT_EQ(unread("bob"), (Seqs{2, 4}));
    subscribe("bob", "ops");
    append(publication("alice", "ops"));
    EXPECT_EQ(unread("bob"), (Seqs{2, 4, 6}));
    ack("bob", 4);
    EXPECT_EQ(unread("bob"), Seqs{6});
}

TEST_F(MailboxTest, MoreCopiesThanAreKeptAreReportedAsTruncated) {
    create_channel("ops");
    subscribe("bob", "ops");
    append_all(std::vector<AppendMessage>(1'005, publication("alice", "ops")));
    unsubscribe("bob", "ops");
    Poll all = query("bob");
    all.cap = all.limit = 5'000;
    const MailboxView view = read(all);
    EXPECT_EQ(view.messages.size(), 1'000U);
    EXPECT_TRUE(view.truncated);
    ack("bob", 5);
    EXPECT_FALSE(read(all).truncated);
}

TEST_F(MailboxTest, ExpiredMessagesAreNotShownAndTheEvictionFloorStays) {
    write<Done>(PutSetting{"mailbox_ttl_ms", 1'000});
    append(direct("alice", "bob"));
    clock_.advance(core::Millis(600));
    append(direct("alice", "bob"));
    clock_.advance(core::Millis(600));
    const MailboxView view = mailbox("bob");
    EXPECT_EQ(seqs(view.messages), Seqs{2});
    EXPECT_TRUE(view.truncated);

    write<Done>(PutSetting{"mailbox_ttl_ms", 100'000});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    write<Done>(EvictMailboxes{core::Timestamp{clock_.now().ms - 1'000}});
    EXPECT_EQ(unread("bob"), Seqs{2});
    reopen();
    EXPECT_EQ(store_->setting("mailbox_ttl_ms"), 100'000U);
    EXPECT_EQ(unread("bob"), Seqs{2});
    EXPECT_TRUE(mailbox("bob").truncated);
    ack("bob", 1);
    EXPECT_FALSE(mailbox("bob").truncated);
}

TEST_F(MailboxTest, AClockSetBackNeitherHidesNorRevivesMessages) {
    const core::MessagePtr first = append(direct("alice", "bob"));
    clock_.advance(-core::Millis(3'600'000));
    const core::MessagePtr second = append(direct("alice", "bob"));
    EXPECT_EQ(second->timestamp, first->timestamp);
    reopen();
    EXPECT_EQ(append(direct("alice", "bob"))->timestamp, first->timestamp);
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));
}

TEST_F(MailboxTest, UnknownRecipientsAreLimited) {
    options_.quotas.max_unclaimed_mailboxes = 2;
    options_.quotas.share_percent = 100;
    reopen();
    append(direct("alice", "one"));
    append(direct("alice", "two"));
    EXPECT_EQ(error_of(direct("alice", "three")), core::ErrorCode::unknown_recipient_limit);
    append(direct("alice", "two"));
    create_agent("one");
    append(direct("alice", "three"));
    EXPECT_EQ(error_of(direct("alice", "four")), core::ErrorCode::unknown_recipient_limit);
    EXPECT_EQ(store_->head(), core::Seq{4});
}

TEST_F(MailboxTest, OddIdsAreReachedOnlyOnceTheyAreKnown) {
    const core::AgentId odd = core::AgentId::parse_issued("Zo\xc3\xab the agent").value();
    AppendMessage op{
        core::Draft{agent("alice"), core::ToAgent{odd}, "chat", core::JsonText{"{}"}, std::nullopt},
        std::nullopt};
    EXPECT_EQ(error_of(op), core::ErrorCode::invalid_recipient);
    write<Done>(CreateToken{odd, {}, "", core::Role::agent});
    append(op);
    EXPECT_EQ(read(query(odd)).messages.size(), 1U);
}

}  // namespace
}  // namespace agentcom::store

// What is limited for the whole hub: everybody has a share, and what was taken comes back.

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class QuotasTest : public StoreTest {
protected:
    void trim_all() {
        while (write<Trimmed>(Trim{}).more) {
        }
    }
    void evict_all() {
        clock_.advance(core::Millis(1));
        write<Done>(EvictMailboxes{clock_.now()});
    }
    core::Error refusal(WriteOp op) {
        const WriteResult result = store_->submit_and_wait(std::move(op));
        if (result) throw std::runtime_error("was not refused");
        return result.error();
    }
};

TEST_F(QuotasTest, NobodyTakesMoreThanAShareOfTheUnclaimedMailboxes) {
    options_.quotas.max_unclaimed_mailboxes = 8;
    reopen();
    append(direct("alice", "a1"));
    append(direct("alice", "a2"));
    const core::Error error = refusal(direct("alice", "a3"));
    EXPECT_EQ(error.code, core::ErrorCode::unknown_recipient_limit);
    EXPECT_NE(error.explanation().find("share"), std::string_view::npos);
    append(direct("alice", "a1"));  // what is there may be used
    append(direct("bob", "a1"));    // and by others, who have not made it
    append(direct("bob", "b1"));
    append(direct("bob", "b2"));
    EXPECT_EQ(error_of(direct("bob", "b3")), core::ErrorCode::unknown_recipient_limit);
    reopen();
    EXPECT_EQ(error_of(direct("bob", "b3")), core::ErrorCode::unknown_recipient_limit);
    // A mailbox that is claimed is no longer anybody's share.
    create_agent("a1");
    append(direct("alice", "a3"));
    EXPECT_EQ(error_of(direct("alice", "a4")), core::ErrorCode::unknown_recipient_limit);
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 4U);
}

TEST_F(QuotasTest, NewQuotasHoldForWhatIsWrittenThen) {
    options_.quotas.max_unclaimed_mailboxes = 1;
    reopen();
    append(direct("alice", "a1"));
    EXPECT_EQ(error_of(direct("alice", "a2")), core::ErrorCode::unknown_recipient_limit);
    StoreOptions more = options_;
    more.quotas.max_unclaimed_mailboxes = 2;
    more.quotas.share_percent = 100;
    more.quotas.max_channels = 0;
    store_->set_quotas(more.quotas);
    append(direct("alice", "a2"));
    EXPECT_EQ(error_of(direct("alice", "a3")), core::ErrorCode::unknown_recipient_limit);
    EXPECT_EQ(error_of(CreateChannel{channel("dev"), "", agent("alice")}),
              core::ErrorCode::channel_limit);
}

TEST_F(QuotasTest, TheWholeIsABoundForAllSharesTogether) {
    options_.quotas.max_unclaimed_mailboxes = 3;
    reopen();
    append(direct("alice", "a1"));  // a share is never below one
    append(direct("bob", "b1"));
    append(direct("carol", "c1"));
    const core::Error error = refusal(direct("dave", "d1"));
    EXPECT_EQ(error.code, core::ErrorCode::unknown_recipient_limit);
    EXPECT_EQ(error.explanation().find("share"), std::string_view::npos);
}

TEST_F(QuotasTest, AnEmptyUnclaimedMailboxIsForgottenWithTheLastMessageItHeld) {
    options_.quotas.max_unclaimed_mailboxes = 8;
    reopen();
    append(direct("alice", "a1"));
    append(direct("alice", "a2"));
    trim_all();
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 2U);
    evict_all();
    append(direct("bob", "a2"));  // one of them holds something again
    trim_all();
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 1U);
    append(direct("alice", "a3"));
    EXPECT_EQ(error_of(direct("alice", "a4")), core::ErrorCode::unknown_recipient_limit);
    EXPECT_EQ(unread("a2"), Seqs{3});
    evict_all();
    reopen();
    trim_all();
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 0U);
    // A name that comes back begins anew, though the log still has its old messages.
    append(direct("alice", "a1"));
    append(direct("alice", "a5"));
    EXPECT_EQ(unread("a1"), Seqs{5});
    create_agent("a1");
    EXPECT_EQ(unread("a1"), Seqs{5});
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 1U);
}

TEST_F(QuotasTest, TrimmingEmptiesMailboxesAsEvictionDoes) {
    options_.quotas.max_unclaimed_mailboxes = 20'000;
    options_.retention_messages = 100;
    options_.history_messages = 10;
    reopen();
    std::vector<AppendMessage> messages;
    for (int i = 0; i < 3'000; ++i) messages.push_back(direct("a", "name-" + std::to_string(i)));
    append_all(std::move(messages));
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 3'000U);
    // In bounded pieces.
    const auto first = write<Trimmed>(Trim{});
    EXPECT_TRUE(first.more);
    EXPECT_GT(store_->stats().unclaimed_mailboxes, 1'500U);
    trim_all();
    EXPECT_LE(store_->stats().unclaimed_mailboxes, 356U);
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, store_->stats().messages);
}

TEST_F(QuotasTest, NobodyMakesMoreThanAShareOfTheChannels) {
    options_.quotas.max_channels = 8;
    reopen();
    create_channel("one");
    create_channel("two");
    const core::Error error = refusal(CreateChannel{channel("three"), "", agent("maker")});
    EXPECT_EQ(error.code, core::ErrorCode::channel_limit);
    EXPECT_NE(error.explanation().find("share"), std::string_view::npos);
    write<Done>(CreateChannel{channel("three"), "", agent("other")});
    reopen();
    EXPECT_EQ(error_of(CreateChannel{channel("four"), "", agent("maker")}),
              core::ErrorCode::channel_limit);
    EXPECT_FALSE(write<ChannelDeleted>(DeleteChannel{channel("one"), agent("maker")}).more);
    create_channel("four");
    EXPECT_EQ(store_->stats().channels, 3U);
}

TEST_F(QuotasTest, SubscriptionsAreCountedThroughLeavingAndDeleting) {
    options_.quotas.max_subscriptions_per_agent = 2;
    reopen();
    for (const char* name : {"one", "two", "three"}) create_channel(name);
    subscribe("bob", "one");
    subscribe("bob", "two");
    reopen();
    EXPECT_EQ(error_of(Subscribe{channel("three"), agent("bob")}),
              core::ErrorCode::subscription_limit);
    unsubscribe("bob", "one");
    unsubscribe("bob", "one");
    subscribe("bob", "three");
    EXPECT_EQ(error_of(Subscribe{channel("one"), agent("bob")}),
              core::ErrorCode::subscription_limit);
    write<ChannelDeleted>(DeleteChannel{channel("three"), agent("maker")});
    subscribe("bob", "one");
    EXPECT_EQ(subscriptions("bob"), (std::vector{channel("one"), channel("two")}));
}

TEST_F(QuotasTest, WhatAnEndedAgentLeftIsNotGivenBackToItsSuccessor) {
    options_.quotas.max_unclaimed_mailboxes = 8;
    options_.quotas.max_channels = 8;
    reopen();
    create_agent("maker");
    append(direct("maker", "a1"));
    create_channel("one");
    append(direct("maker", "maker"));
    write<AgentEnded>(EndAgent{"maker"});
    create_agent("maker");
    append(direct("maker", "b1"));
    create_channel("two");
    create_agent("a1");  // the first maker's mailbox is claimed, its channel deleted
    write<ChannelDeleted>(DeleteChannel{channel("one"), agent("root"), true});
    append(direct("maker", "b2"));
    EXPECT_EQ(error_of(direct("maker", "b3")), core::ErrorCode::unknown_recipient_limit);
    create_channel("three");
    EXPECT_EQ(error_of(CreateChannel{channel("four"), "", agent("maker")}),
              core::ErrorCode::channel_limit);
    // Its own are.
    create_agent("b1");
    append(direct("maker", "b3"));
    write<ChannelDeleted>(DeleteChannel{channel("two"), agent("maker")});
    create_channel("four");
}

}  // namespace
}  // namespace agentcom::store

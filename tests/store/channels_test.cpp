#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

using ChannelsTest = StoreTest;

TEST_F(ChannelsTest, AChannelIsMadeOnceAndListed) {
    create_channel("ops");
    create_channel("dev");
    EXPECT_EQ(error_of(CreateChannel{channel("ops"), "", agent("x")}),
              core::ErrorCode::channel_exists);
    reopen();
    const auto channels = this->channels();
    ASSERT_EQ(channels.size(), 2U);
    EXPECT_EQ(channels[0].name, channel("dev"));
    EXPECT_EQ(channels[1].name, channel("ops"));
    const auto found = store_->find_channel(channel("ops"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->description, "about");
    EXPECT_EQ(found->created_by, agent("maker"));
    EXPECT_EQ(found->created_at, clock_.now());
    EXPECT_FALSE(store_->find_channel(channel("none")));
}

TEST_F(ChannelsTest, SubscriptionsAreCountedAndListedFromBothSides) {
    create_channel("ops");
    create_channel("dev");
    subscribe("bob", "ops");
    subscribe("alice", "ops");
    subscribe("bob", "dev");
    EXPECT_FALSE(write<SubscriptionChanged>(Subscribe{channel("ops"), agent("bob")}).changed);
    EXPECT_EQ(store_->find_channel(channel("ops"))->subscriber_count, 2U);
    EXPECT_EQ(subscribers("ops"), (std::vector{agent("alice"), agent("bob")}));
    EXPECT_EQ(subscriptions("bob"), (std::vector{channel("dev"), channel("ops")}));
    unsubscribe("bob", "ops");
    EXPECT_FALSE(write<SubscriptionChanged>(Unsubscribe{channel("ops"), agent("bob")}).changed);
    EXPECT_EQ(store_->find_channel(channel("ops"))->subscriber_count, 1U);
    EXPECT_EQ(subscriptions("bob"), std::vector{channel("dev")});
    EXPECT_TRUE(subscriptions("nobody").empty());
    // An agent whose name begins with another's is not mistaken for it.
    EXPECT_TRUE(subscriptions("bo").empty());
}

TEST_F(ChannelsTest, WhatDoesNotExistIsNotFoundAndLimitsHold) {
    options_.quotas.max_channels = 2;
    options_.quotas.share_percent = 100;
    options_.quotas.max_subscriptions_per_agent = 1;
    reopen();
    EXPECT_EQ(error_of(publication("a", "ops")), core::ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(Subscribe{channel("ops"), agent("a")}), core::ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(Unsubscribe{channel("ops"), agent("a")}),
              core::ErrorCode::channel_not_found);
    create_channel("ops");
    create_channel("dev");
    EXPECT_EQ(error_of(CreateChannel{channel("more"), "", agent("a")}),
              core::ErrorCode::channel_limit);
    subscribe("a", "ops");
    EXPECT_EQ(error_of(Subscribe{channel("dev"), agent("a")}), core::ErrorCode::subscription_limit);
    EXPECT_EQ(store_->head(), core::Seq{0});
}

TEST_F(ChannelsTest, MessagesAreNumberedWithinTheirChannelAcrossAReopen) {
    create_channel("ops");
    create_channel("dev");
    EXPECT_EQ(append(publication("a", "ops"))->channel_seq, core::ChannelSeq{1});
    EXPECT_EQ(append(publication("a", "dev"))->channel_seq, core::ChannelSeq{1});
    EXPECT_EQ(append(publication("a", "ops"))->channel_seq, core::ChannelSeq{2});
    reopen();
    EXPECT_EQ(append(publication("a", "ops"))->channel_seq, core::ChannelSeq{3});
}

TEST_F(ChannelsTest, HistoryPagesForwardFromSinceAndShowsTheNewestWithoutIt) {
    create_channel("ops");
    append_all(std::vector<AppendMessage>(205, publication("a", "ops")));
    const auto places = [&](std::optional<std::uint64_t> since, std::uint64_t limit) {
        std::vector<std::uint64_t> out;
        for (const auto& message : channel_history("ops", since, limit)) {
            out.push_back(message->channel_seq.value);
        }
        return out;
    };
    EXPECT_EQ(places(std::nullopt, 3), (Seqs{203, 204, 205}));
    EXPECT_EQ(places(10, 3), (Seqs{11, 12, 13}));
    EXPECT_EQ(places(204, 50), Seqs{205});
    EXPECT_TRUE(places(205, 50).empty());
    EXPECT_TRUE(places(std::nullopt, 0).empty());
    // Two hundred is what a channel keeps.
    EXPECT_EQ(places(0, 1), Seqs{6});
    EXPECT_EQ(places(std::nullopt, 1'000).size(), 200U);
    EXPECT_TRUE(channel_history("none", std::nullopt, 50).empty());
}

TEST_F(ChannelsTest, PublishingCostsTheSameHoweverManySubscribe) {
    create_channel("ops");
    std::vector<Submission> subscribers;
    for (int i = 0; i < 10'000; ++i) {
        subscribers.push_back(
            Submission{Subscribe{channel("ops"), agent("agent-" + std::to_string(i))}, {}});
    }
    store_->submit(std::move(subscribers));
    subscribe("last", "ops");
    ASSERT_EQ(store_->find_channel(channel("ops"))->subscriber_count, 10'001U);

    const StoreStats before = store_->stats();
    append(publication("a", "ops"));
    const StoreStats after = store_->stats();
    EXPECT_EQ(after.log_puts - before.log_puts, 1U);
    EXPECT_EQ(after.feed_entries - before.feed_entries, 2U);  // the channel's, and the sender's
    EXPECT_EQ(after.feed_puts - before.feed_puts, 2U);
    EXPECT_EQ(unread("agent-0"), Seqs{1});
    EXPECT_EQ(unread("agent-9999"), Seqs{1});
}

}  // namespace
}  // namespace agentcom::store

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class ChannelRemovalTest : public StoreTest {
protected:
    ChannelDeleted remove(std::string_view name) {
        return write<ChannelDeleted>(DeleteChannel{channel(name), agent("maker")});
    }
    std::vector<std::uint64_t> history(std::string_view name) {
        return seqs(channel_history(name, std::nullopt, 200));
    }
    void trim_all() {
        while (write<Trimmed>(Trim{}).more) {
        }
    }
};

TEST_F(ChannelRemovalTest, OnlyItsMakerAndAdministratorsMayDeleteAChannel) {
    create_channel("ops");
    create_channel("dev");
    EXPECT_EQ(error_of(DeleteChannel{channel("none"), agent("maker")}),
              core::ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(DeleteChannel{channel("ops"), agent("other")}), core::ErrorCode::forbidden);
    EXPECT_TRUE(store_->find_channel(channel("ops")));
    write<ChannelDeleted>(DeleteChannel{channel("ops"), agent("other"), true});
    remove("dev");
    EXPECT_TRUE(channels().empty());
    EXPECT_EQ(error_of(DeleteChannel{channel("ops"), agent("maker")}),
              core::ErrorCode::channel_not_found);
}

TEST_F(ChannelRemovalTest, ADeletedChannelIsGoneAndWhatWasUnreadStays) {
    create_channel("ops");
    create_channel("dev");
    subscribe("bob", "ops");
    subscribe("bob", "dev");
    for (int i = 0; i < 3; ++i) append(publication("alice", "ops"));
    ack("bob", 1);
    EXPECT_FALSE(remove("ops").more);
    EXPECT_FALSE(store_->find_channel(channel("ops")));
    EXPECT_EQ(error_of(publication("alice", "ops")), core::ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(Subscribe{channel("ops"), agent("bob")}),
              core::ErrorCode::channel_not_found);
    EXPECT_TRUE(history("ops").empty());
    EXPECT_TRUE(subscribers("ops").empty());
    EXPECT_EQ(subscriptions("bob"), std::vector{channel("dev")});
    EXPECT_EQ(unread("bob"), (Seqs{2, 3}));
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{2, 3}));
    EXPECT_NE(store_->find_message(core::Seq{1}), nullptr);  // the log keeps what it keeps
}

TEST_F(ChannelRemovalTest, ANewChannelOfTheSameNameHasNothingOfTheOldOne) {
    options_.history_messages = 1;
    reopen();
    create_channel("ops");
    subscribe("bob", "ops");
    for (int i = 0; i < 5; ++i) append(publication("alice", "ops"));
    clock_.advance(options_.mailbox_ttl * 2);
    append(direct("a", "b"));
    trim_all();
    ASSERT_EQ(history("ops").size(), 5U);  // kept
    const auto late = append(publication("alice", "ops"));
    remove("ops");
    EXPECT_EQ(store_->stats().kept_bytes, 0U);
    create_channel("ops");
    EXPECT_TRUE(history("ops").empty());
    EXPECT_TRUE(subscriptions("bob").empty());
    const auto first = append(publication("alice", "ops"));
    EXPECT_EQ(first->channel_seq, core::ChannelSeq{1});
    // When the log lets go of the old one's message, it does not come to the new one.
    clock_.advance(options_.mailbox_ttl * 2);
    append(direct("a", "b"));
    trim_all();
    EXPECT_EQ(store_->find_message(late->seq), nullptr);
    EXPECT_EQ(history("ops"), Seqs{first->seq.value});
}

TEST_F(ChannelRemovalTest, ManySubscribersAreLetGoInPiecesAndTheNameIsFreeInTheEnd) {
    constexpr int kSubscribers = 700;
    create_channel("ops");
    std::vector<Submission> subscribers;
    for (int i = 0; i < kSubscribers; ++i) {
        subscribers.push_back(
            Submission{Subscribe{channel("ops"), agent("agent-" + std::to_string(i))}, {}});
    }
    store_->submit(std::move(subscribers));
    append(publication("alice", "ops"));
    ASSERT_EQ(store_->find_channel(channel("ops"))->subscriber_count, 700U);

    EXPECT_TRUE(remove("ops").more);
    EXPECT_FALSE(store_->find_channel(channel("ops")));
    EXPECT_EQ(error_of(publication("alice", "ops")), core::ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(CreateChannel{channel("ops"), "", agent("maker")}),
              core::ErrorCode::channel_exists);
    int mailboxes = 0;
    for (int i = 0; i < kSubscribers; ++i) {
        const std::string name = "agent-" + std::to_string(i);
        EXPECT_TRUE(subscriptions(name).empty());
        if (unread(name) == Seqs{1}) ++mailboxes;
    }
    EXPECT_EQ(mailboxes, kSubscribers);

    reopen();  // half-way
    int pieces = 0;
    while (write<ChannelsRemoved>(RemoveDeletedChannels{}).more) ++pieces;
    EXPECT_GT(pieces, 2);
    EXPECT_EQ(unread("agent-0"), Seqs{1});
    EXPECT_EQ(unread("agent-699"), Seqs{1});
    EXPECT_EQ(store_->stats().channels, 0U);
    create_channel("ops");
    EXPECT_TRUE(StoreTest::subscribers("ops").empty());
}

TEST_F(ChannelRemovalTest, MaintenanceFinishesWhatARestartInterrupted) {
    create_channel("ops");
    std::vector<AppendMessage> messages(200'000, publication("alice", "ops"));
    append_all(std::move(messages));
    EXPECT_TRUE(remove("ops").more);
    reopen();
    trim_all();
    EXPECT_FALSE(write<ChannelsRemoved>(RemoveDeletedChannels{}).more);
    create_channel("ops");
    EXPECT_TRUE(history("ops").empty());
}

TEST_F(ChannelRemovalTest, PublishedAndDeletedInOneBatch) {
    create_channel("ops");
    subscribe("bob", "ops");
    store_.reset();
    store_ = Store::open(options_, clock_);
    std::vector<bool> outcomes;
    const auto note = [&](const WriteResult& result) { outcomes.push_back(result.has_value()); };
    store_->submit(Submission{publication("alice", "ops"), note});
    store_->submit(Submission{DeleteChannel{channel("ops"), agent("maker")}, note});
    store_->submit(Submission{publication("alice", "ops"), note});
    store_->submit(Submission{CreateChannel{channel("ops"), "", agent("maker")}, note});
    store_->submit(Submission{publication("alice", "ops"), note});
    store_->stop();
    EXPECT_EQ(outcomes, (std::vector{true, true, false, true, true}));
    EXPECT_EQ(history("ops"), Seqs{2});
    EXPECT_EQ(unread("bob"), Seqs{1});
}

TEST_F(ChannelRemovalTest, IdleChannelsExpireInBoundedPieces) {
    options_.quotas.share_percent = 100;
    reopen();
    const auto expire = [&](core::Millis idle) {
        std::uint64_t count = 0;
        std::optional<std::string> after{""};
        while (after) {
            auto done = write<ChannelsExpired>(
                ExpireChannels{*after, core::Timestamp{clock_.now().ms - idle.count()}});
            count += done.count;
            after = std::move(done.next);
        }
        return count;
    };
    const core::Millis hour(3'600'000);
    create_channel("read");
    create_channel("used");
    create_channel("left");
    create_channel("idle");
    subscribe("bob", "read");
    subscribe("bob", "left");
    append(publication("alice", "left"));
    append(publication("alice", "idle"));
    clock_.advance(hour);
    EXPECT_EQ(expire(hour), 0U);  // marks them; nobody has been idle for more than that
    append(publication("alice", "used"));
    unsubscribe("bob", "left");
    clock_.advance(core::Millis(1));
    EXPECT_EQ(expire(hour), 1U);
    EXPECT_FALSE(store_->find_channel(channel("idle")));
    reopen();
    clock_.advance(hour);
    EXPECT_EQ(expire(hour), 2U);
    EXPECT_FALSE(store_->find_channel(channel("used")));
    EXPECT_FALSE(store_->find_channel(channel("left")));
    clock_.advance(hour * 1'000);
    EXPECT_EQ(expire(hour), 0U);
    EXPECT_TRUE(store_->find_channel(channel("read")));

    std::vector<Submission> many;
    for (int i = 0; i < 2'500; ++i) {
        many.push_back(Submission{
            CreateChannel{channel("many-" + std::to_string(i)), "", agent("maker")}, {}});
    }
    store_->submit(std::move(many));
    append(direct("alice", "bob"));  // when it is committed, they are
    clock_.advance(core::Millis(1));
    const auto first = write<ChannelsExpired>(ExpireChannels{"", clock_.now()});
    EXPECT_EQ(first.count, 1'000U);
    EXPECT_TRUE(first.next);
    EXPECT_EQ(expire(core::Millis(0)), 1'500U);
    trim_all();
    EXPECT_EQ(store_->stats().channels, 1U);
}

}  // namespace
}  // namespace agentcom::store

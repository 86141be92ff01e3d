#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class RetentionTest : public StoreTest {
protected:
    void SetUp() override {
        options_.history_messages = 10;
        StoreTest::SetUp();
    }
    std::uint64_t trim_all() {
        std::uint64_t removed = 0;
        for (;;) {
            const auto done = write<Trimmed>(Trim{});
            removed += done.messages;
            if (!done.more) return removed;
        }
    }
    void fill(std::size_t count, std::string_view to = "bob") {
        append_all(std::vector<AppendMessage>(count, direct("alice", to, std::string(100, '1'))));
    }
    MailboxView all_of(std::string_view who, std::uint64_t since = 0) {
        Poll all = query(who);
        all.cap = all.limit = 100'000;
        all.since = core::Seq{since};
        return read(all);
    }
};

TEST_F(RetentionTest, NothingYoungerThanTheTimeToLiveGoesAndNothingHistoryShows) {
    fill(1'000);
    EXPECT_EQ(trim_all(), 0U);
    clock_.advance(options_.mailbox_ttl + core::Millis(1));
    // Whole blocks go, and the last one has messages that the history shows.
    EXPECT_GT(trim_all(), 700U);
    EXPECT_EQ(history({}, 50).size(), 10U);
    const StoreStats stats = store_->stats();
    EXPECT_EQ(stats.messages, stats.head_seq.value + 1 - stats.first_seq.value);
    EXPECT_GE(stats.messages, 10U);
    EXPECT_EQ(store_->find_message(core::Seq{1}), nullptr);
    EXPECT_NE(store_->find_message(core::Seq{1'000}), nullptr);
}

TEST_F(RetentionTest, TheNumberOfMessagesIsBounded) {
    options_.retention_messages = 1'000;
    reopen();
    fill(3'000);
    EXPECT_GE(trim_all(), 1'700U);
    EXPECT_GE(store_->stats().messages, 1'000U);
    EXPECT_LE(store_->stats().messages, 1'256U);
    const MailboxView view = all_of("bob");
    EXPECT_TRUE(view.truncated);
    EXPECT_EQ(view.messages.size(), store_->stats().messages);
    EXPECT_FALSE(all_of("bob", store_->stats().first_seq.value - 1).truncated);
    ack("bob", store_->stats().first_seq.value);
    EXPECT_FALSE(all_of("bob").truncated);
    reopen();
    EXPECT_EQ(append(direct("a", "b"))->seq, core::Seq{3'001});
}

TEST_F(RetentionTest, AgeIsBounded) {
    options_.retention_age = core::Millis(1'000);
    reopen();
    create_agent("bob");
    fill(300);
    clock_.advance(core::Millis(900));
    fill(300);
    clock_.advance(core::Millis(200));
    EXPECT_EQ(trim_all(), 300U);
    clock_.advance(core::Millis(1'000));
    EXPECT_EQ(trim_all(), 300U);
    EXPECT_EQ(store_->stats().messages, 0U);
    EXPECT_EQ(store_->stats().log_bytes, 0U);
    EXPECT_EQ(store_->stats().first_seq, core::Seq{601});
    EXPECT_EQ(append(direct("a", "bob"))->seq, core::Seq{601});
    EXPECT_TRUE(all_of("bob").truncated);
    EXPECT_EQ(seqs(all_of("bob").messages), Seqs{601});
}

TEST_F(RetentionTest, BytesAreBounded) {
    options_.retention_bytes = 100'000;
    reopen();
    fill(5'000);
    ASSERT_GT(store_->stats().log_bytes, 500'000U);
    trim_all();
    EXPECT_GE(store_->stats().log_bytes, 100'000U);
    EXPECT_LE(store_->stats().log_bytes, 166'000U);
}

TEST_F(RetentionTest, WhoHadReadWhatIsGoneIsNotTold) {
    options_.retention_messages = 1;
    create_agent("reader");
    create_agent("acked");
    create_agent("behind");
    create_agent("sender");
    create_channel("ops");
    reopen();
    subscribe("sender", "ops");
    subscribe("behind", "ops");
    append(direct("sender", "reader"));
    append(direct("sender", "acked"));
    append(broadcast("sender"));
    append_all(std::vector<AppendMessage>(300, publication("sender", "ops")));
    mark_read("reader", 0, 400);
    ack("acked", 400);
    fill(2, "someone");
    options_.channel_history = 0;
    reopen();
    trim_all();
    ASSERT_EQ(store_->stats().messages, 2U);  // the last block

    EXPECT_FALSE(mailbox("reader").truncated);
    EXPECT_FALSE(mailbox("acked").truncated);
    EXPECT_TRUE(mailbox("behind").truncated);
    EXPECT_FALSE(mailbox("sender").truncated);  // all of it was its own
}

TEST_F(RetentionTest, AChannelKeepsItsNewestWhateverTheirAge) {
    options_.channel_history = 20;
    options_.retention_messages = 100;
    reopen();
    create_channel("ops");
    create_channel("quiet");
    subscribe("bob", "quiet");
    append_all(std::vector<AppendMessage>(5, publication("alice", "quiet")));
    append_all(std::vector<AppendMessage>(300, publication("alice", "ops")));
    fill(600);
    clock_.advance(options_.mailbox_ttl * 2);
    trim_all();
    ASSERT_GT(store_->stats().first_seq, core::Seq{305});
    EXPECT_EQ(channel_history("quiet", std::nullopt, 50).size(), 5U);
    const auto kept = channel_history("ops", std::nullopt, 50);
    ASSERT_EQ(kept.size(), 20U);
    EXPECT_EQ(kept.front()->channel_seq, core::ChannelSeq{281});
    EXPECT_EQ(kept.back()->draft.from, agent("alice"));

    reopen();
    EXPECT_EQ(append(publication("alice", "quiet"))->channel_seq, core::ChannelSeq{6});
    EXPECT_EQ(append(publication("alice", "ops"))->channel_seq, core::ChannelSeq{301});
    EXPECT_EQ(channel_history("ops", std::nullopt, 50).front()->channel_seq, core::ChannelSeq{282});
    // Once the channel has moved on by a block, what it had kept goes.
    append_all(std::vector<AppendMessage>(600, publication("alice", "ops")));
    EXPECT_EQ(channel_history("ops", 0, 1).front()->channel_seq, core::ChannelSeq{882});
    EXPECT_EQ(store_->find_message(core::Seq{6 + 280}), nullptr);
}

TEST_F(RetentionTest, ThreadsAndFiltersSkipWhatIsGone) {
    options_.retention_messages = 5;
    reopen();
    const auto root = append(direct("a", "b"));
    const auto child = reply(direct("b", "a"), root->id.str());
    for (int i = 0; i < 5; ++i) append(direct("b", "a"));
    const auto late = reply(direct("b", "a"), child->id.str());
    EXPECT_EQ(trim_all(), 3U);
    EXPECT_EQ(seqs(thread(root->id.str(), {}, 10)), Seqs{late->seq.value});
    EXPECT_EQ(store_->thread_root(late->id.str()), root->id.str());
    HistoryQuery from_b;
    from_b.from = "b";
    EXPECT_EQ(seqs(history(from_b, 50)), (Seqs{4, 5, 6, 7, 8}));
    // An answer to what is gone begins a thread.
    const auto orphan = reply(direct("a", "b"), child->id.str());
    EXPECT_EQ(store_->thread_root(orphan->id.str()), orphan->id.str());
}

TEST_F(RetentionTest, IdempotencyKeysThatHaveRunOutAreRemoved) {
    std::vector<AppendMessage> keyed(12'000, direct("a", "b"));
    for (std::size_t i = 0; i < keyed.size(); ++i) {
        keyed[i].idempotency_key = "key-" + std::to_string(i);
    }
    append_all(std::move(keyed));
    EXPECT_FALSE(write<Trimmed>(Trim{}).more);
    clock_.advance(core::Millis(200'000));
    EXPECT_TRUE(write<Trimmed>(Trim{}).more);
    EXPECT_FALSE(write<Trimmed>(Trim{}).more);
}

TEST_F(RetentionTest, AFullMapIsAnErrorUntilTrimmingHasMadeRoom) {
    options_.map_size = std::size_t{4} << 20;
    options_.retention_messages = 100;
    reopen();
    core::ErrorCode code{};
    std::uint64_t accepted = 0;
    for (; accepted < 10'000; ++accepted) {
        const auto result =
            store_->submit_and_wait(direct("alice", "bob", std::string(10'000, '1')));
        if (!result) {
            code = result.error().code;
            break;
        }
    }
    EXPECT_EQ(code, core::ErrorCode::storage_full);
    EXPECT_GT(accepted, 100U);
    EXPECT_EQ(store_->state(), StoreState::full);
    // Reading goes on, and so does what makes room.
    EXPECT_EQ(mailbox("bob").messages.size(), 100U);
    EXPECT_EQ(ack("bob", accepted).value, accepted);
    EXPECT_GT(trim_all(), 0U);
    append(direct("alice", "bob", std::string(10'000, '1')));
    EXPECT_EQ(store_->state(), StoreState::ok);
    EXPECT_EQ(unread("bob"), Seqs{accepted + 1});
}

TEST_F(RetentionTest, WhatChannelsKeepIsHeldByTheBoundOfBytes) {
    options_.retention_bytes = 400'000;
    options_.quotas.share_percent = 100;
    reopen();
    for (int i = 0; i < 20; ++i) {
        const std::string name = "channel-" + std::to_string(i);
        create_channel(name);
        std::vector<AppendMessage> messages(20, publication("alice", name));
        for (auto& each : messages) each.draft.payload.text = '"' + std::string(2'000, 'x') + '"';
        append_all(std::move(messages));
        trim_all();
        const StoreStats stats = store_->stats();
        EXPECT_LE(stats.kept_bytes, 100'000U);
        EXPECT_LE(stats.log_bytes + stats.kept_bytes, 400'000U + 66'000U);
    }
    // Oldest first.
    EXPECT_TRUE(channel_history("channel-0", std::nullopt, 50).empty());
    EXPECT_GT(store_->stats().kept_bytes, 50'000U);
    EXPECT_EQ(channel_history("channel-19", std::nullopt, 50).size(), 20U);
    reopen();
    EXPECT_GT(store_->stats().kept_bytes, 50'000U);
    // A message of a channel whose older ones are gone goes on in its place.
    EXPECT_EQ(append(publication("alice", "channel-0"))->channel_seq, core::ChannelSeq{21});
}

TEST_F(RetentionTest, WhatChannelsKeepIsHeldByTheBoundsOfAgeAndNumber) {
    create_channel("ops");
    append_all(std::vector<AppendMessage>(40, publication("alice", "ops")));
    fill(300);
    clock_.advance(options_.mailbox_ttl + core::Millis(1));
    trim_all();
    const auto shown = [&] { return channel_history("ops", std::nullopt, 200).size(); };
    EXPECT_EQ(shown(), 40U);
    options_.retention_messages = 80;  // a quarter is for what channels keep
    reopen();
    trim_all();
    EXPECT_EQ(shown(), 20U);
    options_.retention_messages = 0;
    options_.retention_age = options_.mailbox_ttl * 2;
    reopen();
    trim_all();
    EXPECT_EQ(shown(), 20U);
    clock_.advance(options_.mailbox_ttl);
    trim_all();
    EXPECT_EQ(shown(), 0U);
    EXPECT_EQ(store_->stats().kept_bytes, 0U);
}

TEST_F(RetentionTest, AMapFullOfWhatChannelsKeepTakesMessagesAgainAfterATrim) {
    options_.map_size = std::size_t{4} << 20;
    options_.mailbox_ttl = core::Millis(1);
    options_.quotas.share_percent = 100;
    reopen();
    bool full = false;
    for (int i = 0; i < 100 && !full; ++i) {
        const std::string name = "channel-" + std::to_string(i);
        full = !store_->submit_and_wait(CreateChannel{channel(name), "", agent("maker")});
        for (int n = 0; n < 200 && !full; ++n) {
            AppendMessage op = publication("alice", name);
            op.draft.payload.text = '"' + std::string(3'000, 'x') + '"';
            full = !store_->submit_and_wait(std::move(op));
        }
        clock_.advance(core::Millis(10));
        if (!full) trim_all();
    }
    ASSERT_TRUE(full);
    ASSERT_GT(store_->stats().kept_bytes, 1'000'000U);
    EXPECT_EQ(store_->state(), StoreState::full);
    const core::Seq head = store_->head();
    trim_all();
    EXPECT_EQ(append(direct("alice", "bob", std::string(10'000, '1')))->seq, head.next());
    EXPECT_EQ(store_->state(), StoreState::ok);
    // What the history shows was not touched for it.
    EXPECT_NE(store_->find_message(core::Seq{head.value - 8}), nullptr);
}

TEST_F(RetentionTest, ABatchLargerThanTheMapFailsWholeAndLeavesTheStoreUsable) {
    options_.map_size = std::size_t{2} << 20;
    reopen();
    std::vector<Submission> batch;
    std::atomic<int> refused = 0;
    std::promise<void> last;
    constexpr int kCount = 3'000;
    for (int i = 0; i < kCount; ++i) {
        batch.push_back(
            Submission{direct("alice", "agent-" + std::to_string(i), std::string(1'000, '1')),
                       [&, i](const WriteResult& result) {
                           if (!result) {
                               EXPECT_EQ(result.error().code, core::ErrorCode::storage_full);
                               ++refused;
                           }
                           if (i + 1 == kCount) last.set_value();
                       },
                       kNoLoop});
    }
    store_->submit(std::move(batch));
    last.get_future().wait();
    EXPECT_GT(refused, 1'000);
    EXPECT_EQ(store_->head().value, static_cast<std::uint64_t>(kCount - refused));
    EXPECT_EQ(store_->state(), StoreState::full);
}

}  // namespace
}  // namespace agentcom::store

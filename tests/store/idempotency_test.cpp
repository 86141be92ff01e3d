#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class IdempotencyTest : public StoreTest {
protected:
    Appended keyed(AppendMessage op, std::string key) {
        op.idempotency_key = std::move(key);
        return write<Appended>(std::move(op));
    }
};

TEST_F(IdempotencyTest, TheFirstOfAKeyWinsEvenAcrossAReopen) {
    const Appended first = keyed(direct("a", "b", "1"), "k");
    EXPECT_FALSE(first.duplicate);
    reopen();
    clock_.advance(core::Millis(119'000));
    const Appended again = keyed(direct("a", "b", "1"), "k");
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.message->seq, first.message->seq);
    EXPECT_EQ(again.message->id, first.message->id);
    EXPECT_EQ(again.message->draft.payload.text, "1");
    EXPECT_EQ(unread("b"), Seqs{1});
}

TEST_F(IdempotencyTest, KeysBelongToTheirSenderAndRunOut) {
    keyed(direct("a", "b"), "k");
    EXPECT_FALSE(keyed(direct("c", "b"), "k").duplicate);
    EXPECT_FALSE(keyed(direct("a", "b"), "other").duplicate);
    clock_.advance(core::Millis(120'000));
    EXPECT_FALSE(keyed(direct("a", "b"), "k").duplicate);
    EXPECT_EQ(unread("b"), (Seqs{1, 2, 3, 4}));
}

TEST_F(IdempotencyTest, NoMoreKeysAreRememberedThanTheirBoundTheOldestGoFirst) {
    options_.max_idempotency_keys = 100;
    reopen();
    for (int i = 0; i < 150; ++i) keyed(direct("a", "b"), "k" + std::to_string(i));
    EXPECT_TRUE(keyed(direct("a", "b"), "k149").duplicate);
    EXPECT_TRUE(keyed(direct("a", "b"), "k50").duplicate);
    EXPECT_FALSE(keyed(direct("a", "b"), "k49").duplicate);
    options_.max_idempotency_keys = 10;
    reopen();
    for (int i = 150; i < 300; ++i) keyed(direct("a", "b"), "k" + std::to_string(i));
    EXPECT_TRUE(keyed(direct("a", "b"), "k290").duplicate);
    EXPECT_FALSE(keyed(direct("a", "b"), "k289").duplicate);
}

TEST_F(IdempotencyTest, AKeyUsedForAnotherMessageIsAConflict) {
    create_channel("ops");
    AppendMessage op = direct("a", "b", "1");
    op.idempotency_key = "k";
    EXPECT_FALSE(write<Appended>(op).duplicate);
    std::vector<AppendMessage> others(5, op);
    others[0].draft.payload.text = "2";
    others[1].draft.to = core::ToAgent{agent("c")};
    others[2].draft.type = "other";
    others[3].draft.reply_to = "something";
    others[4].draft.to = core::ToChannel{channel("ops")};
    for (AppendMessage& other : others) {
        EXPECT_EQ(error_of(other), core::ErrorCode::idempotency_conflict);
    }
    EXPECT_TRUE(write<Appended>(op).duplicate);
    EXPECT_EQ(store_->head(), core::Seq{1});
    // Two ways to say "everyone" are one.
    AppendMessage all = broadcast("a", true);
    all.idempotency_key = "all";
    EXPECT_FALSE(write<Appended>(all).duplicate);
    all.draft.to = core::ToEveryone{false};
    EXPECT_TRUE(write<Appended>(all).duplicate);
    // Once the key has run out it may mean another message.
    clock_.advance(core::Millis(120'000));
    others[0].draft.payload.text = "2";
    EXPECT_FALSE(write<Appended>(others[0]).duplicate);
    EXPECT_EQ(error_of(op), core::ErrorCode::idempotency_conflict);
}

TEST_F(IdempotencyTest, AWindowOfDaysIsRememberedToTheMillisecond) {
    options_.idempotency_window = core::Millis(7 * 86'400'000);
    reopen();
    keyed(direct("a", "b"), "k");
    clock_.advance(options_.idempotency_window - core::Millis(1));
    EXPECT_FALSE(write<Trimmed>(Trim{}).more);
    EXPECT_TRUE(keyed(direct("a", "b"), "k").duplicate);
    clock_.advance(core::Millis(1));
    EXPECT_FALSE(keyed(direct("a", "b"), "k").duplicate);
    // The first use runs out; the second, of the same key, is remembered all the same.
    EXPECT_FALSE(write<Trimmed>(Trim{}).more);
    EXPECT_TRUE(keyed(direct("a", "b"), "k").duplicate);
}

TEST_F(IdempotencyTest, DuplicatesWithinOneBatchAreSeen) {
    create_channel("ops");
    AppendMessage op = publication("a", "ops");
    op.idempotency_key = "k";
    const auto messages = append_all(std::vector<AppendMessage>(10, op));
    for (const auto& message : messages) {
        EXPECT_EQ(message->seq, core::Seq{1});
        EXPECT_EQ(message->channel_seq, core::ChannelSeq{1});
    }
    EXPECT_EQ(store_->head(), core::Seq{1});
}

TEST_F(IdempotencyTest, AFailedAppendDoesNotTakeTheKey) {
    AppendMessage op = publication("a", "ops");
    op.idempotency_key = "k";
    EXPECT_EQ(error_of(op), core::ErrorCode::channel_not_found);
    create_channel("ops");
    EXPECT_FALSE(write<Appended>(op).duplicate);
    op.idempotency_key = std::string(256, 'k');
    EXPECT_EQ(error_of(op), core::ErrorCode::invalid_idempotency_key);
}

TEST_F(IdempotencyTest, ADuplicateOfATrimmedMessageStillHasItsNumber) {
    options_.retention_messages = 1;
    reopen();
    const Appended first = keyed(direct("a", "b", "1"), "k");
    append(direct("a", "b"));
    EXPECT_EQ(write<Trimmed>(Trim{}).messages, 1U);
    const Appended again = keyed(direct("a", "b", "1"), "k");
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.message->id, first.message->id);
    EXPECT_EQ(again.message->timestamp, first.message->timestamp);
}

using TokensTest = StoreTest;

TEST_F(TokensTest, TokensAreFoundListedAndRevoked) {
    const core::TokenDigest first{1};
    const core::TokenDigest second{2};
    write<Done>(CreateToken{agent("bob"), first, "11111111", core::Role::admin});
    clock_.advance(core::Millis(5));
    write<Done>(CreateToken{agent("bob"), second, "22222222", core::Role::agent});
    write<Done>(CreateToken{agent("bobby"), core::TokenDigest{3}, "33333333", core::Role::agent});
    reopen();
    const auto found = store_->find_token(first);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->agent, agent("bob"));
    EXPECT_EQ(found->role, core::Role::admin);
    EXPECT_EQ(found->prefix, "11111111");
    const auto tokens = this->tokens();
    ASSERT_EQ(tokens.size(), 3U);
    EXPECT_EQ(tokens[0].prefix, "11111111");
    EXPECT_EQ(tokens[1].prefix, "22222222");
    EXPECT_EQ(tokens[2].agent, agent("bobby"));

    append(direct("x", "bob"));
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"bob"}).count, 2U);
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"bob"}).count, 0U);
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{std::string(5'000, 'x')}).count, 0U);
    EXPECT_FALSE(store_->find_token(first));
    EXPECT_FALSE(store_->has_token("bob"));
    EXPECT_TRUE(store_->has_token("bobby"));
    EXPECT_FALSE(store_->has_token("bobb"));
    EXPECT_FALSE(store_->has_token(""));
    EXPECT_EQ(unread("bob"), Seqs{1});
}

TEST_F(TokensTest, StoringATokenAgainForAnotherAgentMovesIt) {
    write<Done>(CreateToken{agent("a"), core::TokenDigest{1}, "1", core::Role::agent});
    write<Done>(CreateToken{agent("a"), core::TokenDigest{1}, "1", core::Role::agent});
    EXPECT_EQ(tokens().size(), 1U);
    write<Done>(CreateToken{agent("b"), core::TokenDigest{1}, "1", core::Role::agent});
    EXPECT_FALSE(store_->has_token("a"));
    EXPECT_TRUE(store_->has_token("b"));
}

}  // namespace
}  // namespace agentcom::store

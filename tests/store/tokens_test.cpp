// Tokens: names, expiry, rotation, revocation of one, the day of the last use.

#include <algorithm>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class TokenLifeTest : public StoreTest {
protected:
    void create(std::uint8_t number, std::string_view who, core::Role role = core::Role::agent,
                std::string name = {}, std::optional<core::Timestamp> expires_at = {}) {
        write<Done>(CreateToken{agent(who), digest(number), prefix(number), role, std::move(name),
                                expires_at});
    }
    TokenRotated rotate(std::uint8_t number, std::string_view who, std::int64_t grace_ms) {
        return write<TokenRotated>(
            RotateToken{agent(who), digest(number), prefix(number), clock_.now(), in(grace_ms)});
    }
    static std::string prefix(std::uint8_t number) {
        return std::string(core::kTokenPrefixDigits, static_cast<char>('a' + number));
    }
    bool drop_expired() { return write<Trimmed>(DropExpiredTokens{clock_.now()}).more; }
};

TEST_F(TokenLifeTest, ATokenKeepsItsRoleNameAndExpiryAcrossARestart) {
    create(1, "alice", core::Role::observer, "night watch", in(60'000));
    create(2, "bob");
    reopen();
    const auto alice = store_->find_token(digest(1));
    ASSERT_TRUE(alice);
    EXPECT_EQ(alice->role, core::Role::observer);
    EXPECT_EQ(alice->name, "night watch");
    EXPECT_EQ(alice->expires_at, in(60'000));
    EXPECT_EQ(alice->last_used_day, 0U);
    EXPECT_FALSE(alice->expired(in(59'999)));
    EXPECT_TRUE(alice->expired(in(60'000)));
    const auto bob = store_->find_token(digest(2));
    ASSERT_TRUE(bob);
    EXPECT_EQ(bob->role, core::Role::agent);
    EXPECT_EQ(bob->name, "");
    EXPECT_FALSE(bob->expires_at);
    EXPECT_EQ(error_of(CreateToken{agent("x"), digest(3), "x", core::Role::agent,
                                   std::string(core::kMaxTokenNameBytes + 1, 'n')}),
              core::ErrorCode::invalid_field);
}

TEST_F(TokenLifeTest, ARotatedTokenHasItsPredecessorsRoleNameAndLifetimeAndTheOldOnesEnd) {
    create(1, "alice", core::Role::admin, "first");
    clock_.advance(core::Millis(1'000));
    create(2, "alice", core::Role::observer, "second", in(10'000));
    create(3, "bob");
    clock_.advance(core::Millis(4'000));
    const TokenRotated made = rotate(4, "alice", 8'000);
    EXPECT_EQ(made.role, core::Role::observer);
    EXPECT_EQ(made.name, "second");
    EXPECT_EQ(made.expires_at, in(10'000));
    EXPECT_EQ(store_->find_token(digest(4))->expires_at, in(10'000));
    EXPECT_EQ(store_->find_token(digest(1))->expires_at, in(8'000));
    EXPECT_EQ(store_->find_token(digest(2))->expires_at, in(6'000)) << "its own end comes first";
    EXPECT_FALSE(store_->find_token(digest(3))->expires_at);

    (void)rotate(5, "alice", 0);
    EXPECT_FALSE(store_->find_token(digest(1)));
    EXPECT_FALSE(store_->find_token(digest(2)));
    EXPECT_FALSE(store_->find_token(digest(4)));
    EXPECT_TRUE(store_->find_token(digest(5)));
    EXPECT_EQ(error_of(RotateToken{agent("nobody"), digest(6), "f", clock_.now(), in(1)}),
              core::ErrorCode::not_found);
}

TEST_F(TokenLifeTest, ExpiredTokensCannotBeRotated) {
    create(1, "alice", core::Role::admin, "first", in(10));
    clock_.advance(core::Millis(10));
    EXPECT_EQ(error_of(RotateToken{agent("alice"), digest(2), "f", clock_.now(), in(1)}),
              core::ErrorCode::not_found);
}

TEST_F(TokenLifeTest, OneTokenIsRevokedByItsFirstDigits) {
    create(1, "alice");
    create(2, "alice");
    create(3, "bob");
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"alice", prefix(3)}).count, 0U);
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"alice", prefix(1)}).count, 1U);
    EXPECT_FALSE(store_->find_token(digest(1)));
    EXPECT_TRUE(store_->find_token(digest(2)));
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"alice"}).count, 1U);
    EXPECT_FALSE(store_->has_token("alice"));
    EXPECT_TRUE(store_->find_token(digest(3)));
}

TEST_F(TokenLifeTest, WhatHasExpiredIsDroppedAndNothingElse) {
    create(1, "alice", core::Role::agent, "", in(1'000));
    create(2, "alice", core::Role::agent, "", in(2'000));
    create(3, "alice");
    create(4, "bob", core::Role::agent, "", in(1'000));
    // Given another end, and revoked: the list by time must not find them at their old places.
    create(2, "alice", core::Role::agent, "", in(3'000));
    (void)write<TokensRevoked>(RevokeTokens{"bob"});
    clock_.advance(core::Millis(2'500));
    EXPECT_FALSE(drop_expired());
    EXPECT_FALSE(store_->find_token(digest(1)));
    EXPECT_TRUE(store_->find_token(digest(2)));
    EXPECT_EQ(tokens().size(), 2U);
    clock_.advance(core::Millis(1'000));
    EXPECT_FALSE(drop_expired());
    EXPECT_EQ(tokens().size(), 1U);
}

TEST_F(TokenLifeTest, ManyExpiredTokensAreDroppedAPieceAtATime) {
    std::vector<Submission> all;
    for (std::uint32_t i = 0; i < 1'500; ++i) {
        core::TokenDigest each{};
        each[0] = static_cast<std::uint8_t>(i);
        each[1] = static_cast<std::uint8_t>(i >> 8);
        all.push_back({CreateToken{agent("alice"), each, "aaaaaaaa", core::Role::agent, "", in(1)},
                       nullptr, kNoLoop});
    }
    store_->submit(std::move(all));
    clock_.advance(core::Millis(2));
    EXPECT_TRUE(drop_expired());
    EXPECT_EQ(tokens().size(), 500U);
    EXPECT_FALSE(drop_expired());
    EXPECT_TRUE(tokens().empty());
}

TEST_F(TokenLifeTest, TheDayOfTheLastUseIsKeptAndNeverGoesBack) {
    create(1, "alice", core::Role::admin, "first", in(60'000));
    write<Done>(NoteTokenUse{{digest(1), digest(9)}, 20'000});
    write<Done>(NoteTokenUse{{digest(1)}, 19'000});
    const auto token = store_->find_token(digest(1));
    EXPECT_EQ(token->last_used_day, 20'000U);
    EXPECT_EQ(token->name, "first");
    EXPECT_EQ(token->expires_at, in(60'000));
    EXPECT_FALSE(store_->find_token(digest(9)));
}

}  // namespace
}  // namespace agentcom::store

// People's sessions in browsers: how many a token may have, and what ends them.

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class WebSessionTest : public StoreTest {
protected:
    void token(std::uint8_t number, std::string_view who,
               std::optional<core::Timestamp> expires_at = {}) {
        write<Done>(CreateToken{agent(who), digest(number), std::string(8, 'a'), core::Role::agent,
                                "", expires_at});
    }
    void begin(std::uint8_t number, std::uint8_t of_token, std::int64_t lasts_ms = 60'000) {
        write<Done>(CreateWebSession{digest(number), digest(of_token), in(lasts_ms)});
    }
    [[nodiscard]] bool stands(std::uint8_t number) const {
        return store_->find_web_session(digest(number)).has_value();
    }
};

TEST_F(WebSessionTest, ASessionIsThereAcrossARestartUntilItIsEnded) {
    token(1, "alice");
    begin(100, 1);
    reopen();
    const auto found = store_->find_web_session(digest(100));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->token, digest(1));
    EXPECT_EQ(found->expires_at, in(60'000));
    write<Done>(EndWebSession{digest(100)});
    EXPECT_FALSE(stands(100));
    write<Done>(EndWebSession{digest(100)});
}

TEST_F(WebSessionTest, OfATokenThatHasGoneNoneIsBegun) {
    EXPECT_EQ(error_of(CreateWebSession{digest(100), digest(1), in(60'000)}),
              core::ErrorCode::unauthorized);
    EXPECT_FALSE(stands(100));
}

TEST_F(WebSessionTest, WithOneMoreThanATokenMayHaveItsOldestEnds) {
    token(1, "alice");
    token(2, "bob");
    begin(200, 2);
    // The digests do not stand in the order of time.
    for (std::uint8_t number = 0; number < 16; ++number) {
        clock_.advance(core::Millis(10));
        begin(static_cast<std::uint8_t>(150 - number), 1);
    }
    EXPECT_TRUE(stands(150));
    clock_.advance(core::Millis(10));
    begin(100, 1);
    EXPECT_FALSE(stands(150));
    EXPECT_TRUE(stands(149));
    EXPECT_TRUE(stands(135));
    EXPECT_TRUE(stands(100));
    EXPECT_TRUE(stands(200));
    Quotas quotas;
    quotas.max_web_sessions_per_token = 1;
    store_->set_quotas(quotas);
    clock_.advance(core::Millis(10));
    begin(101, 1);
    EXPECT_FALSE(stands(100));
    EXPECT_FALSE(stands(135));
    EXPECT_TRUE(stands(101));
    EXPECT_TRUE(stands(200));
}

TEST_F(WebSessionTest, ASessionEndsWithItsTokenHoweverThatEnds) {
    token(1, "alice");
    token(2, "alice", in(1'000));
    token(3, "bob");
    token(4, "carol");
    for (std::uint8_t number = 1; number <= 4; ++number) {
        begin(static_cast<std::uint8_t>(100 + number), number);
    }
    clock_.advance(core::Millis(2'000));
    write<Trimmed>(DropExpiredTokens{clock_.now()});
    EXPECT_FALSE(stands(102));
    EXPECT_TRUE(stands(101));
    write<TokensRevoked>(RevokeTokens{"alice"});
    EXPECT_FALSE(stands(101));
    write<AgentEnded>(EndAgent{"bob"});
    EXPECT_FALSE(stands(103));
    // What a token that is to end later was used for lasts until then.
    write<TokenRotated>(
        RotateToken{agent("carol"), digest(5), std::string(8, 'b'), clock_.now(), in(1'000)});
    EXPECT_TRUE(stands(104));
    write<TokenRotated>(
        RotateToken{agent("carol"), digest(6), std::string(8, 'c'), clock_.now(), clock_.now()});
    EXPECT_FALSE(stands(104));
}

TEST_F(WebSessionTest, ExpiredOnesAreDroppedTheOldestFirst) {
    token(1, "alice");
    begin(100, 1, 1'000);
    begin(101, 1, 5'000);
    clock_.advance(core::Millis(2'000));
    EXPECT_FALSE(write<Trimmed>(DropExpiredTokens{clock_.now()}).more);
    EXPECT_FALSE(stands(100));
    EXPECT_TRUE(stands(101));
    EXPECT_TRUE(store_->find_token(digest(1)));
}

}  // namespace
}  // namespace agentcom::store

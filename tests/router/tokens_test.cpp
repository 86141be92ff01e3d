// Tokens as callers meet them: expiry, rotation, revocation of one, who they are.

#include "agentcom/services/auth.hpp"
#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Role;
using protocol::CloseCode;

class TokenLifeTest : public RouterTest {
protected:
    const Caller root_ = as("root", Role::admin);

    protocol::TokenCreated create(const std::string& name, protocol::Expiry expiry = {}) {
        return get<protocol::TokenCreated>(
            root_, protocol::CreateToken{agent(name), Role::agent, "of a test", expiry});
    }
    TestSession& join_with(const std::string& name, const core::Token& token) {
        protocol::Identify options = quietly();
        options.token = token.reveal();
        return join(name, std::move(options));
    }
    /// The ticks are the machine's; whoever waits for one waits for about a second.
    bool closed(TestSession& session) {
        const auto deadline = std::chrono::steady_clock::now() + kPatience;
        while (on(0, [&] { return session.closes.empty(); })) {
            if (std::chrono::steady_clock::now() > deadline) return false;
        }
        return on(0, [&] { return session.closes == std::vector{CloseCode::token_revoked}; });
    }
};

TEST_F(TokenLifeTest, AnExpiredTokenIsNobodys) {
    const auto token = create("alice", {.in = core::Millis(5'000)}).token.reveal();
    clock_.advance(core::Millis(4'999));
    EXPECT_TRUE(router_->authenticate(token).agent);
    clock_.advance(core::Millis(1));
    EXPECT_FALSE(router_->authenticate(token).agent);
    TestSession& late = fresh_session();
    protocol::Identify identify = quietly();
    identify.agent_id = "alice";
    identify.token = token;
    const auto reply = on(0, [&] { return router_->identify(loop(), late, identify); });
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::invalid_token);
}

TEST_F(TokenLifeTest, AnExpiryMustBeToCome) {
    EXPECT_EQ(error_of(root_,
                       protocol::CreateToken{
                           agent("a"), Role::agent, "", {.in = {}, .at = clock_.now()}}),
              ErrorCode::invalid_field);
    const core::Timestamp soon{clock_.now().ms + 1};
    EXPECT_EQ(create("a", {.in = {}, .at = soon}).expires_at, soon);
}

TEST_F(TokenLifeTest, ALiveConnectionEndsWithItsTokenAndOthersStay) {
    router_->start_maintenance(loop());
    TestSession& alice = join_with("alice", create("alice", {.in = core::Millis(5'000)}).token);
    TestSession& bob = join_with("bob", create("bob", {.in = core::Millis(9'000)}).token);
    TestSession& carol = join_with("carol", create("carol").token);
    clock_.advance(core::Millis(5'000));
    EXPECT_TRUE(closed(alice));
    EXPECT_TRUE(on(0, [&] { return bob.closes.empty() && carol.closes.empty(); }));
    clock_.advance(core::Millis(4'000));
    EXPECT_TRUE(closed(bob));
    EXPECT_TRUE(on(0, [&] { return carol.closes.empty(); }));
}

TEST_F(TokenLifeTest, AConnectionThatHasEndedLeavesTheListOfThoseThatExpire) {
    router_->start_maintenance(loop());
    const auto token = create("alice", {.in = core::Millis(5'000)}).token;
    leave(join_with("alice", token));
    TestSession& again = join_with("alice", token);
    clock_.advance(core::Millis(5'000));
    EXPECT_TRUE(closed(again));
}

TEST_F(TokenLifeTest, RotationKeepsOldConnectionsForTheGracePeriod) {
    router_->start_maintenance(loop());
    const auto old = create("alice");
    TestSession& alice = join_with("alice", old.token);
    const auto made = get<protocol::TokenCreated>(
        root_, protocol::RotateToken{agent("alice"), core::Millis(10'000)});
    EXPECT_EQ(made.name, "of a test");
    EXPECT_EQ(made.old_until, core::Timestamp{clock_.now().ms + 10'000});
    EXPECT_TRUE(router_->authenticate(old.token.reveal()).agent);
    EXPECT_TRUE(router_->authenticate(made.token.reveal()).agent);
    settle();
    EXPECT_TRUE(on(0, [&] { return alice.closes.empty(); }));
    clock_.advance(core::Millis(10'000));
    EXPECT_TRUE(closed(alice));
    EXPECT_FALSE(router_->authenticate(old.token.reveal()).agent);
    EXPECT_TRUE(router_->authenticate(made.token.reveal()).agent);
}

TEST_F(TokenLifeTest, RotationWithoutGraceEndsOldConnectionsAtOnce) {
    const auto old = create("alice");
    TestSession& alice = join_with("alice", old.token);
    (void)get<protocol::TokenCreated>(root_,
                                      protocol::RotateToken{agent("alice"), core::Millis(0)});
    settle();
    EXPECT_EQ(on(0, [&] { return alice.closes; }), std::vector{CloseCode::token_revoked});
    EXPECT_FALSE(router_->authenticate(old.token.reveal()).agent);
    EXPECT_EQ(error_of(root_, protocol::RotateToken{agent("nobody"), core::Millis(0)}),
              ErrorCode::not_found);
}

TEST_F(TokenLifeTest, RevokingOneTokenEndsItsConnectionAndLeavesTheOthers) {
    const auto first = create("alice");
    const auto second = create("alice");
    TestSession& alice = join_with("alice", first.token);
    (void)get<protocol::TokensRevoked>(root_,
                                       protocol::RevokeTokens{"alice", second.token.prefix()});
    settle();
    EXPECT_TRUE(on(0, [&] { return alice.closes.empty(); }));
    EXPECT_FALSE(router_->authenticate(second.token.reveal()).agent);
    EXPECT_EQ(error_of(root_, protocol::RevokeTokens{"alice", second.token.prefix()}),
              ErrorCode::not_found);
    (void)get<protocol::TokensRevoked>(root_,
                                       protocol::RevokeTokens{"alice", first.token.prefix()});
    settle();
    EXPECT_EQ(on(0, [&] { return alice.closes; }), std::vector{CloseCode::token_revoked});
}

TEST_F(TokenLifeTest, AWaitingPollEndsWithItsTokenNotWithAnother) {
    const auto first = create("alice");
    const auto second = create("alice");
    const Caller by_first = router_->authenticate(first.token.reveal());
    const Caller by_second = router_->authenticate(second.token.reveal());
    auto ends = begin(by_first, poll("alice", core::Millis(60'000)));
    auto stays = begin(by_second, poll("alice", core::Millis(60'000)));
    (void)get<protocol::TokensRevoked>(root_,
                                       protocol::RevokeTokens{"alice", first.token.prefix()});
    const protocol::Reply ended = wait_for(ends);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::unauthorized);
    (void)get<protocol::MessageSent>(as("bob"), direct("alice"));
    const protocol::Reply answered = wait_for(stays);
    ASSERT_TRUE(answered);
    EXPECT_EQ(page_of<protocol::MailboxPage>(answered).messages.size(), 1U);
}

TEST_F(TokenLifeTest, ALongPollEndsWhenItsTokenExpires) {
    RouterOptions options;
    options.max_waiting_polls = 2;
    options.max_waiting_polls_per_agent = 2;
    start(options);
    const auto caller = [&](const protocol::TokenCreated& made) {
        return router_->authenticate(made.token.reveal());
    };
    const Caller brief = caller(create("alice", {.in = core::Millis(5'000)}));
    const Caller lasting = caller(create("alice", {.in = core::Millis(50'000)}));
    auto ends = begin(brief, poll("alice", core::Millis(20'000)));
    auto stays = begin(lasting, poll("alice", core::Millis(20'000)));
    settle();
    const auto waits = [](const std::future<protocol::Reply>& answer) {
        return answer.wait_for(std::chrono::seconds{0}) == std::future_status::timeout;
    };
    clock_.advance(core::Millis(4'999));
    settle();
    EXPECT_TRUE(waits(ends));
    clock_.advance(core::Millis(1));
    const protocol::Reply ended = wait_for(ends);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::unauthorized);
    // Its place is free, and the other has its own time.
    auto another = begin(lasting, poll("alice", core::Millis(20'000)));
    settle();
    EXPECT_TRUE(waits(another));
    EXPECT_TRUE(waits(stays));
    clock_.advance(core::Millis(15'000));
    EXPECT_TRUE(wait_for(stays));
    clock_.advance(core::Millis(5'000));
    EXPECT_TRUE(wait_for(another));
}

TEST_F(TokenLifeTest, ALongPollEndsWithTheGraceOfItsToken) {
    const Caller alice = router_->authenticate(create("alice").token.reveal());
    auto waiting = begin(alice, poll("alice", core::Millis(50'000)));
    settle();
    (void)get<protocol::TokenCreated>(root_,
                                      protocol::RotateToken{agent("alice"), core::Millis(10'000)});
    settle();
    clock_.advance(core::Millis(9'999));
    settle();
    EXPECT_EQ(waiting.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
    clock_.advance(core::Millis(1));
    const protocol::Reply ended = wait_for(waiting);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::unauthorized);
}

TEST_F(TokenLifeTest, AStreamEndsWhenItsTokenExpires) {
    router_->start_maintenance(loop());
    const Caller alice =
        router_->authenticate(create("alice", {.in = core::Millis(5'000)}).token.reveal());
    TestSession& stream = fresh_session();
    ASSERT_TRUE(ask(alice, protocol::OpenStream{"alice", {}}, &stream));
    clock_.advance(core::Millis(4'999));
    settle();
    EXPECT_TRUE(on(0, [&] { return stream.closes.empty(); }));
    clock_.advance(core::Millis(1));
    EXPECT_TRUE(closed(stream));
}

TEST_F(TokenLifeTest, WhoAmISaysWhatTheTokenIs) {
    const auto token = create("alice", {.in = core::Millis(5'000)});
    const Caller alice = router_->authenticate(token.token.reveal());
    const auto self = get<protocol::SelfInfo>(alice, protocol::WhoAmI{});
    EXPECT_EQ(self.agent, agent("alice"));
    EXPECT_EQ(self.role, Role::agent);
    EXPECT_EQ(self.token.name, "of a test");
    EXPECT_EQ(self.token.prefix, token.token.prefix());
    EXPECT_EQ(self.token.expires_at, core::Timestamp{clock_.now().ms + 5'000});
    EXPECT_EQ(self.max_frame_bytes, RouterOptions{}.max_frame_bytes);
    clock_.advance(core::Millis(5'000));
    EXPECT_EQ(error_of(alice, protocol::WhoAmI{}), ErrorCode::unauthorized);
}

TEST_F(TokenLifeTest, TheDayOfItsLastUseIsStoredOnceADay) {
    router_->start_maintenance(loop());
    const auto token = create("alice").token;
    const auto day = [&] { return store_->find_token(token.digest())->last_used_day; };
    EXPECT_EQ(day(), 0U);
    for (int i = 0; i < 100; ++i) (void)router_->authenticate(token.reveal());
    const std::uint32_t today = services::day_of(clock_.now());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (day() != today && std::chrono::steady_clock::now() < deadline) settle();
    EXPECT_EQ(day(), today);
    const std::uint64_t commits = store_->stats().commits;
    for (int i = 0; i < 100; ++i) (void)router_->authenticate(token.reveal());
    EXPECT_EQ(store_->stats().commits, commits) << "a use is no write";
}

}  // namespace
}  // namespace agentcom::router

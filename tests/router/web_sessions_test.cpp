// People's sessions in browsers: what hangs on them ends with them.

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Role;

class WebSessionTest : public RouterTest {
protected:
    const Caller root_ = as("root", Role::admin);

    core::Token token(const std::string& name) {
        return get<protocol::TokenCreated>(root_,
                                           protocol::CreateToken{agent(name), Role::agent, "", {}})
            .token;
    }
    Caller log_in(const core::Token& with) {
        const auto begun =
            get<protocol::LoggedIn>(router_->authenticate(with.reveal()), protocol::LogIn{});
        return router_->authenticate_web_session(begun.cookie.reveal());
    }
    protocol::PollMailbox wait_for_mail(const std::string& name) {
        protocol::PollMailbox request{.mailbox = name, .since = {}, .limit = {}};
        request.wait = core::Millis(50'000);
        return request;
    }
    bool closed(TestSession& session) {
        settle();
        return on(
            0, [&] { return session.closes == std::vector{protocol::CloseCode::token_revoked}; });
    }
};

TEST_F(WebSessionTest, BeginsWithATokenAndNotWithAnotherSession) {
    const core::Token alice = token("alice");
    const Caller session = log_in(alice);
    ASSERT_TRUE(session.agent);
    EXPECT_EQ(*session.agent, agent("alice"));
    EXPECT_EQ(session.token, alice.digest());
    EXPECT_TRUE(session.web_session);
    EXPECT_EQ(error_of(session, protocol::LogIn{}), ErrorCode::unauthorized);
    EXPECT_EQ(error_of(router_->authenticate(alice.reveal()), protocol::GetSession{}),
              ErrorCode::not_found);
    const auto shown = get<protocol::SessionInfo>(session, protocol::GetSession{});
    EXPECT_EQ(shown.agent, agent("alice"));
    EXPECT_EQ(shown.expires_at,
              core::Timestamp{clock_.now().ms + RouterOptions{}.session_lifetime.count()});
    EXPECT_FALSE(router_->authenticate_web_session("").agent);
    EXPECT_FALSE(router_->authenticate_web_session(alice.reveal()).agent);
}

TEST_F(WebSessionTest, ALongPollEndsWhenItsPersonLogsOut) {
    const core::Token alice = token("alice");
    const Caller first = log_in(alice);
    const Caller second = log_in(alice);
    auto ends = begin(first, wait_for_mail("alice"));
    auto stays = begin(second, wait_for_mail("alice"));
    settle();
    ASSERT_TRUE(ask(first, protocol::LogOut{}));
    const protocol::Reply ended = wait_for(ends);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::unauthorized);
    settle();
    EXPECT_EQ(stays.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
    clock_.advance(core::Millis(55'000));
    EXPECT_TRUE(wait_for(stays));
}

TEST_F(WebSessionTest, ALongPollEndsWhenItsSessionExpires) {
    RouterOptions options;
    options.session_lifetime = core::Millis(5'000);
    start(options);
    const core::Token alice = token("alice");
    auto ends = begin(log_in(alice), wait_for_mail("alice"));
    settle();
    clock_.advance(core::Millis(4'999));
    settle();
    EXPECT_EQ(ends.wait_for(std::chrono::seconds{0}), std::future_status::timeout);
    clock_.advance(core::Millis(1));
    const protocol::Reply ended = wait_for(ends);
    ASSERT_FALSE(ended);
    EXPECT_EQ(ended.error().code, ErrorCode::unauthorized);
}

TEST_F(WebSessionTest, AStreamEndsWhenItsPersonLogsOutAndOthersStay) {
    const core::Token alice = token("alice");
    const Caller first = log_in(alice);
    const Caller second = log_in(alice);
    TestSession& ends = fresh_session();
    TestSession& stays = fresh_session();
    ASSERT_TRUE(ask(first, protocol::OpenStream{"alice", {}}, &ends));
    ASSERT_TRUE(ask(second, protocol::OpenStream{"alice", {}}, &stays));
    ASSERT_TRUE(ask(first, protocol::LogOut{}));
    EXPECT_TRUE(closed(ends));
    EXPECT_TRUE(on(0, [&] { return stays.closes.empty(); }));
    // Its own connection, by the token, does not depend on any session.
    EXPECT_FALSE(router_->authenticate_web_session("x").agent);
    EXPECT_TRUE(router_->authenticate(alice.reveal()).agent);
}

TEST_F(WebSessionTest, ADashboardIsToldNothingMoreOnceItsPersonHasLoggedOut) {
    const core::Token alice = token("alice");
    const Caller first = log_in(alice);
    TestSession& ends = fresh_session();
    TestSession& stays = fresh_session();
    ASSERT_TRUE(ask(first, protocol::Observe{}, &ends));
    ASSERT_TRUE(ask(router_->authenticate(alice.reveal()), protocol::Observe{}, &stays));
    ASSERT_TRUE(ask(first, protocol::LogOut{}));
    EXPECT_TRUE(closed(ends));
    EXPECT_TRUE(on(0, [&] { return stays.closes.empty(); }));
    for (TestSession* session : {&ends, &stays}) leave(*session);
}

TEST_F(WebSessionTest, AStreamEndsWhenItsSessionGivesWayToANewerOne) {
    const core::Token alice = token("alice");
    TestSession& stream = fresh_session();
    ASSERT_TRUE(ask(log_in(alice), protocol::OpenStream{"alice", {}}, &stream));
    clock_.advance(core::Millis(1));
    for (int i = 0; i < 15; ++i) (void)log_in(alice);
    settle();
    EXPECT_TRUE(on(0, [&] { return stream.closes.empty(); }));
    (void)log_in(alice);
    EXPECT_TRUE(closed(stream));
}

}  // namespace
}  // namespace agentcom::router

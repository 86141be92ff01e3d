// What waits in mailboxes as people look at it, and the end of an agent's connections by an
// administrator.

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Role;

class WaitingTest : public RouterTest {
protected:
    void SetUp() override {
        RouterTest::SetUp();
        (void)create_token("root", Role::admin);
        (void)create_token("watcher", Role::observer);
    }
    const Caller root_ = as("root", Role::admin);
    const Caller watcher_ = as("watcher", Role::observer);

    protocol::WaitingPage waiting(const Caller& who, const std::string& of,
                                  std::uint64_t limit = 50, core::Seq cursor = {}) {
        return get<protocol::WaitingPage>(who, protocol::ListWaiting{of, cursor, limit});
    }
    static std::vector<std::uint64_t> numbers(const std::vector<core::MessagePtr>& messages) {
        std::vector<std::uint64_t> seqs;
        for (const auto& message : messages) seqs.push_back(message->seq.value);
        return seqs;
    }
    using Numbers = std::vector<std::uint64_t>;
};

TEST_F(WaitingTest, IsShownPageByPageAndStaysUnread) {
    (void)create_token("bob");
    for (int i = 0; i < 5; ++i) (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    for (const Caller& who : {as("bob"), root_, watcher_}) {
        const auto first = waiting(who, "bob", 2);
        EXPECT_EQ(numbers(first.messages), (Numbers{1, 2}));
        EXPECT_EQ(first.next_cursor, core::Seq{2});
        const auto rest = waiting(who, "bob", 50, core::Seq{2});
        EXPECT_EQ(numbers(rest.messages), (Numbers{3, 4, 5}));
        EXPECT_FALSE(rest.next_cursor);
        EXPECT_FALSE(rest.truncated);
    }
    EXPECT_EQ(get<protocol::MailboxPage>(as("bob"), poll("bob")).messages.size(), 5U);
    (void)get<protocol::Acked>(as("bob"), protocol::Ack{"bob", core::Seq{3}});
    EXPECT_EQ(numbers(waiting(root_, "bob").messages), (Numbers{4, 5}));
}

TEST_F(WaitingTest, IsForItsAgentAndWhoReadsEverything) {
    (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    EXPECT_EQ(error_of(as("alice"), protocol::ListWaiting{"bob", {}}), ErrorCode::forbidden);
    EXPECT_EQ(error_of({}, protocol::ListWaiting{"bob", {}}), ErrorCode::unauthorized);
    EXPECT_EQ(error_of(root_, protocol::ListWaiting{"", {}}), ErrorCode::not_found);
    // Of whom nobody holds a token for, mail waits as well.
    EXPECT_EQ(waiting(watcher_, "bob").messages.size(), 1U);
    EXPECT_TRUE(waiting(watcher_, "nobody").messages.empty());
}

TEST_F(WaitingTest, WhatAConnectionHasReadDoesNotWait) {
    TestSession& bob = join("bob", quietly());
    (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    EXPECT_EQ(written(bob).size(), 1U);
    EXPECT_TRUE(waiting(root_, "bob").messages.empty());
    (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    settle();
    EXPECT_EQ(numbers(waiting(root_, "bob").messages), Numbers{2});
    // Also just after it has ended, before that is stored.
    EXPECT_EQ(written(bob).size(), 1U);
    leave(bob);
    EXPECT_TRUE(waiting(root_, "bob").messages.empty());
}

TEST_F(WaitingTest, AnAdministratorClosesConnectionsAndStreamsOnEveryLoop) {
    TestSession& first = join("bob", quietly(), 0);
    TestSession& other = join("carol", quietly(), 1);
    TestSession& stream = fresh_session();
    const Caller bob = router_->authenticate(create_token("bob"));
    ASSERT_TRUE(ask(bob, protocol::OpenStream{"bob", {}}, &stream, 1));
    const auto closed = [&] {
        return get<protocol::AgentDisconnected>(root_, protocol::DisconnectAgent{"bob"}).closed;
    };
    EXPECT_EQ(closed(), 2U);
    using protocol::CloseCode;
    EXPECT_EQ(on(0, [&] { return first.closes; }), std::vector{CloseCode::disconnected});
    EXPECT_EQ(on(1, [&] { return stream.closes; }), std::vector{CloseCode::disconnected});
    EXPECT_TRUE(on(1, [&] { return other.closes.empty(); }));
    EXPECT_EQ(closed(), 0U);
    leave(first);
    on(1, [&] { router_->disconnected(loop(1), stream); });
    EXPECT_EQ(closed(), 0U);
    // It may come back, and be asked to go again.
    (void)join("bob", quietly(), 1);
    EXPECT_EQ(closed(), 1U);
    EXPECT_EQ(error_of(root_, protocol::DisconnectAgent{"stranger"}), ErrorCode::not_found);
    EXPECT_EQ(error_of(as("bob"), protocol::DisconnectAgent{"carol"}), ErrorCode::admin_only);
    EXPECT_EQ(error_of(watcher_, protocol::DisconnectAgent{"carol"}), ErrorCode::admin_only);
}

TEST_F(WaitingTest, TokensAreListedOfOneAgentWhenThatIsAsked) {
    for (const char* name : {"bob", "bob", "carol"}) (void)create_token(name);
    const auto listed = [&](std::optional<std::string> of) {
        return get<protocol::TokenList>(root_, protocol::ListTokens{{}, std::move(of)})
            .tokens.size();
    };
    EXPECT_EQ(listed({}), 5U);
    EXPECT_EQ(listed("bob"), 2U);
    EXPECT_EQ(listed("bo"), 0U);
    EXPECT_EQ(listed(std::string(500, 'x')), 0U);
}

TEST_F(WaitingTest, HistoryIsReadBackwardsByTypeAndText) {
    for (int i = 0; i < 6; ++i) {
        protocol::SendMessage message =
            direct("bob", i % 2 == 0 ? R"({"text":"Deploy"})" : R"({"text":"lunch"})");
        message.type = i < 4 ? "chat" : "report";
        (void)get<protocol::MessageSent>(as("alice"), std::move(message));
    }
    protocol::QueryHistory newest;
    newest.limit = 4;
    newest.newest_first = true;
    const auto found = [&](const protocol::QueryHistory& query, const Caller& who) {
        return get<protocol::HistoryPage>(who, query);
    };
    const auto first = found(newest, root_);
    EXPECT_EQ(numbers(first.messages), (Numbers{6, 5, 4, 3}));
    EXPECT_EQ(first.cursor, core::Seq{3});
    EXPECT_FALSE(first.more);
    newest.before = first.cursor;
    const auto rest = found(newest, root_);
    EXPECT_EQ(numbers(rest.messages), (Numbers{2, 1}));
    EXPECT_FALSE(rest.more);
    newest.before = {};
    newest.text = "deploy";
    EXPECT_EQ(numbers(found(newest, root_).messages), (Numbers{5, 3, 1}));
    // Others see what concerns them, in this order, too.
    EXPECT_EQ(numbers(found(newest, as("alice")).messages), (Numbers{5, 3, 1}));
    EXPECT_TRUE(found(newest, as("carol")).messages.empty());
    protocol::QueryHistory reports;
    reports.type = "report";
    EXPECT_EQ(numbers(found(reports, watcher_).messages), (Numbers{5, 6}));
    reports.text = "DEPLOY";
    EXPECT_EQ(numbers(found(reports, watcher_).messages), Numbers{5});
    reports.type = "rep";
    EXPECT_TRUE(found(reports, watcher_).messages.empty());
}

}  // namespace
}  // namespace agentcom::router

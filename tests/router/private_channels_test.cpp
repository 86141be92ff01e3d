// Private channels and ended agents, as callers and live connections meet them.

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;
using core::Role;
using protocol::CloseCode;

class PrivateChannelsTest : public RouterTest {
protected:
    const Caller root_ = as("root", Role::admin);
    const Caller watcher_ = as("watcher", Role::observer);

    void make_private(const std::string& name, std::vector<core::ChannelMember> members) {
        protocol::CreateChannel request{channel(name), "about", name,
                                        true,          false,   std::move(members)};
        (void)get<protocol::ChannelCreated>(as("maker"), std::move(request));
    }
    protocol::SetMember set(const std::string& name, std::string_view who,
                            core::MemberRights rights) {
        return {channel(name), name, {agent(who), rights}};
    }
    std::size_t channels_of(const Caller& caller) {
        return get<protocol::ChannelList>(caller, protocol::ListChannels{}).channels.size();
    }
    std::size_t history_of(const Caller& caller, const std::string& name) {
        return get<protocol::ChannelHistoryPage>(
                   caller, protocol::ChannelHistory{.channel = channel(name), .channel_text = name})
            .messages.size();
    }
};

TEST_F(PrivateChannelsTest, OthersFindNothingMembersTheChannelWithItsMembers) {
    make_private("secret", {{agent("bob"), core::kMayRead | core::kMayPublish}});
    (void)get<protocol::Published>(as("bob"), publication("secret"));
    const auto info =
        get<protocol::ChannelInfo>(as("bob"), protocol::GetChannel{channel("secret")});
    EXPECT_TRUE(info.is_private);
    ASSERT_EQ(info.members.size(), 2U);
    EXPECT_EQ(info.members[0].agent, agent("bob"));
    EXPECT_EQ(info.members[1].rights, core::kAllRights);
    for (const Caller& each : {as("bob"), as("maker"), root_, watcher_}) {
        EXPECT_EQ(channels_of(each), 1U);
        EXPECT_EQ(history_of(each, "secret"), 1U);
    }
    const Caller mallory = as("mallory");
    EXPECT_EQ(channels_of(mallory), 0U);
    EXPECT_EQ(history_of(mallory, "secret"), 0U);
    EXPECT_EQ(error_of(mallory, protocol::GetChannel{channel("secret")}),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(mallory, publication("secret")), ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(mallory, protocol::Subscribe{channel("secret"), "secret"}),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(mallory, protocol::DeleteChannel{channel("secret"), "secret"}),
              ErrorCode::not_found);
    EXPECT_EQ(error_of(mallory, protocol::CreateChannel{channel("secret"), ""}),
              ErrorCode::channel_exists);
    (void)get<protocol::Subscribed>(as("bob"), protocol::Subscribe{channel("secret"), "secret"});
    const auto subscriptions = [&](const Caller& caller) {
        return get<protocol::SubscriptionList>(caller, protocol::ListSubscriptions{"bob"})
            .channels.size();
    };
    EXPECT_EQ(subscriptions(as("bob")), 1U);
    EXPECT_EQ(subscriptions(watcher_), 1U);
    EXPECT_EQ(subscriptions(mallory), 0U);
}

TEST_F(PrivateChannelsTest, AnonymousReadsDoNotReachThem) {
    RouterOptions options;
    options.anonymous_reads = true;
    start(options);
    make_private("secret", {});
    (void)get<protocol::Published>(as("maker"), publication("secret"));
    EXPECT_EQ(channels_of({}), 0U);
    EXPECT_EQ(history_of({}, "secret"), 0U);
    EXPECT_EQ(error_of({}, protocol::GetChannel{channel("secret")}), ErrorCode::channel_not_found);
}

TEST_F(PrivateChannelsTest, AMemberThatMayNotReadIsToldSo) {
    make_private("box", {{agent("bob"), core::kMayPublish}});
    (void)get<protocol::Published>(as("bob"), publication("box"));
    EXPECT_EQ(error_of(as("bob"),
                       protocol::ChannelHistory{.channel = channel("box"), .channel_text = "box"}),
              ErrorCode::forbidden);
    EXPECT_EQ(error_of(as("bob"), protocol::Subscribe{channel("box"), "box"}),
              ErrorCode::forbidden);
}

TEST_F(PrivateChannelsTest, WhoeverIsRemovedIsPushedNothingMore) {
    make_private("secret", {{agent("bob"), core::kMayRead}});
    TestSession& bob = join("bob", quietly(), 1);
    (void)get<protocol::Subscribed>(as("bob"), protocol::Subscribe{channel("secret"), "secret"});
    (void)get<protocol::Published>(as("maker"), publication("secret"));
    EXPECT_EQ(written(bob, 1).size(), 1U);
    EXPECT_EQ(error_of(as("bob"), set("secret", "bob", core::kAllRights)), ErrorCode::forbidden);
    EXPECT_EQ(error_of(as("mallory"), set("secret", "mallory", core::kAllRights)),
              ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(watcher_, set("secret", "bob", 0)), ErrorCode::read_only);
    (void)get<protocol::MemberSet>(root_, set("secret", "bob", 0));
    (void)get<protocol::Published>(as("maker"), publication("secret"));
    EXPECT_TRUE(written(bob, 1).empty());
    EXPECT_TRUE(get<protocol::MailboxPage>(as("bob"), poll("bob")).messages.empty());
}

TEST_F(PrivateChannelsTest, AnEndedAgentIsDisconnectedAndItsNameFree) {
    make_channel("dev", {"bob"});
    TestSession& bob = join("bob", quietly(), 1);
    const std::string token = create_token("bob");
    (void)get<protocol::MessageSent>(as("alice"), direct("bob"));
    auto waiting = begin(as("bob"), poll("bob", core::Millis(60'000)));
    ASSERT_TRUE(wait_for(waiting));
    EXPECT_EQ(get<protocol::AgentEnded>(root_, protocol::EndAgent{"bob"}).agent, "bob");
    settle();
    EXPECT_EQ(on(1, [&] { return bob.closes; }), std::vector{CloseCode::token_revoked});
    EXPECT_FALSE(router_->authenticate(token).agent);
    leave(bob, 1);
    settle();
    EXPECT_EQ(error_of(root_, protocol::EndAgent{"bob"}), ErrorCode::not_found);
    TestSession& again = join("bob", quietly(), 1);
    (void)get<protocol::Published>(as("alice"), publication("dev"));
    EXPECT_TRUE(written(again, 1).empty());
    EXPECT_TRUE(get<protocol::MailboxPage>(as("bob"), poll("bob")).messages.empty());
}

TEST_F(PrivateChannelsTest, ManySubscriptionsAreEndedBeforeTheAnswer) {
    (void)create_token("bob");
    for (int i = 0; i < 400; ++i) make_channel("c" + std::to_string(i), {"bob"});
    (void)get<protocol::AgentEnded>(root_, protocol::EndAgent{"bob"});
    (void)create_token("bob");
    EXPECT_TRUE(get<protocol::SubscriptionList>(root_, protocol::ListSubscriptions{"bob"})
                    .channels.empty());
}

}  // namespace
}  // namespace agentcom::router

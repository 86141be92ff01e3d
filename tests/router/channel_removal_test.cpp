// Deleting channels, and letting go of those that nobody uses.

#include "router/router_fixture.hpp"

namespace agentcom::router {
namespace {

using core::ErrorCode;

using ChannelRemovalTest = RouterTest;

protocol::DeleteChannel deletion(std::string_view name) {
    return {core::ChannelName::parse(name).value(), std::string(name)};
}

TEST_F(ChannelRemovalTest, ItsMakerOrAnAdministratorDeletesAChannelForEverybodyAtOnce) {
    make_channel("dev", {"bob"});
    make_channel("ops", {});
    TestSession& live = join("bob", {}, 1);
    (void)written(live, 1);
    EXPECT_EQ(error_of(as("alice"), deletion("dev")), ErrorCode::forbidden);
    EXPECT_EQ(error_of(as("alice"), deletion("none")), ErrorCode::not_found);
    (void)get<protocol::Published>(as("alice"), publication("dev"));
    EXPECT_EQ(get<protocol::ChannelDeleted>(as("maker"), deletion("dev")).channel_text, "dev");
    EXPECT_EQ(error_of(as("alice"), publication("dev")), ErrorCode::channel_not_found);
    EXPECT_EQ(error_of(as("alice"), protocol::GetChannel{channel("dev")}),
              ErrorCode::channel_not_found);
    EXPECT_TRUE(get<protocol::SubscriptionList>(as("bob"), protocol::ListSubscriptions{"bob"})
                    .channels.empty());
    (void)get<protocol::ChannelDeleted>(as("root", core::Role::admin), deletion("ops"));

    // The live connection is in no channel of this name that comes later.
    make_channel("dev", {});
    (void)get<protocol::Published>(as("alice"), publication("dev"));
    const auto frames = written(live, 1);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0]["type"], "channel_message");
    EXPECT_EQ(frames[0]["seq"], 1);
}

TEST_F(ChannelRemovalTest, AChannelWithManySubscribersIsFinishedByItself) {
    make_channel("dev", {});
    std::vector<store::Submission> subscribers;
    for (int i = 0; i < 500; ++i) {
        subscribers.push_back(
            {store::Subscribe{channel("dev"), agent("a" + std::to_string(i))}, {}});
    }
    store_->submit(std::move(subscribers));
    (void)get<protocol::ChannelDeleted>(as("maker"), deletion("dev"));
    // Each answer comes behind another piece.
    std::optional<ErrorCode> refused = ErrorCode::channel_exists;
    for (int i = 0; i < 1'000 && refused == ErrorCode::channel_exists; ++i) {
        refused = error_of(as("maker"), protocol::CreateChannel{channel("dev"), ""});
    }
    EXPECT_EQ(refused, std::nullopt);
    core::Budget all({.count = 10});
    EXPECT_TRUE(store_->subscribers(channel("dev"), "", all).entries.empty());
}

TEST_F(ChannelRemovalTest, ChannelsThatNobodyUsesExpireWhenThatIsWanted) {
    RouterOptions options;
    options.channel_idle_expiry = core::Millis(3'600'000);
    options.evict_interval = core::Millis(1'000);
    start(options);
    make_channel("idle", {});
    make_channel("read", {"bob"});
    on(0, [&] { router_->start_maintenance(loop(0)); });
    clock_.advance(core::Millis(7'200'000));
    // The maintenance is a tick of the loop, about once a second of the machine's time.
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (store_->find_channel(channel("idle")) && std::chrono::steady_clock::now() < give_up) {
        settle();
    }
    EXPECT_FALSE(store_->find_channel(channel("idle")));
    EXPECT_TRUE(store_->find_channel(channel("read")));
}

}  // namespace
}  // namespace agentcom::router

#include "agentcom/delivery/registry.hpp"

#include <gtest/gtest.h>

#include "support/recording_session.hpp"

namespace agentcom::delivery {
namespace {

using test::RecordingSession;

core::AgentId agent(std::string_view id) { return *core::AgentId::parse(id); }
core::ChannelName channel(std::string_view name) { return *core::ChannelName::parse(name); }

store::Committed committed(std::string_view from, core::Destination to, std::uint64_t seq) {
    auto message = std::make_shared<core::Message>(core::Message{
        .seq = core::Seq{seq},
        .id = core::MessageId{seq},
        .channel_seq = core::ChannelSeq{std::holds_alternative<core::ToChannel>(to) ? seq : 0},
        .timestamp = core::Timestamp{1},
        .draft = core::Draft{agent(from), std::move(to), "chat", {R"({"n":1})"}, std::nullopt}});
    return store::Committed{.op = store::AppendMessage{message->draft, std::nullopt},
                            .result = store::WriteValue(store::Appended{std::move(message), false}),
                            .completion = {},
                            .origin = store::kNoLoop};
}

store::CommittedBatch batch_of(std::vector<store::Committed> operations, std::uint64_t head) {
    return store::CommittedBatch{std::move(operations), core::Seq{head}};
}

TEST(Registry, DeliversADirectMessageToItsAgentOnly) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    registry.add(alice, {});
    registry.add(bob, {});
    auto batch = batch_of({committed("alice", core::ToAgent{agent("bob")}, 5)}, 5);
    registry.apply(batch, 0);
    EXPECT_EQ(alice.outbox().frames(), 0U);
    EXPECT_EQ(bob.outbox().frames(), 1U);
    EXPECT_EQ(registry.applied_head(), core::Seq{5});
    registry.remove(alice);
    registry.remove(bob);
}

TEST(Registry, EchoesABroadcastUnlessTheSenderDoesNotWantIt) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    auto identity = *bob.identity();
    identity.echo = false;
    bob.set_identity(identity);
    registry.add(alice, {});
    registry.add(bob, {});
    auto first = batch_of({committed("alice", core::ToEveryone{}, 1)}, 1);
    registry.apply(first, 0);
    EXPECT_EQ(alice.outbox().frames(), 1U);
    EXPECT_EQ(bob.outbox().frames(), 1U);
    auto second = batch_of({committed("bob", core::ToEveryone{}, 2)}, 2);
    registry.apply(second, 0);
    EXPECT_EQ(alice.outbox().frames(), 2U);
    EXPECT_EQ(bob.outbox().frames(), 1U);
}

TEST(Registry, AChannelReachesItsSubscribersButNotThePublisher) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    RecordingSession carol("carol");
    registry.add(alice, {channel("dev")});
    registry.add(bob, {channel("dev")});
    registry.add(carol, {});
    auto batch = batch_of({committed("alice", core::ToChannel{channel("dev")}, 1)}, 1);
    registry.apply(batch, 0);
    EXPECT_EQ(alice.outbox().frames(), 0U);
    EXPECT_EQ(bob.outbox().frames(), 1U);
    EXPECT_EQ(carol.outbox().frames(), 0U);
}

TEST(Registry, ADeletedChannelLeavesSessionsAndWaitersAtItsPlaceInTheCommitOrder) {
    Registry registry;
    RecordingSession bob("bob");
    RecordingSession carol("carol");
    registry.add(bob, {channel("dev"), channel("ops")});
    registry.add(carol, {channel("dev")});
    int woken = 0;
    const auto waiter =
        registry.add_waiter({agent("dave"), {channel("dev")}, [&woken] { ++woken; }});
    std::vector<store::Committed> operations;
    operations.push_back(committed("alice", core::ToChannel{channel("dev")}, 1));
    operations.push_back({.op = store::DeleteChannel{channel("dev"), agent("alice")},
                          .result = store::WriteValue(store::ChannelDeleted{}),
                          .completion = {},
                          .origin = store::kNoLoop});
    // Of a later channel with the same name, which they have not subscribed to.
    operations.push_back(committed("alice", core::ToChannel{channel("dev")}, 2));
    operations.push_back(committed("alice", core::ToChannel{channel("ops")}, 3));
    auto batch = batch_of(std::move(operations), 3);
    registry.apply(batch, 0);
    EXPECT_EQ(bob.outbox().frames(), 2U);
    EXPECT_EQ(carol.outbox().frames(), 1U);
    EXPECT_EQ(woken, 1);
    EXPECT_EQ(bob.channels, std::vector{channel("ops")});
    EXPECT_TRUE(carol.channels.empty());
    registry.remove_waiter(waiter);
    registry.remove(bob);
    registry.remove(carol);
}

TEST(Registry, ASubscriptionTakesEffectAtItsPlaceInTheCommitOrder) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    registry.add(alice, {channel("dev")});
    registry.add(bob, {});
    std::vector<store::Committed> operations;
    operations.push_back(committed("carol", core::ToChannel{channel("dev")}, 1));
    operations.push_back({.op = store::Subscribe{channel("dev"), agent("bob")},
                          .result = store::WriteValue(store::SubscriptionChanged{true}),
                          .completion = {},
                          .origin = store::kNoLoop});
    operations.push_back(committed("carol", core::ToChannel{channel("dev")}, 2));
    operations.push_back({.op = store::Unsubscribe{channel("dev"), agent("bob")},
                          .result = store::WriteValue(store::SubscriptionChanged{true}),
                          .completion = {},
                          .origin = store::kNoLoop});
    operations.push_back(committed("carol", core::ToChannel{channel("dev")}, 3));
    auto batch = batch_of(std::move(operations), 3);
    registry.apply(batch, 0);
    EXPECT_EQ(bob.outbox().frames(), 1U);
    EXPECT_EQ(alice.outbox().frames(), 4U);  // three messages and channel_agent_joined
    EXPECT_NE(alice.waiting().find("channel_agent_joined"), std::string::npos);
}

TEST(Registry, RunsOnlyTheCompletionsOfItsOwnLoopAndBeforeTheDelivery) {
    Registry registry;
    RecordingSession alice("alice");
    registry.add(alice, {});
    std::size_t frames_at_completion = 99;
    bool other_ran = false;
    std::vector<store::Committed> operations;
    operations.push_back(committed("alice", core::ToEveryone{}, 1));
    operations.back().origin = 3;
    operations.back().completion = [&](const store::WriteResult&) {
        frames_at_completion = alice.outbox().frames();
    };
    operations.push_back(committed("alice", core::ToEveryone{}, 2));
    operations.back().origin = 4;
    operations.back().completion = [&](const store::WriteResult&) { other_ran = true; };
    auto batch = batch_of(std::move(operations), 2);
    registry.apply(batch, 3);
    EXPECT_EQ(frames_at_completion, 0U);
    EXPECT_FALSE(other_ran);
    EXPECT_EQ(alice.outbox().frames(), 2U);
}

TEST(Registry, ASlowConsumerIsClosedAndDoesNotHinderOthers) {
    Registry registry;
    RecordingSession slow("slow", {.max_bytes = 1'000'000, .max_frames = 1});
    RecordingSession quick("quick");
    registry.add(slow, {});
    registry.add(quick, {});
    for (std::uint64_t seq = 1; seq <= 3; ++seq) {
        auto batch = batch_of({committed("alice", core::ToEveryone{}, seq)}, seq);
        registry.apply(batch, 0);
    }
    EXPECT_EQ(slow.closes, std::vector{protocol::CloseCode::slow_consumer});
    EXPECT_EQ(slow.outbox().frames(), 1U);
    EXPECT_EQ(quick.outbox().frames(), 3U);
}

TEST(Registry, ADuplicateIsNotDeliveredAgain) {
    Registry registry;
    RecordingSession bob("bob");
    registry.add(bob, {});
    auto entry = committed("alice", core::ToAgent{agent("bob")}, 1);
    std::get<store::Appended>(*entry.result).duplicate = true;
    std::vector<store::Committed> operations;
    operations.push_back(std::move(entry));
    auto batch = batch_of(std::move(operations), 1);
    registry.apply(batch, 0);
    EXPECT_EQ(bob.outbox().frames(), 0U);
}

TEST(Registry, RevokingClosesTheAgentsSessions) {
    Registry registry;
    RecordingSession bob("bob");
    RecordingSession alice("alice");
    registry.add(bob, {});
    registry.add(alice, {});
    std::vector<store::Committed> operations;
    operations.push_back({.op = store::RevokeTokens{"bob"},
                          .result = store::WriteValue(store::TokensRevoked{1}),
                          .completion = {},
                          .origin = store::kNoLoop});
    auto batch = batch_of(std::move(operations), 0);
    registry.apply(batch, 0);
    EXPECT_EQ(bob.closes, std::vector{protocol::CloseCode::token_revoked});
    EXPECT_TRUE(alice.closes.empty());
}

TEST(Registry, WakesAWaiterForItsOwnMailOnly) {
    Registry registry;
    int woken = 0;
    const auto handle =
        registry.add_waiter({agent("bob"), {channel("dev")}, [&woken] { ++woken; }});
    const auto deliver = [&](std::string_view from, core::Destination to) {
        auto batch = batch_of({committed(from, std::move(to), 1)}, 1);
        registry.apply(batch, 0);
    };
    deliver("alice", core::ToAgent{agent("carol")});
    deliver("alice", core::ToChannel{channel("other")});
    deliver("bob", core::ToEveryone{});
    EXPECT_EQ(woken, 0);
    deliver("alice", core::ToAgent{agent("bob")});
    deliver("alice", core::ToChannel{channel("dev")});
    deliver("alice", core::ToEveryone{});
    EXPECT_EQ(woken, 3);
    registry.remove_waiter(handle);
    deliver("alice", core::ToAgent{agent("bob")});
    EXPECT_EQ(woken, 3);
}

TEST(Registry, AWaiterFollowsItsAgentsSubscriptions) {
    Registry registry;
    int woken = 0;
    const auto handle =
        registry.add_waiter({agent("bob"), {channel("old")}, [&woken] { ++woken; }});
    const auto change = [&](store::WriteOp op) {
        auto batch = batch_of(
            {store::Committed{.op = std::move(op),
                              .result = store::WriteValue(store::SubscriptionChanged{true}),
                              .completion = {},
                              .origin = store::kNoLoop}},
            0);
        registry.apply(batch, 0);
    };
    const auto publish = [&](std::string_view name) {
        auto batch = batch_of({committed("alice", core::ToChannel{channel(name)}, 1)}, 1);
        registry.apply(batch, 0);
    };
    change(store::Subscribe{channel("dev"), agent("bob")});
    publish("dev");
    EXPECT_EQ(woken, 1);
    change(store::Unsubscribe{channel("old"), agent("bob")});
    publish("old");
    EXPECT_EQ(woken, 1);
    registry.remove_waiter(handle);
    publish("dev");
    EXPECT_EQ(woken, 1);
}

TEST(Registry, PresenceGoesToThoseWhoWantIt) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    auto identity = *bob.identity();
    identity.presence = false;
    bob.set_identity(identity);
    registry.add(alice, {});
    registry.add(bob, {});
    const auto frame = std::make_shared<const std::string>("frame");
    const core::AgentId carol = agent("carol");
    registry.push_presence(frame, &carol);
    EXPECT_EQ(alice.outbox().frames(), 1U);
    EXPECT_EQ(bob.outbox().frames(), 0U);
    const core::AgentId self = agent("alice");
    registry.push_presence(frame, &self);
    EXPECT_EQ(alice.outbox().frames(), 1U);
}

TEST(Registry, ASessionThatIsCatchingUpIsLeftToItsBacklog) {
    Registry registry;
    RecordingSession bob("bob");
    bob.set_catching_up(true);
    registry.add(bob, {});
    auto batch = batch_of({committed("alice", core::ToAgent{agent("bob")}, 1)}, 1);
    registry.apply(batch, 0);
    EXPECT_EQ(bob.outbox().frames(), 0U);
}

}  // namespace
}  // namespace agentcom::delivery

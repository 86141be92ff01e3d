#include "agentcom/delivery/registry.hpp"

#include <gtest/gtest.h>

#include <any>
#include <memory>
#include <new>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/ids.hpp"
#include "support/recording_session.hpp"

namespace agentcom::delivery {
namespace {

using test::RecordingSession;

using test::agent;
using test::channel;

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

void apply(Registry& registry, store::CommittedBatch batch) {
    registry.enqueue(std::make_shared<store::CommittedBatch>(std::move(batch)));
    while (registry.has_work()) registry.work(1'000);
}

/// A session that cannot take what it is pushed.
class BrokenSession final : public Session {
public:
    explicit BrokenSession(std::string_view name) : Session(test::kPlainFraming, OutboxLimits{}) {
        set_identity({.agent = agent(name), .session_id = 1});
    }
    std::vector<protocol::CloseCode> closes;

private:
    void request_flush() override { throw std::bad_alloc(); }
    void begin_close(protocol::CloseCode code) override {
        closes.push_back(code);
        throw std::runtime_error("cannot even close");
    }
};

/// Events as lines with the number of their message.
class LineFraming final : public Framing {
public:
    void append(std::string& out, std::string_view text, core::Seq seq) const override {
        ++made;
        out += std::to_string(seq.value) + ' ' + std::string(text) + '\n';
    }
    mutable int made = 0;
};

TEST(Registry, MakesAnEventOnceForEachKindOfSession) {
    Registry registry;
    const LineFraming lines;
    std::vector<std::unique_ptr<RecordingSession>> sessions;
    for (int i = 0; i < 6; ++i) {
        const Framing& framing =
            i % 2 == 0 ? static_cast<const Framing&>(lines) : test::kPlainFraming;
        sessions.push_back(std::make_unique<RecordingSession>("agent-" + std::to_string(i),
                                                              OutboxLimits{}, framing));
        registry.add(*sessions.back(), {channel("dev")});
    }
    apply(registry, batch_of({committed("alice", core::ToChannel{channel("dev")}, 7)}, 7));
    EXPECT_EQ(lines.made, 1);
    const std::string plain = sessions[1]->waiting();
    EXPECT_NE(plain.find("channel_message"), std::string::npos);
    for (std::size_t i = 0; i < sessions.size(); ++i) {
        EXPECT_EQ(sessions[i]->waiting(), i % 2 == 0 ? "7 " + plain + '\n' : plain);
        registry.remove(*sessions[i]);
    }
}

TEST(Registry, DeliversADirectMessageToItsAgentOnly) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    registry.add(alice, {});
    registry.add(bob, {});
    auto batch = batch_of({committed("alice", core::ToAgent{agent("bob")}, 5)}, 5);
    apply(registry, std::move(batch));
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
    apply(registry, std::move(first));
    EXPECT_EQ(alice.outbox().frames(), 1U);
    EXPECT_EQ(bob.outbox().frames(), 1U);
    auto second = batch_of({committed("bob", core::ToEveryone{}, 2)}, 2);
    apply(registry, std::move(second));
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
    apply(registry, std::move(batch));
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
    const auto wake = [&woken](std::any&) { ++woken; };
    (void)registry.waiters().add({agent("dave"), {{channel("dev")}}, {}, {}, wake});
    std::vector<store::Committed> operations;
    operations.push_back(committed("alice", core::ToChannel{channel("dev")}, 1));
    operations.push_back({.op = store::DeleteChannel{channel("dev"), agent("alice")},
                          .result = store::WriteValue(store::ChannelDeleted{}),
                          .completion = {},
                          .origin = store::kNoLoop});
    // Of a later channel with the same name, which they have not subscribed to.
    operations.push_back(committed("alice", core::ToChannel{channel("dev")}, 2));
    operations.push_back(committed("alice", core::ToChannel{channel("ops")}, 3));
    apply(registry, batch_of(std::move(operations), 3));
    EXPECT_EQ(bob.outbox().frames(), 2U);
    EXPECT_EQ(carol.outbox().frames(), 1U);
    registry.waiters().work(100);
    EXPECT_EQ(woken, 1);
    ASSERT_EQ(bob.channels.size(), 1U);
    EXPECT_EQ(bob.channels[0].channel, channel("ops"));
    EXPECT_TRUE(carol.channels.empty());
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
    apply(registry, std::move(batch));
    EXPECT_EQ(bob.outbox().frames(), 1U);
    EXPECT_EQ(alice.outbox().frames(), 4U);  // three messages and channel_agent_joined
    EXPECT_NE(alice.waiting().find("channel_agent_joined"), std::string::npos);
}

TEST(Registry, RunsOnlyTheCompletionsOfItsOwnLoopAndBeforeTheDelivery) {
    Registry registry(3);
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
    apply(registry, std::move(batch));
    EXPECT_EQ(frames_at_completion, 0U);
    EXPECT_FALSE(other_ran);
    EXPECT_EQ(alice.outbox().frames(), 2U);
}

TEST(Registry, WhoeverHasNoRoomFallsBehindAndDoesNotHinderOthers) {
    Registry registry;
    RecordingSession slow("slow", {.max_bytes = 1'000'000, .max_frames = 4});
    RecordingSession quick("quick");
    registry.add(slow, {});
    registry.add(quick, {});
    for (std::uint64_t seq = 1; seq <= 4; ++seq) {
        auto batch = batch_of({committed("alice", core::ToEveryone{}, seq)}, seq);
        apply(registry, std::move(batch));
    }
    // The backlog reader goes on behind what half of the outbox took.
    EXPECT_TRUE(slow.closes.empty());
    EXPECT_TRUE(slow.catching_up());
    EXPECT_EQ(slow.backlog_position, core::Seq{2});
    EXPECT_EQ(slow.outbox().frames(), 2U);
    EXPECT_EQ(quick.outbox().frames(), 4U);
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
    apply(registry, std::move(batch));
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
    apply(registry, std::move(batch));
    EXPECT_EQ(bob.closes, std::vector{protocol::CloseCode::token_revoked});
    EXPECT_TRUE(alice.closes.empty());
}

TEST(Registry, WakesWaitersForTheirOwnMailOnly) {
    Registry registry;
    int woken = 0;
    const auto wait = [&](std::vector<core::ChannelName> channels) {
        return registry.waiters().add(
            {agent("bob"), std::move(channels), {}, {}, [&woken](std::any&) { ++woken; }});
    };
    const auto deliver = [&](std::string_view from, core::Destination to) {
        apply(registry, batch_of({committed(from, std::move(to), 1)}, 1));
        registry.waiters().work(100);
        return std::exchange(woken, 0);
    };
    (void)wait({channel("dev")});
    EXPECT_EQ(deliver("alice", core::ToAgent{agent("carol")}), 0);
    EXPECT_EQ(deliver("alice", core::ToChannel{channel("other")}), 0);
    EXPECT_EQ(deliver("bob", core::ToEveryone{}), 0);
    EXPECT_EQ(deliver("bob", core::ToChannel{channel("dev")}), 0);
    EXPECT_EQ(deliver("alice", core::ToAgent{agent("bob")}), 1);
    EXPECT_EQ(deliver("alice", core::ToAgent{agent("bob")}), 0) << "it is gone";
    (void)wait({channel("dev")});
    EXPECT_EQ(deliver("alice", core::ToChannel{channel("dev")}), 1);
    (void)wait({});
    EXPECT_EQ(deliver("alice", core::ToEveryone{}), 1);
    const auto removed = wait({channel("dev")});
    EXPECT_TRUE(registry.waiters().remove(removed));
    EXPECT_FALSE(registry.waiters().remove(removed));
    EXPECT_EQ(deliver("alice", core::ToAgent{agent("bob")}), 0);
}

TEST(Registry, WaitersFollowTheirAgentsSubscriptions) {
    Registry registry;
    int woken = 0;
    const auto wait = [&] {
        (void)registry.waiters().add(
            {agent("bob"), {channel("old")}, {}, {}, [&woken](std::any&) { ++woken; }});
    };
    const auto change = [&](store::WriteOp op) {
        apply(registry, batch_of({store::Committed{
                                     .op = std::move(op),
                                     .result = store::WriteValue(store::SubscriptionChanged{true}),
                                     .completion = {},
                                     .origin = store::kNoLoop}},
                                 0));
    };
    const auto publish = [&](std::string_view name) {
        apply(registry, batch_of({committed("alice", core::ToChannel{channel(name)}, 1)}, 1));
        registry.waiters().work(100);
        return std::exchange(woken, 0);
    };
    wait();
    change(store::Subscribe{channel("dev"), agent("bob")});
    EXPECT_EQ(publish("dev"), 1);
    wait();
    change(store::Unsubscribe{channel("old"), agent("bob")});
    EXPECT_EQ(publish("old"), 0);
    EXPECT_EQ(registry.waiters().size(), 1U);
}

TEST(Registry, RevokingWakesTheAgentsWaiters) {
    Registry registry;
    int woken = 0;
    for (const std::string_view name : {"bob", "bob", "carol"}) {
        (void)registry.waiters().add({agent(name), {}, {}, {}, [&woken](std::any&) { ++woken; }});
    }
    apply(registry, batch_of({{.op = store::RevokeTokens{"bob"},
                               .result = store::WriteValue(store::TokensRevoked{1}),
                               .completion = {},
                               .origin = store::kNoLoop}},
                             0));
    registry.waiters().work(100);
    EXPECT_EQ(woken, 2);
}

TEST(Registry, WakesEverybodyInSlices) {
    Registry registry;
    int woken = 0;
    for (int i = 0; i < 500; ++i) {
        (void)registry.waiters().add(
            {agent("agent" + std::to_string(i)), {}, {}, {}, [&woken](std::any&) { ++woken; }});
    }
    registry.wake_all_waiters();
    EXPECT_EQ(registry.work(200), 200U);
    EXPECT_TRUE(registry.has_work());
    while (registry.has_work()) registry.work(200);
    registry.waiters().work(10);
    EXPECT_EQ(woken, 10);
    registry.waiters().work(1'000);
    EXPECT_EQ(woken, 500);
    EXPECT_FALSE(registry.waiters().has_ready());
}

// ---- Slices -------------------------------------------------------------------------------------

TEST(Registry, AFanOutGoesOnInSlicesWhileSessionsComeAndGo) {
    Registry registry;
    std::vector<std::unique_ptr<RecordingSession>> sessions;
    const auto join = [&](const std::string& name) -> RecordingSession& {
        sessions.push_back(std::make_unique<RecordingSession>(name));
        registry.add(*sessions.back(), {channel("dev")});
        return *sessions.back();
    };
    for (int i = 0; i < 100; ++i) join("agent" + std::to_string(i));
    std::vector<store::Committed> operations;
    operations.push_back(committed("zoe", core::ToChannel{channel("dev")}, 1));
    operations.push_back(committed("zoe", core::ToEveryone{}, 2));
    operations.push_back(committed("zoe", core::ToChannel{channel("dev")}, 3));
    registry.enqueue(std::make_shared<store::CommittedBatch>(batch_of(std::move(operations), 3)));
    std::mt19937 random(7);  // NOLINT(cert-msc51-cpp): the same course every time
    struct Guest {
        RecordingSession* session;
        core::Seq begun;
    };
    std::vector<Guest> guests;
    std::size_t turns = 0;
    while (registry.has_work()) {
        EXPECT_LE(registry.work(10), 12U);
        ++turns;
        guests.push_back({&join("guest" + std::to_string(turns)), registry.applied_head()});
        const std::size_t gone = random() % 100;
        registry.remove(*sessions[gone]);
    }
    EXPECT_GT(turns, 20U);
    for (std::size_t i = 0; i < 100; ++i) {
        RecordingSession& session = *sessions[i];
        const bool stayed =
            registry.find(session.identity()->agent, session.identity()->session_id) != nullptr;
        if (stayed)
            EXPECT_EQ(session.outbox().frames(), 3U) << i;
        else
            EXPECT_LE(session.outbox().frames(), 3U) << i;
    }
    // Whoever comes meanwhile is pushed what began after it, and nothing else.
    for (const Guest& guest : guests) {
        EXPECT_EQ(guest.session->outbox().frames(), 3 - guest.begun.value);
    }
}

TEST(Registry, AMessageWhoseDeliveryHasBegunIsNotPushedTwiceToWhoReadsItAsBacklog) {
    Registry registry;
    std::vector<std::unique_ptr<RecordingSession>> sessions;
    for (int i = 0; i < 10; ++i) {
        sessions.push_back(std::make_unique<RecordingSession>("agent" + std::to_string(i)));
        sessions.back()->set_catching_up(true);
        registry.add(*sessions.back(), {});
    }
    std::vector<store::Committed> operations;
    operations.push_back(committed("zoe", core::ToEveryone{}, 1));
    operations.push_back(committed("zoe", core::ToEveryone{}, 2));
    registry.enqueue(std::make_shared<store::CommittedBatch>(batch_of(std::move(operations), 2)));
    registry.work(3);
    // All have been pushed, by their backlog readers, what had begun.
    ASSERT_EQ(registry.applied_head(), core::Seq{1});
    for (const auto& session : sessions) {
        session->backlog_position = registry.applied_head();
        session->set_catching_up(false);
    }
    while (registry.has_work()) registry.work(3);
    for (const auto& session : sessions) EXPECT_EQ(session->outbox().frames(), 1U);
}

TEST(Registry, ABatchIsLetGoOfWhenAllOfItHasBeenApplied) {
    Registry registry;
    RecordingSession bob("bob");
    registry.add(bob, {});
    std::vector<store::Committed> operations;
    for (std::uint64_t seq = 1; seq <= 10; ++seq) {
        operations.push_back(committed("alice", core::ToAgent{agent("bob")}, seq));
    }
    auto batch = std::make_shared<store::CommittedBatch>(batch_of(std::move(operations), 12));
    const std::weak_ptr<store::CommittedBatch> held = batch;
    registry.enqueue(std::move(batch));
    registry.work(5);
    EXPECT_FALSE(held.expired());
    EXPECT_LT(registry.applied_head(), core::Seq{10});
    while (registry.has_work()) registry.work(5);
    EXPECT_TRUE(held.expired());
    EXPECT_EQ(registry.applied_head(), core::Seq{12});
}

TEST(Registry, VisitsEverySessionInSlicesBehindWhatWasQueuedBefore) {
    Registry registry;
    std::vector<std::unique_ptr<RecordingSession>> sessions;
    for (int i = 0; i < 50; ++i) {
        sessions.push_back(std::make_unique<RecordingSession>("agent" + std::to_string(i)));
        registry.add(*sessions.back(), {});
    }
    registry.enqueue(std::make_shared<store::CommittedBatch>(
        batch_of({committed("zoe", core::ToEveryone{}, 1)}, 1)));
    registry.for_each([](Session& session) {
        EXPECT_EQ(session.outbox().frames(), 1U);
        session.close(protocol::CloseCode::going_away);
    });
    while (registry.has_work()) EXPECT_LE(registry.work(7), 8U);
    for (const auto& session : sessions) {
        EXPECT_EQ(session->closes, std::vector{protocol::CloseCode::going_away});
    }
}

// ---- What throws --------------------------------------------------------------------------------

TEST(Registry, ASessionThatCannotBePushedToIsClosedAndOthersGetTheirs) {
    Registry registry;
    BrokenSession broken("broken");
    RecordingSession alice("alice");
    RecordingSession carol("carol");
    registry.add(alice, {channel("dev")});
    registry.add(broken, {channel("dev")});
    registry.add(carol, {channel("dev")});
    apply(registry, batch_of({committed("zoe", core::ToChannel{channel("dev")}, 1)}, 1));
    EXPECT_EQ(broken.closes, std::vector{protocol::CloseCode::internal_error});
    EXPECT_EQ(alice.outbox().frames(), 1U);
    EXPECT_EQ(carol.outbox().frames(), 1U);
    EXPECT_EQ(registry.faults().count(), 2U) << "the push and the closing";
}

TEST(Registry, ACompletionThatThrowsHindersNothingElse) {
    Registry registry(0);
    RecordingSession bob("bob");
    registry.add(bob, {});
    bool second = false;
    std::vector<store::Committed> operations;
    operations.push_back(committed("alice", core::ToAgent{agent("bob")}, 1));
    operations.back().origin = 0;
    operations.back().completion = [](const store::WriteResult&) { throw std::bad_alloc(); };
    operations.push_back(committed("alice", core::ToAgent{agent("bob")}, 2));
    operations.back().origin = 0;
    operations.back().completion = [&](const store::WriteResult&) { second = true; };
    apply(registry, batch_of(std::move(operations), 2));
    EXPECT_TRUE(second);
    EXPECT_EQ(bob.outbox().frames(), 2U);
    EXPECT_EQ(registry.faults().count(), 1U);
}

TEST(Registry, AVisitAndALongPollThatThrowHinderNobodyElse) {
    Registry registry;
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    registry.add(alice, {});
    registry.add(bob, {});
    registry.for_each([](Session&) { throw std::runtime_error("no"); });
    while (registry.has_work()) registry.work(100);
    EXPECT_EQ(alice.closes, std::vector{protocol::CloseCode::internal_error});
    EXPECT_EQ(bob.closes, std::vector{protocol::CloseCode::internal_error});
    int woken = 0;
    for (int i = 0; i < 3; ++i) {
        (void)registry.waiters().add({agent("carol"), {}, {}, {}, [&woken](std::any&) {
                                          if (++woken == 2) throw 2;  // not even an exception class
                                      }});
    }
    registry.waiters().ready_agent("carol");
    registry.waiters().work(10);
    EXPECT_EQ(woken, 3);
    EXPECT_EQ(registry.faults().count(), 3U);
}

TEST(Registry, ASessionThatIsCatchingUpIsLeftToItsBacklog) {
    Registry registry;
    RecordingSession bob("bob");
    bob.set_catching_up(true);
    registry.add(bob, {});
    auto batch = batch_of({committed("alice", core::ToAgent{agent("bob")}, 1)}, 1);
    apply(registry, std::move(batch));
    EXPECT_EQ(bob.outbox().frames(), 0U);
}

}  // namespace
}  // namespace agentcom::delivery

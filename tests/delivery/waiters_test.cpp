#include "agentcom/delivery/waiters.hpp"
#include "support/ids.hpp"

#include <gtest/gtest.h>

#include <any>
#include <string>
#include <vector>

namespace agentcom::delivery {
namespace {

using test::agent;
using test::channel;
core::Message message(core::Destination to) {
    return {.seq = core::Seq{1},
            .id = core::MessageId{1},
            .channel_seq = {},
            .timestamp = {},
            .draft = core::Draft{agent("zoe"), std::move(to), "chat", {"{}"}, std::nullopt}};
}

class WaitersTest : public ::testing::Test {
protected:
    Waiters::Id wait(std::string_view name, std::uint64_t since = 0,
                     std::optional<std::uint64_t> limit = {},
                     std::vector<core::ChannelName> channels = {}) {
        return waiters_.add({agent(name), std::move(channels), core::Seq{since}, limit,
                             [this, since](std::any& shared) {
                                 if (!shared.has_value()) {
                                     ++computed_;
                                     shared = since;
                                 }
                                 EXPECT_EQ(std::any_cast<std::uint64_t>(shared), since);
                                 ++woken_;
                             }});
    }

    Faults faults_;
    Waiters waiters_{faults_};
    int woken_ = 0;
    int computed_ = 0;
};

TEST_F(WaitersTest, ThoseWhoAskTheSameShareOneAnswer) {
    for (int i = 0; i < 300; ++i) {
        (void)wait("bob", 5);
        (void)wait("bob", 9, 10);
        (void)wait("bob", 9);
    }
    waiters_.ready_agent("bob");
    // In slices that end anywhere.
    for (int i = 0; i < 1'000 && waiters_.has_ready(); ++i) waiters_.work(7);
    EXPECT_EQ(woken_, 900);
    EXPECT_EQ(computed_, 3);
    EXPECT_EQ(waiters_.size(), 0U);
    EXPECT_EQ(faults_.count(), 0U);
}

TEST_F(WaitersTest, OneThatIsReadyMayStillBeRemoved) {
    const auto first = wait("bob", 1);
    const auto second = wait("bob", 1);
    waiters_.ready_agent("bob");
    EXPECT_FALSE(waiters_.is_waiting(agent("bob")));
    EXPECT_TRUE(waiters_.remove(first));
    // Whoever comes now waits for the next message.
    (void)wait("bob", 1);
    EXPECT_TRUE(waiters_.is_waiting(agent("bob")));
    while (waiters_.has_ready()) waiters_.work(10);
    EXPECT_EQ(woken_, 1);
    EXPECT_FALSE(waiters_.remove(second));
    EXPECT_EQ(waiters_.size(), 1U);
    const auto all_gone = wait("carol", 1);
    waiters_.ready_agent("carol");
    EXPECT_TRUE(waiters_.remove(all_gone));
    while (waiters_.has_ready()) waiters_.work(10);
    EXPECT_EQ(woken_, 1);
}

TEST_F(WaitersTest, OneMayWaitAgainAndRemoveOthersWhileItIsWoken) {
    int rounds = 0;
    Waiters::Id other = 0;
    std::function<void(std::any&)> again = [&](std::any&) {
        ++rounds;
        waiters_.remove(other);
        if (rounds < 3) (void)waiters_.add({agent("bob"), {}, {}, {}, again});
    };
    (void)waiters_.add({agent("bob"), {}, {}, {}, again});
    other = wait("bob", 7);
    for (int i = 0; i < 3; ++i) {
        waiters_.ready_agent("bob");
        while (waiters_.has_ready()) waiters_.work(10);
    }
    EXPECT_EQ(rounds, 3);
    EXPECT_EQ(woken_, 0);
    EXPECT_EQ(waiters_.size(), 0U);
}

TEST_F(WaitersTest, APassGoesOnInSlicesWhileWaitersComeAndGo) {
    std::vector<Waiters::Id> ids;
    for (int i = 0; i < 200; ++i) {
        ids.push_back(wait("agent" + std::to_string(i), 0, {}, {channel("dev"), channel("x")}));
    }
    waiters_.begin_pass(message(core::ToChannel{channel("dev")}));
    std::size_t removed = 0;
    for (int turn = 0; waiters_.continue_pass(10) == 10; ++turn) {
        removed += waiters_.remove(ids[static_cast<std::size_t>(turn * 37 % 200)]) ? 1 : 0;
        (void)wait("late" + std::to_string(turn), 0, {}, {channel("dev")});
    }
    EXPECT_GT(removed, 10U);
    while (waiters_.has_ready()) waiters_.work(10);
    EXPECT_EQ(static_cast<std::size_t>(woken_), 200 - removed);
    // Those who came meanwhile have seen the message themselves, and wait for the next.
    woken_ = 0;
    waiters_.begin_pass(message(core::ToChannel{channel("x")}));
    EXPECT_EQ(waiters_.continue_pass(10), 0U);
    const std::size_t late = waiters_.size();
    EXPECT_GT(late, 10U);
    waiters_.begin_pass(message(core::ToEveryone{}));
    while (waiters_.continue_pass(10) == 10) {
    }
    while (waiters_.has_ready()) waiters_.work(10);
    EXPECT_EQ(static_cast<std::size_t>(woken_), late);
}

TEST_F(WaitersTest, RemovingCostsTheSameHoweverManyWait) {
    // 200,000 on one agent and one channel: with a list to search this would take minutes.
    std::vector<Waiters::Id> ids;
    for (int i = 0; i < 200'000; ++i) {
        ids.push_back(wait("bob", static_cast<std::uint64_t>(i % 100), {}, {channel("dev")}));
    }
    for (const Waiters::Id id : ids) EXPECT_TRUE(waiters_.remove(id));
    EXPECT_EQ(waiters_.size(), 0U);
    EXPECT_FALSE(waiters_.is_waiting(agent("bob")));
    ids.clear();
    for (int i = 0; i < 50'000; ++i) {
        ids.push_back(wait("agent" + std::to_string(i), 0, {}, {channel("dev")}));
    }
    for (const Waiters::Id id : ids) EXPECT_TRUE(waiters_.remove(id));
    waiters_.begin_pass(message(core::ToChannel{channel("dev")}));
    EXPECT_EQ(waiters_.continue_pass(1), 0U);
}

}  // namespace
}  // namespace agentcom::delivery

// Wall clocks that are wrong, and set right: ages go by what elapses.

#include <filesystem>

#include "store/store_clock.hpp"
#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

using namespace std::chrono_literals;

constexpr core::Millis kDay = 24h;
constexpr core::Millis kYear = 365 * kDay;

class ClockTest : public StoreTest {
protected:
    void SetUp() override {
        options_.mailbox_ttl = 7 * kDay;
        options_.history_messages = 1;
        options_.retention_age = 30 * kDay;
        StoreTest::SetUp();
        create_agent("alice");
        create_agent("bob");
    }

    /// What the hub does every minute.
    void maintain() {
        const core::Timestamp horizon{store_->time().ms - options_.mailbox_ttl.count()};
        write<Done>(EvictMailboxes{horizon});
        while (write<Trimmed>(Trim{}).more) {
        }
    }
    void pass(core::Millis time) {
        // As a hub that runs does it: the time is looked at now and then.
        for (int i = 0; i < 10; ++i) {
            clock_.advance(time / 10);
            maintain();
        }
    }
    core::Timestamp send() { return append(direct("alice", "bob"))->timestamp; }
    bool repeats(const std::string& key) {
        AppendMessage op = direct("alice", "bob");
        op.idempotency_key = key;
        return write<Appended>(std::move(op)).duplicate;
    }
};

TEST_F(ClockTest, AClockAheadHidesNothingAndFreezesNothing) {
    send();
    clock_.step(kYear);
    send();
    EXPECT_FALSE(repeats("key"));
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));
    maintain();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));
    clock_.step(-kYear);
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3}));
    EXPECT_TRUE(repeats("key"));

    clock_.advance(options_.idempotency_window);
    maintain();
    EXPECT_FALSE(repeats("key"));
    pass(6 * kDay);
    send();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4, 5}));
    pass(kDay + 1h);
    EXPECT_EQ(unread("bob"), Seqs{5});
    EXPECT_EQ(store_->stats().first_seq, core::Seq{5});
}

TEST_F(ClockTest, AClockBehindThatIsSetRightTakesNothingAway) {
    store_.reset();
    std::filesystem::remove_all(options_.directory);
    clock_.set(core::Timestamp{3'600'000});  // an hour after 1970 began
    StoreTest::SetUp();
    create_agent("bob");
    send();
    clock_.set(core::Timestamp{1'790'000'000'000});
    maintain();
    EXPECT_EQ(unread("bob"), Seqs{1});
    clock_.advance(StoreClock::kDoubt);
    EXPECT_EQ(unread("bob"), Seqs{1});
    (void)store_->time();
    EXPECT_GE(send().ms, 1'790'000'000'000);
    clock_.step(-core::Millis(1'000));
    pass(7 * kDay - 1h);
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    pass(2h);
    EXPECT_EQ(unread("bob"), Seqs{});
}

TEST_F(ClockTest, AHubThatIsStartedWithAClockBehindKeepsFreshMail) {
    send();
    store_.reset();
    clock_.reboot(-20 * kYear);
    reopen();
    send();
    maintain();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    clock_.step(20 * kYear);
    maintain();
    clock_.advance(2 * StoreClock::kDoubt);
    maintain();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
}

TEST_F(ClockTest, AHubThatIsStartedWithAClockAheadAgesItsMailByABoundedTime) {
    send();
    store_.reset();
    clock_.reboot(kYear);
    reopen();
    maintain();
    EXPECT_EQ(unread("bob"), Seqs{1});
    pass(6 * kDay - 1h);
    EXPECT_EQ(unread("bob"), Seqs{1});
    pass(2h);
    EXPECT_EQ(unread("bob"), Seqs{});
}

TEST_F(ClockTest, TimeWithoutAHubCountsOnTheSameMachineAndOnAnother) {
    send();
    store_.reset();
    clock_.advance(20h);
    reopen();
    EXPECT_EQ(unread("bob"), Seqs{1});
    maintain();
    store_.reset();
    clock_.reboot(20h);
    reopen();
    const std::int64_t age = store_->time().ms - 1'700'000'000'000;
    EXPECT_GE(age, core::Millis(40h).count());
    EXPECT_LE(age, core::Millis(40h).count() + 1'000);
}

TEST_F(ClockTest, TimesThatMessagesShowNeverFallAndALeapTakenBackLeavesNoTrace) {
    const core::Timestamp first = send();
    clock_.advance(1s);
    clock_.step(kYear);
    EXPECT_EQ(send().ms, first.ms + 1'000);  // not believed yet
    clock_.advance(1s);
    clock_.step(-kYear);
    EXPECT_EQ(send().ms, first.ms + 2'000);

    clock_.step(-1h);
    EXPECT_EQ(send().ms, first.ms + 2'000);
    clock_.advance(2h);
    EXPECT_EQ(send(), clock_.now());

    clock_.step(kYear);
    (void)store_->time();
    clock_.advance(StoreClock::kDoubt);
    EXPECT_EQ(send(), clock_.now());
    clock_.step(-kYear);
    EXPECT_GE(send().ms, clock_.now().ms + kYear.count());
    const HistoryQuery all;
    core::Timestamp before;
    for (const auto& message : history(all, 100)) {
        EXPECT_GE(message->timestamp, before);
        before = message->timestamp;
    }
}

TEST_F(ClockTest, IdleChannelsAreJudgedByTheSameTime) {
    create_channel("ops");
    const auto expire = [&] {
        const core::Timestamp before{store_->time().ms - kDay.count()};
        return write<ChannelsExpired>(ExpireChannels{"", before}).count;
    };
    clock_.step(kYear);
    EXPECT_EQ(expire(), 0U);
    clock_.step(-2 * kYear);
    pass(kDay + 1h);
    EXPECT_EQ(expire(), 1U);
}

TEST_F(ClockTest, ADriftIsFollowedSlowly) {
    const std::int64_t begin = store_->time().ms;
    for (int i = 0; i < 1'000; ++i) {
        clock_.advance(10s);
        clock_.step(core::Millis(1));  // a ten-thousandth too slow
        (void)store_->time();
    }
    EXPECT_NEAR(static_cast<double>(store_->time().ms - begin), 10'001'000.0, 12.0);
    EXPECT_EQ(store_->time(), clock_.now());
}

}  // namespace
}  // namespace agentcom::store

#include "store/read_gate.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

namespace agentcom::store {
namespace {

TEST(ReadGateTest, NobodyWaitsWhereAllThatWasAnnouncedIsShown) {
    int asked = 0;
    ReadGate gate([&] { ++asked; });
    gate.pass();
    gate.announce();
    gate.show(1);
    gate.pass();
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(gate.passed(), 2U);
    EXPECT_FALSE(gate.is_wanted());
}

TEST(ReadGateTest, AReaderWaitsForWhatWasAnnouncedBeforeAndAsksForIt) {
    std::promise<void> asked;
    ReadGate gate([&] { asked.set_value(); });
    gate.announce();
    std::promise<void> passed;
    std::thread reader([&] {
        gate.pass();
        passed.set_value();
    });
    asked.get_future().wait();
    EXPECT_TRUE(gate.is_wanted());
    gate.announce();  // after the reader has come
    gate.show(1);
    passed.get_future().wait();
    reader.join();
    EXPECT_FALSE(gate.is_wanted());
}

TEST(ReadGateTest, AMailboxThatNothingConcernsIsReadAtOnce) {
    ReadGate* asked = nullptr;
    ReadGate gate([&] { asked->show(1); });
    asked = &gate;
    gate.touch_mailbox("bob");
    gate.announce();
    gate.pass_to_mailbox("alice");
    EXPECT_EQ(gate.passed(), 0U) << "it counts as a reader that has to wait";
    gate.pass_to_mailbox("bob");
    EXPECT_EQ(gate.passed(), 1U);
    gate.forget_touched();
    gate.announce();
    gate.pass_to_mailbox("bob");
    EXPECT_EQ(gate.passed(), 1U);
    gate.touch_all();
    asked->show(2);
    gate.announce();
    std::thread reader([&] { gate.pass_to_mailbox("alice"); });
    while (!gate.is_wanted()) std::this_thread::yield();
    gate.show(3);
    reader.join();
}

TEST(ReadGateTest, AWriterThatIsStuckIsWaitedForOnceUntilItShowsSomething) {
    ReadGate gate([] {}, std::chrono::milliseconds(1));
    gate.announce();
    gate.pass();
    EXPECT_TRUE(gate.is_stuck());
    gate.announce();
    gate.pass();
    gate.show(2);
    EXPECT_FALSE(gate.is_stuck());
    gate.pass();
    EXPECT_FALSE(gate.is_wanted());
}

TEST(ReadGateTest, AnOpenGateKeepsNobodyUntilTheWriterGoesOn) {
    ReadGate gate([] {});
    gate.announce();
    gate.open();
    gate.pass();
    EXPECT_TRUE(gate.is_stuck());
    EXPECT_TRUE(gate.is_wanted()) << "the writer is not asked to show it";
    gate.announce();
    EXPECT_FALSE(gate.is_stuck());
    gate.show(2);
    gate.pass();
    EXPECT_FALSE(gate.is_wanted());
}

}  // namespace
}  // namespace agentcom::store

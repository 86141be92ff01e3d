#include "net/shares.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace agentcom::net {
namespace {

TEST(Shares, NoOwnerHoldsMoreThanItsShare) {
    const auto shares = std::make_shared<Shares>(100, 25);
    auto first = shares->holding("alice");
    auto second = shares->holding("alice");
    EXPECT_TRUE(first.resize(20));
    EXPECT_TRUE(second.resize(5));
    EXPECT_FALSE(second.resize(6));
    EXPECT_TRUE(shares->holding("bob").resize(25));
    EXPECT_TRUE(first.resize(10));
    EXPECT_TRUE(second.resize(15));
    EXPECT_EQ(shares->held(), 25U);
}

TEST(Shares, AllTogetherHoldNoMoreThanThereIs) {
    const auto shares = std::make_shared<Shares>(100, 60);
    auto alice = shares->holding("alice");
    auto bob = shares->holding("bob");
    EXPECT_TRUE(alice.resize(60));
    EXPECT_FALSE(bob.resize(41));
    EXPECT_TRUE(bob.resize(40));
    EXPECT_FALSE(bob.resize(41));
    alice.give_back();
    EXPECT_TRUE(bob.resize(41));
    EXPECT_EQ(shares->held(), 41U);
}

TEST(Shares, WhatIsHeldComesBackHoweverItEnds) {
    const auto shares = std::make_shared<Shares>(100, 100);
    {
        auto held = shares->holding("alice");
        EXPECT_TRUE(held.resize(50));
        auto moved = std::move(held);
        EXPECT_EQ(shares->held(), 50U);
        moved = shares->holding("bob");
        EXPECT_EQ(shares->held(), 0U);
        EXPECT_TRUE(moved.resize(70));
    }
    EXPECT_EQ(shares->held(), 0U);
    Shares::Holding nobody;
    EXPECT_FALSE(nobody);
    nobody.give_back();
}

TEST(Shares, ThreadsNeverHoldMoreThanThereIs) {
    const auto shares = std::make_shared<Shares>(1'000, 400);
    std::atomic<bool> too_much{false};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            auto held = shares->holding(t % 2 == 0 ? "even" : "odd");
            for (std::uint64_t i = 0; i < 20'000; ++i) {
                (void)held.resize(i * 37 % 500);
                // Somebody who will be refused may be counted for a moment, so twice the total.
                if (shares->held() > 3'000) too_much = true;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(too_much);
    EXPECT_EQ(shares->held(), 0U);
    auto all = shares->holding("even");
    EXPECT_TRUE(all.resize(400));
    EXPECT_FALSE(all.resize(401));
}

}  // namespace
}  // namespace agentcom::net

#include "net/address_table.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace agentcom::net {
namespace {

using std::chrono::milliseconds;

AddressKey key(const std::string& text) { return address_key(boost::asio::ip::make_address(text)); }
AddressKey key(int i) {
    return key("10." + std::to_string(i / 65'536) + '.' + std::to_string(i / 256 % 256) + '.' +
               std::to_string(i % 256));
}
std::shared_ptr<AddressTable> table(AddressTable::Limits limits) {
    return std::make_shared<AddressTable>(limits);
}

TEST(AddressTable, NewLimitsHoldForThoseWhoComeThen) {
    const auto addresses = table({.places = 2, .per_second = 1});
    const auto first = addresses->take_place(key("192.0.2.1"));
    const core::SteadyTime now{};
    EXPECT_TRUE(addresses->spend(key("192.0.2.1"), now));
    EXPECT_FALSE(addresses->spend(key("192.0.2.1"), now));
    addresses->set_limits({.places = 1, .per_second = 0});
    EXPECT_FALSE(addresses->take_place(key("192.0.2.1")));
    EXPECT_TRUE(addresses->spend(key("192.0.2.1"), now));
}

TEST(AddressTable, AnAddressHasSoManyPlacesAndGetsThemBack) {
    const auto addresses = table({.places = 2, .loopback_places = 3});
    auto first = addresses->take_place(key("192.0.2.1"));
    auto second = addresses->take_place(key("192.0.2.1"));
    EXPECT_TRUE(first);
    EXPECT_TRUE(second);
    EXPECT_FALSE(addresses->take_place(key("192.0.2.1")));
    EXPECT_TRUE(addresses->take_place(key("192.0.2.2")));
    auto moved = std::move(first);
    EXPECT_FALSE(addresses->take_place(key("192.0.2.1")));
    moved = AddressTable::Place();
    EXPECT_TRUE(addresses->take_place(key("192.0.2.1")));
    second.give_back();
    second.give_back();
    auto third = addresses->take_place(key("192.0.2.1"));
    auto fourth = addresses->take_place(key("192.0.2.1"));
    EXPECT_TRUE(third);
    EXPECT_TRUE(fourth);
    EXPECT_FALSE(addresses->take_place(key("192.0.2.1")));
}

TEST(AddressTable, LoopbackHasPlacesOfItsOwn) {
    const auto addresses = table({.places = 0, .loopback_places = 1});
    EXPECT_FALSE(addresses->take_place(key("192.0.2.1")));
    EXPECT_TRUE(addresses->take_place(key("127.0.0.1")));
    EXPECT_TRUE(addresses->take_place(key("::1")));
}

TEST(AddressTable, ARateIsABucketThatFillsAgain) {
    const auto addresses = table({.per_second = 10, .loopback_factor = 2});
    core::SteadyTime now{milliseconds{1'000'000}};
    const auto granted = [&](const AddressKey& who) {
        int count = 0;
        while (count < 1'000 && addresses->spend(who, now)) ++count;
        return count;
    };
    EXPECT_EQ(granted(key("192.0.2.1")), 10);
    EXPECT_EQ(granted(key("127.0.0.1")), 20);
    EXPECT_EQ(granted(key("192.0.2.2")), 10);
    now += milliseconds{500};
    EXPECT_EQ(granted(key("192.0.2.1")), 5);
    now += milliseconds{3'600'000};
    EXPECT_EQ(granted(key("192.0.2.1")), 10);
}

TEST(AddressTable, WhatCostsMoreThanTheBucketHoldsNeedsAFullOneAndLeavesADebt) {
    const auto addresses = table({.per_second = 10});
    core::SteadyTime now{milliseconds{1'000'000}};
    EXPECT_TRUE(addresses->spend(key(1), now, 15));
    now += milliseconds{1'000};
    EXPECT_TRUE(addresses->spend(key(1), now, 5));
    EXPECT_FALSE(addresses->spend(key(1), now, 1));
}

TEST(AddressTable, WhatIsChargedAfterwardsLeavesADebtOfOneBucketAtMost) {
    const auto addresses = table({.per_second = 10});
    core::SteadyTime now{milliseconds{1'000'000}};
    EXPECT_TRUE(addresses->spend(key(1), now));
    addresses->charge(key(1), now, 1'000);
    now += milliseconds{1'000};
    EXPECT_FALSE(addresses->spend(key(1), now));
    now += milliseconds{200};
    EXPECT_TRUE(addresses->spend(key(1), now));
}

TEST(AddressTable, ARateOfZeroIsNone) {
    const auto addresses = table({.per_second = 0});
    for (int i = 0; i < 1'000; ++i) ASSERT_TRUE(addresses->spend(key(1), {}));
    EXPECT_EQ(addresses->size(), 0U);
}

TEST(AddressTable, RemembersABoundedNumberOfAddressesAndAllThatHoldAPlace) {
    const auto addresses = table({.places = 2, .per_second = 1, .remembered = 160});
    const core::SteadyTime now{milliseconds{1'000'000}};
    std::vector<AddressTable::Place> places;
    for (int i = 0; i < 500; ++i) places.push_back(addresses->take_place(key(i)));
    for (int i = 0; i < 10'000; ++i) (void)addresses->spend(key(i), now);
    EXPECT_LE(addresses->size(), 660U);
    for (int i = 0; i < 500; ++i) {
        places.push_back(addresses->take_place(key(i)));
        EXPECT_TRUE(places.back());
        EXPECT_FALSE(addresses->take_place(key(i)));
        EXPECT_FALSE(addresses->spend(key(i), now)) << "its bucket was forgotten";
    }
    places.clear();
    for (int i = 20'000; i < 30'000; ++i) (void)addresses->spend(key(i), now);
    EXPECT_LE(addresses->size(), 660U);
}

TEST(AddressTable, ThreadsNeverHoldMoreThanThereIs) {
    const auto addresses = table({.places = 10});
    std::atomic<int> held{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) {
                const auto place = addresses->take_place(key(7));
                if (!place) continue;
                const int now = ++held;
                int seen = most;
                while (now > seen && !most.compare_exchange_weak(seen, now)) {
                }
                --held;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(most, 10);
    std::vector<AddressTable::Place> all;
    for (int i = 0; i < 10; ++i) all.push_back(addresses->take_place(key(7)));
    EXPECT_TRUE(all.back());
}

TEST(AddressTable, AfterSoManyWrongTokensAnAddressWaitsTwiceAsLongEachTime) {
    const auto addresses = table({.wrong_tokens = 3, .longest_wait = milliseconds{5'000}});
    core::SteadyTime now{milliseconds{1'000'000}};
    const AddressKey who = key("192.0.2.1");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(addresses->note_failure(who, now).wait.count(), 0);
    for (const int wait : {1'000, 2'000, 4'000, 5'000, 5'000}) {
        EXPECT_EQ(addresses->note_failure(who, now).wait.count(), wait);
        EXPECT_EQ(addresses->wait(who, now).count(), wait);
        // What comes while it waits makes nothing worse.
        now += milliseconds{wait - 1};
        EXPECT_EQ(addresses->note_failure(who, now).wait.count(), 1);
        now += milliseconds{1};
        EXPECT_LE(addresses->wait(who, now).count(), 0);
    }
    EXPECT_LE(addresses->wait(key("192.0.2.2"), now).count(), 0);
    // A minute of peace, and all is forgotten.
    now += milliseconds{60'000};
    for (int i = 0; i < 3; ++i) EXPECT_EQ(addresses->note_failure(who, now).wait.count(), 0);
    EXPECT_EQ(addresses->note_failure(who, now).wait.count(), 1'000);
}

TEST(AddressTable, WrongTokensThatComeNowAndThenAreForgiven) {
    const auto addresses = table({.wrong_tokens = 20});
    core::SteadyTime now{milliseconds{1'000'000}};
    for (int i = 0; i < 200; ++i, now += milliseconds{3'001}) {
        ASSERT_EQ(addresses->note_failure(key("192.0.2.1"), now).wait.count(), 0) << i;
    }
}

TEST(AddressTable, LoopbackMayShowMoreWrongTokensAndWaitsForLess) {
    const auto addresses = table({.wrong_tokens = 1, .loopback_wrong_tokens = 4});
    const core::SteadyTime now{milliseconds{1'000'000}};
    for (int i = 0; i < 4; ++i) {
        EXPECT_EQ(addresses->note_failure(key("127.0.0.1"), now).wait.count(), 0);
    }
    EXPECT_EQ(addresses->note_failure(key("127.0.0.1"), now).wait.count(), 100);
    const auto unlimited = table({.wrong_tokens = 0});
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_EQ(unlimited->note_failure(key("192.0.2.1"), now).wait.count(), 0);
    }
}

TEST(AddressTable, WrongTokensAreCountedForTheLogOfFewAddressesAndOfAllOthersTogether) {
    const auto addresses = table({});
    const core::SteadyTime now{milliseconds{1'000'000}};
    EXPECT_TRUE(addresses->note_failure(key("192.0.2.1"), now).first);
    EXPECT_FALSE(addresses->note_failure(key("192.0.2.1"), now).first);
    EXPECT_FALSE(addresses->note_failure(key("192.0.2.1"), now).first);
    EXPECT_TRUE(addresses->note_failure(key("192.0.2.2"), now).first);
    auto failures = addresses->take_failures();
    ASSERT_EQ(failures.of.size(), 1U);
    EXPECT_EQ(failures.of[0], (std::pair{key("192.0.2.1"), std::uint64_t{2}}));
    EXPECT_EQ(failures.of_others, 0U);
    EXPECT_TRUE(addresses->take_failures().of.empty());

    std::uint64_t told = 0;
    for (int i = 0; i < 10'000; ++i) {
        for (int j = 0; j < 2; ++j) told += addresses->note_failure(key(i), now).first ? 1 : 0;
    }
    failures = addresses->take_failures();
    EXPECT_EQ(failures.of.size(), AddressTable::kReported);
    for (const auto& [who, count] : failures.of) told += count;
    EXPECT_EQ(told + failures.of_others, 20'000U);
    EXPECT_LE(told, 1'000U);
}

}  // namespace
}  // namespace agentcom::net

#include "agentcom/services/quota.hpp"
#include "support/ids.hpp"

#include <gtest/gtest.h>

namespace agentcom::services {
namespace {

using test::agent;

TEST(Quota, NobodyTakesMoreThanAShare) {
    Quota quota(8, 0);  // a quarter each
    EXPECT_EQ(quota.take(agent("alice")), Quota::Taken::yes);
    EXPECT_EQ(quota.take(agent("alice")), Quota::Taken::yes);
    EXPECT_EQ(quota.take(agent("alice")), Quota::Taken::share_gone);
    EXPECT_EQ(quota.take(agent("bob")), Quota::Taken::yes);
    quota.give_back(agent("alice"));
    EXPECT_EQ(quota.take(agent("alice")), Quota::Taken::yes);
    EXPECT_EQ(quota.taken(), 3U);
}

TEST(Quota, NewBoundsHoldForThoseWhoComeThen) {
    Quota quota(2, 2);
    EXPECT_EQ(quota.take(agent("alice")), Quota::Taken::yes);
    EXPECT_EQ(quota.take(agent("alice")), Quota::Taken::yes);
    quota.set(1, 1);
    quota.give_back(agent("alice"));
    EXPECT_EQ(quota.take(agent("bob")), Quota::Taken::all_gone);
    quota.give_back(agent("alice"));
    EXPECT_EQ(quota.take(agent("bob")), Quota::Taken::yes);
    quota.set(8, 0);  // a quarter each
    EXPECT_EQ(quota.take(agent("bob")), Quota::Taken::yes);
    EXPECT_EQ(quota.take(agent("bob")), Quota::Taken::share_gone);
}

TEST(Quota, AllPlacesTogetherAreBoundedToo) {
    Quota quota(3, 2);
    for (const char* name : {"a", "b", "c"}) {
        EXPECT_EQ(quota.take(agent(name)), Quota::Taken::yes);
    }
    EXPECT_EQ(quota.take(agent("d")), Quota::Taken::all_gone);
    quota.give_back(agent("b"));
    EXPECT_EQ(quota.take(agent("d")), Quota::Taken::yes);
}

TEST(Quota, EvenTheSmallestGivesEverybodyOne) {
    Quota quota(2, 0);
    EXPECT_EQ(quota.take(agent("a")), Quota::Taken::yes);
    EXPECT_EQ(quota.take(agent("a")), Quota::Taken::share_gone);
    EXPECT_EQ(quota.take(agent("b")), Quota::Taken::yes);
}

}  // namespace
}  // namespace agentcom::services

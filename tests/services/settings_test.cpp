#include "agentcom/services/settings.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "store/store_fixture.hpp"

namespace agentcom::services {
namespace {

constexpr core::Millis kHeartbeat{30'000};

class SettingsServiceTest : public store::StoreTest {
protected:
    SettingsServiceTest() { options_.mailbox_ttl = core::Millis{60'000}; }
    void put(std::string_view name, std::uint64_t value) {
        write<store::Done>(store::PutSetting{std::string(name), value});
    }
    [[nodiscard]] Settings settings() const { return {*store_, kHeartbeat}; }
};

TEST_F(SettingsServiceTest, AreAsConfiguredUntilTheyAreWritten) {
    EXPECT_EQ(settings().get(kHeartbeatInterval), 30'000U);
    EXPECT_EQ(settings().get(kMailboxTtl), 60'000U);
    EXPECT_EQ(store_->mailbox_ttl(), core::Millis{60'000});
    put(kHeartbeatInterval, 5);
    put(kMailboxTtl, 7);
    EXPECT_EQ(settings().get(kHeartbeatInterval), 5U);
    EXPECT_EQ(settings().get(kMailboxTtl), 7U);
    EXPECT_EQ(store_->mailbox_ttl(), core::Millis{60'000}) << "what was configured stays known";
}

TEST_F(SettingsServiceTest, WhatIsOlderThanTheTimeToLiveIsBehindTheHorizon) {
    EXPECT_EQ(settings().mailbox_horizon(core::Timestamp{100'000}), core::Timestamp{40'000});
    put(kMailboxTtl, 1'000);
    EXPECT_EQ(settings().mailbox_horizon(core::Timestamp{100'000}), core::Timestamp{99'000});
}

TEST_F(SettingsServiceTest, ATimeToLiveLongerThanTimeItselfKeepsEverything) {
    put(kMailboxTtl, std::numeric_limits<std::uint64_t>::max());
    EXPECT_EQ(settings().mailbox_horizon(core::Timestamp{100'000}), core::Timestamp{0});
}

}  // namespace
}  // namespace agentcom::services

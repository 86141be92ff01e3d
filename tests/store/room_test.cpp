// A store that begins full, and who waits for its lock.
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "agentcom/store/opening.hpp"
#include "store/environment.hpp"
#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class RoomTest : public StoreTest {
protected:
    void fill() {
        options_.map_size = std::size_t{4} << 20;
        options_.retention_messages = 100;
        reopen();
        for (int i = 0; i < 10'000; ++i) {
            const auto result =
                store_->submit_and_wait(direct("alice", "bob", std::string(2'000, '1')));
            if (result) continue;
            ASSERT_EQ(result.error().code, core::ErrorCode::storage_full);
            return;
        }
        FAIL() << "the map does not fill";
    }
};

TEST_F(RoomTest, AFullStoreIsFullFromItsOpening) {
    EXPECT_EQ(store_->state(), StoreState::ok);
    fill();
    // What is small still fits; that is no recovery.
    EXPECT_EQ(ack("bob", 1).value, 1U);
    EXPECT_EQ(store_->state(), StoreState::full);
    reopen();
    EXPECT_EQ(store_->state(), StoreState::full);
    while (write<Trimmed>(Trim{}).more) {
    }
    EXPECT_EQ(store_->state(), StoreState::ok);
    reopen();
    EXPECT_EQ(store_->state(), StoreState::ok);
}

TEST_F(RoomTest, ASettingIsTakenByAFullStore) {
    create_agent("bob");
    fill();
    while (store_->submit_and_wait(CreateChannel{
        channel("c" + std::to_string(store_->stats().channels)), "", agent("maker")})) {
    }
    write<Done>(PutSetting{"mailbox_ttl_ms", 1'000});
    write<Done>(PutSetting{"mailbox_ttl_ms", 2'000});
    EXPECT_EQ(store_->setting("mailbox_ttl_ms"), 2'000U);
}

TEST_F(RoomTest, AnotherThatHasTheLockIsWaitedFor) {
    store_.reset();
    const core::Millis forever{60'000};
    std::optional<DirectoryLock> held(std::in_place, options_.directory, core::Millis(0));
    EXPECT_THROW(DirectoryLock(options_.directory, core::Millis(0)), StoreInUse);
    EXPECT_THROW(DirectoryLock(options_.directory, core::Millis(30)), StoreInUse);
    std::promise<void> begun;
    auto waiting = std::async(std::launch::async, [&] {
        begun.set_value();
        const DirectoryLock lock(options_.directory, forever);
        return true;
    });
    begun.get_future().wait();
    held.reset();
    EXPECT_TRUE(waiting.get());
}

}  // namespace
}  // namespace agentcom::store

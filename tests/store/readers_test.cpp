// Other processes that read the files of a running store, as copies of it do.

#include <lmdb.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

/// A process that holds a snapshot of the store until it is killed.
class ReadersTest : public StoreTest {
protected:
    void SetUp() override {
        ASSERT_EQ(::pipe(go_), 0);
        ASSERT_EQ(::pipe(ready_), 0);
        options_.directory = dir_.path() / "data";
        child_ = ::fork();  // before there is a thread or an open environment
        ASSERT_GE(child_, 0);
        if (child_ == 0) hold_a_snapshot();
        options_.map_size = std::size_t{4} << 20;
        options_.history_messages = 10;
        options_.retention_messages = 50;
        reopen();
    }
    void TearDown() override {
        kill_reader();
        store_.reset();
        for (const int end : {go_[0], go_[1], ready_[0], ready_[1]}) ::close(end);
    }

    [[noreturn]] void hold_a_snapshot() {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        char byte = 0;
        if (::read(go_[0], &byte, 1) != 1) ::_exit(1);
        MDB_env* env = nullptr;
        MDB_txn* txn = nullptr;
        if (mdb_env_create(&env) != 0 || mdb_env_set_maxdbs(env, 32) != 0 ||
            mdb_env_open(env, options_.directory.c_str(), MDB_RDONLY, 0600) != 0 ||
            mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) != 0 || ::write(ready_[1], "r", 1) != 1) {
            ::_exit(1);
        }
        for (;;) ::pause();
    }
    void start_reader() {
        char byte = 'g';
        ASSERT_EQ(::write(go_[1], &byte, 1), 1);
        ASSERT_EQ(::read(ready_[0], &byte, 1), 1);
    }
    void kill_reader() {
        if (child_ <= 0) return;
        ::kill(child_, SIGKILL);
        int status = 0;
        ::waitpid(child_, &status, 0);
        child_ = 0;
    }
    void send(int count) {
        for (int i = 0; i < count; ++i) append(direct("alice", "bob", std::string(10'000, '1')));
    }

    int go_[2] = {-1, -1};
    int ready_[2] = {-1, -1};
    pid_t child_ = 0;
};

TEST_F(ReadersTest, AReaderThatHoldsAnOldSnapshotIsFoundAndForgottenWhenItIsGone) {
    send(1);
    EXPECT_FALSE(store_->stats().reader_is_late);
    start_reader();
    for (int i = 0; i < 120; ++i) append(direct("alice", "bob"));
    clock_.advance(core::Millis(1'000));
    append(direct("alice", "bob"));
    EXPECT_GE(store_->stats().reader_lag, 100U);
    EXPECT_EQ(store_->stats().reader_pid, child_);
    EXPECT_FALSE(store_->stats().reader_is_late);  // it may be about to end
    clock_.advance(core::Millis(2'000));
    append(direct("alice", "bob"));
    EXPECT_TRUE(store_->stats().reader_is_late);

    kill_reader();
    clock_.advance(core::Millis(1'000));
    append(direct("alice", "bob"));
    EXPECT_LT(store_->stats().reader_lag, 100U);
    EXPECT_FALSE(store_->stats().reader_is_late);
}

TEST_F(ReadersTest, AReaderThatDiedPinsNothing) {
    send(1);
    start_reader();
    kill_reader();
    // The clock stands still, so nothing but the lack of room makes anybody look. Many times what
    // the map holds passes through it.
    for (int round = 0; round < 40; ++round) {
        send(50);
        while (write<Trimmed>(Trim{}).more) {
        }
    }
    EXPECT_EQ(store_->state(), StoreState::ok);
}

TEST_F(ReadersTest, WhatALivingReaderPinsDoesNotCountAsRoom) {
    send(1);
    start_reader();
    bool full = false;
    for (int round = 0; round < 40 && !full; ++round) {
        for (int i = 0; i < 50 && !full; ++i) {
            const auto result =
                store_->submit_and_wait(direct("alice", "bob", std::string(10'000, '1')));
            if (!result) {
                EXPECT_EQ(result.error().code, core::ErrorCode::storage_full);
                full = true;
            }
        }
        while (!full && write<Trimmed>(Trim{}).more) {
        }
    }
    EXPECT_TRUE(full);
    kill_reader();
    write<Trimmed>(Trim{});
    while (write<Trimmed>(Trim{}).more) {
    }
    send(50);
    EXPECT_EQ(store_->state(), StoreState::ok);
}

}  // namespace
}  // namespace agentcom::store

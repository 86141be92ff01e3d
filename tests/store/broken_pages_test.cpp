// Pages that LMDB asserts not to be as they are: an assertion within a read is that read's error,
// one within a write ends writing, and neither ends the process or stops reads.

#include <cstring>

#include "store/damage_fixture.hpp"

namespace agentcom::store {
namespace {

class BrokenPagesTest : public DamageTest {
protected:
    void SetUp() override {
        options_.durability = Durability::relaxed;  // nothing here is about the disk
        DamageTest::SetUp();
        create_agent("bob");
        create_channel("ops");
        for (int i = 0; i < kMessages; ++i) append(direct("alice", "bob"));
    }
    /// Closes the store and makes the root of the log's tree a branch page with a single key.
    void break_log() {
        constexpr std::size_t kPage = 4'096;
        constexpr std::size_t kFlags = 10;  // of a page's head
        constexpr std::size_t kEndOfKeys = 12;
        constexpr std::size_t kHead = 16;
        constexpr std::size_t kRoot = 40;  // of what LMDB keeps of a table
        constexpr MDB_dbi kNames = 1;
        store_.reset();
        whole_ = contents();
        std::uint64_t root = 0;
        {
            Environment env(options_.directory, options_.map_size);
            const ReadTransaction txn(env);
            Cursor names(txn, kNames);
            ASSERT_TRUE(names.at_or_after("log"));
            root = ByteReader(names.stored_value().substr(kRoot)).fixed<std::uint64_t>();
        }
        std::string bytes = whole_;
        char* const page = bytes.data() + root * kPage;
        ASSERT_EQ(page[kFlags] & 1, 1) << "the log is too small to have branch pages";
        const auto one_key = static_cast<std::uint16_t>(kHead + sizeof(std::uint16_t));
        std::memcpy(page + kEndOfKeys, &one_key, sizeof one_key);
        put_contents(bytes);
    }
    void mend_log() {
        store_.reset();
        put_contents(whole_);
        reopen();
    }

    static constexpr int kMessages = 400;
    std::string whole_;
};

TEST_F(BrokenPagesTest, AnAssertionWithinAWriteEndsWritingAndNothingElse) {
    break_log();
    reopen();
    subscribe("bob", "ops");  // who does not need the log goes on
    EXPECT_EQ(store_->state(), StoreState::ok);
    const auto results = write_together({direct("alice", "bob"), direct("alice", "bob")});
    for (const WriteResult& result : results) {
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error().code, core::ErrorCode::storage_failed);
    }
    EXPECT_EQ(store_->state(), StoreState::failed);
    EXPECT_EQ(error_of(Unsubscribe{channel("ops"), agent("bob")}), core::ErrorCode::storage_failed);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(tokens().size(), 1U);
        EXPECT_EQ(subscriptions("bob"), std::vector{channel("ops")});
        EXPECT_THROW((void)store_->find_message(core::Seq{1}), std::runtime_error);
    }
    store_->stop();
    mend_log();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{kMessages + 1});
    EXPECT_EQ(unread("bob").size(), 100U);
}

TEST_F(BrokenPagesTest, AnAssertionWithinAReadOfAWriterTakesItBackAlone) {
    break_log();
    Environment env(options_.directory, options_.map_size);
    for (int i = 0; i < 3; ++i) {
        WriteTransaction txn(env);
        txn.put(txn.tables().settings, "a", "1");
        Cursor log(txn, txn.tables().log);
        EXPECT_THROW(log.first(), LmdbError);
    }
    EXPECT_FALSE(env.writing_is_broken());
    WriteTransaction txn(env);
    EXPECT_FALSE(txn.get(txn.tables().settings, "a"));
    std::move(txn).commit();
}

/// Who opens a store and writes on one thread, as commands do, may open it again.
TEST_F(BrokenPagesTest, WhatCannotBeEndedIsLeftAlone) {
    break_log();
    const std::string key = be64_key(1);
    const std::vector<std::function<void(WriteTransaction&)>> changes{
        [](WriteTransaction& txn) {
            (void)txn.append_reserved(txn.tables().log, be64_key(kMessages + 1), 10);
        },
        [&](WriteTransaction& txn) { txn.put_plain(txn.tables().log, key, "x"); },
        [&](WriteTransaction& txn) { txn.erase(txn.tables().log, key); }};
    for (const auto& change : changes) {
        Environment env(options_.directory, options_.map_size);
        try {
            WriteTransaction txn(env);
            txn.put(txn.tables().settings, "a", "1");
            const Cursor log(txn, txn.tables().log);
            const Cursor settings(txn, txn.tables().settings);
            change(txn);
            ADD_FAILURE() << "the page was not looked at";
        } catch (const LmdbError& error) {
            EXPECT_EQ(error.code(), MDB_PANIC);
        }
        EXPECT_TRUE(env.writing_is_broken());
        EXPECT_THROW(WriteTransaction{env}, LmdbError);
        const ReadTransaction txn(env);
        EXPECT_FALSE(txn.get(txn.tables().settings, "a"));
        EXPECT_TRUE(txn.get(txn.tables().channels, "ops"));
    }
    mend_log();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{kMessages + 1});
}

}  // namespace
}  // namespace agentcom::store

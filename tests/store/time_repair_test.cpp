#include "store/time_repair.hpp"

#include <chrono>
#include <functional>

#include "agentcom/store/doctor.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/message_log.hpp"
#include "store/rows.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

using namespace std::chrono_literals;

class TimeRepairTest : public StoreTest {
protected:
    static constexpr core::Millis kFuture = 365 * 24h;

    void SetUp() override {
        clock_.set(core::SystemClock().now());
        options_.channel_history = 1;
        options_.history_messages = 2;
        StoreTest::SetUp();
        create_agent("bob");
    }
    /// As a program left it that counted ages by the wall clock while that was ahead.
    void poison() {
        clock_.advance(kFuture);
        store_.reset();
        change_state([this](StateRow& state) {
            state.last_timestamp = clock_.now();
            state.clock = ClockAnchor{clock_.now(), clock_.now(), 0, 0};
        });
        reopen();
    }
    void change_state(const std::function<void(StateRow&)>& change) {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        StateRow state = StateRow::parse(txn.get(txn.tables().meta, kMetaState).value());
        change(state);
        txn.put(txn.tables().meta, kMetaState, state.encode());
        std::move(txn).commit();
    }
    FutureTimes find() {
        Environment env(options_.directory, options_.map_size);
        const ReadTransaction txn(env);
        return find_future_times(txn, clock_.now());
    }
    FutureTimes mend() {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        const FutureTimes mended = mend_future_times(txn, clock_.now(), options_.mailbox_ttl);
        std::move(txn).commit();
        return mended;
    }
};

TEST_F(TimeRepairTest, AStoreWithoutTimesOfTheFutureIsLeftAlone) {
    append(direct("alice", "bob"));
    clock_.step(-core::Millis(30s));  // clocks differ
    store_.reset();
    EXPECT_FALSE(find().any());
    EXPECT_FALSE(mend().any());
    reopen();
    EXPECT_EQ(unread("bob"), Seqs{1});
}

TEST_F(TimeRepairTest, OneMessageOfTheFutureNoLongerHidesEarlierMail) {
    append(direct("alice", "bob"));
    append_all({direct("alice", "bob", "\"two\""), direct("alice", "bob", "\"three\"")});
    poison();
    AppendMessage keyed = direct("alice", "bob", "\"four\"");
    keyed.idempotency_key = "key";
    append(keyed);
    create_channel("ops");
    create_agent("carol");
    write<Done>(EvictMailboxes{core::Timestamp{store_->time().ms - options_.mailbox_ttl.count()}});
    EXPECT_EQ(unread("bob"), Seqs{4});
    store_.reset();
    clock_.step(-kFuture);
    reopen();
    EXPECT_EQ(unread("bob"), Seqs{4});
    store_.reset();

    const FutureTimes found = find();
    EXPECT_EQ(found.messages, 1U);
    EXPECT_EQ(found.rows, 4U);  // a key and its place in the order, a channel, a token
    EXPECT_TRUE(found.own);
    EXPECT_EQ(mend().messages, 1U);
    EXPECT_FALSE(find().any());

    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4}));
    EXPECT_EQ(store_->find_message(core::Seq{4})->draft.payload.text, "\"four\"");
    EXPECT_EQ(store_->find_message(core::Seq{4})->timestamp, clock_.now());
    EXPECT_TRUE(write<Appended>(keyed).duplicate);
    EXPECT_EQ(append(direct("alice", "bob"))->timestamp, clock_.now());
    clock_.advance(options_.idempotency_window);
    EXPECT_FALSE(write<Appended>(keyed).duplicate);
    clock_.advance(options_.mailbox_ttl + 1h);
    EXPECT_EQ(unread("bob"), Seqs{});
}

TEST_F(TimeRepairTest, TheDoctorFindsAndMendsThem) {
    append(direct("alice", "bob"));
    poison();
    append(direct("alice", "bob"));
    EXPECT_EQ(unread("bob"), Seqs{2});
    store_.reset();
    const Examination found = examine(options_.directory);
    EXPECT_EQ(found.total, 1U);
    EXPECT_NE(found.findings.at(0).text.find("future"), std::string::npos);
    EXPECT_TRUE(found.findings.at(0).repairable);
    EXPECT_EQ(examine_and_repair(options_).after.total, 0U);
    clock_.step(-kFuture);
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
}

TEST_F(TimeRepairTest, ManyBlocksKeptMessagesAndDamagedOnesAreMended) {
    create_channel("ops");
    poison();
    append(publication("alice", "ops"));
    for (int i = 0; i < 200; ++i) append(direct("alice", "bob"));
    clock_.advance(options_.mailbox_ttl + 1h);
    while (write<Trimmed>(Trim{}).more) {
    }
    for (int i = 0; i < 100; ++i) append(direct("alice", "bob"));
    EXPECT_EQ(store_->stats().kept_bytes > 0, true);
    const std::uint64_t first = store_->stats().first_seq.value;
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        std::string key;
        std::string block;
        {
            Cursor log(txn, txn.tables().log);
            ASSERT_TRUE(log.last() && log.previous());
            key = log.key();
            block = log.stored_value();
        }
        block.back() = static_cast<char>(block.back() ^ 1);
        txn.put_plain(txn.tables().log, key, block);
        std::move(txn).commit();
    }
    clock_.step(-kFuture);
    EXPECT_EQ(mend().messages, 301 - first + 1 - 1 + 1);  // one is damaged, one is kept
    EXPECT_FALSE(find().any());
    reopen();
    EXPECT_EQ(seqs(channel_history("ops", std::nullopt, 10)), Seqs{1});
    EXPECT_EQ(channel_history("ops", std::nullopt, 10).front()->timestamp, clock_.now());
    EXPECT_THROW((void)store_->find_message(core::Seq{300}), std::runtime_error);
    EXPECT_EQ(store_->find_message(core::Seq{301})->timestamp, clock_.now());
}

TEST_F(TimeRepairTest, MendedTimesDoNotFall) {
    clock_.advance(30s);  // ahead, and within what is no future
    append(direct("alice", "bob"));
    poison();
    append(direct("alice", "bob"));
    append(direct("alice", "bob"));
    store_.reset();
    clock_.step(-kFuture - core::Millis(30s));
    EXPECT_EQ(mend().messages, 2U);
    EXPECT_FALSE(find().any());
    reopen();
    append(direct("alice", "bob"));
    store_.reset();
    Environment env(options_.directory, options_.map_size);
    const ReadTransaction txn(env);
    LogReader log(txn);
    MessageTimes before;
    for (std::uint64_t seq = 1; seq <= 4; ++seq) {
        const RecordView record = log.find(core::Seq{seq}).value();
        EXPECT_GE(record.timestamp, before.shown) << seq;
        EXPECT_GE(record.stored, before.stored) << seq;
        EXPECT_LE(record.stored.ms, clock_.now().ms + 60'000) << seq;
        before = {record.timestamp, record.stored};
    }
}

}  // namespace
}  // namespace agentcom::store

// Stores with damaged bytes: what is damaged is an error to who asks for it, and the rest goes on.

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "agentcom/store/doctor.hpp"
#include "store/bytes.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

class DamageTest : public StoreTest {
protected:
    [[nodiscard]] std::filesystem::path file() const { return options_.directory / "data.mdb"; }

    [[nodiscard]] std::string contents() const {
        std::ifstream in(file(), std::ios::binary);
        std::ostringstream out;
        out << in.rdbuf();
        return out.str();
    }
    void put_contents(const std::string& bytes) const {
        std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
    }

    /// Closes the store and changes a byte of every place where the file has this text.
    void damage_text(const std::string& text) {
        store_.reset();
        std::string bytes = contents();
        std::size_t found = 0;
        for (auto at = bytes.find(text); at != std::string::npos; at = bytes.find(text, at + 1)) {
            bytes[at] = static_cast<char>(bytes[at] ^ 1);
            ++found;
        }
        ASSERT_GT(found, 0U) << text;
        put_contents(bytes);
        reopen();
    }

    /// Closes the store and changes a byte of each value of the table whose key begins with this.
    void damage_rows(MDB_dbi Tables::*table, const std::string& prefix) {
        store_.reset();
        {
            Environment env(options_.directory, options_.map_size, true);
            WriteTransaction txn(env);
            std::vector<std::pair<std::string, std::string>> rows;
            {
                Cursor cursor(txn, txn.tables().*table);
                bool more = prefix.empty() ? cursor.first() : cursor.at_or_after(prefix);
                for (; more && cursor.key().starts_with(prefix); more = cursor.next()) {
                    rows.emplace_back(cursor.key(), cursor.stored_value());
                }
            }
            ASSERT_FALSE(rows.empty());
            for (auto& [key, value] : rows) {
                char& byte = value[value.size() / 2];
                byte = static_cast<char>(byte ^ 0x10);
                txn.put_plain(txn.tables().*table, key, value);
            }
            std::move(txn).commit();
        }
        reopen();
    }

    /// Of every row of the closed store: its bytes as they lie in the file, and the places of some
    /// of them. LMDB writes a key and then its value, unless that has pages of its own.
    std::vector<std::pair<std::string, std::size_t>> bytes_of_rows() {
        constexpr std::size_t kOnOnePage = 2'000;
        std::vector<std::pair<std::string, std::size_t>> places;
        Environment env(options_.directory, options_.map_size, true);
        const ReadTransaction txn(env);
        const Tables& tables = txn.tables();
        for (const MDB_dbi table : {tables.meta, tables.log, tables.postings, tables.agents,
                                    tables.tokens, tables.tokens_by_agent, tables.channels,
                                    tables.subscriptions, tables.subscribers, tables.usage}) {
            Cursor cursor(txn, table);
            for (bool more = cursor.first(); more; more = cursor.next()) {
                const std::string key(cursor.key());
                const std::string value(cursor.stored_value());
                const bool alone = key.size() + value.size() > kOnOnePage;
                const std::string row = alone ? value : key + value;
                const std::size_t begin = alone ? 0 : key.size();
                for (const std::size_t place :
                     {begin, begin + value.size() / 3, begin + value.size() / 2, row.size() - 9,
                      row.size() - 1}) {
                    places.emplace_back(row, place);
                }
                if (!alone) places.emplace_back(row, key.size() - 1);
            }
        }
        return places;
    }

    AppendMessage marked(std::string_view from, std::string_view to, const std::string& mark) {
        return direct(from, to, "{\"mark\":\"" + mark + "\"}");
    }
    [[nodiscard]] std::uint64_t damaged() const { return store_->stats().damaged; }

    /// Submits all at once, so that they are one batch.
    std::vector<WriteResult> write_together(std::vector<WriteOp> ops) {
        std::vector<WriteResult> results(ops.size(), core::Error(core::ErrorCode::internal));
        std::vector<Submission> submissions;
        std::promise<void> all;
        std::size_t done = 0;
        for (std::size_t i = 0; i < ops.size(); ++i) {
            submissions.push_back(Submission{std::move(ops[i]),
                                             [&, i](const WriteResult& result) {
                                                 results[i] = result;
                                                 if (++done == results.size()) all.set_value();
                                             },
                                             kNoLoop});
        }
        store_->submit(std::move(submissions));
        all.get_future().wait();
        return results;
    }
};

TEST_F(DamageTest, AFlippedByteInAMessageTakesThatMessageOnly) {
    create_agent("bob");
    append(marked("alice", "bob", "mark-one"));
    append(marked("alice", "bob", "mark-two"));
    append_all({marked("alice", "bob", "mark-three"), marked("alice", "bob", "mark-four"),
                marked("alice", "bob", "mark-five")});
    damage_text("mark-two");
    damage_text("mark-four");
    EXPECT_EQ(damaged(), 0U);

    EXPECT_EQ(unread("bob"), (Seqs{1, 3, 5}));
    EXPECT_TRUE(mailbox("bob").truncated);
    EXPECT_GT(damaged(), 0U);
    EXPECT_THROW((void)store_->find_message(core::Seq{2}), DamagedStore);
    EXPECT_EQ(store_->find_message(core::Seq{3})->draft.payload.text, "{\"mark\":\"mark-three\"}");
    EXPECT_EQ(seqs(history(HistoryQuery{}, 50)), (Seqs{1, 3, 5}));
    HistoryQuery since;
    since.start_time = clock_.now();
    EXPECT_EQ(seqs(history(since, 50)), (Seqs{1, 3, 5}));

    // Acknowledging settles it.
    EXPECT_EQ(ack("bob", 5), core::Seq{5});
    EXPECT_FALSE(mailbox("bob").truncated);
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{6});
    EXPECT_EQ(unread("bob"), Seqs{6});
}

TEST_F(DamageTest, AnAnswerToADamagedMessageIsStored) {
    append(marked("alice", "bob", "mark-one"));
    const std::string id = append(marked("alice", "bob", "mark-two"))->id.str();
    damage_text("mark-two");
    EXPECT_EQ(reply(direct("bob", "alice"), id)->seq, core::Seq{3});
    EXPECT_EQ(seqs(replies(id, {}, 10)), Seqs{3});
    EXPECT_EQ(seqs(thread(id, {}, 10)), Seqs{3});
}

TEST_F(DamageTest, ADamagedAgentIsAnErrorToThatAgentAlone) {
    create_agent("alice");
    create_agent("bob");
    append(direct("bob", "alice"));
    append(direct("alice", "bob"));
    damage_rows(&Tables::agents, "alice");

    EXPECT_THROW((void)mailbox("alice"), DamagedStore);
    EXPECT_EQ(unread("bob"), Seqs{2});
    const auto results =
        write_together({direct("alice", "bob"), AckMailbox{agent("alice"), core::Seq{1}},
                        AckMailbox{agent("bob"), core::Seq{2}}});
    EXPECT_TRUE(results[0].has_value());
    ASSERT_FALSE(results[1].has_value());
    EXPECT_EQ(results[1].error().code, core::ErrorCode::internal);
    EXPECT_TRUE(results[2].has_value());
    EXPECT_EQ(store_->state(), StoreState::ok);
    EXPECT_EQ(unread("bob"), Seqs{3});
}

TEST_F(DamageTest, AnOperationThatMeetsDamageHalfWayIsTakenBackAlone) {
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    append(publication("alice", "ops"));
    damage_rows(&Tables::channels, "ops");
    const auto results = write_together(
        {direct("alice", "bob"), Unsubscribe{channel("ops"), agent("bob")}, direct("alice", "bob"),
         DeleteChannel{channel("ops"), agent("root"), true}, direct("alice", "bob")});
    EXPECT_EQ(results[1].error().code, core::ErrorCode::internal);
    EXPECT_EQ(results[3].error().code, core::ErrorCode::internal);
    for (const std::size_t i : {0, 2, 4}) ASSERT_TRUE(results[i].has_value());
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4}));
    EXPECT_EQ(store_->state(), StoreState::ok);
}

TEST_F(DamageTest, ADamagedListIsPassedOverAndGoesOn) {
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    append_all({direct("alice", "bob"), publication("alice", "ops"), publication("alice", "ops")});
    damage_rows(&Tables::postings, feed_prefix(Feed::to_agent, "bob"));
    damage_rows(&Tables::postings, feed_prefix(Feed::channel, "ops"));

    EXPECT_EQ(unread("bob"), Seqs{});
    EXPECT_TRUE(mailbox("bob").truncated);
    const core::MessagePtr next = append(publication("alice", "ops"));
    EXPECT_GT(next->channel_seq, core::ChannelSeq{2});  // no number is given twice
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{5});
    EXPECT_EQ(unread("bob"), (Seqs{4, 5}));
    EXPECT_EQ(seqs(channel_history("ops", std::nullopt, 10)), Seqs{4});
    EXPECT_EQ(append(publication("alice", "ops"))->channel_seq, next->channel_seq.next());
    EXPECT_EQ(seqs(channel_history("ops", 0, 10)), (Seqs{4, 6}));
    EXPECT_EQ(seqs(history(HistoryQuery{}, 10)), (Seqs{1, 2, 3, 4, 5, 6}));
}

TEST_F(DamageTest, DamagedRowsOfListsAreLeftOut) {
    create_agent("alice");
    create_agent("bob");
    create_channel("dev");
    create_channel("ops");
    subscribe("alice", "ops");
    subscribe("bob", "ops");
    damage_rows(&Tables::channels, "dev");
    damage_rows(&Tables::subscribers, pair_key("ops", "alice"));
    damage_rows(&Tables::tokens, "bob");
    EXPECT_EQ(channels().size(), 1U);
    EXPECT_EQ(subscribers("ops"), std::vector{agent("bob")});
    EXPECT_EQ(tokens().size(), 1U);
    EXPECT_THROW((void)store_->find_channel(channel("dev")), DamagedStore);
    EXPECT_GE(damaged(), 4U);
}

TEST_F(DamageTest, RetentionGoesOnOverDamage) {
    options_.history_messages = 1;
    options_.mailbox_ttl = core::Millis(1'000);
    options_.channel_history = 1;
    reopen();
    create_agent("bob");
    create_channel("ops");
    for (int i = 0; i < 4; ++i) {
        append_all(
            {marked("alice", "bob", "mark-x" + std::to_string(i)), publication("alice", "ops")});
        AppendMessage keyed = direct("alice", "bob");
        keyed.idempotency_key = "key-" + std::to_string(i);
        append(std::move(keyed));
    }
    damage_text("mark-x1");
    damage_rows(&Tables::agents, "bob");
    damage_rows(&Tables::postings, feed_prefix(Feed::from_agent, "alice"));
    damage_rows(&Tables::idempotency_order, "");
    {
        // The head of a block: its number of messages.
        store_.reset();
        Environment env(options_.directory, options_.map_size, true);
        WriteTransaction txn(env);
        std::string block;
        std::string key;
        {
            Cursor cursor(txn, txn.tables().log);
            ASSERT_TRUE(cursor.first());
            key = cursor.key();
            block = cursor.stored_value();
        }
        block[2] = static_cast<char>(block[2] ^ 1);
        txn.put_plain(txn.tables().log, key, block);
        std::move(txn).commit();
    }
    reopen();
    clock_.advance(core::Millis(1'000'000));
    write<Done>(EvictMailboxes{core::Timestamp{clock_.now().ms - 1'000}});
    while (write<Trimmed>(Trim{}).more) {
    }
    const StoreStats stats = store_->stats();
    EXPECT_EQ(stats.first_seq, core::Seq{12});
    EXPECT_GT(stats.damaged, 0U);
    EXPECT_EQ(store_->state(), StoreState::ok);
    AppendMessage again = direct("alice", "bob");
    again.idempotency_key = "key-0";
    EXPECT_EQ(append(std::move(again))->seq, core::Seq{13});
}

TEST_F(DamageTest, AKeyOfAnAgentThatWasDamagedIsRefusedNotForgotten) {
    AppendMessage keyed = direct("alice", "bob");
    keyed.idempotency_key = "key";
    append(keyed);
    damage_rows(&Tables::idempotency_keys, "");
    EXPECT_EQ(error_of(keyed), core::ErrorCode::internal);
    EXPECT_EQ(store_->head(), core::Seq{1});
    clock_.advance(options_.idempotency_window);
    while (write<Trimmed>(Trim{}).more) {
    }
    EXPECT_EQ(append(keyed)->seq, core::Seq{2});
}

TEST_F(DamageTest, CopiesThatAreDamagedAreALossThatAnAckSettles) {
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    append(publication("alice", "ops"));
    unsubscribe("bob", "ops");
    EXPECT_EQ(unread("bob"), Seqs{1});
    damage_rows(&Tables::copies, "bob");
    EXPECT_EQ(unread("bob"), Seqs{});
    EXPECT_TRUE(mailbox("bob").truncated);
    ack("bob", 1);
    EXPECT_FALSE(mailbox("bob").truncated);
}

TEST_F(DamageTest, TheDoctorMakesDamagedRowsAgainAsFarAsThatGoes) {
    create_agent("alice");
    create_agent("bob");
    create_channel("ops");
    for (const char* who : {"alice", "bob"}) subscribe(who, "ops");
    append_all({direct("alice", "bob"), publication("alice", "ops")});
    ack("bob", 1);
    damage_rows(&Tables::agents, "bob");
    damage_rows(&Tables::subscribers, pair_key("ops", "alice"));
    damage_rows(&Tables::usage, "bob");
    damage_rows(&Tables::tokens, "alice");
    store_.reset();
    EXPECT_GE(examine(options_.directory).total, 4U);
    const Repair repair = examine_and_repair(options_);
    for (const Finding& finding : repair.after.findings) ADD_FAILURE() << finding.text;
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));  // where it had got to is lost
    EXPECT_EQ(ack("bob", 2), core::Seq{2});
    EXPECT_EQ(subscribers("ops"), (std::vector{agent("alice"), agent("bob")}));
    create_agent("alice");
    EXPECT_EQ(damaged(), 0U);
}

/// Changes a byte of every value and every key in the file, one at a time. Whatever it hits: no
/// message is shown other than it was sent, and the hub goes on.
TEST_F(DamageTest, NoFlippedByteIsShownAsAMessage) {
    options_.map_size = std::size_t{16} << 20;
    options_.durability = Durability::relaxed;  // nothing here is about the disk
    reopen();
    create_agent("alice");
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    std::set<std::string> sent;
    for (int i = 0; i < 24; ++i) {
        const std::string payload = "{\"n\":" + std::to_string(i) + ",\"pad\":\"" +
                                    std::string(static_cast<std::size_t>(100 * i), 'x') + "\"}";
        sent.insert(payload);
        AppendMessage op = i % 3 == 0 ? publication("alice", "ops") : direct("alice", "bob");
        op.draft.payload.text = payload;
        append(std::move(op));
    }
    store_.reset();
    const std::string whole = contents();
    const std::vector<std::pair<std::string, std::size_t>> places = bytes_of_rows();
    ASSERT_GT(places.size(), 200U);
    std::size_t opened = 0;
    const auto check = [&](const std::vector<core::MessagePtr>& messages) {
        for (const auto& message : messages) {
            EXPECT_TRUE(sent.contains(message->draft.payload.text)) << message->draft.payload.text;
            EXPECT_EQ(message->draft.from, agent("alice"));
            EXPECT_EQ(message->draft.type, "chat");
        }
    };
    const auto tolerate = [](const std::function<void()>& read) {
        try {
            read();
        } catch (const std::runtime_error&) {
            // The error to who asked.
        }
    };
    for (const auto& [row, place] : places) {
        std::string bytes = whole;
        std::size_t found = 0;
        // Older copies of the page have it, too.
        for (auto at = bytes.find(row); at != std::string::npos; at = bytes.find(row, at + 1)) {
            bytes[at + place] = static_cast<char>(~bytes[at + place]);
            ++found;
        }
        ASSERT_GT(found, 0U);
        put_contents(bytes);
        try {
            reopen();
        } catch (const StoreError&) {
            continue;  // the store's own numbers
        }
        ++opened;
        tolerate([&] { check(mailbox("bob").messages); });
        tolerate([&] { check(history(HistoryQuery{}, 100)); });
        tolerate([&] { check(channel_history("ops", std::nullopt, 100)); });
        tolerate([&] { (void)store_->find_token({}); });
        (void)store_->submit_and_wait(AckMailbox{agent("bob"), core::Seq{3}});
        (void)store_->submit_and_wait(direct("alice", "carol", "{}"));
        (void)store_->submit_and_wait(Trim{});
        tolerate([&] { check(mailbox("bob").messages); });
        store_.reset();
        if (HasFailure()) FAIL() << "in " << row << " at " << place;
    }
    EXPECT_GT(opened, places.size() - 20);
}

/// Descriptors of this process that are open on the file.
std::vector<int> descriptors_of(const std::filesystem::path& file) {
    std::vector<int> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code error;
        if (std::filesystem::read_symlink(entry.path(), error) == file) {
            found.push_back(std::stoi(entry.path().filename()));
        }
    }
    return found;
}

TEST_F(DamageTest, ReadsGoOnAfterAFailedWriteOfTheFirstPages) {
    create_agent("bob");
    append(direct("alice", "bob"));
    // LMDB writes its first pages through a descriptor of their own.
    int to_sync = -1;
    for (const int fd : descriptors_of(file())) {
        if ((::fcntl(fd, F_GETFL) & O_DSYNC) != 0) to_sync = fd;
    }
    ASSERT_GE(to_sync, 0);
    const int saved = ::dup(to_sync);
    const int nowhere = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ASSERT_EQ(::dup2(nowhere, to_sync), to_sync);
    EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_failed);
    EXPECT_EQ(store_->state(), StoreState::failed);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(unread("bob"), Seqs{1});
        EXPECT_EQ(seqs(history(HistoryQuery{}, 10)), Seqs{1});
    }
    EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_failed);
    ::dup2(saved, to_sync);
    ::close(saved);
    ::close(nowhere);
    reopen();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{2});
}

}  // namespace
}  // namespace agentcom::store

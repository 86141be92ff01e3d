// Stores with damaged bytes: what is damaged is an error to who asks for it, and the rest goes on.

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <set>

#include "agentcom/store/doctor.hpp"
#include "store/damage_fixture.hpp"

namespace agentcom::store {
namespace {

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

TEST_F(DamageTest, ADamagedPlaceInABlockTakesThatMessageOnly) {
    create_agent("bob");
    append_all({marked("alice", "bob", "mark-one"), marked("alice", "bob", "mark-two"),
                marked("alice", "bob", "mark-three")});
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        const std::string key = be64_key(1);
        std::string block;
        {
            Cursor cursor(txn, txn.tables().log);
            ASSERT_TRUE(cursor.at_or_after(key));
            block = cursor.stored_value();
        }
        // Where the third record begins; the end of the second, which is not told of otherwise.
        block[4 + 2 * sizeof(std::uint32_t)] ^= 1;
        txn.put_plain(txn.tables().log, key, block);
        std::move(txn).commit();
    }
    reopen();
    EXPECT_EQ(unread("bob"), Seqs{1});
    EXPECT_TRUE(mailbox("bob").truncated);
    EXPECT_GT(damaged(), 0U);
    try {
        (void)store_->find_message(core::Seq{3});
        FAIL() << "a record was found at a place that is not its own";
    } catch (const DamagedStore& error) {
        EXPECT_STREQ(error.what(), "the head of a log block does not match its checksum");
    }
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
        Environment env(options_.directory, options_.map_size);
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
    const auto check_visited = [&] {
        MailboxView view;
        core::Budget budget({});
        while (!view.complete()) {
            budget.next_turn();
            store_->read_mailbox(query("bob"), budget, view, [&](const core::MessageParts& parts) {
                EXPECT_TRUE(sent.contains(std::string(parts.payload))) << parts.payload;
                EXPECT_EQ(parts.from, "alice");
                EXPECT_EQ(parts.type, "chat");
            });
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
        tolerate(check_visited);
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

TEST_F(DamageTest, ReadsGoOnAfterAFailedWrite) {
    commit_at_once();
    create_agent("bob");
    append(direct("alice", "bob"));
    std::vector<std::pair<int, int>> saved;
    const int nowhere = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (const int fd : descriptors_of(file())) {
        saved.emplace_back(::dup(fd), fd);
        ASSERT_EQ(::dup2(nowhere, fd), fd);
    }
    EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_failed);
    EXPECT_EQ(store_->state(), StoreState::failed);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(unread("bob"), Seqs{1});
        EXPECT_EQ(seqs(history(HistoryQuery{}, 10)), Seqs{1});
    }
    EXPECT_EQ(error_of(direct("alice", "bob")), core::ErrorCode::storage_failed);
    for (const auto& [copy, fd] : saved) {
        ::dup2(copy, fd);
        ::close(copy);
    }
    ::close(nowhere);
    reopen();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{2});
}

TEST_F(DamageTest, AnOperationThatCannotBeFinishedIsLeftOutOfItsBatch) {
    create_agent("bob");
    CreateChannel secret{channel("secret"), "", agent("maker")};
    secret.is_private = true;
    secret.members = {{agent("bob"), kAllRights}};
    write<Done>(std::move(secret));
    subscribe("bob", "secret");
    damage_rows(&Tables::subscriptions, pair_key("bob", "secret"));
    const std::uint64_t before = store_->stats().commits;
    const SetMember remove{
        .channel = channel("secret"), .by = agent("maker"), .agent = agent("bob")};
    const auto results = write_together({direct("alice", "bob"), remove, direct("alice", "bob"),
                                         CreateChannel{channel("ops"), "", agent("maker")}, remove,
                                         direct("alice", "bob"), direct("alice", "bob")});
    for (std::size_t i = 0; i < results.size(); ++i) {
        ASSERT_EQ(results[i].has_value(), i != 1 && i != 4) << i;
    }
    EXPECT_EQ(results[1].error().code, core::ErrorCode::internal);
    EXPECT_EQ(unread("bob"), (Seqs{1, 2, 3, 4}));
    EXPECT_EQ(store_->stats().commits, before + 1);
}

TEST_F(DamageTest, AnAgentIsEndedThoughItsChannelsAreDamaged) {
    for (const char* name : {"alice", "bob"}) create_agent(name);
    for (const char* name : {"dev", "ops"}) create_channel(name);
    for (const char* who : {"alice", "bob"}) {
        for (const char* name : {"dev", "ops"}) {
            subscribe(who, name);
            write<MemberSet>(SetMember{.channel = channel(name),
                                       .by = agent("maker"),
                                       .agent = agent(who),
                                       .rights = kMayRead});
        }
    }
    append(direct("bob", "alice"));
    damage_rows(&Tables::channels, "dev");
    damage_rows(&Tables::agents, "alice");
    EXPECT_FALSE(write<AgentEnded>(EndAgent{"alice"}).more);
    EXPECT_FALSE(write<AgentEnded>(EndAgent{"bob"}).more);
    EXPECT_FALSE(write<Trimmed>(Trim{}).more);
    EXPECT_EQ(store_->find_channel(channel("ops"))->subscriber_count, 0U);
    EXPECT_EQ(store_->find_channel(channel("ops"))->member_count, 1U);
    EXPECT_TRUE(tokens().empty());
    create_agent("alice");
    EXPECT_TRUE(subscriptions("alice").empty());
    EXPECT_EQ(unread("alice"), Seqs{});
}

TEST_F(DamageTest, ADamagedTokenThatHasExpiredStandsInNobodysWay) {
    const auto expiring = [&](std::string_view who, std::int64_t at) {
        CreateToken op{agent(who), {}, "01234567", core::Role::agent};
        std::copy(who.begin(), who.end(), op.digest.begin());
        op.expires_at = core::Timestamp{at};
        write<Done>(op);
    };
    expiring("alice", 1'000);
    expiring("bob", 2'000);
    expiring("carol", 3'000);
    damage_rows(&Tables::tokens, "alice");
    NoteTokenUse use{{{}, {}}, 7};
    std::copy_n("alice", 5, use.tokens[0].begin());
    std::copy_n("carol", 5, use.tokens[1].begin());
    write<Done>(use);
    EXPECT_EQ(write<Trimmed>(DropExpiredTokens{core::Timestamp{2'500}}).messages, 2U);
    ASSERT_EQ(tokens().size(), 1U);
    EXPECT_EQ(tokens()[0].agent, agent("carol"));
    EXPECT_EQ(tokens()[0].last_used_day, 7U);
    EXPECT_FALSE(store_->find_token(use.tokens[0]));
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"alice"}).count, 1U);  // it was still listed
    create_agent("alice");
}

TEST_F(DamageTest, TheBytesOfAMailboxAreCountedWithoutReadingIt) {
    create_agent("bob");
    for (int i = 1; i <= 10; ++i) {
        append(
            marked("alice", "bob", "mark-" + std::to_string(i) + '-' + std::string(10'000, 'x')));
    }
    damage_text("mark-6-");
    damage_text("mark-7-");
    Poll poll = query("bob");
    poll.max_bytes = 35'000;
    const MailboxView view = read(poll);
    EXPECT_EQ(seqs(view.messages), (Seqs{8, 9, 10}));
    EXPECT_EQ(view.lost, core::Seq{7});
    EXPECT_EQ(damaged(), 0U);
    poll.max_bytes = 45'000;
    EXPECT_EQ(seqs(read(poll).messages), (Seqs{8, 9, 10}));
    EXPECT_GT(damaged(), 0U);
}

TEST_F(DamageTest, TheDoctorListsMailboxesWithoutTheStoresOwnNumbers) {
    append(direct("alice", "stranger"));
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        ASSERT_TRUE(txn.erase(txn.tables().unclaimed, unclaimed_key(core::Seq{1}, "stranger")));
        std::move(txn).commit();
    }
    EXPECT_THROW(damage_rows(&Tables::meta, std::string(kMetaState)), StoreError);
    const Repair repair = examine_and_repair(options_);
    for (const Finding& finding : repair.after.findings) ADD_FAILURE() << finding.text;
    reopen();
    EXPECT_EQ(unread("stranger"), Seqs{1});
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 1U);
    clock_.advance(core::Millis(1));
    write<Done>(EvictMailboxes{clock_.now()});
    EXPECT_FALSE(write<Trimmed>(Trim{}).more);
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 0U);
}

}  // namespace
}  // namespace agentcom::store

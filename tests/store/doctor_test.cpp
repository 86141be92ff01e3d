// A sound store is called sound whatever was done with it; what is wrong is found, and what can be
// repaired is.
#include "agentcom/store/doctor.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "agentcom/store/opening.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/keys.hpp"
#include "store/log_record.hpp"
#include "store/rows.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"

namespace agentcom::store {
namespace {

class DoctorTest : public StoreTest {
protected:
    /// Some of everything.
    void fill() {
        for (const char* name : {"alice", "bob", "carol"}) create_agent(name);
        for (const char* name : {"ops", "dev", "gone", "empty"}) create_channel(name);
        for (const char* name : {"ops", "dev", "gone"}) {
            subscribe("alice", name);
            subscribe("bob", name);
        }
        for (int round = 0; round < 100; ++round) {
            append(direct("alice", "bob"));
            append(direct("bob", "stranger"));
            append(broadcast("carol", round % 2 == 0));
            append(publication("alice", "ops"));
            append(publication("bob", "gone"));
        }
        const std::string first = store_->find_message(core::Seq{1})->id.str();
        const auto answer = reply(direct("bob", "alice"), first);
        reply(publication("carol", "dev"), answer->id.str());
        reply(direct("bob", "alice"), "no message of this hub");
        for (const char* key : {"one", "two"}) {
            AppendMessage keyed = direct("alice", "bob");
            keyed.idempotency_key = key;
            append(std::move(keyed));
        }
        ack("carol", 30);
        mark_read("alice", 40, 60);
        unsubscribe("bob", "ops");
        write<Done>(CreateChannel{
            .name = channel("secret"),
            .description = "",
            .created_by = agent("alice"),
            .is_private = true,
            .members = {{agent("alice"), core::kAllRights}, {agent("bob"), core::kMayRead}}});
        write<MemberSet>(
            SetMember{channel("secret"), agent("alice"), false, agent("carol"), core::kMayRead});
        CreateToken passing{agent("carol"), {}, "01234567", core::Role::agent};
        passing.digest.fill(7);
        passing.expires_at = core::Timestamp{clock_.now().ms + 1'000'000};
        write<Done>(passing);
        create_agent("leaver");
        subscribe("leaver", "dev");
        write<Done>(CreateChannel{channel("left"), "", agent("leaver")});
        append(direct("leaver", "bob"));
        append(direct("leaver", "unknown"));
        EXPECT_FALSE(write<AgentEnded>(EndAgent{"leaver"}).more);
        write<ChannelDeleted>(DeleteChannel{channel("gone"), agent("maker"), true});
        write<Done>(PutSetting{"mailbox_ttl_ms", 3'600'000});
    }
    void trim_to(std::uint64_t messages) {
        options_.retention_messages = messages;
        options_.history_messages = 10;
        options_.channel_history = 20;
        reopen();
        while (write<Trimmed>(Trim{}).more) {
        }
    }
    Examination look() {
        store_.reset();
        return examine(options_.directory);
    }
    static std::string all(const Examination& found) {
        std::string out;
        for (const Finding& finding : found.findings) out += finding.text + '\n';
        return out;
    }
    /// Changes the closed store's files.
    void change(const std::function<void(WriteTransaction&)>& damage) {
        store_.reset();
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        damage(txn);
        std::move(txn).commit();
    }
    void expect_found_and_repaired(const char* text) {
        const Examination found = look();
        EXPECT_NE(all(found).find(text), std::string::npos) << all(found);
        EXPECT_GT(found.total, 0U);
        const Repair repair = examine_and_repair(options_);
        EXPECT_EQ(repair.after.total, 0U) << all(repair.after);
        EXPECT_EQ(repair.repaired, found.total);
        EXPECT_EQ(look().total, 0U);
        reopen();
        append(direct("alice", "bob"));
    }
    void expect_found_only(const char* text) {
        const Examination found = look();
        EXPECT_NE(all(found).find(text), std::string::npos) << all(found);
        for (const Finding& finding : found.findings) EXPECT_FALSE(finding.repairable);
        EXPECT_EQ(all(examine_and_repair(options_).after), all(found));
    }
};

TEST_F(DoctorTest, AnEmptyStoreIsSound) {
    const Examination found = look();
    EXPECT_EQ(found.total, 0U) << all(found);
    EXPECT_EQ(found.head, core::Seq{0});
    EXPECT_NE(found.epoch, core::Epoch{});
}

TEST_F(DoctorTest, AStoreWithSomeOfEverythingIsSoundAlsoAfterRetention) {
    fill();
    const std::uint64_t head = store_->head().value;
    Examination found = look();
    EXPECT_EQ(found.total, 0U) << all(found);
    EXPECT_EQ(found.messages, head);
    EXPECT_GT(found.rows, 50U);
    for (const std::uint64_t bound : {300U, 50U, 1U}) {
        trim_to(bound);
        found = look();
        EXPECT_EQ(found.total, 0U) << all(found);
        EXPECT_LT(found.messages, head);
    }
    reopen();
    const core::Epoch epoch = store_->epoch();
    store_.reset();
    const Repair repair = examine_and_repair(options_);
    EXPECT_EQ(repair.repaired, 0U);
    EXPECT_EQ(repair.after.total, 0U);
    EXPECT_EQ(repair.after.epoch, epoch);
    EXPECT_EQ(repair.after.head.value, head);
}

TEST_F(DoctorTest, WrongCountersArePutRight) {
    fill();
    const std::uint64_t channels_before = store_->stats().channels;
    change([](WriteTransaction& txn) {
        StateRow state = StateRow::parse(txn.get(txn.tables().meta, kMetaState).value());
        state.channels += 3;
        state.unclaimed_mailboxes = 77;
        state.log_bytes -= 1;
        state.kept += 1;
        txn.put(txn.tables().meta, kMetaState, state.encode());
        ChannelRow dev =
            ChannelRow::parse(channel("dev"), txn.get(txn.tables().channels, "dev").value());
        dev.record.subscriber_count = 99;
        txn.put(txn.tables().channels, "dev", dev.encode());
        txn.put(txn.tables().usage, "nobody", UsageRow{1, 2, 3}.encode());
        txn.erase(txn.tables().usage, "alice");
    });
    expect_found_and_repaired("counts 77 unclaimed mailboxes and has 2");
    EXPECT_EQ(store_->stats().channels, channels_before);
    EXPECT_EQ(store_->find_channel(channel("dev"))->subscriber_count, 2U);
}

TEST_F(DoctorTest, RowsThatReferToNothingAreRemoved) {
    fill();
    change([](WriteTransaction& txn) {
        const Tables& tables = txn.tables();
        txn.put(tables.subscriptions, pair_key("alice", "no-channel"),
                SubscriptionRow{core::Seq{1}}.encode());
        txn.put(tables.subscribers, pair_key("ops", "stranger"), "");
        txn.put(tables.tokens_by_agent, pair_key("alice", std::string(32, 'x')), "");
        txn.put(tables.memberships, pair_key("bob", "ops"), "");
        txn.put(tables.token_expiry, token_expiry_key(core::Timestamp{5}, std::string(32, 'x')),
                "");
        txn.put(tables.copies, "nobody", CopiesRow{{}, {1, 2}}.encode());
        txn.put(tables.trimmed, feed_prefix(Feed::channel, "no-channel"),
                std::string(1, 1) + std::string(16, 0));
    });
    expect_found_and_repaired("copies are kept for \"nobody\"");
}

TEST_F(DoctorTest, WhatOthersReferToIsAdded) {
    fill();
    change([](WriteTransaction& txn) {
        const Tables& tables = txn.tables();
        txn.erase(tables.subscribers, pair_key("dev", "bob"));
        txn.erase(tables.memberships, pair_key("bob", "secret"));
        {
            Cursor tokens(txn, tables.tokens_by_agent);
            ASSERT_TRUE(tokens.first());
            tokens.erase();
        }
        {
            Cursor unclaimed(txn, tables.unclaimed);
            ASSERT_TRUE(unclaimed.first());
            unclaimed.erase();
        }
        {
            Cursor expiry(txn, tables.token_expiry);
            ASSERT_TRUE(expiry.first());
            expiry.erase();
        }
        Cursor order(txn, tables.idempotency_order);
        ASSERT_TRUE(order.first());
        order.erase();
    });
    expect_found_and_repaired("so it cannot be revoked");
    EXPECT_EQ(write<TokensRevoked>(RevokeTokens{"bob"}).count, 1U);
}

TEST_F(DoctorTest, TheStoresOwnNumbersAreFoundAgain) {
    fill();
    trim_to(300);
    const StoreStats before = store_->stats();
    change([](WriteTransaction& txn) { txn.put(txn.tables().meta, kMetaState, "\x07"); });
    EXPECT_THROW((void)Store::open(options_, clock_), StoreError);
    expect_found_and_repaired("own numbers are missing or damaged");
    EXPECT_EQ(store_->stats().head_seq.value, before.head_seq.value + 1);
    EXPECT_EQ(store_->stats().first_seq, before.first_seq);
    EXPECT_EQ(store_->stats().kept_bytes, before.kept_bytes);
    EXPECT_EQ(store_->stats().channels, before.channels);
}

TEST_F(DoctorTest, AMessageMissingInAListIsFound) {
    fill();
    change([](WriteTransaction& txn) {
        Cursor cursor(txn, txn.tables().postings);
        ASSERT_TRUE(cursor.at_or_after(feed_prefix(Feed::to_agent, "bob")));
        cursor.erase();
    });
    expect_found_only("are missing in the lists of messages to agents");
}

TEST_F(DoctorTest, AnEntryThatLeadsElsewhereIsFound) {
    fill();
    change([](WriteTransaction& txn) {
        std::string entry("\x01");
        append_fixed(entry, std::uint64_t{3});
        std::string key = feed_prefix(Feed::to_agent, "alice");
        append_be64(key, 3);
        txn.put(txn.tables().postings, key, entry);
    });
    expect_found_only("message 3 does not belong there");
}

TEST_F(DoctorTest, AGapOfTheLogIsFound) {
    for (int i = 0; i < 3; ++i) append(direct("alice", "bob"));
    change([](WriteTransaction& txn) { txn.erase(txn.tables().log, be64_key(2)); });
    expect_found_only("the log has a gap before message 3");
}

TEST_F(DoctorTest, ADamagedRowIsFoundAndTheRestLookedAt) {
    fill();
    change([](WriteTransaction& txn) {
        txn.put(txn.tables().agents, "carol", "\x07");
        txn.put(txn.tables().settings, "mailbox_ttl_ms", "\x01");
    });
    const Examination found = look();
    EXPECT_NE(all(found).find("\"carol\" of agents is damaged"), std::string::npos) << all(found);
    EXPECT_NE(all(found).find("of settings is damaged"), std::string::npos) << all(found);
}

TEST_F(DoctorTest, NoStoreIsAnError) {
    store_.reset();
    EXPECT_THROW((void)examine(dir_.path() / "nowhere"), StoreError);
    EXPECT_THROW((void)examine_copy(dir_.path()), StoreError);
    StoreOptions elsewhere = options_;
    elsewhere.directory = dir_.path() / "nowhere";
    EXPECT_THROW((void)examine_and_repair(elsewhere), StoreError);
    EXPECT_FALSE(std::filesystem::exists(elsewhere.directory));
}

}  // namespace
}  // namespace agentcom::store

// Stores of older schemas. data/schema1 and data/schema2 were written by the programs of their
// time; generate.cpp and generate.py beside them say what is in them.

#include "store/schema.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "agentcom/store/backup.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/journal.hpp"
#include "store/keys.hpp"
#include "store/migrations.hpp"
#include "store/rows.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"
#include "store/upgrade.hpp"
#include "support/paths.hpp"

namespace agentcom::store {
namespace {

class SchemaTest : public StoreTest {
protected:
    void SetUp() override {
        options_.directory = dir_.path() / "data";
        options_.map_size = std::size_t{64} << 20;
        std::filesystem::create_directory(options_.directory);
        std::filesystem::copy_file(test::source_dir() / "tests/store/data/schema1/data.mdb",
                                   options_.directory / "data.mdb");
        clock_.advance(core::Millis(7'200'000 + 61'000));  // when it was written
    }
    static core::TokenDigest digest(std::string_view name) {
        core::TokenDigest out{};
        std::copy(name.begin(), name.end(), out.begin());
        return out;
    }
    /// All that is in the data directory besides the store itself.
    std::vector<std::filesystem::path> backups() const {
        std::vector<std::filesystem::path> found;
        for (const auto& entry : std::filesystem::directory_iterator(options_.directory)) {
            if (entry.path().filename().string().starts_with("backup-")) {
                found.push_back(entry.path());
            }
        }
        return found;
    }
    static std::uint64_t version_of(Environment& env) {
        const ReadTransaction txn(env);
        return parse_number(txn.get(txn.tables().meta, kMetaSchema).value());
    }
    Appended keyed(AppendMessage op, std::string key) {
        op.idempotency_key = std::move(key);
        return write<Appended>(std::move(op));
    }
};

class Schema2Test : public SchemaTest {
protected:
    void SetUp() override {
        SchemaTest::SetUp();
        std::filesystem::copy_file(test::source_dir() / "tests/store/data/schema2/data.mdb",
                                   options_.directory / "data.mdb",
                                   std::filesystem::copy_options::overwrite_existing);
    }
    void expect_all() {
        EXPECT_EQ(store_->stats().damaged, 0U);
        std::vector<std::string> names;
        for (const TokenRecord& token : tokens()) names.push_back(token.name);
        std::ranges::sort(names);
        ASSERT_EQ(names.size(), 6U);
        EXPECT_EQ(names[4], "eyes");
        EXPECT_EQ(names[5], "short");
        const auto all = channels();
        ASSERT_EQ(all.size(), 2U);
        EXPECT_EQ(all[0].name, channel("ops"));
        EXPECT_EQ(all[0].description, "about ops");
        EXPECT_EQ(all[0].subscriber_count, 2U);
        EXPECT_TRUE(all[1].is_private);
        EXPECT_EQ(store_->members(channel("secret")).size(), 2U);
        EXPECT_EQ(subscriptions("bob"), (std::vector{channel("ops"), channel("secret")}));
        const auto to_bob = unread("bob");
        EXPECT_EQ(Seqs(to_bob.begin(), to_bob.begin() + 3), (Seqs{4, 5, 7}));
        EXPECT_EQ(store_->mailbox_cursor(agent("bob")), core::Seq{3});
        EXPECT_EQ(unread("carol"), (Seqs{1, 2, 3, 9}));
        EXPECT_EQ(unread("ghost"), Seqs{8});
        EXPECT_EQ(seqs(channel_history("ops", std::nullopt, 50)), (Seqs{1, 2, 3}));
        const std::string root = store_->find_message(core::Seq{5})->id.str();
        EXPECT_EQ(seqs(thread(root, {}, 10)), (Seqs{5, 6}));
        EXPECT_EQ(store_->find_message(core::Seq{1})->draft.payload.text, R"({"n": 1})");
        EXPECT_EQ(store_->setting("mailbox_ttl_ms"), 864'000'000'000U);
    }
};

TEST_F(SchemaTest, AStoreOfVersion1IsBroughtUpToDateAndReadAsBefore) {
    reopen();
    reopen();  // the second time it is up to date already
    EXPECT_EQ(store_->head(), core::Seq{19});
    EXPECT_EQ(store_->find_token(digest("alice"))->role, core::Role::admin);
    EXPECT_EQ(tokens().size(), 3U);
    EXPECT_EQ(store_->setting("mailbox_ttl_ms"), 3'600'000U);

    const auto all = channels();
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].name, channel("dev"));
    EXPECT_EQ(all[1].description, "about ops");
    EXPECT_EQ(all[1].subscriber_count, 2U);
    EXPECT_EQ(all[1].created_by, agent("alice"));
    EXPECT_EQ(all[1].created_at, core::Timestamp{1'700'000'000'000});
    EXPECT_EQ(all[2].created_by, agent("bob"));
    EXPECT_EQ(subscriptions("bob"), std::vector{channel("ops")});

    // 5 has been trimmed, 13 was read live, 16 is a copy, 1 to 4 are too old by now.
    EXPECT_EQ(unread("bob"), (Seqs{6, 7, 8, 9, 10, 11, 16, 18, 19}));
    EXPECT_TRUE(mailbox("bob").truncated);
    EXPECT_EQ(unread("carol"), Seqs{18});
    EXPECT_EQ(store_->mailbox_cursor(agent("carol")), core::Seq{17});
    EXPECT_EQ(unread("ghost-1"), Seqs{14});

    EXPECT_EQ(seqs(channel_history("ops", std::nullopt, 50)), (Seqs{2, 3, 4, 18}));
    EXPECT_EQ(store_->find_message(core::Seq{2})->draft.payload.text, "{\"kept\":2}");
    EXPECT_EQ(seqs(history(HistoryQuery{}, 50)).size(), 14U);
    const std::string root = store_->find_message(core::Seq{11})->id.str();
    EXPECT_EQ(seqs(thread(root, {}, 10)), (Seqs{11, 12}));
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{20});
}

TEST_F(SchemaTest, AnUpgradeIsPrecededByACopyOfTheStoreAsItWas) {
    std::vector<std::pair<std::filesystem::path, StoreCopy>> told;
    options_.on_upgrade_copy = [&](const std::filesystem::path& directory, const StoreCopy& copy) {
        EXPECT_TRUE(std::filesystem::exists(directory / "data.mdb"));
        told.emplace_back(directory, copy);
    };
    reopen();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].second.schema, 1U);
    EXPECT_EQ(told[0].second.head, core::Seq{19});
    EXPECT_EQ(told[0].second.findings, 0U) << told[0].second.first_finding;
    const auto copies = backups();
    ASSERT_EQ(copies.size(), 1U);
    EXPECT_TRUE(copies[0].filename().string().starts_with("backup-v1-20231115T001421Z-"));
    EXPECT_EQ(std::filesystem::status(copies[0]).permissions(), std::filesystem::perms::owner_all);
    // What is up to date already is not copied.
    append(direct("alice", "bob"));
    reopen();
    EXPECT_EQ(backups().size(), 1U);

    // The copy is the old store: put back, it is brought up to date again.
    store_.reset();
    std::filesystem::copy_file(copies[0] / "data.mdb", options_.directory / "data.mdb",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::remove_all(copies[0]);
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{19});
    EXPECT_EQ(store_->find_message(core::Seq{2})->draft.payload.text, "{\"kept\":2}");
}

TEST_F(SchemaTest, WithoutRoomForTheCopyNothingHappens) {
    Environment env(options_.directory, options_.map_size);
    const UpgradeCopy copy{
        options_.directory, clock_.now(), {}, [](const auto&) { return std::uint64_t{1'000}; }};
    try {
        (void)open_schema(env, copy);
        FAIL() << "an upgrade without a copy";
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("no room for the copy"), std::string::npos);
        EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    }
    EXPECT_EQ(version_of(env), 1U);
    EXPECT_TRUE(backups().empty());
}

TEST_F(SchemaTest, ACopyThatCannotBeFinishedLeavesNothing) {
    options_.on_upgrade_copy = [](const auto&, const auto&) {
        throw std::runtime_error("there is no manifest today");
    };
    EXPECT_THROW(reopen(), StoreError);
    EXPECT_TRUE(backups().empty());
    options_.on_upgrade_copy = {};
    reopen();
    EXPECT_EQ(backups().size(), 1U);
}

// Steps that stand for those of versions to come.
int steps_run = 0;
void write_mark(WriteTransaction& txn) {
    ++steps_run;
    txn.put(txn.tables().settings, "mark", encode_number(1));
}
void note_mark(WriteTransaction& txn) {
    ++steps_run;
    EXPECT_TRUE(txn.get(txn.tables().settings, "mark"));
    txn.put(txn.tables().settings, "noted", encode_number(1));
}
void fail_half_way(WriteTransaction& txn) {
    txn.put(txn.tables().settings, "half", encode_number(1));
    throw DamagedStore("the machine is switched off here");
}

TEST_F(SchemaTest, AnUpgradeThatIsCutShortGoesOnWhereItWas) {
    const UpgradeCopy copy{options_.directory, clock_.now(), {}};
    steps_run = 0;
    {
        Environment env(options_.directory, options_.map_size);
        constexpr std::array kBroken{UpgradeStep{1, write_mark}, UpgradeStep{2, fail_half_way}};
        EXPECT_THROW(upgrade(env, 1, kBroken, copy), DamagedStore);
        EXPECT_EQ(version_of(env), 2U);
    }
    EXPECT_EQ(backups().size(), 1U);
    {
        Environment env(options_.directory, options_.map_size);
        constexpr std::array kSteps{UpgradeStep{1, write_mark}, UpgradeStep{2, note_mark}};
        upgrade(env, 2, kSteps, UpgradeCopy{options_.directory, clock_.now(), {}, [](const auto&) {
                                                return std::uint64_t{0};
                                            }});
        EXPECT_EQ(version_of(env), 3U);
        const ReadTransaction txn(env);
        EXPECT_FALSE(txn.get(txn.tables().settings, "half"));
        EXPECT_FALSE(txn.get(txn.tables().meta, kMetaUpgrade));
    }
    EXPECT_EQ(steps_run, 2);
    EXPECT_EQ(backups().size(), 1U);
}

TEST_F(SchemaTest, AFirstStepThatFailsAgainAndAgainMakesOneCopy) {
    constexpr std::array kBroken{UpgradeStep{1, fail_half_way}};
    std::filesystem::create_directory(options_.directory / "backup-v1-0.making");
    for (int i = 0; i < 3; ++i) {
        Environment env(options_.directory, options_.map_size);
        clock_.advance(core::Millis(1'000));
        EXPECT_THROW(upgrade(env, 1, kBroken, UpgradeCopy{options_.directory, clock_.now(), {}}),
                     DamagedStore);
        EXPECT_EQ(version_of(env), 1U);
        EXPECT_EQ(backups().size(), 1U);
    }
    // A store that has gone on since is another.
    Environment env(options_.directory, options_.map_size);
    {
        WriteTransaction txn(env);
        write_mark(txn);
        std::move(txn).commit();
    }
    EXPECT_THROW(upgrade(env, 1, kBroken, UpgradeCopy{options_.directory, clock_.now(), {}}),
                 DamagedStore);
    EXPECT_EQ(backups().size(), 2U);
}

TEST_F(SchemaTest, TheStepsLeadToThisProgramsVersionWithoutAGap) {
    std::uint64_t version = 1;
    for (const UpgradeStep& step : upgrade_steps()) EXPECT_EQ(step.from, version++);
    EXPECT_EQ(version, kSchemaVersion);
}

TEST_F(SchemaTest, KeysOfVersion1AreRememberedForAnyBody) {
    reopen();
    EXPECT_EQ(keyed(direct("alice", "carol", "\"another\""), "key-1").message->seq, core::Seq{17});
    EXPECT_EQ(keyed(publication("alice", "ops"), "key-2").message->seq, core::Seq{18});
    EXPECT_EQ(keyed(direct("carol", "bob"), "key-1").message->seq, core::Seq{19});
    EXPECT_EQ(store_->head(), core::Seq{19});
    // 17 was written a minute before the others, and runs out before them.
    clock_.advance(options_.idempotency_window - core::Millis(61'000));
    while (write<Trimmed>(Trim{}).more) {
    }
    EXPECT_EQ(keyed(direct("alice", "carol"), "key-1").message->seq, core::Seq{20});
    EXPECT_TRUE(keyed(direct("carol", "bob"), "key-1").duplicate);
}

TEST_F(SchemaTest, WhatVersion2CountsIsCounted) {
    options_.quotas.max_channels = 8;
    options_.quotas.max_subscriptions_per_agent = 1;
    reopen();
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 2U);
    EXPECT_EQ(store_->stats().channels, 3U);
    EXPECT_EQ(error_of(CreateChannel{channel("more"), "", agent("alice")}),
              core::ErrorCode::channel_limit);
    write<Done>(CreateChannel{channel("more"), "", agent("bob")});
    EXPECT_EQ(error_of(Subscribe{channel("more"), agent("carol")}),
              core::ErrorCode::subscription_limit);

    std::uint64_t kept = 0;
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        const ReadTransaction txn(env);
        Cursor cursor(txn, txn.tables().kept);
        for (bool more = cursor.first(); more; more = cursor.next()) kept += cursor.value().size();
        MDB_dbi table = 0;
        EXPECT_EQ(mdb_dbi_open(txn.handle(), "idempotency", 0, &table), MDB_NOTFOUND);
    }
    EXPECT_GT(kept, 0U);
    reopen();
    EXPECT_EQ(store_->stats().kept_bytes, kept);

    // Mailboxes of version 1 are forgotten like others.
    clock_.advance(core::Millis(1));
    write<Done>(EvictMailboxes{clock_.now()});
    while (write<Trimmed>(Trim{}).more) {
    }
    EXPECT_EQ(store_->stats().unclaimed_mailboxes, 0U);
}

TEST_F(SchemaTest, AMigrationThatFailsLeavesTheStoreAsItWas) {
    {
        Environment env(options_.directory, options_.map_size);
        {
            WriteTransaction txn(env);
            txn.put(txn.tables().agents, "broken", "\x07");
            std::move(txn).commit();
        }
        EXPECT_THROW((void)open_schema(env), StoreError);
        const ReadTransaction txn(env);
        EXPECT_EQ(parse_number(txn.get(txn.tables().meta, kMetaSchema).value()), 1U);
        MDB_dbi table = 0;
        EXPECT_EQ(mdb_dbi_open(txn.handle(), "idempotency", 0, &table), MDB_SUCCESS);
        EXPECT_FALSE(Cursor(txn, txn.tables().idempotency_keys).first());
    }
    {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        txn.erase(txn.tables().agents, "broken");
        std::move(txn).commit();
    }
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{19});
}

TEST_F(SchemaTest, AStoreWithoutItsVersionIsNotTakenForANewOne) {
    Environment env(options_.directory, options_.map_size);
    {
        WriteTransaction txn(env);
        ASSERT_TRUE(txn.erase(txn.tables().meta, kMetaSchema));
        std::move(txn).commit();
    }
    EXPECT_THROW((void)open_schema(env), StoreError);
    const ReadTransaction txn(env);
    EXPECT_FALSE(txn.get(txn.tables().meta, kMetaSchema));
}

/// The last one without a journal.
TEST_F(Schema2Test, AStoreOfVersion2IsCopiedAndReadAndHasAJournalFromThenOn) {
    reopen();
    EXPECT_EQ(backups().size(), 1U);
    EXPECT_TRUE(backups()[0].filename().string().starts_with("backup-v2-"));
    EXPECT_FALSE(std::filesystem::exists(backups()[0] / kJournalDirectory));
    expect_all();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{10});
    // As if the machine had stopped.
    const auto cut = dir_.path() / "cut";
    std::filesystem::create_directory(cut);
    std::filesystem::copy_file(options_.directory / kDataFile, cut / kDataFile);
    std::filesystem::copy(options_.directory / kJournalDirectory, cut / kJournalDirectory);
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        EXPECT_EQ(version_of(env), kSchemaVersion);
    }
    options_.directory = cut;
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{10});
    expect_all();
    EXPECT_TRUE(backups().empty());
}

TEST_F(Schema2Test, WhatAnUpgradeThatIsCutOffHasBegunIsDoneByTheNext) {
    {
        Environment env(options_.directory, options_.map_size);
        constexpr std::array kBroken{UpgradeStep{2, fail_half_way}};
        EXPECT_THROW(upgrade(env, 2, kBroken, UpgradeCopy{options_.directory, clock_.now(), {}}),
                     DamagedStore);
        EXPECT_EQ(version_of(env), 2U);
    }
    EXPECT_FALSE(std::filesystem::exists(options_.directory / kJournalDirectory));
    reopen();
    EXPECT_EQ(backups().size(), 1U);
    expect_all();
}

}  // namespace
}  // namespace agentcom::store

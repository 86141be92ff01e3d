#include "agentcom/store/backup.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "agentcom/store/opening.hpp"
#include "store/environment.hpp"
#include "store/schema.hpp"
#include "store/store_fixture.hpp"
#include "store/transaction.hpp"
#include "support/paths.hpp"

namespace agentcom::store {
namespace {

namespace fs = std::filesystem;

class BackupTest : public StoreTest {
protected:
    [[nodiscard]] fs::path copies() const { return dir_.path() / "backup"; }
    StoreCopy back_up() {
        store_.reset();
        return copy_store(options_.directory, copies());
    }
    /// Into another directory, which the store is then opened in.
    Restored restore(const StoreCopy& copy) {
        store_.reset();
        options_.directory = dir_.path() / "restored";
        const Restored restored = restore_store(copies(), copy, options_, false);
        reopen();
        return restored;
    }
    static void flip_a_byte(const fs::path& file) {
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekg(5'000);
        const char byte = static_cast<char>(stream.get() ^ 1);
        stream.seekp(5'000);
        stream.put(byte);
    }
};

TEST_F(BackupTest, ARestoredStoreHasEverythingAndANewEpoch) {
    create_agent("bob");
    create_channel("ops");
    append(direct("alice", "bob"));
    const auto root = append(direct("alice", "bob", "\"root\""));
    const auto answer = reply(direct("bob", "alice"), root->id.str());
    const core::Epoch epoch = store_->epoch();
    const StoreCopy copy = back_up();
    EXPECT_EQ(copy.epoch, epoch);
    EXPECT_EQ(copy.head, core::Seq{3});
    EXPECT_EQ(copy.bytes, fs::file_size(copies() / "data.mdb"));
    EXPECT_EQ(copy.sha256.size(), 64U);
    // The original goes on under its epoch.
    reopen();
    const auto of_original = append(direct("alice", "bob", "\"lost\""));

    const Restored restored = restore(copy);
    EXPECT_EQ(store_->epoch(), restored.epoch);
    EXPECT_NE(restored.epoch, epoch);
    EXPECT_EQ(restored.head, core::Seq{3});
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    EXPECT_EQ(channels().size(), 1U);
    // What was in the copy keeps its id, so threads stay together.
    EXPECT_EQ(store_->find_message(core::Seq{2})->id, root->id);
    EXPECT_EQ(store_->thread_root(answer->id.str()), root->id.str());
    EXPECT_EQ(seqs(thread(root->id.str(), {}, 10)), (Seqs{2, 3}));
    const auto later = reply(direct("alice", "bob"), answer->id.str());
    EXPECT_EQ(later->seq, of_original->seq);
    EXPECT_NE(later->id, of_original->id);
    EXPECT_EQ(seqs(thread(root->id.str(), {}, 10)), (Seqs{2, 3, 4}));
    // An id of the original for a message that is not here.
    EXPECT_EQ(store_->thread_root(of_original->id.str()), of_original->id.str());
    EXPECT_TRUE(thread(of_original->id.str(), {}, 10).empty());
    const core::Epoch kept = store_->epoch();
    reopen();
    EXPECT_EQ(store_->epoch(), kept);
    EXPECT_EQ(store_->find_message(core::Seq{4})->id, later->id);
}

TEST_F(BackupTest, ACopyThatWasChangedIsRefusedAndNothingIsTouched) {
    append(direct("alice", "bob"));
    const StoreCopy copy = back_up();
    flip_a_byte(copies() / "data.mdb");
    StoreOptions elsewhere = options_;
    elsewhere.directory = dir_.path() / "restored";
    EXPECT_THROW(restore_store(copies(), copy, elsewhere, false), StoreError);
    EXPECT_FALSE(holds_store(elsewhere.directory));
    EXPECT_FALSE(fs::exists(elsewhere.directory / "restoring"));
    // Nor one that is cut short, or another's.
    fs::resize_file(copies() / "data.mdb", copy.bytes - 1);
    EXPECT_THROW(restore_store(copies(), copy, elsewhere, false), StoreError);
    EXPECT_THROW(restore_store(copies(), copy, options_, true), StoreError);
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{1});
}

TEST_F(BackupTest, ACopyOfANewerProgramIsRefusedBeforeAnythingIsCopied) {
    append(direct("alice", "bob"));
    StoreCopy copy = back_up();
    copy.schema += 1;
    StoreOptions elsewhere = options_;
    elsewhere.directory = dir_.path() / "restored";
    try {
        restore_store(copies(), copy, elsewhere, false);
        ADD_FAILURE() << "it was restored";
    } catch (const StoreError& error) {
        EXPECT_NE(std::string(error.what()).find("newer version"), std::string::npos)
            << error.what();
    }
    EXPECT_FALSE(fs::exists(elsewhere.directory));
}

TEST_F(BackupTest, WhatIsThereIsReplacedOnlyWhenAskedFor) {
    append(direct("alice", "bob"));
    const StoreCopy copy = back_up();
    reopen();
    append(direct("alice", "bob"));
    store_.reset();
    EXPECT_THROW(restore_store(copies(), copy, options_, false), StoreError);
    const fs::path strange = dir_.path() / "strange";
    fs::create_directory(strange);
    std::ofstream(strange / "letter.txt") << "dear";
    StoreOptions elsewhere = options_;
    elsewhere.directory = strange;
    EXPECT_THROW(restore_store(copies(), copy, elsewhere, false), StoreError);
    EXPECT_FALSE(holds_store(strange));
    restore_store(copies(), copy, options_, true);
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{1});
}

TEST_F(BackupTest, ACopyIsPrivateAndGoesIntoAnEmptyDirectory) {
    append(direct("alice", "bob"));
    (void)back_up();
    struct stat status {};
    ASSERT_EQ(::stat(copies().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    ASSERT_EQ(::stat((copies() / "data.mdb").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_THROW((void)copy_store(options_.directory, copies()), StoreError);
    EXPECT_TRUE(fs::exists(copies() / "data.mdb"));
    EXPECT_THROW((void)copy_store(dir_.path() / "nowhere", dir_.path() / "other"), StoreError);
    EXPECT_FALSE(fs::exists(dir_.path() / "other"));
}

TEST_F(BackupTest, AStoreThatIsNotSoundIsCopiedAndSaysSo) {
    append(direct("alice", "bob"));
    store_.reset();
    {
        Environment env(options_.directory, options_.map_size);
        WriteTransaction txn(env);
        txn.put(txn.tables().settings, "mailbox_ttl_ms", "\x01");
        std::move(txn).commit();
    }
    const StoreCopy copy = back_up();
    EXPECT_EQ(copy.findings, 1U);
    EXPECT_NE(copy.first_finding.find("settings"), std::string::npos);
}

TEST_F(BackupTest, AStoreOfVersion1IsCopiedAndRestored) {
    store_.reset();
    const fs::path old = dir_.path() / "old";
    fs::create_directory(old);
    fs::copy_file(test::source_dir() / "tests/store/data/schema1/data.mdb", old / "data.mdb");
    const StoreCopy copy = copy_store(old, copies());
    EXPECT_EQ(copy.schema, 1U);
    EXPECT_EQ(copy.head, core::Seq{19});
    EXPECT_EQ(restore(copy).schema, kSchemaVersion);
    EXPECT_EQ(store_->head(), core::Seq{19});
    EXPECT_EQ(channels().size(), 3U);
}

TEST_F(BackupTest, WhateverGoesWrongIsSaidInASentence) {
    const StoreCopy copy = back_up();
    StoreOptions into;
    into.directory = dir_.path() / "a-file";
    std::ofstream(into.directory) << "x";
    for (const bool replace : {false, true}) {
        EXPECT_THROW((void)restore_store(copies(), copy, into, replace), StoreError);
    }
    EXPECT_THROW((void)copy_store(options_.directory, into.directory), StoreError);
    EXPECT_THROW((void)copy_store(options_.directory, into.directory / "below"), StoreError);
}

}  // namespace
}  // namespace agentcom::store

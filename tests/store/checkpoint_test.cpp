// Power cuts below a running store: its file has what a checkpoint says is on disk, and of what was
// written since any sectors; the journal has what was synced. Whatever is there, the store that is
// opened has everything that was acknowledged.

#include "store/checkpoint.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <random>
#include <thread>

#include "agentcom/store/backup.hpp"
#include "agentcom/store/doctor.hpp"
#include "store/journal.hpp"
#include "store/store_fixture.hpp"
#include "store/support/file_limit.hpp"
#include "store/support/random_operations.hpp"
#include "store/support/table_dump.hpp"

namespace agentcom::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSector = 512;

std::string contents(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}
void put(const fs::path& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class CheckpointTest : public StoreTest {
protected:
    void SetUp() override {
        // Nothing is deferred where there is less room.
        options_.map_size = std::size_t{1} << 30;
        StoreTest::SetUp();
        note_baseline();
    }

    [[nodiscard]] fs::path data_file() const { return options_.directory / kDataFile; }
    [[nodiscard]] fs::path checkpoint_file() const {
        return options_.directory / kJournalDirectory / "checkpoint";
    }
    /// What is on disk for certain: nothing has been written since the newest checkpoint.
    void note_baseline() { versions_ = {contents(data_file())}; }
    /// Some of what was written since.
    void note_version() {
        settle();
        versions_.push_back(contents(data_file()));
    }
    /// Whoever reads finds everything committed.
    void settle() const { (void)store_->mailbox_cursor(agent("nobody")); }

    /// Has a checkpoint made of what was written so far.
    void make_checkpoint() {
        const auto number = [this] {
            return find_checkpoint(options_.directory)->image.transaction;
        };
        const std::uint64_t before = number();
        clock_.advance(options_.checkpoint_interval);
        write<Done>(PutSetting{"checkpoint", before});
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (number() == before && std::chrono::steady_clock::now() < deadline) {
            std::this_thread::yield();
        }
        ASSERT_GT(number(), before) << "no checkpoint is made";
        note_baseline();
    }

    /// A copy of the data directory as it is at this moment, which nobody has open.
    fs::path take() {
        settle();
        return take_as_it_is();
    }
    /// What is deferred is in the journal alone.
    fs::path take_as_it_is() {
        const fs::path copy = dir_.path() / ("copy-" + std::to_string(++copies_));
        fs::create_directory(copy);
        fs::copy_file(data_file(), copy / kDataFile);
        fs::copy(options_.directory / kJournalDirectory, copy / kJournalDirectory);
        return copy;
    }
    /// Each sector of the file becomes that of the present, of the checkpoint, or of some moment in
    /// between.
    void lose_sectors(const fs::path& file, std::mt19937_64& random) const {
        const std::string present = contents(file);
        const std::uint64_t share = random() % 5;  // of those that are lost
        std::string mixed = present;
        for (std::size_t at = 0; at < present.size(); at += kSector) {
            if (random() % 4 >= share) continue;
            const std::string& version = versions_[random() % versions_.size()];
            for (std::size_t i = at; i < std::min(at + kSector, present.size()); ++i) {
                mixed[i] = i < version.size() ? version[i] : '\0';
            }
        }
        const std::size_t synced = versions_.front().size();
        if (synced < mixed.size() && random() % 2 == 0) {
            mixed.resize(synced + random() % (mixed.size() - synced));
        }
        put(file, mixed);
    }
    fs::path cut_power(std::uint64_t seed) {
        const fs::path copy = take_as_it_is();
        std::mt19937_64 random(seed);
        lose_sectors(copy / kDataFile, random);
        return copy;
    }

    [[nodiscard]] StoreOptions options_of(const fs::path& directory) const {
        StoreOptions options = options_;
        options.directory = directory;
        return options;
    }
    std::unique_ptr<Store> open(const fs::path& directory) {
        return Store::open(options_of(directory), clock_);
    }
    std::string why_refused(const fs::path& directory) {
        try {
            (void)open(directory);
        } catch (const StoreError& error) {
            EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
            return error.what();
        }
        return "";
    }
    /// Everything that the running store has is in the other one, and nothing else.
    void expect_all_in(const fs::path& directory) {
        ASSERT_EQ(why_refused(directory), "");
        settle();
        EXPECT_EQ(difference(dump_file(data_file()), dump_file(directory / kDataFile)), "");
        EXPECT_EQ(findings(directory), findings_now());
    }
    static std::vector<std::string> findings(const fs::path& directory) {
        std::vector<std::string> all;
        for (const Finding& finding : examine_copy(directory).findings) all.push_back(finding.text);
        return all;
    }
    /// Of the running store.
    std::vector<std::string> findings_now() {
        const fs::path copy = take();
        return findings(copy);
    }

    void write_some(RandomOperations& random, int batches) {
        if (store_->head() == core::Seq{}) {
            for (WriteOp& op : random.beginning()) write<Done>(std::move(op));
        }
        for (int i = 0; i < batches; ++i) {
            clock_.advance(core::Millis(static_cast<std::int64_t>(random.below(20))));
            random.set_now(clock_.now());
            std::vector<Submission> together;
            std::promise<void> all;
            const std::size_t count = 1 + random.below(12);
            for (std::size_t k = 0; k < count; ++k) {
                together.push_back(Submission{random.operation(),
                                              [&, k, count](const WriteResult& result) {
                                                  random.note(result);
                                                  if (k + 1 == count) all.set_value();
                                              },
                                              kNoLoop});
            }
            store_->submit(std::move(together));
            all.get_future().wait();
        }
    }

    std::vector<std::string> versions_;  // of the data file, the checkpoint's first
    int copies_ = 0;
};

TEST_F(CheckpointTest, AfterAPowerCutAtAnyMomentEverythingAcknowledgedIsThere) {
    options_.checkpoint_interval = core::Millis(10'000'000);  // only when they are asked for
    reopen();
    note_baseline();
    RandomOperations random(13, false);
    for (int moment = 0; moment < 25; ++moment) {
        SCOPED_TRACE("moment " + std::to_string(moment));
        write_some(random, static_cast<int>(random.below(8)));
        if (random.one_in(3)) note_version();
        if (random.one_in(5)) {
            ASSERT_NO_FATAL_FAILURE(make_checkpoint());
        }
        const fs::path cut = cut_power(random.next());
        ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
        fs::remove_all(cut);
        if (HasFailure()) return;
    }
}

TEST_F(CheckpointTest, WithTrimsToo) {
    options_.checkpoint_interval = core::Millis(10'000'000);
    options_.history_messages = 20;
    options_.retention_messages = 60;
    options_.channel_history = 3;
    reopen();
    note_baseline();
    RandomOperations random(14);
    for (int moment = 0; moment < 12; ++moment) {
        SCOPED_TRACE("moment " + std::to_string(moment));
        write_some(random, static_cast<int>(random.below(20)));
        if (random.one_in(3)) note_version();
        if (random.one_in(5)) {
            ASSERT_NO_FATAL_FAILURE(make_checkpoint());
        }
        const fs::path cut = cut_power(random.next());
        {
            auto other = open(cut);
            EXPECT_EQ(other->head(), store_->head());
            EXPECT_EQ(other->stats().damaged, 0U) << "an operation was refused the second time";
            const std::uint64_t first =
                std::max(other->stats().first_seq, store_->stats().first_seq).value;
            for (std::uint64_t seq = first; seq <= store_->head().value; ++seq) {
                const auto expected = store_->find_message(core::Seq{seq});
                const auto found = other->find_message(core::Seq{seq});
                ASSERT_TRUE(expected && found) << seq;
                EXPECT_EQ(found->id, expected->id);
                EXPECT_EQ(found->draft.payload, expected->draft.payload);
            }
        }
        const Examination found = examine_copy(cut);
        EXPECT_EQ(found.total, 0U) << found.findings.front().text;
        fs::remove_all(cut);
        if (HasFailure()) return;
    }
}

/// Power goes again while the store is brought to where it was, however far that has come.
TEST_F(CheckpointTest, APowerCutDuringAStartLosesNothing) {
    RandomOperations random(15, false);
    write_some(random, 10);
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    write_some(random, 30);
    note_version();
    const fs::path cut = cut_power(1);
    const fs::path journal = dir_.path() / "journal-of-the-first-cut";
    fs::copy(cut / kJournalDirectory, journal);
    versions_.push_back(contents(cut / kDataFile));
    ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
    const std::string after = contents(cut / kDataFile);
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        // It had not yet got to a checkpoint of its own.
        put(cut / kDataFile, after);
        std::mt19937_64 choice(seed);
        lose_sectors(cut / kDataFile, choice);
        fs::remove_all(cut / kJournalDirectory);
        fs::copy(journal, cut / kJournalDirectory);
        ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
    }
    // Or it had, and then only that can have been lost which was not in it.
    put(cut / kDataFile, after);
    ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
}

TEST_F(CheckpointTest, AfterAnOrderlyCloseTheFileSaysItself) {
    create_agent("bob");
    append(direct("alice", "bob"));
    EXPECT_FALSE(find_checkpoint(options_.directory)->closed);
    store_.reset();
    EXPECT_TRUE(find_checkpoint(options_.directory)->closed);
    const std::string before = contents(data_file());
    // The journal is not asked, so its beginning may be gone.
    fs::remove(segment_file(options_.directory, 0));
    fs::remove(segment_file(options_.directory, 1));
    reopen();
    EXPECT_EQ(unread("bob"), Seqs{1});
    EXPECT_EQ(store_->stats().damaged, 0U);
    EXPECT_EQ(contents(data_file()), before);
}

TEST_F(CheckpointTest, AFileThatReplacesAClosedStoreIsTaken) {
    create_agent("bob");
    append(direct("alice", "bob"));
    store_.reset();
    const std::string older = contents(data_file());
    reopen();
    append(direct("alice", "bob"));
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    append(direct("alice", "bob"));
    store_.reset();
    put(data_file(), older);
    reopen();
    EXPECT_EQ(unread("bob"), Seqs{1});
    append(direct("alice", "bob"));
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));

    // A copy, which has no stamp.
    const fs::path copy = dir_.path() / "backup";
    (void)copy_store(options_.directory, copy);
    append(direct("alice", "bob"));
    store_.reset();
    fs::copy_file(copy / kDataFile, data_file(), fs::copy_options::overwrite_existing);
    reopen();
    EXPECT_EQ(unread("bob"), (Seqs{1, 2}));
    note_baseline();
    const auto last = append(direct("alice", "bob"));
    const fs::path cut = cut_power(3);
    EXPECT_EQ(open(cut)->head(), last->seq);
}

TEST_F(CheckpointTest, AFileThatReplacesAStoreThatWasNotClosedIsRefused) {
    create_agent("bob");
    store_.reset();
    const std::string cold = contents(data_file());
    reopen();
    append(direct("alice", "bob"));
    const fs::path backup = dir_.path() / "backup";
    (void)copy_store(options_.directory, backup);
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    append(direct("alice", "bob"));
    const fs::path cut = take();
    const std::string right = contents(cut / kDataFile);
    for (const std::string& other : {contents(backup / kDataFile), cold}) {
        put(cut / kDataFile, other);
        const std::string why = why_refused(cut);
        EXPECT_NE(why.find("is not that of the store's file"), std::string::npos) << why;
        EXPECT_NE(why.find("move the directory"), std::string::npos) << why;
        EXPECT_EQ(contents(cut / kDataFile), other) << "it was changed";
    }
    // Gone altogether: a start must not begin an empty store over it.
    fs::remove(cut / kDataFile);
    EXPECT_NE(why_refused(cut).find("is not that of the store's file"), std::string::npos);
    put(cut / kDataFile, right);
    ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
}

/// A cold copy of the very state that the newest checkpoint is of is as good as that.
TEST_F(CheckpointTest, AColdCopyThatIsAsNewAsTheCheckpointIsTakenWithTheJournal) {
    create_agent("bob");
    append(direct("alice", "bob"));
    store_.reset();
    const std::string cold = contents(data_file());
    reopen();
    append(direct("alice", "bob"));
    const fs::path cut = take();
    put(cut / kDataFile, cold);
    ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
}

TEST_F(CheckpointTest, WithTheJournalMovedAwayTheFileIsTakenAsItIs) {
    create_agent("bob");
    append(direct("alice", "bob"));
    const fs::path copy = take();
    fs::rename(copy / kJournalDirectory, dir_.path() / "away");
    // Without a power cut nothing of it is missing.
    ASSERT_NO_FATAL_FAILURE(expect_all_in(copy));
}

TEST_F(CheckpointTest, ACheckpointThatIsDamagedInOnePlaceIsReadInTheOther) {
    create_agent("bob");
    RandomOperations random(16, false);
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    write_some(random, 20);
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    // Pages of the one before are used again by now.
    write_some(random, 40);
    note_version();
    for (const std::size_t place : {0U, 4'096U}) {
        for (const std::size_t at : {0U, 20U, 34U, 300U}) {
            SCOPED_TRACE("place " + std::to_string(place) + ", byte " + std::to_string(at));
            const fs::path cut = cut_power(place + at);
            const fs::path file = cut / kJournalDirectory / "checkpoint";
            std::string bytes = contents(file);
            bytes.at(place + at) = static_cast<char>(bytes.at(place + at) ^ 1);
            put(file, bytes);
            ASSERT_NO_FATAL_FAILURE(expect_all_in(cut));
            fs::remove_all(cut);
        }
    }
}

TEST_F(CheckpointTest, ACheckpointThatIsDamagedInBothPlacesIsRefused) {
    create_agent("bob");
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    append(direct("alice", "bob"));
    const fs::path cut = take();
    const fs::path file = cut / kJournalDirectory / "checkpoint";
    const std::string whole = contents(file);
    std::string bytes = whole;
    for (const std::size_t place : {40U, 4'136U})
        bytes[place] = static_cast<char>(bytes[place] ^ 1);
    const std::string before = contents(cut / kDataFile);
    for (const std::string& damaged : {bytes, std::string(), whole.substr(0, 100)}) {
        put(file, damaged);
        EXPECT_NE(why_refused(cut).find("or its checkpoint is damaged"), std::string::npos);
    }
    fs::remove(file);
    EXPECT_NE(why_refused(cut).find("or its checkpoint is damaged"), std::string::npos);
    EXPECT_EQ(contents(cut / kDataFile), before) << "it was changed";
}

TEST_F(CheckpointTest, ADamagedJournalIsRefusedAndWithoutItTheStoreIsAsAtItsCheckpoint) {
    create_agent("bob");
    append(direct("alice", "bob"));
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    for (int i = 0; i < 3; ++i) append(direct("alice", "bob"));
    const fs::path cut = cut_power(4);
    const unsigned segment = find_checkpoint(cut)->journal.segment;
    std::string bytes = contents(segment_file(cut, segment));
    bytes[Journal::kSegmentStart + 40] = static_cast<char>(bytes[Journal::kSegmentStart + 40] ^ 1);
    put(segment_file(cut, segment), bytes);
    const std::string why = why_refused(cut);
    EXPECT_NE(why.find("record"), std::string::npos) << why;
    EXPECT_NE(why.find("is damaged"), std::string::npos) << why;
    EXPECT_NE(why.find("restore a backup"), std::string::npos) << why;
    EXPECT_EQ(why_refused(cut), why) << "the second time it is no other";
    // Whoever wants no more than that.
    fs::rename(cut / kJournalDirectory, dir_.path() / "away");
    EXPECT_EQ(open(cut)->head(), core::Seq{1});
    EXPECT_EQ(examine_copy(cut).total, 0U);
}

TEST_F(CheckpointTest, ARecordOfALaterProgramIsRefusedWithASentence) {
    create_agent("bob");
    append(direct("alice", "bob"));
    const fs::path cut = take();
    const auto checkpoint = find_checkpoint(cut);
    {
        Journal journal(cut, checkpoint->stamp, checkpoint->journal, 1 << 20);
        journal.append("\x02 what comes later");
        journal.sync();
    }
    EXPECT_NE(why_refused(cut).find("operations are written in version 2"), std::string::npos);
}

TEST_F(CheckpointTest, TheDoctorAndABackupSeeAllOfAStoreThatWasNotClosed) {
    RandomOperations random(17, false);
    write_some(random, 10);
    ASSERT_NO_FATAL_FAILURE(make_checkpoint());
    write_some(random, 20);
    note_version();
    const core::Seq head = store_->head();
    {
        const fs::path cut = cut_power(5);
        const Examination found = examine(cut);
        EXPECT_EQ(found.head, head);
        EXPECT_EQ(found.total, 0U);
        EXPECT_TRUE(find_checkpoint(cut)->closed);
    }
    {
        const fs::path cut = cut_power(6);
        const fs::path backup = dir_.path() / "backup";
        const StoreCopy copy = copy_store(cut, backup);
        EXPECT_EQ(copy.head, head);
        EXPECT_EQ(copy.findings, 0U) << copy.first_finding;
        EXPECT_EQ(difference(dump_file(data_file()), dump_file(backup / kDataFile)), "");
        // Put in the place of a store that was not closed either.
        const fs::path other = cut_power(7);
        const Restored restored = restore_store(backup, copy, options_of(other), true);
        EXPECT_EQ(restored.head, head);
        EXPECT_FALSE(fs::exists(other / kJournalDirectory));
        EXPECT_EQ(open(other)->head(), head);
    }
    {
        const fs::path cut = cut_power(8);
        const Repair repair = examine_and_repair(options_of(cut));
        EXPECT_EQ(repair.repaired, 0U);
        EXPECT_EQ(repair.after.head, head);
    }
    // What the command line does with tokens.
    const fs::path cut = cut_power(9);
    {
        auto other = open(cut);
        other->start(nullptr);
        CreateToken op{agent("late"), {1, 2, 3}, "01234567"};
        ASSERT_TRUE(other->submit_and_wait(op));
    }
    auto other = open(cut);
    EXPECT_TRUE(other->has_token("late"));
    EXPECT_EQ(other->head(), head);
}

/// A store that is full stays one that can be opened: what was applied once has room the second
/// time, in the same map.
TEST_F(CheckpointTest, AStoreThatIsFullIsOpenedAgainAfterAPowerCut) {
    store_.reset();
    fs::remove_all(options_.directory);
    options_.map_size = std::size_t{8} << 20;
    reopen();
    note_baseline();
    create_agent("bob");
    const std::string payload = '"' + std::string(60'000, 'x') + '"';
    std::uint64_t taken = 0;
    for (; taken < 10'000; ++taken) {
        const WriteResult result = store_->submit_and_wait(direct("alice", "bob", payload));
        if (result) continue;
        EXPECT_EQ(result.error().code, core::ErrorCode::storage_full);
        break;
    }
    ASSERT_GT(taken, 20U);
    EXPECT_EQ(store_->state(), StoreState::full);
    const fs::path copy = take();
    ASSERT_NO_FATAL_FAILURE(expect_all_in(copy));
    EXPECT_EQ(open(copy)->head(), core::Seq{taken});
}

/// Long in the journal, and without a trace in the tables.
NoteTokenUse of_unknown_tokens(std::size_t count) {
    return NoteTokenUse{std::vector<core::TokenDigest>(count, core::TokenDigest{7}), 20'000};
}

TEST_F(CheckpointTest, AJournalThatCannotGrowGoesOnInTheRoomThatItHas) {
    make_checkpoint();  // both segments are there
    const FileLimit limit(700'000);
    for (int i = 0; i < 100; ++i) write<Done>(of_unknown_tokens(1'000));
    EXPECT_EQ(error_of(of_unknown_tokens(30'000)), core::ErrorCode::storage_full);
    EXPECT_NE(store_->state(), StoreState::failed);
    write<Done>(of_unknown_tokens(1'000));
    write<Done>(PutSetting{"small", 1});
    ASSERT_NO_FATAL_FAILURE(expect_all_in(take()));
}

TEST_F(CheckpointTest, AnAcknowledgementOfWhatCameRightBeforeItIsAppliedAgain) {
    create_agent("bob");
    make_checkpoint();
    for (int i = 0; i < 3; ++i) append(direct("alice", "bob"));
    // That they were shown is known by the number alone, which the log is asked for.
    EXPECT_EQ(ack("bob", 2, {}), core::Seq{2});
    append(direct("alice", "bob"));
    mark_read("bob", 3, 4);
    const auto again = open(take());
    EXPECT_EQ(again->mailbox_cursor(agent("bob")), core::Seq{2});
    EXPECT_EQ(seqs(read_mailbox(*again, query("bob"), {}).messages), Seqs{3});
}

TEST_F(CheckpointTest, ADiskThatIsFullKeepsNobodyFromTurningAndClosing) {
    append(direct("alice", "bob"));
    // Nothing has turned yet, and the other segment has its room.
    for (const unsigned segment : {0U, 1U}) {
        EXPECT_GE(fs::file_size(segment_file(options_.directory, segment)), 100'000U);
    }
    {
        const FileLimit limit(fs::file_size(data_file()) + 100'000);
        for (int i = 0; i < 3; ++i) {
            clock_.advance(options_.checkpoint_interval);
            write<Done>(PutSetting{"checkpoint", 1});
        }
        store_.reset();
        EXPECT_TRUE(find_checkpoint(options_.directory)->closed);
    }
    reopen();
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{2});
}

/// With durability "relaxed" the last moments may go, and nothing else.
TEST_F(CheckpointTest, RelaxedDurabilityLosesWhatWasNotSyncedAndDamagesNothing) {
    options_.durability = Durability::relaxed;
    options_.sync_interval = core::Millis(1'000);
    options_.checkpoint_interval = core::Millis(10'000'000);
    reopen();
    note_baseline();
    const auto send = [this](int count) {
        for (int i = 0; i < count; ++i) append(direct("alice", "bob"));
    };
    send(5);
    // This one is written when the interval is over; what comes next waits for its sync.
    clock_.advance(options_.sync_interval);
    send(2);
    const std::uint64_t synced = store_->head().value - 1;
    const std::string journal_then = contents(segment_file(options_.directory, 0));
    note_version();
    send(12);
    const std::uint64_t sent = store_->head().value;
    std::size_t lost = 0;
    for (std::uint64_t seed = 1; seed <= 25; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        const fs::path cut = cut_power(seed);
        std::mt19937_64 random(seed);
        std::string journal = contents(segment_file(cut, 0));
        const std::uint64_t share = random() % 5;
        for (std::size_t at = 0; at < journal.size(); at += kSector) {
            if (random() % 4 >= share) continue;
            for (std::size_t i = at; i < at + kSector; ++i) journal[i] = journal_then[i];
        }
        put(segment_file(cut, 0), journal);
        {
            auto other = open(cut);
            const std::uint64_t found = other->head().value;
            EXPECT_GE(found, synced);
            EXPECT_LE(found, sent);
            EXPECT_EQ(other->stats().damaged, 0U);
            lost += found < sent ? 1 : 0;
        }
        EXPECT_EQ(examine_copy(cut).total, 0U);
        fs::remove_all(cut);
    }
    EXPECT_GT(lost, 0U) << "nothing was ever lost";
}

}  // namespace
}  // namespace agentcom::store

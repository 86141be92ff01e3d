// How a store was left is told, and a damaged journal is ended before the damage when somebody asks
// for it.
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "agentcom/store/doctor.hpp"
#include "store/journal.hpp"
#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

void flip_byte(const fs::path& file, std::uint64_t offset) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(static_cast<std::streamoff>(offset));
    const int byte = stream.get();
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(static_cast<char>(byte ^ 1));
}

class JournalDoctorTest : public StoreTest {
protected:
    /// The clock stands still, so no checkpoint is made but at the opening.
    void send(int count) {
        for (int i = 0; i < count; ++i) append(direct("alice", "bob"));
    }
    /// As a kill leaves the store.
    StoreOptions left_behind() {
        StoreOptions left = options_;
        left.directory = dir_.path() / "left";
        fs::copy(options_.directory, left.directory, fs::copy_options::recursive);
        return left;
    }
    /// Where record `n` (the first is 0) of the segment begins.
    static std::uint64_t offset_of(const fs::path& segment, int n) {
        const std::string bytes = read_file(segment);
        std::uint64_t offset = Journal::kSegmentStart;
        for (int i = 0; i < n; ++i) {
            std::uint32_t body = 0;
            bytes.copy(reinterpret_cast<char*>(&body), sizeof body, offset + 4);
            offset = (offset + 32 + body + 7) / 8 * 8;
        }
        return offset;
    }
    static void damage_record(const StoreOptions& left, int n) {
        const fs::path segment = segment_file(left.directory, 0);
        flip_byte(segment, offset_of(segment, n) + 32);
    }
    std::string refusal(const StoreOptions& left) {
        try {
            (void)Store::open(left, clock_);
        } catch (const StoreError& error) {
            return error.what();
        }
        return {};
    }
};

TEST_F(JournalDoctorTest, AStoreThatWasClosedHasNothingToBeAppliedAgain) {
    send(3);
    EXPECT_TRUE(examine_journal(options_.directory).in_use);
    store_.reset();
    const JournalExamination found = examine_journal(options_.directory);
    EXPECT_FALSE(found.in_use);
    EXPECT_TRUE(found.closed);
    EXPECT_EQ(found.batches, 0U);
    EXPECT_THROW((void)examine_journal(dir_.path() / "no"), StoreError);
}

TEST_F(JournalDoctorTest, OfOneThatWasKilledItSaysHowMuchIsAppliedAgainAndChangesNothing) {
    send(3);
    create_agent("carol");
    const StoreOptions left = left_behind();
    const std::string before = read_file(left.directory / "data.mdb");
    const JournalExamination found = examine_journal(left.directory);
    EXPECT_FALSE(found.in_use);
    EXPECT_FALSE(found.closed);
    EXPECT_EQ(found.batches, 4U);
    EXPECT_EQ(found.messages, 3U);
    EXPECT_FALSE(found.damage);
    EXPECT_EQ(read_file(left.directory / "data.mdb"), before);

    EXPECT_FALSE(cut_journal(left, clock_));  // it is not damaged
    EXPECT_TRUE(examine_journal(left.directory).closed);
    EXPECT_EQ(Store::open(left, clock_)->head(), core::Seq{3});
}

TEST_F(JournalDoctorTest, DamageInTheMiddleIsRefusedAndToldOfAndCutOnlyWhenAsked) {
    send(5);
    const StoreOptions left = left_behind();
    damage_record(left, 2);
    EXPECT_NE(refusal(left).find("agentcom doctor --cut-journal"), std::string::npos)
        << refusal(left);
    const JournalExamination found = examine_journal(left.directory);
    EXPECT_EQ(found.batches, 2U);
    ASSERT_TRUE(found.damage);
    EXPECT_EQ(found.damage->batches, 2U);
    EXPECT_EQ(found.damage->messages, 2U);
    EXPECT_TRUE(found.damage->text.starts_with("record ")) << found.damage->text;

    const std::string damaged = read_file(segment_file(left.directory, 0));
    const auto cut = cut_journal(left, clock_);
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->lost.text, found.damage->text);
    EXPECT_EQ(cut->lost.messages, 2U);
    EXPECT_EQ(read_file(cut->kept / "segment-0"), damaged);
    EXPECT_TRUE(cut->kept.filename().string().starts_with("journal.damaged-")) << cut->kept;
    EXPECT_TRUE(examine_journal(left.directory).closed);

    const auto store = Store::open(left, clock_);
    store->start(nullptr);
    EXPECT_EQ(store->head(), core::Seq{2});
    const WriteResult next = store->submit_and_wait(direct("alice", "bob"));
    EXPECT_EQ(std::get<Appended>(*next).message->seq, core::Seq{3});
    store->stop();
    EXPECT_EQ(examine(left.directory).total, 0U);
}

TEST_F(JournalDoctorTest, ADamagedBeginningCostsWhatTheSegmentHas) {
    send(2);
    const StoreOptions left = left_behind();
    flip_byte(segment_file(left.directory, 0), 4);
    EXPECT_NE(refusal(left).find("the beginning of"), std::string::npos) << refusal(left);
    const auto cut = cut_journal(left, clock_);
    ASSERT_TRUE(cut);
    EXPECT_EQ(cut->lost.batches, 2U);
    EXPECT_EQ(Store::open(left, clock_)->head(), core::Seq{0});
}

TEST_F(JournalDoctorTest, ATornEndIsNoDamage) {
    send(3);
    const StoreOptions left = left_behind();
    damage_record(left, 2);  // no later one says that it was on disk
    const JournalExamination found = examine_journal(left.directory);
    EXPECT_EQ(found.batches, 2U);
    EXPECT_FALSE(found.damage);
    EXPECT_FALSE(cut_journal(left, clock_));
}

TEST_F(JournalDoctorTest, FiguresTellWhatNoCheckpointCoversAndWhatWasAppliedAgain) {
    const auto made = [](const JournalFigures& figures) {
        std::uint64_t sum = 0;
        for (const std::uint64_t each : figures.checkpoints.counts) sum += each;
        return sum;
    };
    send(3);
    const JournalFigures written = store_->journal_figures();
    EXPECT_GT(written.bytes, 0U);
    EXPECT_EQ(written.replayed, 0U);
    EXPECT_EQ(made(written), 0U);
    const StoreOptions left = left_behind();
    const auto later = Store::open(left, clock_);
    EXPECT_EQ(later->journal_figures().replayed, 3U);
    EXPECT_EQ(later->journal_figures().bytes, 0U);

    store_->stop();  // which makes the last one
    const JournalFigures closed = store_->journal_figures();
    EXPECT_EQ(closed.bytes, 0U);
    EXPECT_EQ(made(closed), 1U);
    EXPECT_GE(closed.last_checkpoint, written.last_checkpoint);
}

}  // namespace
}  // namespace agentcom::store

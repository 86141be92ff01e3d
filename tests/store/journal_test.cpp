// The journal's files: what was appended is read, what a power cut may have torn is left out, and
// what it cannot have torn is damage.

#include "store/journal.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "store/bytes.hpp"
#include "store/store_fixture.hpp"
#include "store/support/file_limit.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::store {
namespace {

using Bodies = std::vector<std::string>;

constexpr std::uint64_t kSegmentBytes = std::uint64_t{1} << 20;
constexpr std::size_t kHeader = 32;  // of a record

class JournalTest : public testing::Test {
protected:
    void SetUp() override {
        std::filesystem::create_directories(dir_.path() / kJournalDirectory);
        for (std::size_t i = 0; i < stamp_.size(); ++i) stamp_[i] = static_cast<std::uint8_t>(i);
    }

    [[nodiscard]] Journal open(JournalStart start = {}, std::uint64_t bytes = kSegmentBytes) const {
        return Journal(dir_.path(), stamp_, start, bytes);
    }
    [[nodiscard]] std::filesystem::path segment(unsigned number) const {
        return segment_file(dir_.path(), number);
    }
    JournalEnd read(JournalStart start = {}) {
        bodies_.clear();
        return read_journal(dir_.path(), stamp_, start,
                            [this](std::string_view body) { bodies_.emplace_back(body); });
    }
    std::string why_refused(JournalStart start = {}) {
        try {
            (void)read(start);
        } catch (const DamagedJournal& error) {
            return error.what();
        }
        return "";
    }

    static std::string contents(const std::filesystem::path& path) {
        std::ifstream in(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    }
    static void put(const std::filesystem::path& path, const std::string& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    }
    void flip(unsigned number, std::uint64_t offset) const {
        std::string bytes = contents(segment(number));
        bytes.at(offset) = static_cast<char>(bytes.at(offset) ^ 0x20);
        put(segment(number), bytes);
    }
    /// Appended and synced one after the other; where each of them begins.
    std::vector<std::uint64_t> fill(Journal& journal, const Bodies& bodies) {
        std::vector<std::uint64_t> places;
        for (const std::string& body : bodies) {
            places.push_back(journal.bytes());
            journal.append(body);
            journal.sync();
        }
        return places;
    }

    test::TempDir dir_;
    StoreStamp stamp_{};
    Bodies bodies_;
};

TEST_F(JournalTest, WhatIsAppendedIsReadInOrder) {
    const Bodies all{"first", "2", std::string(100'000, 'x'), "last"};
    Journal journal = open();
    EXPECT_TRUE(journal.empty());
    EXPECT_EQ(journal.append(all[0]), 1U);
    EXPECT_FALSE(journal.is_synced());
    journal.sync();
    EXPECT_TRUE(journal.is_synced());
    EXPECT_EQ(journal.append(all[1]), 2U);
    EXPECT_EQ(journal.append(all[2]), 3U);
    EXPECT_EQ(journal.append(all[3]), 4U);
    EXPECT_FALSE(journal.empty());
    const JournalEnd end = read();
    EXPECT_EQ(bodies_, all);
    EXPECT_EQ(end.records, 4U);
    EXPECT_EQ(end.bytes, 5U + 1U + 100'000U + 4U);
    EXPECT_EQ(end.next_number, 5U);
    EXPECT_FALSE(end.torn);
}

/// Of what was appended while another thread synced it is unknown whether the disk has it.
TEST_F(JournalTest, ASyncIsOfWhatHadBeenAppendedWhenItBegan) {
    Journal journal = open();
    const std::uint64_t first = journal.append("first");
    journal.append("second");
    journal.sync(first);
    EXPECT_FALSE(journal.is_synced());
    journal.append("third");
    // So the third does not say that the second was on disk, and both may be missing.
    flip(0, contents(segment(0)).find("second"));
    const JournalEnd end = read();
    EXPECT_EQ(bodies_, Bodies{"first"});
    EXPECT_TRUE(end.torn);
}

TEST_F(JournalTest, AJournalThatIsNotThereIsEmpty) {
    EXPECT_EQ(read({1, 17}).next_number, 17U);
    EXPECT_TRUE(bodies_.empty());
    EXPECT_FALSE(holds_records(dir_.path()));
    (void)open();
    EXPECT_TRUE(holds_records(dir_.path()));
    EXPECT_EQ(read().records, 0U);
}

TEST_F(JournalTest, TheSegmentsTakeTurns) {
    Journal journal = open();
    fill(journal, {"a", "b"});
    const JournalStart second = journal.turn();
    EXPECT_EQ(second.segment, 1U);
    EXPECT_EQ(second.number, 3U);
    EXPECT_TRUE(journal.empty());
    // One that is empty is not left.
    EXPECT_EQ(journal.turn().segment, 1U);
    fill(journal, {"c"});
    read();
    EXPECT_EQ(bodies_, (Bodies{"a", "b", "c"}));
    read(second);
    EXPECT_EQ(bodies_, Bodies{"c"});
    const JournalStart third = journal.turn();
    EXPECT_EQ(third.segment, 0U);
    EXPECT_EQ(third.number, 4U);
    fill(journal, {"d"});
    read(second);
    EXPECT_EQ(bodies_, (Bodies{"c", "d"}));
    read(third);
    EXPECT_EQ(bodies_, Bodies{"d"});
}

/// Nothing but a sync of all of a segment lets the next one begin.
TEST_F(JournalTest, ATurnSyncsWhatWasLeftUnsynced) {
    Journal journal = open();
    journal.append("a");
    EXPECT_FALSE(journal.is_synced());
    (void)journal.turn();
    EXPECT_TRUE(journal.is_synced());
}

TEST_F(JournalTest, ASegmentGrowsAsItIsNeededAndHasZerosBehindItsEnd) {
    Journal journal = open();
    const auto size = [&] { return std::filesystem::file_size(segment(0)); };
    const std::uintmax_t first = size();
    EXPECT_GE(first, Journal::kSegmentStart);
    EXPECT_LT(first, kSegmentBytes);
    const std::string body(30'000, 'x');
    std::size_t records = 0;
    while (journal.has_room(body.size())) {
        journal.append(body);
        ++records;
        ASSERT_LE(size(), kSegmentBytes);
        ASSERT_GE(size(), journal.bytes());
    }
    EXPECT_GT(records, 30U);
    EXPECT_GT(size(), first);
    const std::string bytes = contents(segment(0));
    EXPECT_EQ(bytes.find_first_not_of('\0', journal.bytes()), std::string::npos);
    EXPECT_EQ(read().records, records);
}

TEST_F(JournalTest, ARecordThatIsLongerThanASegmentHasOneOfItsOwn) {
    Journal journal = open({}, 64 << 10);
    const std::string longest(300'000, 'l');
    EXPECT_TRUE(journal.has_room(longest.size())) << "an empty one takes any";
    fill(journal, {longest});
    EXPECT_FALSE(journal.has_room(0));
    (void)journal.turn();
    fill(journal, {"next"});
    read();
    EXPECT_EQ(bodies_, (Bodies{longest, "next"}));
}

TEST_F(JournalTest, WhereverTheLastRecordIsTornTheOthersAreWhole) {
    Journal journal = open();
    const Bodies all{"first", "second", "the third, which is torn"};
    fill(journal, {all[0], all[1]});
    const std::uint64_t place = journal.bytes();
    journal.append(all[2]);  // and the power is cut before the sync is over
    const std::string whole = contents(segment(0));
    const std::uint64_t end = place + kHeader + all[2].size();
    for (std::uint64_t at = place; at < end; ++at) {
        SCOPED_TRACE("torn at byte " + std::to_string(at - place));
        // The rest was never written, is as it was, or is anything.
        for (const char rest : {'\0', '\x5a'}) {
            std::string torn = whole;
            for (std::uint64_t i = at; i < end; ++i) torn[i] = rest;
            put(segment(0), torn);
            const JournalEnd found = read();
            ASSERT_EQ(bodies_, (Bodies{all[0], all[1]}));
            ASSERT_EQ(found.next_number, 3U);
            // As far as its number is there.
            if (at >= place + 16) {
                EXPECT_TRUE(found.torn);
            }
            if (at < place + 4) {
                EXPECT_FALSE(found.torn);
            }
        }
        put(segment(0), whole.substr(0, at));
        ASSERT_EQ(read().records, 2U) << "with the file cut off";
        // Or only this byte has not arrived.
        std::string one = whole;
        one[at] = static_cast<char>(one[at] ^ 1);
        put(segment(0), one);
        ASSERT_EQ(read().records, 2U);
    }
    put(segment(0), whole);
    read();
    EXPECT_EQ(bodies_, all);
}

TEST_F(JournalTest, ARecordThatALaterOneKnowsToBeOnDiskIsDamagedAndNotTorn) {
    Journal journal = open();
    const auto places = fill(journal, {"first", "second", "third", "fourth"});
    const std::string whole = contents(segment(0));
    for (std::size_t record = 0; record + 1 < places.size(); ++record) {
        for (std::uint64_t at = places[record]; at < places[record] + kHeader + 5; ++at) {
            put(segment(0), whole);
            flip(0, at);
            EXPECT_EQ(why_refused(), "record " + std::to_string(record + 1) + " in " +
                                         segment(0).string() + " is damaged")
                << at;
            EXPECT_EQ(bodies_.size(), record) << "what comes before it is read";
        }
    }
    // Of the last one nobody knows more.
    put(segment(0), whole);
    flip(0, places.back() + kHeader);
    EXPECT_EQ(read().records, 3U);
}

TEST_F(JournalTest, TheEndOfASegmentThatWasLeftIsDamagedAndNotTorn) {
    Journal journal = open();
    const auto places = fill(journal, {"first", "second"});
    (void)journal.turn();
    flip(0, places[1] + kHeader);
    EXPECT_NE(why_refused().find("record 2"), std::string::npos)
        << "the next segment has a beginning, and nothing else yet";
    fill(journal, {"third"});
    EXPECT_NE(why_refused().find("record 2"), std::string::npos);
}

TEST_F(JournalTest, ADamagedBeginningOfASegmentIsRefusedWhenItHasRecords) {
    Journal journal = open({0, 5});
    fill(journal, {"first"});
    // Written by a batch that knew of it.
    fill(journal, {"second"});
    const std::string whole = contents(segment(0));
    for (std::uint64_t at = 0; at < 40; ++at) {
        put(segment(0), whole);
        flip(0, at);
        EXPECT_EQ(why_refused({0, 5}), "the beginning of " + segment(0).string() + " is damaged")
            << at;
    }
    // The second one's beginning: nothing is lost in silence either.
    put(segment(0), whole);
    (void)journal.turn();
    fill(journal, {"third", "fourth"});
    flip(1, 9);
    EXPECT_EQ(why_refused({0, 5}), "the beginning of " + segment(1).string() + " is damaged");
}

TEST_F(JournalTest, ARecordWithoutABodyIsNone) {
    Journal journal = open();
    const auto places = fill(journal, {"first", "second"});
    std::string bytes = contents(segment(0));
    for (std::size_t i = 0; i < 4; ++i) bytes[places[0] + 4 + i] = '\0';
    put(segment(0), bytes);
    EXPECT_NE(why_refused(), "");
    for (std::size_t i = 0; i < 4; ++i) bytes[places[1] + 4 + i] = '\0';
    put(segment(0), bytes);
    EXPECT_EQ(read().records, 0U);
}

TEST_F(JournalTest, AnotherStoresJournalIsNotRead) {
    Journal journal = open();
    fill(journal, {"first", "second"});
    stamp_[3] ^= 1;
    EXPECT_EQ(read().records, 0U);
}

/// What is left of earlier use lies behind the end, where the next record would be.
TEST_F(JournalTest, WhatIsLeftOfEarlierUseIsNeverRead) {
    JournalStart start;
    {
        Journal journal = open(start);
        fill(journal, {"old 1", "old 2", "old 3", "old 4"});
        start = journal.turn();
        fill(journal, {"old 5", "old 6"});
        start = journal.turn();  // the first segment again
    }
    EXPECT_EQ(start.segment, 0U);
    EXPECT_EQ(read(start).records, 0U);
    Journal journal = open(start);
    // Of the same length, so that the old ones begin exactly where this one ends.
    fill(journal, {"new 1"});
    const JournalEnd end = read(start);
    EXPECT_EQ(bodies_, Bodies{"new 1"});
    EXPECT_EQ(end.next_number, start.number + 1);
    EXPECT_FALSE(end.torn);
    fill(journal, {"new 2", "new 3", "new 4"});
    read(start);
    EXPECT_EQ(bodies_, (Bodies{"new 1", "new 2", "new 3", "new 4"}));
}

/// Records behind a torn end: after the next opening their numbers are passed by.
TEST_F(JournalTest, WhatLiesBehindATornEndIsNotReadAfterTheNextOpeningEither) {
    {
        Journal journal = open();
        journal.append("torn 1");
        journal.append("torn 2");
        journal.append("torn 3");
    }
    flip(0, Journal::kSegmentStart + kHeader);
    EXPECT_EQ(read().next_number, 1U);
    constexpr std::uint64_t kLater = 1 << 24;
    const JournalStart start{0, 1 + kLater};
    Journal journal = open(start);
    fill(journal, {"good 1"});
    const JournalEnd end = read(start);
    EXPECT_EQ(bodies_, Bodies{"good 1"});
    EXPECT_EQ(end.next_number, 2 + kLater);
}

TEST_F(JournalTest, ARecordThatIsRevokedDoesNotCount) {
    Journal journal = open();
    fill(journal, {"first"});
    journal.append("revoked");
    journal.sync();
    journal.revoke_last();
    EXPECT_TRUE(journal.is_synced());
    EXPECT_EQ(journal.next_number(), 2U);
    EXPECT_EQ(read().records, 1U);
    EXPECT_EQ(journal.append("second"), 2U);
    journal.sync();
    read();
    EXPECT_EQ(bodies_, (Bodies{"first", "second"}));
    // One that was not synced.
    journal.append("a longer one that is revoked");
    journal.revoke_last();
    EXPECT_EQ(read().records, 2U);
    EXPECT_EQ(journal.append("third"), 3U);
    journal.append("fourth");
    read();
    EXPECT_EQ(bodies_, (Bodies{"first", "second", "third", "fourth"}));
}

TEST_F(JournalTest, TheOnlyRecordMayBeRevoked) {
    Journal journal = open();
    journal.append("revoked");
    journal.revoke_last();
    EXPECT_TRUE(journal.empty());
    EXPECT_EQ(read().records, 0U);
    EXPECT_EQ(journal.turn().segment, 0U);
}

/// Records that were not synced reach the disk in any order: what comes after the first that is
/// missing is left out, and nothing of that is taken for damage.
TEST_F(JournalTest, OfUnsyncedRecordsThoseBeforeTheFirstThatIsLostAreRead) {
    constexpr std::size_t kSynced = 2;
    constexpr std::size_t kAll = 8;
    Journal journal = open();
    Bodies all;
    std::vector<std::uint64_t> places;
    for (std::size_t i = 0; i < kAll; ++i) {
        places.push_back(journal.bytes());
        all.push_back("record " + std::to_string(i));
        journal.append(all.back());
        if (i + 1 == kSynced) journal.sync();
    }
    const std::string whole = contents(segment(0));
    for (unsigned lost = 0; lost < 1U << (kAll - kSynced); ++lost) {
        SCOPED_TRACE("lost: " + std::to_string(lost));
        std::string left = whole;
        std::size_t expected = kAll;
        for (std::size_t i = kAll; i-- > kSynced;) {
            if ((lost >> (i - kSynced) & 1U) == 0) continue;
            expected = i;
            std::fill_n(left.begin() + static_cast<long>(places[i]), kHeader + all[i].size(), '\0');
        }
        put(segment(0), left);
        ASSERT_EQ(why_refused(), "");
        ASSERT_EQ(bodies_, Bodies(all.begin(), all.begin() + static_cast<long>(expected)));
    }
}

/// Clients choose most of a record's bytes. Whatever they write, looking for what lies behind the
/// end must not take for ever.
TEST_F(JournalTest, BodiesThatLookLikeRecordsDoNotMakeTheSearchBehindTheEndLong) {
    std::string fake("rec1");
    append_fixed(fake, std::uint32_t{0x0020'2020});
    fake.append(8, 'z');  // no text of a client's has bytes of zero
    std::string body;
    while (body.size() < (std::size_t{8} << 20)) body += fake;
    JournalStart start;
    {
        Journal journal = open({}, 16 << 20);
        fill(journal, {body});
        (void)journal.turn();
        fill(journal, {"x"});
        start = journal.turn();
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(read(start).records, 0U);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(JournalTest, WithoutRoomToGrowNothingIsAppendedAndLaterOnesAre) {
    Journal journal = open({}, 8 << 20);
    const std::string body(100'000, 'x');
    std::size_t appended = 0;
    {
        const FileLimit limit(700'000);
        try {
            for (;; ++appended) journal.append(body);
        } catch (const JournalError& error) {
            EXPECT_TRUE(error.is_full()) << error.what();
        }
        EXPECT_GE(appended, 4U);
        EXPECT_THROW(journal.append(body), JournalError);
        journal.append("a small one has room");
        journal.sync();
        EXPECT_EQ(read().records, appended + 1);
    }
    journal.append(body);
    journal.sync();
    EXPECT_EQ(read().records, appended + 2);
}

TEST_F(JournalTest, WhenTheOtherSegmentCannotBeWrittenItGoesOnWhereItWas) {
    Journal journal = open();
    fill(journal, {"first"});
    {
        const FileLimit limit(0);
        EXPECT_THROW((void)journal.turn(), JournalError);
    }
    fill(journal, {"second"});
    read();
    EXPECT_EQ(bodies_, (Bodies{"first", "second"}));
    EXPECT_EQ(journal.turn().segment, 1U);
}

}  // namespace
}  // namespace agentcom::store

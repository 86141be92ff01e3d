// What the store reads from its files, damaged: every parser throws DamagedStore or reads what it
// can, and never past the end. Under the sanitizers the inputs lie in memory of their own size, so
// that a byte too many is seen.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "fuzz/support/stored_checks.hpp"
#include "store/cursor.hpp"
#include "store/environment.hpp"
#include "store/postings.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::fuzz {
namespace {

using namespace store;

constexpr std::string_view kByteSymbols("\x00\x01\x02\x03\x04\x05\x7f\x80\xfe\xff", 10);

TEST(FuzzStoredBytes, DamagedBytesAreReportedAndNeverReadBeyond) {
    Random random(seed() + 10);
    for (const StoredParser& parser : stored_parsers()) {
        SCOPED_TRACE(parser.name);
        for (const std::string& good : parser.good) {
            ASSERT_TRUE(survives(good, parser));
            // Cut short anywhere: the fixed parts at least must be missed.
            std::size_t missed = 0;
            for (std::size_t size = 0; size < good.size(); ++size) {
                missed += survives(good.substr(0, size), parser) ? 0 : 1;
            }
            EXPECT_GT(missed, 0U);
            EXPECT_FALSE(survives("", parser));
        }
        int damaged = 0;
        for (int i = 0; i < rounds(30'000); ++i) {
            const std::string bytes = random.one_in(8)
                                          ? random.bytes(random.below(80))
                                          : random.mutate(random.pick(parser.good), kByteSymbols);
            ASSERT_NO_THROW(damaged += survives(bytes, parser) ? 0 : 1)
                << "seed " << seed() << " round " << i;
        }
        EXPECT_GT(damaged, 0);
    }
}

// ---- Lists of messages ----------------------------------------------------------------------

/// One list in an LMDB environment of its own, whose blocks can be replaced.
class PostingDamage : public ::testing::Test {
protected:
    static constexpr std::uint64_t kStep = 10;  // between the seqs of neighbours

    void write(Feed feed, std::string_view owner, std::uint64_t count) {
        WriteTransaction txn(env_);
        PostingWriter writer;
        for (std::uint64_t i = 1; i <= count; ++i) {
            writer.add(feed, owner, sender_mark("alice") | (i * kStep), i);
        }
        writer.flush(txn);
        std::move(txn).commit();
    }
    void put(Feed feed, std::string_view owner, std::uint64_t place, std::string_view value) {
        WriteTransaction txn(env_);
        std::string key = feed_prefix(feed, owner);
        append_be64(key, place);
        txn.put(txn.tables().postings, key, value);
        std::move(txn).commit();
    }
    struct Block {
        std::string key;
        std::string value;
    };
    std::vector<Block> blocks() {
        std::vector<Block> all;
        const ReadTransaction txn(env_);
        Cursor cursor(txn, txn.tables().postings);
        for (bool more = cursor.first(); more; more = cursor.next()) {
            all.push_back({std::string(cursor.key()), std::string(cursor.value())});
        }
        return all;
    }
    void put_raw(const std::string& key, const std::string& value) {
        WriteTransaction txn(env_);
        txn.put(txn.tables().postings, key, value);
        std::move(txn).commit();
    }
    /// Walks the list from many places. False when it found damage.
    bool walk(Feed feed, std::string_view owner, Random& random) {
        const ReadTransaction txn(env_);
        return walk_list(txn, feed, owner, core::Seq{random.below(8'000)}, random.below(800));
    }

    test::TempDir dir_;
    Environment env_{dir_.path() / "data", std::size_t{64} << 20};
};

TEST_F(PostingDamage, ABlockThatBeginsBehindItsPlaceIsDamage) {
    write(Feed::to_agent, "bob", 5);
    std::string value(1, '\x01');
    append_fixed(value, Entry{200});
    put(Feed::to_agent, "bob", 100, value);
    const ReadTransaction txn(env_);
    PostingCursor cursor(txn, Feed::to_agent, "bob");
    // It is passed over, and the ones before it are found.
    EXPECT_TRUE(cursor.at_or_before(core::Seq{150}));
    EXPECT_EQ(txn.passed_over(), 1U);
}

TEST_F(PostingDamage, AnyDamageIsReportedOrWalkedOver) {
    Random random(seed() + 11);
    write(Feed::to_agent, "bob", 600);
    write(Feed::channel, "dev", 600);
    write(Feed::broadcasts, "", 70);
    const auto good = blocks();
    ASSERT_GE(good.size(), 6U);
    int damaged = 0;
    for (int i = 0; i < rounds(1'500); ++i) {
        const Block& victim = random.pick(good);
        const std::string value = random.mutate(victim.value, kByteSymbols);
        if (value.empty() || value.size() > 4'000) continue;
        put_raw(victim.key, value);
        for (const auto& [feed, owner] :
             {std::pair(Feed::to_agent, "bob"), std::pair(Feed::channel, "dev"),
              std::pair(Feed::broadcasts, "")}) {
            ASSERT_NO_THROW(damaged += walk(feed, owner, random) ? 0 : 1)
                << "seed " << seed() << " round " << i;
        }
        put_raw(victim.key, victim.value);
        ASSERT_TRUE(walk(static_cast<Feed>(victim.key.front()),
                         victim.key.substr(2, victim.key.size() - 10), random));
    }
    EXPECT_GT(damaged, 100);
}

}  // namespace
}  // namespace agentcom::fuzz

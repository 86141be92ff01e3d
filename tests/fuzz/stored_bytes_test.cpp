// What the store reads from its files, damaged: every parser throws DamagedStore or reads what it
// can, and never past the end. Under the sanitizers the inputs lie in memory of their own size, so
// that a byte too many is seen.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fuzz/fuzz.hpp"
#include "store/environment.hpp"
#include "store/log_record.hpp"
#include "store/mailbox_view.hpp"
#include "store/message_log.hpp"
#include "store/postings.hpp"
#include "store/rows.hpp"
#include "support/ids.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::fuzz {
namespace {

using namespace store;

constexpr std::string_view kByteSymbols("\x00\x01\x02\x03\x04\x05\x7f\x80\xfe\xff", 10);

/// Calls the parser with the bytes in a buffer that ends where they end. False when it found
/// damage.
bool survives(const std::string& bytes, const std::function<void(std::string_view)>& parse) {
    const std::vector<char> exact(bytes.begin(), bytes.end());
    try {
        parse(std::string_view(exact.data(), exact.size()));
        return true;
    } catch (const DamagedStore&) {
        return false;
    }
}

/// A parser with bytes it takes as they are.
struct Parser {
    const char* name;
    std::vector<std::string> good;
    std::function<void(std::string_view)> parse;
};

std::string record(const core::Draft& draft, std::uint64_t root, std::uint64_t channel_seq) {
    std::string out;
    const core::Timestamp now{1'700'000'000'000};
    append_record(out, draft, {now, now}, core::Seq{root}, core::ChannelSeq{channel_seq});
    return out;
}

std::vector<std::string> good_records() {
    const core::AgentId alice = test::agent("alice");
    const core::JsonText payload{R"({"text":"hello"})"};
    return {
        record({alice, core::ToAgent{test::agent("bob")}, "chat", payload, "0001"}, 7, 0),
        record({alice, core::ToEveryone{true}, std::string(200, 't'), payload, {}}, 0, 0),
        record({alice, core::ToEveryone{false}, "", {"1"}, std::string(128, 'r')}, 9, 0),
        record(
            {alice, core::ToChannel{core::ChannelName::parse("dev").value()}, "chat", payload, {}},
            0, 12)};
}

std::string block(const std::vector<std::string>& records) {
    std::string out{'\x01', '\x00'};
    append_fixed(out, static_cast<std::uint16_t>(records.size()));
    std::size_t offset = 4 + 4 * records.size();
    for (const std::string& each : records) {
        append_fixed(out, static_cast<std::uint32_t>(offset));
        offset += each.size();
    }
    for (const std::string& each : records) out += each;
    return out;
}

std::vector<Parser> parsers() {
    const Spans spans{{core::Seq{6}, core::Seq{8}}};
    AgentRow agent{false, core::Seq{3}, core::Seq{5}, "maker", core::Seq{2}, spans, spans, spans};
    std::string agent_bytes;
    agent.encode(agent_bytes);
    TrimmedRow trimmed;
    trimmed.add(sender_mark("alice") | 5);
    return {
        {"record", good_records(),
         [](std::string_view bytes) {
             const RecordView view = parse_record(bytes);
             (void)record_times(bytes);
             (void)to_message(view, core::Seq{1}, core::Epoch{1});
         }},
        {"log block",
         {block(good_records()), block({good_records().front()})},
         [](std::string_view bytes) {
             const BlockView view(core::Seq{100}, bytes);
             // Every record it says it has; one damaged record must not hide the others' damage.
             for (core::Seq seq = view.first(); seq <= view.last(); seq = seq.next()) {
                 const RecordView each = parse_record(view.record(seq));
                 (void)to_message(each, seq, core::Epoch{1});
             }
         }},
        {"state", {StateRow{}.encode()}, [](std::string_view b) { (void)StateRow::parse(b); }},
        {"agent",
         {agent_bytes},
         [](std::string_view b) {
             const AgentRow row = AgentRow::parse(b);
             for (std::uint64_t seq = 0; seq < 12; ++seq) (void)row.has_read(core::Seq{seq});
         }},
        {"copies",
         {CopiesRow{core::Seq{1}, {2, 3, 4}}.encode()},
         [](std::string_view b) { (void)CopiesRow::parse(b); }},
        {"token",
         {encode_token(TokenRecord{test::agent("alice"), core::Role::admin, "01234567", {}})},
         [](std::string_view b) { (void)parse_token(b); }},
        {"channel",
         {ChannelRow{ChannelRecord{core::ChannelName::parse("dev").value(), "about it",
                                   test::agent("alice"), core::Timestamp{1}, 3},
                     core::Seq{7}, core::ChannelSeq{8}, core::Timestamp{9}}
              .encode()},
         [](std::string_view b) {
             (void)parse_channel(core::ChannelName::parse("dev").value(), b);
         }},
        {"subscription",
         {SubscriptionRow{core::Seq{4}}.encode()},
         [](std::string_view b) { (void)SubscriptionRow::parse(b); }},
        {"idempotency",
         {IdempotencyRow{core::Seq{4}, core::ChannelSeq{1}, core::Timestamp{5}, core::Timestamp{5},
                         6}
              .encode(),
          IdempotencyRow{
              core::Seq{4}, core::ChannelSeq{1}, core::Timestamp{5}, core::Timestamp{5}, {}}
              .encode()},
         [](std::string_view b) { (void)IdempotencyRow::parse(b); }},
        {"usage",
         {UsageRow{1, 2, 3}.encode()},
         [](std::string_view b) { (void)UsageRow::parse(b); }},
        {"key order",
         {KeyOrderRow{core::Timestamp{5}, "alice-k"}.encode()},
         [](std::string_view b) { (void)KeyOrderRow::parse(b); }},
        {"number", {encode_number(17)}, [](std::string_view b) { (void)parse_number(b); }},
        {"key", {std::string(8, '\x01')}, [](std::string_view b) { (void)read_be64(b); }},
    };
}

TEST(FuzzStoredBytes, DamagedBytesAreReportedAndNeverReadBeyond) {
    Random random(seed() + 10);
    for (const Parser& parser : parsers()) {
        SCOPED_TRACE(parser.name);
        for (const std::string& good : parser.good) {
            ASSERT_TRUE(survives(good, parser.parse));
            // Cut short anywhere: the fixed parts at least must be missed.
            std::size_t missed = 0;
            for (std::size_t size = 0; size < good.size(); ++size) {
                missed += survives(good.substr(0, size), parser.parse) ? 0 : 1;
            }
            EXPECT_GT(missed, 0U);
            EXPECT_FALSE(survives("", parser.parse));
        }
        int damaged = 0;
        for (int i = 0; i < rounds(30'000); ++i) {
            const std::string bytes = random.one_in(8)
                                          ? random.bytes(random.below(80))
                                          : random.mutate(random.pick(parser.good), kByteSymbols);
            ASSERT_NO_THROW(damaged += survives(bytes, parser.parse) ? 0 : 1)
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
    /// Walks the list from many places in both directions. False when it found damage.
    bool walk(Feed feed, std::string_view owner, Random& random) {
        const ReadTransaction txn(env_);
        try {
            for (int i = 0; i < 8; ++i) {
                PostingCursor cursor(txn, feed, owner);
                const core::Seq seq{random.below(8'000)};
                bool there = false;
                switch (random.below(5)) {
                    case 0:
                        there = cursor.at_or_before(seq);
                        break;
                    case 1:
                        there = cursor.at_or_after(seq);
                        break;
                    case 2:
                        there = cursor.first();
                        break;
                    case 3:
                        there = cursor.last();
                        break;
                    default:
                        there = feed == Feed::channel ? cursor.at_or_after_place(random.below(800))
                                                      : cursor.at_or_before(seq);
                        break;
                }
                // No walk is longer than what is there.
                for (int steps = 0; there; ++steps) {
                    if (steps > 2'000) throw std::logic_error("the walk has no end");
                    (void)cursor.entry();
                    there = i % 2 == 0 ? cursor.next() : cursor.previous();
                }
            }
            return txn.passed_over() == 0;
        } catch (const DamagedStore&) {
            return false;
        }
    }

    test::TempDir dir_;
    Environment env_{dir_.path() / "data", std::size_t{64} << 20, false};
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

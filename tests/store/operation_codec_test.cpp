// Operations as bytes: what is written is read, what was damaged or written by a later program is
// refused, and what is applied again ends in the same bytes.

#include "agentcom/store/operation_codec.hpp"

#include <future>
#include <limits>
#include <set>
#include <tuple>

#include "agentcom/store/doctor.hpp"
#include "store/checkpoint.hpp"
#include "store/journal.hpp"
#include "store/replay.hpp"
#include "store/schema.hpp"
#include "store/store_fixture.hpp"
#include "store/support/random_operations.hpp"
#include "store/support/table_dump.hpp"
#include "store/write_batch.hpp"

namespace agentcom::store {
namespace {

constexpr core::Seq kLast{core::kMaxSeq};
constexpr core::Timestamp kNever{std::numeric_limits<std::int64_t>::max()};

core::TokenDigest digest(std::uint8_t first) {
    core::TokenDigest out{};
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<std::uint8_t>(first + i);
    return out;
}

core::Draft draft(core::Destination to, std::optional<std::string> reply_to = {}) {
    return {agent("alice"), std::move(to), "chat", core::JsonText{R"({"n":1})"},
            std::move(reply_to)};
}

/// Every kind, with each optional part there and not.
std::vector<WriteOp> examples() {
    const std::string long_text(300, 't');
    return {
        AppendMessage{draft(core::ToAgent{agent("bob")}), std::nullopt},
        AppendMessage{draft(core::ToAgent{agent("bob")}, "0001"), "key", 0xffff'ffff'ffff'ffff},
        AppendMessage{draft(core::ToEveryone{true}, ""), ""},
        AppendMessage{draft(core::ToEveryone{false}), long_text, 1},
        AppendMessage{draft(core::ToChannel{channel("dev")}), std::nullopt},
        AckMailbox{agent("bob"), core::Seq{0}},
        AckMailbox{agent("bob"), kLast, {{core::Seq{1}, core::Seq{2}}, {core::Seq{3}, kLast}}},
        MarkRead{agent("bob"), {core::Seq{5}, core::Seq{700}}},
        MarkShown{agent("bob"), {}},
        MarkShown{agent("bob"), {{core::Seq{1}, core::Seq{1}}, {core::Seq{2}, kLast}}},
        CreateToken{agent("bob"), digest(1), "01234567"},
        CreateToken{agent("bob"), digest(2), "", core::Role::observer, "laptop", kNever},
        CreateToken{agent("bob"), digest(3), "x", core::Role::admin, long_text,
                    core::Timestamp{-1}},
        RevokeTokens{"bob"},
        RevokeTokens{"", "0123"},
        CreateChannel{channel("dev"), "", agent("alice")},
        CreateChannel{channel("dev"),
                      long_text,
                      agent("alice"),
                      true,
                      true,
                      {{agent("bob"), 0}, {agent("carol"), 255}},
                      digest(4)},
        Subscribe{channel("dev"), agent("bob")},
        Subscribe{channel("dev"), agent("bob"), true, digest(5)},
        Unsubscribe{channel("dev"), agent("bob")},
        PutSetting{"", 0},
        PutSetting{"mailbox_ttl_ms", std::numeric_limits<std::uint64_t>::max()},
        EvictMailboxes{core::Timestamp{1'700'000'000'000}},
        Trim{},
        Trim{TrimBounds{1, core::Millis(2), 3, core::Millis(4), 5, 6, core::Millis(7), true}},
        DeleteChannel{channel("dev"), agent("bob")},
        DeleteChannel{channel("dev"), agent("bob"), true},
        RemoveDeletedChannels{},
        ExpireChannels{"", core::Timestamp{0}},
        ExpireChannels{"dev", kNever},
        RotateToken{agent("bob"), digest(6), "01234567", core::Timestamp{1}, core::Timestamp{2}},
        RotateToken{agent("bob"), digest(7), "", kNever, core::Timestamp{}, "name", kNever},
        NoteTokenUse{{}, 0},
        NoteTokenUse{{digest(8), digest(9)}, 0xffff'ffff},
        DropExpiredTokens{core::Timestamp{-5}},
        SetMember{channel("dev"), agent("alice"), false, agent("bob")},
        SetMember{channel("dev"), agent("alice"), true, agent("bob"), 7},
        EndAgent{"bob"},
        RemoveEndedAgents{},
        CreateWebSession{digest(10), digest(11), core::Timestamp{7}},
        EndWebSession{digest(12)},
    };
}

BatchTime some_time() {
    return {core::Timestamp{1}, core::Timestamp{-2}, kNever,
            std::numeric_limits<std::int64_t>::min(), 0x1234'5678'9abc'def0};
}
ApplyRules some_rules() { return {Quotas{1, 2, 3, 4, 5, 6}, core::Millis(-6), 7, 8}; }

std::string encode(const OperationBatch& batch) {
    BatchEncoder encoder;
    encoder.begin(batch.origin, batch.time, batch.rules, batch.head);
    for (const WriteOp& op : batch.operations) encoder.add(op);
    EXPECT_EQ(encoder.count(), batch.operations.size());
    return std::string(encoder.bytes());
}
OperationBatch some_batch() { return {9, some_time(), some_rules(), core::Seq{10}, examples()}; }

TEST(OperationCodec, EveryKindOfOperationIsReadAsItWasWritten) {
    const auto all = examples();
    std::set<std::size_t> kinds;
    for (std::size_t i = 0; i < all.size(); ++i) {
        SCOPED_TRACE("example " + std::to_string(i));
        kinds.insert(all[i].index());
        const OperationBatch read =
            decode_batch(encode({0, some_time(), some_rules(), kLast, {all[i]}}));
        ASSERT_EQ(read.operations.size(), 1U);
        EXPECT_TRUE(read.operations[0] == all[i]);
    }
    EXPECT_EQ(kinds.size(), std::variant_size_v<WriteOp>) << "an operation has no example here";
}

TEST(OperationCodec, ABatchIsReadWithItsTimeAndItsRules) {
    const OperationBatch read = decode_batch(encode(some_batch()));
    EXPECT_EQ(read.origin, 9U);
    EXPECT_EQ(read.time, some_time());
    const ApplyRules rules = some_rules();
    const Quotas& quotas = read.rules.quotas;
    EXPECT_EQ(quotas.max_unclaimed_mailboxes, rules.quotas.max_unclaimed_mailboxes);
    EXPECT_EQ(quotas.max_channels, rules.quotas.max_channels);
    EXPECT_EQ(quotas.max_subscriptions_per_agent, rules.quotas.max_subscriptions_per_agent);
    EXPECT_EQ(quotas.max_members_per_channel, rules.quotas.max_members_per_channel);
    EXPECT_EQ(quotas.share_percent, rules.quotas.share_percent);
    EXPECT_EQ(read.rules.idempotency_window, rules.idempotency_window);
    EXPECT_EQ(read.rules.max_idempotency_keys, rules.max_idempotency_keys);
    EXPECT_EQ(read.rules.channel_history, rules.channel_history);
    EXPECT_EQ(read.head, core::Seq{10});
    EXPECT_EQ(read.operations.size(), examples().size());
    EXPECT_TRUE(decode_batch(encode({0, {}, {}, {}, {}})).operations.empty());
}

/// The commit thread has moved a message's draft elsewhere by the time it is encoded.
TEST(OperationCodec, AMessageWhoseDraftIsElsewhereIsWrittenTheSame) {
    for (const WriteOp& op : examples()) {
        const auto* append = std::get_if<AppendMessage>(&op);
        if (append == nullptr) continue;
        AppendMessage rest = *append;
        const core::Draft moved = std::move(rest.draft);
        BatchEncoder apart;
        apart.begin(0, {}, {}, {});
        apart.add(rest, moved);
        EXPECT_EQ(apart.bytes(), encode({0, {}, {}, {}, {op}}));
    }
}

TEST(OperationCodec, AnEncoderIsUsedAgain) {
    BatchEncoder encoder;
    encoder.begin(1, some_time(), some_rules(), kLast);
    for (const WriteOp& op : examples()) encoder.add(op);
    encoder.begin(0, {}, {}, {});
    EXPECT_EQ(encoder.count(), 0U);
    EXPECT_EQ(encoder.bytes(), encode({0, {}, {}, {}, {}}));
}

std::string refusal(std::string_view bytes) {
    try {
        (void)decode_batch(bytes);
    } catch (const UnknownOperation& error) {
        return error.what();
    }
    return "";
}

TEST(OperationCodec, ALaterVersionAndAnUnknownOperationAreRefusedWithASentence) {
    std::string later = encode(some_batch());
    later[0] = static_cast<char>(kOperationCodecVersion + 1);
    EXPECT_EQ(refusal(later),
              "operations are written in version 2, and this program knows version 1");
    std::string unknown = encode({0, {}, {}, {}, {}});
    unknown.push_back(static_cast<char>(std::variant_size_v<WriteOp>));
    EXPECT_EQ(refusal(unknown), "an operation is of kind " +
                                    std::to_string(std::variant_size_v<WriteOp>) +
                                    ", which this program does not know");
}

TEST(OperationCodec, WhatIsCutAnywhereIsRefusedOrEndsWithAWholeOperation) {
    const OperationBatch whole = some_batch();
    const std::string bytes = encode(whole);
    std::set<std::size_t> ends;  // where a batch with fewer operations would end
    OperationBatch part = whole;
    for (; !part.operations.empty(); part.operations.pop_back()) ends.insert(encode(part).size());
    ends.insert(encode(part).size());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const std::string cut = bytes.substr(0, size);
        EXPECT_EQ(refusal(cut).empty(), ends.contains(size)) << size;
    }
}

/// Records have checksums; here it only matters that nothing else comes of it than a refusal or
/// another batch, which is then written and read as itself.
TEST(OperationCodec, DamagedBytesAreRefusedOrAreAnotherValidBatch) {
    const std::string bytes = encode(some_batch());
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        for (unsigned bit = 0; bit < 8; ++bit) {
            std::string damaged = bytes;
            damaged[at] = static_cast<char>(damaged[at] ^ (1U << bit));
            OperationBatch read;
            try {
                read = decode_batch(damaged);
            } catch (const UnknownOperation& error) {
                EXPECT_STRNE(error.what(), "");
                continue;
            }
            const std::string again = encode(read);
            EXPECT_EQ(encode(decode_batch(again)), again) << at << ' ' << bit;
        }
    }
}

/// Operations of all kinds on a store whose checkpoints stand still, so that its journal keeps them
/// all.
class SameBytesTest : public StoreTest {
protected:
    void SetUp() override {
        options_.checkpoint_interval = core::Millis(10'000'000);
        options_.history_messages = 30;
        options_.channel_history = 5;
        options_.mailbox_ttl = core::Millis(100'000);
        options_.retention_messages = 120;
        options_.idempotency_window = core::Millis(60'000);
        options_.quotas.max_unclaimed_mailboxes = 12;
        StoreTest::SetUp();
    }

    void write_some(RandomOperations& random, int batches) {
        if (store_->head() == core::Seq{}) {
            for (WriteOp& op : random.beginning()) write<Done>(std::move(op));
        }
        for (int i = 0; i < batches; ++i) {
            clock_.advance(core::Millis(static_cast<std::int64_t>(random.below(900))));
            random.set_now(clock_.now());
            std::vector<Submission> together;
            std::promise<void> all;
            const std::size_t count = 1 + random.below(12);
            for (std::size_t k = 0; k < count; ++k) {
                WriteOp op = random.operation();
                const std::size_t kind = op.index();
                together.push_back(Submission{std::move(op),
                                              [&, k, kind, count](const WriteResult& result) {
                                                  random.note(result);
                                                  (result ? done_ : refused_).insert(kind);
                                                  if (k + 1 == count) all.set_value();
                                              },
                                              kNoLoop});
            }
            store_->submit(std::move(together));
            all.get_future().wait();
        }
    }
    [[nodiscard]] std::vector<std::string> records() const {
        const auto checkpoint = find_checkpoint(options_.directory);
        std::vector<std::string> all;
        (void)read_journal(options_.directory, checkpoint->stamp, checkpoint->journal,
                           [&](std::string_view body) { all.emplace_back(body); });
        return all;
    }
    [[nodiscard]] std::filesystem::path data_file() const { return options_.directory / kDataFile; }

    std::set<std::size_t> done_;  // kinds
    std::set<std::size_t> refused_;
};

/// The parts of a store that apply batches, and nothing else.
class Applier {
public:
    Applier(const std::filesystem::path& directory, const StoreOptions& options)
        : env_(directory, options.map_size),
          schema_(open_schema(env_)),
          batch_(env_, options, schema_.epochs, schema_.state, std::nullopt, notes_) {}

    void apply(std::string_view record) {
        OperationBatch operations = decode_batch(record);
        ASSERT_EQ(operations.head, batch_.head());
        batch_.set_rules(operations.rules);
        const BatchTime& time = operations.time;
        batch_.begin({time.shown, {time.stored, time.wall, time.elapsed_ms, time.boot}});
        for (WriteOp& op : operations.operations) {
            const WriteResult result = batch_.apply(op);
            ASSERT_TRUE(result) << result.error().wire_name() << " of kind " << op.index();
        }
        batch_.complete();
        batch_.commit();
    }
    [[nodiscard]] TableDump dump() { return dump_tables(env_); }

private:
    Environment env_;
    OpenedSchema schema_;
    ReadNotes notes_;
    WriteBatch batch_;
};

TEST_F(SameBytesTest, OperationsThatAreAppliedAgainEndInTheSameBytes) {
    const auto fresh = dir_.path() / "fresh";
    std::filesystem::create_directory(fresh);
    // With the same identity, from which ids are made.
    std::filesystem::copy_file(data_file(), fresh / kDataFile);
    RandomOperations random(2'026);
    write_some(random, 400);
    EXPECT_EQ(done_.size(), std::variant_size_v<WriteOp>) << "a kind was never applied";
    EXPECT_GT(refused_.size(), 5U);

    const auto batches = records();
    ASSERT_GT(batches.size(), 300U);
    Applier again(fresh, options_);
    for (std::size_t i = 0; i < batches.size(); ++i) {
        SCOPED_TRACE("batch " + std::to_string(i));
        ASSERT_NO_FATAL_FAILURE(again.apply(batches[i]));
    }
    EXPECT_EQ(difference(dump_file(data_file()), again.dump()), "");
}

}  // namespace
}  // namespace agentcom::store

#include "fuzz/support/stored_checks.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "fuzz/support/broken.hpp"
#include "store/checksum.hpp"
#include "store/environment.hpp"
#include "store/log_record.hpp"
#include "store/message_log.hpp"
#include "store/rows.hpp"
#include "support/ids.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::fuzz {

using namespace store;

namespace {

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

std::vector<StoredParser> make_parsers() {
    const Spans spans{{core::Seq{6}, core::Seq{8}}};
    AgentRow agent{false, core::Seq{3}, core::Seq{5}, "maker", core::Seq{2}, spans, spans, spans};
    std::string agent_bytes;
    agent.encode(agent_bytes);
    std::string sealed_value;
    seal(sealed_value, table_seed("agents"), "alice", agent_bytes);
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
        {"member", {MemberRow{3}.encode()}, [](std::string_view b) { (void)MemberRow::parse(b); }},
        {"sealed value",
         {sealed_value},
         [](std::string_view b) {
             (void)AgentRow::parse(unseal(table_seed("agents"), "alice", b));
         }},
        {"key", {std::string(8, '\x01')}, [](std::string_view b) { (void)read_be64(b); }},
    };
}

}  // namespace

const std::vector<StoredParser>& stored_parsers() {
    static const std::vector<StoredParser> kAll = make_parsers();
    return kAll;
}

bool survives(std::string_view bytes, const StoredParser& parser) {
    const std::vector<char> exact(bytes.begin(), bytes.end());
    try {
        parser.parse(std::string_view(exact.data(), exact.size()));
        return true;
    } catch (const DamagedStore&) {
        return false;
    }
}

bool walk_list(const Transaction& txn, Feed feed, std::string_view owner, core::Seq seq,
               std::uint64_t place) {
    constexpr int kLongestWalk = 20'000;
    try {
        for (int way = 0; way < 10; ++way) {
            PostingCursor cursor(txn, feed, owner);
            bool there = false;
            switch (way / 2) {
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
                    there =
                        feed == Feed::channel ? cursor.at_or_after_place(place) : cursor.find(seq);
                    break;
            }
            for (int steps = 0; there; ++steps) {
                if (steps > kLongestWalk) throw Broken("the walk has no end", owner);
                (void)cursor.entry();
                there = way % 2 == 0 ? cursor.next() : cursor.previous();
            }
        }
        return txn.passed_over() == 0;
    } catch (const DamagedStore&) {
        return false;
    }
}

namespace {

/// A store of its own; nothing is ever committed to it.
class Workbench {
public:
    Environment& environment() noexcept { return environment_; }

private:
    test::TempDir directory_;
    Environment environment_{directory_.path() / "data", std::size_t{64} << 20};
};

}  // namespace

void check_postings(std::string_view bytes) {
    static Workbench bench;
    WriteTransaction txn(bench.environment());
    // For each block: list, two bytes of place, length, value.
    constexpr std::size_t kFront = 4;
    const auto number = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
    constexpr std::array kFeeds{Feed::to_agent, Feed::channel, Feed::broadcasts};
    constexpr std::array<std::string_view, 3> kOwners{"bob", "dev", ""};
    core::Seq seq{1};
    std::uint64_t place = 1;
    std::set<std::size_t> used;
    while (bytes.size() > kFront) {
        const std::size_t list = number(0) % kFeeds.size();
        used.insert(list);
        place = std::uint64_t{number(1)} << 8 | number(2);
        const std::string_view value = bytes.substr(kFront, std::max<std::size_t>(1, number(3)));
        seq = core::Seq{place + number(3)};
        std::string key = feed_prefix(kFeeds[list], kOwners[list]);
        append_be64(key, place);
        txn.put(txn.tables().postings, key, value);
        bytes.remove_prefix(kFront + value.size());
    }
    for (const std::size_t list : used) {
        (void)walk_list(txn, kFeeds[list], kOwners[list], seq, place);
    }
}

void check_stored(std::string_view bytes) {
    if (bytes.empty()) return;
    const auto& all = stored_parsers();
    (void)survives(bytes.substr(1), all[static_cast<unsigned char>(bytes.front()) % all.size()]);
}

}  // namespace agentcom::fuzz

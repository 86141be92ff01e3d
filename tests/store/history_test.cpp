#include <algorithm>
#include <random>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

using HistoryTest = StoreTest;

constexpr std::uint64_t kEverything = 1'000'000;

/// The same by looking at every message.
std::vector<std::uint64_t> naive(const std::vector<core::MessagePtr>& all,
                                 const HistoryQuery& query, std::uint64_t window,
                                 std::uint64_t limit) {
    std::vector<std::uint64_t> out;
    std::vector<core::MessagePtr> messages = all;
    if (query.newest_first) std::ranges::reverse(messages);
    for (const auto& message : messages) {
        const core::Draft& draft = message->draft;
        const auto* to_agent = std::get_if<core::ToAgent>(&draft.to);
        const auto* to_everyone = std::get_if<core::ToEveryone>(&draft.to);
        const auto* to_channel = std::get_if<core::ToChannel>(&draft.to);
        const bool to_matches =
            !query.to || (to_agent != nullptr && to_agent->agent.str() == *query.to) ||
            (to_everyone != nullptr && to_everyone->spelled && *query.to == "broadcast");
        const bool channel_matches =
            !query.channel || (to_channel != nullptr && to_channel->channel == *query.channel);
        if (to_matches && channel_matches && (!query.from || draft.from.str() == *query.from) &&
            (!query.start_time || message->timestamp >= *query.start_time) &&
            (!query.end_time || message->timestamp <= *query.end_time) &&
            (!query.type || draft.type == *query.type) &&
            (!query.text || draft.payload.text.find(*query.text) != std::string::npos) &&
            (query.newest_first ? query.before.value == 0 || message->seq < query.before
                                : message->seq > query.cursor) &&
            message->seq.value + window > all.size() && out.size() < limit) {
            out.push_back(message->seq.value);
        }
    }
    return out;
}

TEST_F(HistoryTest, EveryFilterAgreesWithLookingAtEveryMessage) {
    constexpr std::uint64_t kWindow = 1'700;
    options_.history_messages = kWindow;
    reopen();
    const std::vector<std::string> agents{"a", "ab", "b", "c"};
    const std::vector<std::string> channels{"ops", "dev"};
    for (const auto& name : channels) create_channel(name);

    std::mt19937 random(7);
    const auto pick = [&](std::size_t n) { return random() % n; };
    const core::Timestamp start = clock_.now();
    std::vector<core::MessagePtr> all;
    while (all.size() < 2'000) {
        // Batches of all sizes, so that blocks of all sizes arise.
        std::vector<AppendMessage> batch;
        for (std::size_t i = 0, n = 1 + pick(pick(4) == 0 ? 300 : 5); i < n; ++i) {
            const std::string& from = agents[pick(agents.size())];
            switch (pick(5)) {
                case 0:
                    batch.push_back(broadcast(from, pick(2) == 0));
                    break;
                case 1:
                case 2:
                    batch.push_back(publication(from, channels[pick(2)]));
                    break;
                default:
                    batch.push_back(direct(from, agents[pick(agents.size())]));
                    break;
            }
            if (pick(3) == 0) batch.back().draft.type = "report";
            if (pick(3) == 0) batch.back().draft.payload.text = R"({"text":"all is well"})";
        }
        const auto messages = append_all(std::move(batch));
        all.insert(all.end(), messages.begin(), messages.end());
        clock_.advance(core::Millis(pick(20)));
    }
    const auto span = static_cast<std::size_t>(clock_.now().ms - start.ms);
    for (int i = 0; i < 2'000; ++i) {
        HistoryQuery query;
        if (pick(2) == 0) query.from = agents[pick(agents.size())];
        if (pick(3) == 0) query.to = pick(3) == 0 ? "broadcast" : agents[pick(agents.size())];
        if (pick(3) == 0) query.channel = channel(channels[pick(2)]);
        if (pick(3) == 0) {
            query.start_time = core::Timestamp{start.ms + static_cast<std::int64_t>(pick(span))};
        }
        if (pick(3) == 0) {
            query.end_time = core::Timestamp{start.ms + static_cast<std::int64_t>(pick(span))};
        }
        if (pick(4) == 0) query.type = pick(2) == 0 ? "chat" : "report";
        if (pick(4) == 0) query.text = pick(2) == 0 ? "is well" : "{}";
        query.newest_first = pick(2) == 0;
        if (pick(2) == 0)
            (query.newest_first ? query.before : query.cursor) = core::Seq{pick(2'100)};
        const std::uint64_t limit = pick(4) == 0 ? 100'000 : pick(60);
        ASSERT_EQ(seqs(history(query, limit)), naive(all, query, kWindow, limit)) << "query " << i;
    }
}

TEST_F(HistoryTest, ATextIsFoundAsItWasSentWhateverTheCaseOfItsLetters) {
    append(direct("a", "b", R"({"text":"Deploy to PROD","n":1})"));
    append(direct("a", "b", R"({"text":"say \"hello\""})"));
    append(direct("a", "b",
                  "\"Gr\xc3\xbc\xc3\x9f"
                  "e\""));
    append(direct("a", "b", R"(["a","aab"])"));
    const auto found = [&](std::string text) {
        HistoryQuery query;
        query.text = std::move(text);
        return seqs(history(query, kEverything));
    };
    EXPECT_EQ(found("prod"), Seqs{1});
    EXPECT_EQ(found("dEPLOY TO p"), Seqs{1});
    EXPECT_EQ(found(R"("N":1)"), Seqs{1});
    EXPECT_EQ(found(R"(say "HELLO")"), Seqs{2});
    EXPECT_EQ(found(R"(say \"hello\")"), Seqs{2});
    EXPECT_EQ(found("gr\xc3\xbc\xc3\x9f"), Seqs{3});
    // Letters beyond ASCII are themselves alone.
    EXPECT_EQ(found("GR\xc3\x9c"), Seqs{});
    EXPECT_EQ(found("aab"), Seqs{4});
    EXPECT_EQ(found("prod!"), Seqs{});
    EXPECT_EQ(found(""), (Seqs{1, 2, 3, 4}));
}

TEST_F(HistoryTest, AnEmptyStoreHasNoHistoryAndUnknownNamesMatchNothing) {
    EXPECT_TRUE(history({}, kEverything).empty());
    append(direct("a", "b"));
    HistoryQuery query;
    query.from = "nobody";
    EXPECT_TRUE(history(query, kEverything).empty());
    query.from = std::string(5'000, 'x');
    EXPECT_TRUE(history(query, kEverything).empty());
    query.from = "";
    EXPECT_TRUE(history(query, kEverything).empty());
}

TEST_F(HistoryTest, EverythingIsThereAfterAReopen) {
    create_agent("bob");
    create_channel("ops");
    append(direct("a", "bob", "[1,2]"));
    append(broadcast("a", true));
    append(publication("a", "ops"));
    const core::Epoch epoch = store_->epoch();
    reopen();
    EXPECT_EQ(store_->epoch(), epoch);
    EXPECT_EQ(store_->head(), core::Seq{3});
    EXPECT_EQ(seqs(history({}, kEverything)), (Seqs{1, 2, 3}));
    EXPECT_EQ(store_->find_message(core::Seq{1})->draft.payload.text, "[1,2]");
    EXPECT_EQ(store_->find_message(core::Seq{4}), nullptr);
    EXPECT_EQ(append(direct("a", "bob"))->seq, core::Seq{4});
    EXPECT_EQ(store_->stats().messages, 4U);
}

using ThreadsTest = StoreTest;

TEST_F(ThreadsTest, RepliesAcrossAllDestinationsAreOneThread) {
    create_channel("ops");
    const auto root = append(direct("a", "b"));
    const auto first = reply(publication("b", "ops"), root->id.str());
    const auto second = reply(broadcast("c"), first->id.str());
    append(direct("a", "b"));
    const auto third = reply(direct("c", "a"), root->id.str());
    for (const auto& message : {root, first, second, third}) {
        EXPECT_EQ(store_->thread_root(message->id.str()), root->id.str());
    }
    constexpr std::uint64_t kAll = 1'000;
    EXPECT_EQ(seqs(thread(root->id.str(), {}, kAll)), (Seqs{1, 2, 3, 5}));
    EXPECT_EQ(seqs(thread(root->id.str(), core::Seq{1}, 2)), (Seqs{2, 3}));
    EXPECT_EQ(seqs(thread(root->id.str(), {}, 1)), Seqs{1});
    EXPECT_EQ(seqs(replies(root->id.str(), {}, kAll)), (Seqs{2, 5}));
    EXPECT_EQ(seqs(replies(first->id.str(), {}, kAll)), Seqs{3});
    EXPECT_EQ(seqs(replies(root->id.str(), core::Seq{2}, kAll)), Seqs{5});
}

TEST_F(ThreadsTest, AReplyToWhatIsNotKnownIsItsOwnRoot) {
    const auto orphan = reply(direct("a", "b"), "elsewhere-7");
    const std::string ahead = core::MessageId::make(store_->epoch(), core::Seq{99}).str();
    const auto early = reply(direct("a", "b"), ahead);
    EXPECT_EQ(store_->thread_root(orphan->id.str()), orphan->id.str());
    EXPECT_EQ(store_->thread_root(early->id.str()), early->id.str());
    EXPECT_EQ(store_->thread_root("elsewhere-7"), "elsewhere-7");
    EXPECT_EQ(seqs(replies("elsewhere-7", {}, 10)), Seqs{1});
    EXPECT_TRUE(thread("elsewhere-7", {}, 10).empty());
    EXPECT_TRUE(replies(std::string(5'000, 'x'), {}, 10).empty());
}

TEST_F(ThreadsTest, AChainOfAHundredThousandRepliesHasItsRootAtHand) {
    constexpr std::uint64_t kLength = 100'000;
    const auto root = append(direct("a", "b"));
    std::vector<AppendMessage> chain(kLength, direct("b", "a"));
    for (std::uint64_t i = 0; i < kLength; ++i) {
        chain[i].draft.reply_to = core::MessageId::make(store_->epoch(), core::Seq{i + 1}).str();
    }
    const auto messages = append_all(std::move(chain));
    EXPECT_EQ(store_->thread_root(messages.back()->id.str()), root->id.str());
    EXPECT_EQ(seqs(thread(root->id.str(), core::Seq{kLength - 1}, 10)),
              (Seqs{kLength, kLength + 1}));
    EXPECT_EQ(thread(root->id.str(), {}, 1'000'000).size(), kLength + 1);
}

}  // namespace
}  // namespace agentcom::store

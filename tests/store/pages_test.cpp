// Every list is read in pages: none is larger than its bounds in entries, bytes and work, and the
// cursors lead through everything exactly once.

#include <set>

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class PagesTest : public StoreTest {
protected:
    static std::string megabyte() { return '"' + std::string(kMiB - 2, 'x') + '"'; }
    static std::uint64_t payload_bytes(const std::vector<core::MessagePtr>& messages) {
        std::uint64_t bytes = 0;
        for (const auto& message : messages) bytes += message->draft.payload.text.size();
        return bytes;
    }
    /// Reads page after page with `read(cursor, budget)` and checks each against the limit.
    template <class Read>
    Seqs walk(core::PageLimit limit, Read&& read, std::size_t max_pages = 10'000) {
        Seqs all;
        core::Seq cursor;
        for (std::size_t pages = 0;; ++pages) {
            if (pages == max_pages) throw std::runtime_error("the cursor leads nowhere");
            core::Budget budget(limit);
            const MessagePage page = read(cursor, budget);
            EXPECT_LE(page.entries.size(), limit.count);
            EXPECT_TRUE(page.entries.size() <= 1 || payload_bytes(page.entries) <= limit.bytes);
            for (const auto& message : page.entries) all.push_back(message->seq.value);
            if (!page.more) return all;
            EXPECT_GT(page.cursor, cursor);
            cursor = page.cursor;
        }
    }
    Seqs walk_history(core::PageLimit limit, HistoryQuery query = {}) {
        return walk(limit, [&](core::Seq cursor, core::Budget& budget) {
            query.cursor = cursor;
            return store_->history(query, budget);
        });
    }
    static Seqs up_to(std::uint64_t last) {
        Seqs all;
        for (std::uint64_t i = 1; i <= last; ++i) all.push_back(i);
        return all;
    }
};

TEST_F(PagesTest, ABudgetEndsAPageByCountOrBytesWhicheverComesFirst) {
    core::Budget by_count({.count = 2, .bytes = 1'000});
    EXPECT_TRUE(by_count.take(1));
    EXPECT_TRUE(by_count.take(1));
    EXPECT_FALSE(by_count.full());
    EXPECT_FALSE(by_count.take(1));
    EXPECT_TRUE(by_count.full());

    core::Budget by_bytes({.count = 10, .bytes = 1'000});
    EXPECT_TRUE(by_bytes.take(600));
    EXPECT_TRUE(by_bytes.take(400));
    EXPECT_FALSE(by_bytes.take(1));
    // A small entry does not overtake a large one that had to wait.
    core::Budget in_order({.bytes = 1'000});
    EXPECT_TRUE(in_order.take(600));
    EXPECT_FALSE(in_order.take(500));
    EXPECT_FALSE(in_order.take(10));
}

TEST_F(PagesTest, TheFirstEntryAndTheFirstStepAreAlwaysAllowed) {
    core::Budget small({.count = 5, .bytes = 10, .steps = 0});
    EXPECT_TRUE(small.step());
    EXPECT_FALSE(small.step());
    EXPECT_TRUE(small.take(core::kUnbounded));
    EXPECT_FALSE(small.take(1));
    small.next_turn();
    EXPECT_TRUE(small.step());
    EXPECT_EQ(small.walked(), 2U);
    EXPECT_FALSE(core::Budget({.count = 0}).take(1));
}

TEST_F(PagesTest, HistoryOfLargeMessagesComesInPagesOfTwoMebibytes) {
    for (int i = 0; i < 7; ++i) append(direct("alice", "bob", megabyte()));
    for (int i = 0; i < 20; ++i) append(direct("alice", "bob"));
    EXPECT_EQ(walk_history({.count = 200, .bytes = 2 * kMiB}), up_to(27));
    // Larger than the bound: each has a page of its own.
    EXPECT_EQ(walk_history({.count = 200, .bytes = kMiB / 2}), up_to(27));
    HistoryQuery from_alice;
    from_alice.from = "alice";
    EXPECT_EQ(walk_history({.count = 3, .bytes = 2 * kMiB}, from_alice), up_to(27));
}

TEST_F(PagesTest, HistoryThatRunsOutOfStepsGoesOnWithoutAMessage) {
    // Two lists with nothing in common but the last message.
    std::vector<AppendMessage> batch;
    for (int i = 0; i < 2'000; ++i) {
        batch.push_back(direct("alice", "carol"));
        batch.push_back(direct("dave", "bob"));
    }
    append_all(std::move(batch));
    append(direct("alice", "bob"));
    HistoryQuery query;
    query.from = "alice";
    query.to = "bob";
    std::size_t empty_pages = 0;
    const Seqs found =
        walk({.count = 50, .steps = 100}, [&](core::Seq cursor, core::Budget& budget) {
            query.cursor = cursor;
            const MessagePage page = store_->history(query, budget);
            EXPECT_LE(budget.walked(), 100U);
            if (page.entries.empty()) ++empty_pages;
            return page;
        });
    EXPECT_EQ(found, Seqs{4'001});
    EXPECT_GT(empty_pages, 10U);
    EXPECT_EQ(walk_history({.steps = 1}, query), Seqs{4'001});
}

TEST_F(PagesTest, HistoryIsReadBackwardsPageByPageWithinItsBounds) {
    std::vector<AppendMessage> batch;
    for (int i = 0; i < 300; ++i) {
        batch.push_back(direct("alice", i % 3 == 0 ? "bob" : "carol",
                               i % 30 == 0 ? R"({"text":"needle"})" : "{}"));
    }
    append_all(std::move(batch));
    struct Case {
        std::optional<std::string> to;
        std::optional<std::string> text;
        std::size_t found;
    };
    for (const Case& each : {Case{{}, {}, 300}, Case{"bob", {}, 100}, Case{{}, "NEEDLE", 10},
                             Case{"bob", "needle", 10}, Case{"carol", "needle", 0}}) {
        for (const core::PageLimit& limit :
             {core::PageLimit{.count = 7}, core::PageLimit{.count = 50, .steps = 20},
              core::PageLimit{.count = 1}, core::PageLimit{.count = 1'000, .bytes = 4'000}}) {
            Seqs all;
            HistoryQuery query;
            query.to = each.to;
            query.text = each.text;
            query.newest_first = true;
            for (bool more = true; more;) {
                core::Budget budget(limit);
                const MessagePage page = store_->history(query, budget);
                EXPECT_LE(page.entries.size(), limit.count);
                for (const auto& message : page.entries) all.push_back(message->seq.value);
                more = page.more;
                if (!more) break;
                ASSERT_TRUE(query.before.value == 0 || page.cursor < query.before);
                query.before = page.cursor;
            }
            EXPECT_EQ(all.size(), each.found);
            EXPECT_TRUE(std::ranges::is_sorted(all, std::ranges::greater()));
            EXPECT_EQ(std::set(all.begin(), all.end()).size(), all.size());
        }
    }
}

TEST_F(PagesTest, ASearchInLargePayloadsTakesItsStepsByTheirSize) {
    for (int i = 0; i < 8; ++i) append(direct("alice", "bob", megabyte()));
    append(direct("alice", "bob", R"({"text":"needle"})"));
    HistoryQuery query;
    query.text = "needle";
    std::size_t pages = 0;
    const Seqs found = walk({.count = 50}, [&](core::Seq cursor, core::Budget& budget) {
        ++pages;
        query.cursor = cursor;
        return store_->history(query, budget);
    });
    EXPECT_EQ(found, Seqs{9});
    EXPECT_GE(pages, 8U);
}

TEST_F(PagesTest, ThreadsAndRepliesOfLargeMessagesComeInPages) {
    const auto root = append(direct("a", "b", megabyte()));
    for (int i = 0; i < 6; ++i) reply(direct("b", "a", megabyte()), root->id.str());
    const core::PageLimit limit{.count = 10'000, .bytes = 2 * kMiB};
    EXPECT_EQ(walk(limit,
                   [&](core::Seq cursor, core::Budget& budget) {
                       return store_->thread(root->id.str(), cursor, budget);
                   }),
              up_to(7));
    EXPECT_EQ(walk(limit,
                   [&](core::Seq cursor, core::Budget& budget) {
                       return store_->replies(root->id.str(), cursor, budget);
                   }),
              (Seqs{2, 3, 4, 5, 6, 7}));
}

TEST_F(PagesTest, AThreadIsReadOverSeveralTurnsWithOneBudget) {
    const auto root = append(direct("a", "b"));
    std::vector<AppendMessage> answers(3'000, direct("b", "a"));
    for (auto& answer : answers) answer.draft.reply_to = root->id.str();
    append_all(std::move(answers));
    core::Budget budget({.count = 2'500, .steps = 1'000});
    Seqs all;
    core::Seq cursor;
    std::size_t turns = 0;
    while (!budget.full()) {
        const std::uint64_t before = budget.walked();
        const MessagePage page = store_->thread(root->id.str(), cursor, budget);
        EXPECT_LE(budget.walked() - before, 1'000U);
        for (const auto& message : page.entries) all.push_back(message->seq.value);
        ASSERT_TRUE(page.more);
        cursor = page.cursor;
        budget.next_turn();
        ++turns;
    }
    EXPECT_EQ(all, up_to(2'500));
    EXPECT_GT(turns, 2U);
}

TEST_F(PagesTest, ChannelHistoryPagesForwardAndBackwardByBytes) {
    create_channel("ops");
    for (int i = 0; i < 7; ++i) {
        AppendMessage op = publication("alice", "ops");
        op.draft.payload.text = R"({"x":)" + megabyte() + '}';
        append(std::move(op));
    }
    const core::PageLimit limit{.count = 200, .bytes = 3 * kMiB};
    const auto places = [](const ChannelHistoryPage& page) {
        Seqs out;
        for (const auto& message : page.entries) out.push_back(message->channel_seq.value);
        return out;
    };
    Seqs forward;
    ChannelHistoryQuery query{channel("ops"), core::ChannelSeq{0}, std::nullopt};
    for (bool more = true; more;) {
        core::Budget budget(limit);
        const ChannelHistoryPage page = store_->channel_history(query, budget);
        const Seqs shown = places(page);
        EXPECT_LE(shown.size(), 2U);
        forward.insert(forward.end(), shown.begin(), shown.end());
        query.since = page.cursor;
        more = page.more;
    }
    EXPECT_EQ(forward, up_to(7));

    // Without `since` the newest that fit, and from there backwards.
    query = {channel("ops"), std::nullopt, std::nullopt};
    std::vector<Seqs> pages;
    for (bool more = true; more;) {
        core::Budget budget(limit);
        const ChannelHistoryPage page = store_->channel_history(query, budget);
        pages.push_back(places(page));
        query.before = page.cursor;
        more = page.more;
    }
    EXPECT_EQ(pages, (std::vector<Seqs>{{6, 7}, {4, 5}, {2, 3}, {1}}));
    core::Budget budget(limit);
    EXPECT_TRUE(
        store_->channel_history({channel("ops"), {}, core::ChannelSeq{1}}, budget).entries.empty());
    EXPECT_EQ(places(store_->channel_history(
                  {channel("ops"), core::ChannelSeq{2}, core::ChannelSeq{5}}, budget)),
              (Seqs{3, 4}));
}

TEST_F(PagesTest, BackwardsAChannelHistoryEndsWhereItsWindowDoes) {
    create_channel("ops");
    append_all(std::vector<AppendMessage>(250, publication("a", "ops")));
    ChannelHistoryQuery query{channel("ops"), std::nullopt, std::nullopt};
    std::uint64_t shown = 0;
    for (bool more = true; more;) {
        core::Budget budget({.count = 30});
        const ChannelHistoryPage page = store_->channel_history(query, budget);
        shown += page.entries.size();
        query.before = page.cursor;
        more = page.more;
    }
    EXPECT_EQ(shown, 200U);
    EXPECT_EQ(query.before, core::ChannelSeq{51});
}

TEST_F(PagesTest, ListsOfChannelsAndSubscriptionsArePagedByTheLastName) {
    std::vector<core::ChannelName> names;
    for (int i = 100; i < 125; ++i) {
        names.push_back(channel("c" + std::to_string(i)));
        create_channel(names.back().str());
        subscribe("bob", names.back().str());
    }
    std::vector<core::AgentId> agents;
    for (int i = 100; i < 125; ++i) {
        agents.push_back(agent("a" + std::to_string(i)));
        subscribe(agents.back().str(), "c100");
    }
    agents.push_back(agent("bob"));
    const auto walk_names = [](auto&& read, auto&& name_of) {
        std::vector<std::string> all;
        for (bool more = true; more;) {
            core::Budget budget({.count = 7});
            const auto page = read(all.empty() ? std::string() : all.back(), budget);
            EXPECT_LE(page.entries.size(), 7U);
            for (const auto& entry : page.entries) all.push_back(name_of(entry).str());
            more = page.more;
        }
        return all;
    };
    const auto itself = [](const auto& entry) -> const auto& { return entry; };
    std::vector<std::string> expected;
    for (const auto& name : names) expected.push_back(name.str());
    EXPECT_EQ(walk_names([&](const std::string& after,
                             core::Budget& budget) { return store_->list_channels(after, budget); },
                         [](const ChannelRecord& record) -> const auto& { return record.name; }),
              expected);
    EXPECT_EQ(walk_names(
                  [&](const std::string& after, core::Budget& budget) {
                      return store_->subscriptions("bob", after, budget);
                  },
                  itself),
              expected);
    expected.clear();
    for (const auto& each : agents) expected.push_back(each.str());
    EXPECT_EQ(walk_names(
                  [&](const std::string& after, core::Budget& budget) {
                      return store_->subscribers(channel("c100"), after, budget);
                  },
                  itself),
              expected);
    // A page costs what it shows, not what there is.
    const std::uint64_t before = store_->stats().read_steps;
    core::Budget budget({.count = 3});
    EXPECT_EQ(store_->list_channels("c110", budget).entries.front().name, channel("c111"));
    EXPECT_LE(store_->stats().read_steps - before, 4U);
    // Names that cannot be are behind or before those that can.
    core::Budget whole({});
    EXPECT_TRUE(store_->list_channels(std::string(5'000, 'z'), whole).entries.empty());
    EXPECT_EQ(store_->list_channels(std::string(5'000, 'a'), whole).entries.size(), 25U);
}

TEST_F(PagesTest, TokensArePagedWithACursorThatOutlivesTheTokenItCameFrom) {
    std::set<std::string> expected;
    for (int i = 0; i < 40; ++i) {
        core::TokenDigest digest{};
        digest[0] = static_cast<std::uint8_t>(i);
        const std::string prefix = "p" + std::to_string(i);
        const std::string holder = i % 2 == 0 ? "many" : "agent-" + std::to_string(i);
        write<Done>(CreateToken{agent(holder), digest, prefix, core::Role::agent});
        expected.insert(prefix);
    }
    std::set<std::string> seen;
    std::string cursor;
    std::size_t shown = 0;
    do {
        core::Budget budget({.count = 7});
        const auto page = store_->list_tokens(cursor, budget);
        ASSERT_TRUE(page);
        EXPECT_EQ(page->more, !page->cursor.empty());
        for (const TokenRecord& token : page->entries) seen.insert(token.prefix);
        shown += page->entries.size();
        cursor = page->cursor;
    } while (!cursor.empty());
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(shown, 40U);

    // Those of one agent, whose name another's begins with.
    write<Done>(CreateToken{agent("many-more"), {0xff}, "last", core::Role::agent});
    for (const auto& [holder, count] :
         {std::pair("many", 20U), std::pair("many-more", 1U), std::pair("agent-3", 1U),
          std::pair("man", 0U), std::pair("zoe", 0U)}) {
        std::size_t own = 0;
        cursor.clear();
        do {
            core::Budget budget({.count = 7});
            const auto page = store_->list_tokens(cursor, budget, holder);
            ASSERT_TRUE(page);
            for (const TokenRecord& token : page->entries) EXPECT_EQ(token.agent.str(), holder);
            own += page->entries.size();
            cursor = page->cursor;
        } while (!cursor.empty());
        EXPECT_EQ(own, count) << holder;
    }
    write<TokensRevoked>(RevokeTokens{"many-more"});

    core::Budget first({.count = 3});
    cursor = store_->list_tokens("", first)->cursor;
    write<TokensRevoked>(RevokeTokens{"many"});
    core::Budget rest({});
    EXPECT_EQ(store_->list_tokens(cursor, rest)->entries.size(), 20U);
    for (const char* bad : {"x", "00", "zz00", "0561"}) {
        core::Budget budget({});
        const auto refused = store_->list_tokens(bad, budget);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code, core::ErrorCode::invalid_field);
    }
}

}  // namespace
}  // namespace agentcom::store

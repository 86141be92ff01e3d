// What an agent is shown of the history and of threads.

#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

class VisibilityTest : public StoreTest {
protected:
    using Numbers = std::vector<std::uint64_t>;

    /// alice, bob and carol exist; carol since message 3.
    void SetUp() override {
        StoreTest::SetUp();
        create_agent("alice");
        create_agent("bob");
        create_channel("dev");
        append(direct("alice", "bob"));       // 1
        append(broadcast("alice"));           // 2
        append(publication("alice", "dev"));  // 3
        create_agent("carol");
        append(direct("bob", "alice"));     // 4
        append(broadcast("bob", true));     // 5
        append(publication("bob", "dev"));  // 6
        append(direct("alice", "carol"));   // 7
        append(direct("carol", "bob"));     // 8
    }
    static std::optional<Viewer> eyes(std::string_view who, bool whole_log = false) {
        return Viewer{agent(who), whole_log};
    }
    Numbers seen_by(const std::optional<Viewer>& viewer, HistoryQuery query = {}) {
        query.viewer = viewer;
        return seqs(history(query, 1'000));
    }
    std::string id(std::uint64_t seq) {
        return core::MessageId::make(store_->epoch(), core::Seq{seq}).str();
    }
};

TEST_F(VisibilityTest, AnAgentSeesWhatItSentReceivedOrMayReadInChannels) {
    EXPECT_EQ(seen_by(std::nullopt), (Numbers{1, 2, 3, 4, 5, 6, 7, 8}));
    EXPECT_EQ(seen_by(eyes("alice")), (Numbers{1, 2, 3, 4, 5, 6, 7}));
    EXPECT_EQ(seen_by(eyes("bob")), (Numbers{1, 2, 3, 4, 5, 6, 8}));
    EXPECT_EQ(seen_by(eyes("carol")), (Numbers{5, 6, 7, 8})) << "nothing from before it was made";
    EXPECT_EQ(seen_by(eyes("stranger")), (Numbers{3, 6})) << "no broadcasts without a token";
    EXPECT_EQ(seen_by(eyes("carol", true)), (Numbers{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST_F(VisibilityTest, FiltersFindWhatIsVisibleAndNothingElse) {
    HistoryQuery query;
    query.from = "alice";
    EXPECT_EQ(seen_by(eyes("carol"), query), Numbers{7});
    query = {};
    query.to = "bob";
    EXPECT_EQ(seen_by(eyes("alice"), query), Numbers{1});
    query = {};
    query.to = "broadcast";
    EXPECT_EQ(seen_by(eyes("carol"), query), Numbers{5});
    query = {};
    query.channel = channel("dev");
    EXPECT_EQ(seen_by(eyes("carol"), query), Numbers{6});
}

TEST_F(VisibilityTest, ADeletedChannelIsShownToThoseWhoPublishedThere) {
    write<ChannelDeleted>(DeleteChannel{channel("dev"), agent("maker")});
    EXPECT_EQ(seen_by(eyes("alice")), (Numbers{1, 2, 3, 4, 5, 7}));
    EXPECT_EQ(seen_by(eyes("carol")), (Numbers{5, 7, 8}));
    while (write<Trimmed>(Trim{}).more) {
    }
    // What comes under its name later is another channel.
    create_channel("dev");
    append(publication("bob", "dev"));  // 9
    EXPECT_EQ(seen_by(eyes("carol")), (Numbers{5, 7, 8, 9}));
}

TEST_F(VisibilityTest, AMailboxThatWaitedForItsAgentIsSeenByIt) {
    append(direct("alice", "dave"));  // 9
    append(broadcast("alice"));       // 10
    create_agent("dave");
    append(broadcast("alice"));  // 11
    EXPECT_EQ(unread("dave"), (Seqs{9, 11}));
    EXPECT_EQ(seen_by(eyes("dave")), (Numbers{9, 11}));
}

TEST_F(VisibilityTest, OfAThreadEverybodySeesItsPart) {
    reply(direct("bob", "alice"), id(7));        // 9: bob cannot see what it answers
    reply(direct("carol", "alice"), id(7));      // 10
    reply(publication("alice", "dev"), id(10));  // 11
    const auto thread_of = [&](std::uint64_t message, std::string_view who) {
        core::Budget budget({});
        const std::string root = store_->thread_root(id(message), eyes(who));
        return std::pair(root, seqs(store_->thread(root, {}, budget, eyes(who)).entries));
    };
    EXPECT_EQ(thread_of(11, "alice"), std::pair(id(7), Numbers{7, 9, 10, 11}));
    EXPECT_EQ(thread_of(9, "bob"), std::pair(id(7), Numbers{9, 11}));
    EXPECT_EQ(thread_of(10, "carol"), std::pair(id(7), Numbers{7, 10, 11}));
    // A message that one may not see is as if it were unknown.
    EXPECT_EQ(thread_of(10, "bob"), std::pair(id(10), Numbers{}));
    EXPECT_EQ(thread_of(9, "carol"), std::pair(id(9), Numbers{}));
    core::Budget budget({});
    EXPECT_EQ(seqs(store_->replies(id(7), {}, budget, eyes("carol")).entries), Numbers{10});
}

TEST_F(VisibilityTest, WhatIsHiddenIsPassedOverAtABoundedCost) {
    std::vector<AppendMessage> others;
    for (int i = 0; i < 5'000; ++i) others.push_back(direct("alice", "bob"));
    append_all(std::move(others));
    append(direct("alice", "carol"));
    HistoryQuery query;
    query.viewer = eyes("carol");
    query.cursor = core::Seq{8};
    std::size_t pages = 0;
    std::vector<std::uint64_t> seen;
    while (true) {
        core::Budget budget({.count = 50, .steps = 1'000});
        const MessagePage page = store_->history(query, budget);
        EXPECT_LE(budget.walked(), 1'000U);
        EXPECT_GT(page.cursor, query.cursor) << "a page that is empty moves on, too";
        for (const auto& message : page.entries) seen.push_back(message->seq.value);
        ++pages;
        if (!page.more) break;
        query.cursor = page.cursor;
    }
    EXPECT_EQ(seen, Numbers{5'009});
    EXPECT_GE(pages, 5U);
}

}  // namespace
}  // namespace agentcom::store

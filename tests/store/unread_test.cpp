// What reading a mailbox costs, in entries looked at, and that what is jumped over is never
// somebody else's.

#include <string>
#include <unordered_map>

#include "store/postings.hpp"
#include "store/read_notes.hpp"
#include "store/store_fixture.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

class UnreadTest : public StoreTest {
protected:
    /// Entries that reads look at while the function runs.
    template <class Function>
    std::uint64_t steps_of(Function&& function) {
        const std::uint64_t before = store_->stats().read_steps;
        function();
        return store_->stats().read_steps - before;
    }
    std::uint64_t steps_of_poll(std::string_view who) {
        return steps_of([&] { (void)mailbox(who); });
    }
    void broadcasts(std::string_view from, std::size_t count) {
        append_all(std::vector<AppendMessage>(count, broadcast(from)));
    }
};

TEST_F(UnreadTest, AMailboxOfLargeMessagesComesInPagesThatGoOnWithTheLastNumber) {
    const std::string payload = '"' + std::string(kMiB - 2, 'x') + '"';
    for (int i = 0; i < 5; ++i) append(direct("alice", "bob", payload));
    append(direct("alice", "bob"));
    Seqs all;
    Poll poll = query("bob");
    for (bool more = true; more;) {
        const MailboxView page = read(poll, {.count = 100, .bytes = 3 * kMiB});
        EXPECT_LE(page.messages.size(), 3U);
        const Seqs shown = seqs(page.messages);
        all.insert(all.end(), shown.begin(), shown.end());
        EXPECT_EQ(page.position.value, all.back());
        EXPECT_FALSE(page.truncated);
        poll.since = page.position;
        more = page.more;
    }
    EXPECT_EQ(all, (Seqs{1, 2, 3, 4, 5, 6}));
    // Each larger than the bound has a page of its own.
    EXPECT_EQ(seqs(read(query("bob"), {.bytes = 1'000}).messages), Seqs{1});
}

TEST_F(UnreadTest, OnesOwnBroadcastsAreWalkedPastOnce) {
    constexpr std::size_t kOwn = 20'000;
    create_agent("loud");
    create_agent("other");
    append(broadcast("other"));
    broadcasts("loud", kOwn);
    EXPECT_GE(steps_of_poll("loud"), kOwn);
    EXPECT_EQ(unread("loud"), Seqs{1});
    EXPECT_LE(steps_of_poll("loud"), 8U);
    // More of them are walked past once, and somebody else's in between is seen.
    broadcasts("loud", 1'000);
    append(broadcast("other"));
    broadcasts("loud", 1'000);
    EXPECT_EQ(unread("loud"), (Seqs{1, kOwn + 1'002}));
    EXPECT_LE(steps_of_poll("loud"), 16U);
    ack("loud", 1);
    EXPECT_EQ(unread("loud"), Seqs{kOwn + 1'002});
    EXPECT_LE(steps_of_poll("loud"), 16U);
    // Nobody else is told a different story.
    EXPECT_EQ(unread("other").size(), 100U);
    // It is a memory of this process only.
    reopen();
    EXPECT_EQ(unread("loud"), Seqs{kOwn + 1'002});
}

TEST_F(UnreadTest, OnesOwnPublicationsAreWalkedPastOnce) {
    create_channel("ops");
    subscribe("loud", "ops");
    append_all(std::vector<AppendMessage>(5'000, publication("loud", "ops")));
    append(publication("other", "ops"));
    append_all(std::vector<AppendMessage>(5'000, publication("loud", "ops")));
    EXPECT_EQ(unread("loud"), Seqs{5'001});
    EXPECT_LE(steps_of_poll("loud"), 16U);
    EXPECT_LE(steps_of([&] { unsubscribe("loud", "ops"); }), 16U);
    EXPECT_EQ(unread("loud"), Seqs{5'001});
}

TEST_F(UnreadTest, AMarkOfWhatWasReadDoesNotWalkPastTheSameMessagesAgain) {
    constexpr std::size_t kOwn = 20'000;
    create_agent("loud");
    append(direct("other", "loud"));
    mark_read("loud", 0, 1);
    broadcasts("loud", kOwn);
    append(direct("other", "loud"));
    const auto mark = [&] { mark_read("loud", kOwn + 1, kOwn + 2); };
    EXPECT_GE(steps_of(mark), kOwn);
    append(direct("other", "loud"));
    EXPECT_LE(steps_of([&] { mark_read("loud", kOwn + 2, kOwn + 3); }), 8U);
    EXPECT_TRUE(unread("loud").empty());
}

TEST_F(UnreadTest, SomebodyElseWithTheSameMarkIsNotTakenForOneself) {
    // Marks have 19 bits: among a few thousand names two have the same.
    std::unordered_map<Entry, std::string> marks;
    std::string one;
    std::string two;
    for (int i = 0; two.empty(); ++i) {
        const std::string name = "agent-" + std::to_string(i);
        const auto [at, fresh] = marks.try_emplace(sender_mark(name), name);
        if (fresh) continue;
        one = at->second;
        two = name;
    }
    create_agent(one);
    create_agent(two);
    create_channel("ops");
    subscribe(one, "ops");
    broadcasts(one, 500);
    append(broadcast(two));
    append_all(std::vector<AppendMessage>(500, publication(one, "ops")));
    append(publication(two, "ops"));
    broadcasts(one, 500);
    append(broadcast(two));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(unread(one), (Seqs{501, 1'002, 1'503}));
        EXPECT_EQ(unread(two).size(), 100U);
    }
}

TEST_F(UnreadTest, APollLooksAtNoMoreThanTheCapAndItsPage) {
    append_all(std::vector<AppendMessage>(20'000, direct("alice", "bob")));
    Poll poll = query("bob");
    poll.cap = 1'000;
    poll.limit = 10;
    EXPECT_LE(steps_of([&] { EXPECT_EQ(read(poll).messages.front()->seq.value, 19'001U); }),
              2'100U);
    // Nothing new: the cursor is all there is to look at.
    ack("bob", 20'000);
    EXPECT_EQ(steps_of_poll("bob"), 0U);
    append(direct("alice", "bob"));
    EXPECT_LE(steps_of_poll("bob"), 2U);
}

TEST_F(UnreadTest, ABacklogCostsWhatItHolds) {
    constexpr std::uint64_t kBacklog = 6'000;
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    std::vector<AppendMessage> batch;
    for (std::uint64_t i = 0; i < kBacklog; ++i) {
        batch.push_back(i % 3 == 0   ? direct("alice", "bob")
                        : i % 3 == 1 ? broadcast("alice")
                                     : publication("alice", "ops"));
    }
    append_all(std::move(batch));
    MailboxQuery stretch{.agent = agent("bob"), .cap = core::kUnbounded};
    std::uint64_t shown = 0;
    std::uint64_t stretches = 0;
    const std::uint64_t steps = steps_of([&] {
        for (bool more = true; more; ++stretches) {
            const MailboxView view = read(stretch, {.count = 64});
            for (const auto& message : view.messages) {
                ASSERT_EQ(message->seq.value, ++shown);
            }
            stretch.since = view.position;
            more = view.more;
        }
    });
    EXPECT_EQ(shown, kBacklog);
    EXPECT_LE(steps, kBacklog + 2 * stretches);
}

TEST_F(UnreadTest, WhatIsUnderTheFloorIsNotLookedAtAgain) {
    constexpr std::size_t kOld = 10'000;
    create_agent("bob");
    create_agent("loud");
    append_all(std::vector<AppendMessage>(kOld, direct("alice", "bob")));
    broadcasts("loud", kOld);
    clock_.advance(core::Millis(1'000));
    write<Done>(EvictMailboxes{clock_.now()});
    append(direct("alice", "bob"));
    append(direct("alice", "loud"));
    const MailboxView view = mailbox("bob");
    EXPECT_TRUE(view.truncated);
    EXPECT_EQ(view.messages.size(), 1U);
    EXPECT_LE(steps_of_poll("bob"), 8U);
    EXPECT_FALSE(mailbox("loud").truncated);
    EXPECT_LE(steps_of_poll("loud"), 8U);
}

TEST_F(UnreadTest, WhatIsTooOldIsPassedInOneJump) {
    write<Done>(PutSetting{"mailbox_ttl_ms", 1'000});
    append_all(std::vector<AppendMessage>(10'000, direct("alice", "bob")));
    clock_.advance(core::Millis(2'000));
    const core::MessagePtr young = append(direct("alice", "bob"));
    Poll poll = query("bob");
    poll.cap = core::kUnbounded;
    EXPECT_LE(steps_of([&] {
                  const MailboxView view = read(poll);
                  EXPECT_EQ(seqs(view.messages), Seqs{young->seq.value});
                  EXPECT_TRUE(view.truncated);
              }),
              8U);
}

TEST_F(UnreadTest, ATurnLooksAtNoMoreThanItsStepsAndTheReadGoesOn) {
    constexpr std::size_t kOwn = 30'000;
    create_agent("loud");
    append(direct("other", "loud"));
    for (int i = 0; i < 300; ++i) {
        // Runs too short to be worth a note.
        append_all({broadcast("loud"), broadcast("loud"), direct("other", "loud")});
    }
    broadcasts("loud", kOwn);
    append(direct("other", "loud"));
    Poll poll = query("loud");
    poll.cap = 200;
    MailboxView view;
    core::Budget budget({.count = 1'000, .steps = 500});
    std::size_t turns = 0;
    for (; !view.complete(); ++turns) {
        budget.next_turn();
        const std::uint64_t before = budget.walked();
        store_->read_mailbox(poll, budget, view);
        EXPECT_LE(budget.walked() - before, 500U);
    }
    EXPECT_GT(turns, kOwn / 500);
    EXPECT_EQ(view.messages.size(), 200U);
    EXPECT_TRUE(view.truncated);
    EXPECT_FALSE(view.more);
    EXPECT_EQ(view.messages.back()->seq, store_->head());
}

TEST(ReadNotes, TheLongestRunsOfAListAreRemembered) {
    ReadNotes notes;
    for (std::uint64_t i = 0; i < 2 * ReadNotes::kMaxRuns; ++i) {
        notes.add_own_run("a", Feed::broadcasts, "",
                          {core::Seq{1'000 * i}, core::Seq{1'000 * i + 100 + i}});
    }
    const Spans runs = notes.own_runs("a", Feed::broadcasts, "");
    ASSERT_EQ(runs.size(), ReadNotes::kMaxRuns);
    EXPECT_EQ(runs.front().after.value, 1'000 * ReadNotes::kMaxRuns);
    // What touches is one.
    notes.add_own_run("b", Feed::channel, "ops", {core::Seq{10}, core::Seq{20}});
    notes.add_own_run("b", Feed::channel, "ops", {core::Seq{20}, core::Seq{30}});
    const Spans united = notes.own_runs("b", Feed::channel, "ops");
    ASSERT_EQ(united.size(), 1U);
    EXPECT_EQ(united[0].up_to.value, 30U);
    EXPECT_TRUE(notes.own_runs("b", Feed::channel, "dev").empty());
    EXPECT_TRUE(notes.own_runs("a", Feed::channel, "ops").empty());
}

TEST(ReadNotes, TheNumberOfListsIsBounded) {
    ReadNotes notes;
    for (std::size_t i = 0; i < ReadNotes::kMaxLists + 100; ++i) {
        notes.add_own_run("agent-" + std::to_string(i), Feed::broadcasts, "",
                          {core::Seq{1}, core::Seq{100}});
    }
    EXPECT_EQ(notes.lists(), ReadNotes::kMaxLists);
}

}  // namespace
}  // namespace agentcom::store

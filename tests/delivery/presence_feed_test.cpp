#include "agentcom/delivery/presence_feed.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/ids.hpp"
#include "support/recording_session.hpp"

namespace agentcom::delivery {
namespace {

using test::RecordingSession;
using Kind = PresenceChange::Kind;

using test::agent;

/// Frames of these tests are words that end in a semicolon: "+a1;" joined, "-a1;" left, "=a1:5;"
/// status, "[a1 a2>a2;" a page of the list that is not the last, "[a3;" the last.
PresenceChangePtr change(std::uint64_t version, Kind kind, const std::string& who,
                         const std::string& more = {}, bool to_itself = false) {
    const std::string sign = kind == Kind::joined ? "+" : kind == Kind::left ? "-" : "=";
    return std::make_shared<const PresenceChange>(
        PresenceChange{version, agent(who), kind, to_itself, sign + who + more + ";"});
}

/// Writes out up to so many bytes of what waits, as a connection would.
std::string take(RecordingSession& session, std::size_t most = SIZE_MAX) {
    std::string bytes;
    while (bytes.size() < most && !session.outbox().empty()) {
        std::string_view views[8];
        const std::size_t count = session.outbox().gather(views, 8);
        std::size_t written = 0;
        for (std::size_t i = 0; i < count && bytes.size() < most; ++i) {
            const std::string_view part = views[i].substr(0, most - bytes.size());
            bytes += part;
            written += part.size();
        }
        session.on_written(session.outbox().consume(written));
    }
    return bytes;
}

class PresenceFeedTest : public ::testing::Test {
protected:
    void work() {
        while (feed_.has_work()) {
            PresenceFeed::Slice slice{3};
            feed_.work(slice);
        }
    }
    void add(PresenceChangePtr what) {
        feed_.add(std::move(what));
        work();
    }

    Faults faults_;
    PresenceFeed feed_{faults_};
};

TEST_F(PresenceFeedTest, GoesToThoseWhoWatchInTheOrderOfTheVersions) {
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    feed_.watch(alice, 0);
    feed_.add(change(2, Kind::left, "carol"));
    feed_.add(change(3, Kind::joined, "carol", "2"));
    EXPECT_FALSE(feed_.has_work());
    feed_.watch(bob, 2);
    add(change(1, Kind::joined, "carol"));
    EXPECT_EQ(take(alice), "+carol2;") << "what came and went meanwhile is void";
    EXPECT_EQ(take(bob), "+carol2;");
    add(change(1, Kind::joined, "carol"));
    EXPECT_EQ(take(alice), "");
    feed_.unwatch(alice);
    add(change(4, Kind::left, "carol"));
    EXPECT_EQ(take(alice), "");
    EXPECT_EQ(take(bob), "-carol;");
    EXPECT_EQ(feed_.watchers(), 1U);
}

TEST_F(PresenceFeedTest, AnAgentIsToldOfItselfOnlyWhatItWants) {
    RecordingSession alice("alice");
    feed_.watch(alice, 0);
    feed_.add(change(1, Kind::joined, "bob"));
    feed_.add(change(2, Kind::joined, "alice"));
    feed_.add(change(3, Kind::status, "alice"));
    feed_.add(change(4, Kind::joined, "carol"));
    work();
    EXPECT_EQ(take(alice), "+bob;+carol;");
    add(change(5, Kind::status, "alice", ":x", true));
    EXPECT_EQ(take(alice), "=alice:x;");
}

TEST_F(PresenceFeedTest, WhatWasThereFirstComesFirst) {
    RecordingSession alice("alice");
    feed_.watch(alice, 0);
    feed_.add(change(1, Kind::joined, "bob"));
    feed_.catch_up(alice);
    alice.push("message;");
    work();
    EXPECT_EQ(take(alice), "+bob;message;");
}

TEST_F(PresenceFeedTest, OneThatDoesNotReadIsToldTheLatestStateOfEachOnly) {
    RecordingSession slow("slow", {.max_bytes = 1'000'000, .max_frames = 100});
    RecordingSession prompt("prompt");
    feed_.watch(slow, 0);
    feed_.watch(prompt, 0);
    slow.push(std::string(300'000, 'x'));
    std::uint64_t version = 0;
    for (int i = 0; i < 1'000; ++i) {
        add(change(++version, Kind::joined, "carol"));
        EXPECT_EQ(take(prompt), "+carol;");
        add(change(++version, Kind::status, "carol", ":" + std::to_string(i)));
        EXPECT_EQ(take(prompt), "=carol:" + std::to_string(i) + ";");
    }
    EXPECT_EQ(slow.outbox().bytes(), 300'000U) << "it costs nothing";
    (void)take(slow, 300'000);
    work();
    EXPECT_EQ(take(slow), "+carol;=carol:999;");
    EXPECT_TRUE(slow.closes.empty());
}

TEST_F(PresenceFeedTest, ThoseWhoLackTheSameShareItsBytes) {
    std::vector<std::unique_ptr<RecordingSession>> watchers;
    for (int i = 0; i < 50; ++i) {
        watchers.push_back(std::make_unique<RecordingSession>("watcher" + std::to_string(i)));
        feed_.watch(*watchers.back(), 0);
    }
    for (std::uint64_t version = 1; version <= 20; ++version) {
        feed_.add(change(version, Kind::joined, "agent" + std::to_string(version),
                         std::string(200, 'p')));
    }
    work();
    std::set<const char*> places;
    for (const auto& watcher : watchers) {
        std::string_view views[4];
        EXPECT_EQ(watcher->outbox().gather(views, 4), 1U);
        places.insert(views[0].data());
    }
    EXPECT_EQ(places.size(), 1U);
}

TEST_F(PresenceFeedTest, WhatIsAboutItselfIsLeftOutOfTheSharedBytes) {
    constexpr std::uint64_t kAgents = 20;
    const std::string more(200, 'p');
    RecordingSession other("other");
    RecordingSession itself("agent10");
    feed_.watch(other, 0);
    feed_.watch(itself, 0);
    std::string expected;
    for (std::uint64_t version = 1; version <= kAgents; ++version) {
        const std::string who = "agent" + std::to_string(version);
        feed_.add(change(version, Kind::joined, who, more));
        if (version != 10) expected += "+" + who + more + ";";
    }
    work();
    std::string_view all[4];
    ASSERT_EQ(other.outbox().gather(all, 4), 1U);
    std::string_view parts[4];
    ASSERT_EQ(itself.outbox().gather(parts, 4), 2U);
    EXPECT_EQ(parts[0].data(), all[0].data());
    EXPECT_EQ(parts[1].data() + parts[1].size(), all[0].data() + all[0].size());
    EXPECT_EQ(itself.waiting(), expected);
}

TEST_F(PresenceFeedTest, ASliceEndsWhenEnoughHasBeenGiven) {
    std::vector<std::unique_ptr<RecordingSession>> watchers;
    for (int i = 0; i < 50; ++i) {
        watchers.push_back(std::make_unique<RecordingSession>("watcher" + std::to_string(i)));
        feed_.watch(*watchers.back(), 0);
    }
    feed_.add(change(1, Kind::joined, "alice", std::string(993, 'p')));  // 1,000 bytes
    const auto told = [&] {
        return std::ranges::count_if(watchers,
                                     [](const auto& each) { return !each->outbox().empty(); });
    };
    PresenceFeed::Slice slice{50, 2'500};
    feed_.work(slice);
    EXPECT_EQ(told(), 3);
    EXPECT_EQ(slice.sessions, 47U);
    EXPECT_EQ(slice.bytes, 0U);
    feed_.work(slice);
    EXPECT_EQ(told(), 3) << "nothing of the slice is left";
    PresenceFeed::Slice next{10};
    feed_.work(next);
    EXPECT_EQ(told(), 13);
    work();
    EXPECT_EQ(told(), 50);
}

TEST_F(PresenceFeedTest, ItsBudgetCountsWhatWaitsOnceForAll) {
    OutputBudget budget(std::size_t{1} << 20, 1);
    {
        PresenceFeed feed(faults_, &budget);
        RecordingSession alice("alice");
        RecordingSession bob("bob");
        feed.watch(alice, 0);
        feed.watch(bob, 0);
        feed.add(change(1, Kind::joined, "carol", std::string(4'993, 'p')));  // 5,000 bytes
        PresenceFeed::Slice slice{2};
        feed.work(slice);
        feed.tick();
        EXPECT_EQ(budget.used(), 5'000U);
        take(alice);
        EXPECT_EQ(budget.used(), 5'000U) << "it waits for bob";
        take(bob);
        EXPECT_EQ(budget.used(), 0U);
        feed.unwatch(alice);
        feed.unwatch(bob);
    }
}

TEST_F(PresenceFeedTest, AVersionThatNeverComesIsMadeUpForByTheList) {
    RecordingSession alice("alice");
    feed_.set_source([](const std::string&) { return PresencePage{9, "[bob;", {}}; });
    feed_.watch(alice, 0);
    add(change(2, Kind::joined, "bob"));
    feed_.tick();
    EXPECT_FALSE(feed_.has_work());
    feed_.tick();
    work();
    EXPECT_EQ(take(alice), "[bob;");
    // And one whose frame could not be made.
    feed_.add(std::make_shared<const PresenceChange>(
        PresenceChange{3, agent("carol"), Kind::joined, false, {}}));
    add(change(4, Kind::joined, "dave"));
    EXPECT_EQ(take(alice), "") << "the list holds it all";
    add(change(10, Kind::joined, "eve"));
    EXPECT_EQ(faults_.count(), 0U);
}

TEST_F(PresenceFeedTest, AListThatCannotBeMadeEndsTheSessionOnly) {
    RecordingSession alice("alice");
    RecordingSession bob("bob");
    feed_.set_source([](const std::string&) -> PresencePage { throw std::bad_alloc(); });
    feed_.watch(alice, 0);
    feed_.add(std::make_shared<const PresenceChange>(
        PresenceChange{1, agent("carol"), Kind::joined, false, {}}));
    feed_.watch(bob, 1);
    add(change(2, Kind::joined, "dave"));
    EXPECT_EQ(alice.closes, std::vector{protocol::CloseCode::internal_error});
    EXPECT_EQ(take(bob), "+dave;");
    EXPECT_EQ(faults_.count(), 1U);
}

// ---- Every watcher ends with the truth ----------------------------------------------------------

/// What a client makes of the frames it gets.
class View {
public:
    void read(std::string_view bytes) {
        rest_ += bytes;
        for (std::size_t end = rest_.find(';'); end != std::string::npos; end = rest_.find(';')) {
            take_word(rest_.substr(0, end));
            rest_.erase(0, end + 1);
        }
    }
    std::map<std::string, std::string> online;  // and their status
    int lists = 0;

private:
    void take_word(const std::string& word) {
        const std::string rest = word.substr(1);
        if (word[0] == '+') online[rest] = "";
        if (word[0] == '-') online.erase(rest);
        if (word[0] == '=') {
            const std::size_t colon = rest.find(':');
            ASSERT_TRUE(online.contains(rest.substr(0, colon))) << "a status before the joining";
            online[rest.substr(0, colon)] = rest.substr(colon + 1);
        }
        if (word[0] != '[') return;
        if (!std::exchange(in_list_, true)) {
            online.clear();
            ++lists;
        }
        const std::size_t end = rest.find('>');
        in_list_ = end != std::string::npos;
        std::string entry;
        for (const char c : rest.substr(0, end) + ' ') {
            if (c != ' ') {
                entry += c;
            } else if (!entry.empty()) {
                const std::size_t colon = entry.find(':');
                online[entry.substr(0, colon)] =
                    colon == std::string::npos ? "" : entry.substr(colon + 1);
                entry.clear();
            }
        }
    }
    std::string rest_;
    bool in_list_ = false;
};

/// A hub of two loops whose changes arrive on each of them in another order, and watchers that read
/// everything, now and then, or little at a time.
TEST(PresenceFeed, EveryWatcherEndsWithTheTruthWhateverTheOrderAndHoweverItReads) {
    std::mt19937 random(5);  // NOLINT(cert-msc51-cpp): the same course every time
    std::map<std::string, std::string> truth;
    std::uint64_t version = 0;
    const auto source = [&](const std::string& after) {
        PresencePage page{version, "[", {}};
        std::size_t count = 0;
        for (auto it = truth.upper_bound(after); it != truth.end(); ++it) {
            if (count++ == 40) {
                page.text += ">" + page.next;
                break;
            }
            page.text += it->first + (it->second.empty() ? "" : ":" + it->second) + " ";
            page.next = it->first;
        }
        if (page.text.find('>') == std::string::npos) page.next.clear();
        page.text += ";";
        return page;
    };
    struct Watcher {
        Watcher(const std::string& name, std::size_t the_most)
            : session(name, {.max_bytes = 70'000, .max_frames = 200}), most(the_most) {}
        RecordingSession session;
        View view;
        std::size_t most;  // bytes it reads at a time
    };
    struct Loop {
        Faults faults;
        PresenceFeed feed{faults};
        std::vector<PresenceChangePtr> inbox;
        std::vector<std::unique_ptr<Watcher>> watchers;
    };
    std::array<Loop, 2> loops;
    int number = 0;
    for (Loop& loop : loops) {
        loop.feed.set_source(source);
        for (const std::size_t most : {SIZE_MAX, SIZE_MAX, std::size_t{3'000}, std::size_t{900},
                                       std::size_t{100}, std::size_t{0}}) {
            loop.watchers.push_back(
                std::make_unique<Watcher>("watcher" + std::to_string(++number), most));
            loop.feed.watch(loop.watchers.back()->session, 0);
        }
    }
    const auto turn = [&](bool all) {
        for (Loop& loop : loops) {
            // What different loops post arrives in any order, within bounds.
            std::shuffle(loop.inbox.begin(), loop.inbox.end(), random);
            const std::size_t count = all ? loop.inbox.size() : random() % (loop.inbox.size() + 1);
            for (std::size_t i = 0; i < count; ++i) loop.feed.add(loop.inbox[i]);
            loop.inbox.erase(loop.inbox.begin(),
                             loop.inbox.begin() + static_cast<std::ptrdiff_t>(count));
            PresenceFeed::Slice slice{all ? SIZE_MAX : random() % 4,
                                      all || random() % 2 == 0 ? SIZE_MAX : random() % 2'000};
            loop.feed.work(slice);
            for (const auto& watcher : loop.watchers) {
                // Others write to it, too.
                if (!all && random() % 3 == 0 && watcher->session.outbox().bytes() < 30'000) {
                    watcher->session.push(std::string(500, ' ') + "!;");
                }
                watcher->view.read(take(watcher->session, all ? SIZE_MAX : watcher->most));
            }
        }
    };
    constexpr int kChanges = 30'000;
    for (int i = 0; i < kChanges; ++i) {
        // Ages of few agents and of many.
        const std::string who = "a" + std::to_string(random() % (i / 1'000 % 2 == 0 ? 20 : 2'000));
        const auto found = truth.find(who);
        PresenceChangePtr made;
        if (found == truth.end() || random() % 5 == 0) {
            truth[who] = "";
            made = change(++version, Kind::joined, who);
        } else if (random() % 2 == 0) {
            truth.erase(found);
            made = change(++version, Kind::left, who);
        } else {
            found->second = std::to_string(i);
            made = change(++version, Kind::status, who, ":" + found->second);
        }
        for (Loop& loop : loops) loop.inbox.push_back(made);
        if (random() % 3 == 0) turn(false);
        if (random() % 2'000 == 0) {
            for (Loop& loop : loops) loop.feed.tick();
        }
    }
    for (int i = 0; i < 100; ++i) turn(true);
    for (Loop& loop : loops) {
        EXPECT_EQ(loop.faults.count(), 0U);
        for (const auto& watcher : loop.watchers) {
            EXPECT_TRUE(watcher->session.closes.empty())
                << "presence or too much else closed " << watcher->session.identity()->agent.str();
            EXPECT_EQ(watcher->view.online, truth) << watcher->session.identity()->agent.str();
        }
        EXPECT_EQ(loop.watchers.front()->view.lists, 0) << "who keeps up needs no list";
        EXPECT_GT(loop.watchers.back()->view.lists, 0) << "who read nothing needs one";
    }
}

}  // namespace
}  // namespace agentcom::delivery

#include "agentcom/delivery/event_loop.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>
#include <future>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/recording_session.hpp"
#include "support/temp_dir.hpp"

namespace agentcom::delivery {
namespace {

/// Waiting for what does not come ends the test after this long.
constexpr std::chrono::seconds kPatience{60};

struct Output final : Flushable {
    std::function<void()> on_flush = [] {};
    std::function<void()> on_fail = [] {};
    int flushes = 0;
    std::size_t bytes = 0;
    [[nodiscard]] std::size_t pending() noexcept override { return bytes; }
    void fail() noexcept override { on_fail(); }
    void flush() override {
        ++flushes;
        on_flush();
    }
};

/// One loop on a thread of its own above a real store.
class EventLoopTest : public ::testing::Test {
protected:
    EventLoopTest()
        : store_(store::Store::open({.directory = dir_.path() / "data",
                                     .map_size = std::size_t{1} << 30,
                                     // A burst that does not end would be waited for.
                                     .longest_wait_for_burst = std::chrono::hours(1)},
                                    clock_)),
          loops_(1, *store_, clock_) {
        store_->start(&loops_);
        thread_ = std::thread([this] { loop().run(); });
    }
    ~EventLoopTest() override {
        store_->stop();
        finish();
    }
    void finish() {
        loop().stop();
        if (thread_.joinable()) thread_.join();
    }

    [[nodiscard]] EventLoop& loop() { return loops_[0]; }
    /// An operation whose commit may be deferred.
    static store::WriteOp mark() {
        return store::MarkRead{core::AgentId::parse("alice").value(), {}};
    }

    /// Runs the function on the loop's thread and waits until it has returned.
    template <class Function>
    void on_loop(Function function) {
        std::promise<void> done;
        loop().post([&] {
            function();
            done.set_value();
        });
        wait_for(done);
    }
    static void wait_for(std::promise<void>& done) {
        if (done.get_future().wait_for(kPatience) != std::future_status::ready) {
            throw std::runtime_error("the loop did not get there");
        }
    }

    test::TempDir dir_;
    core::ManualClock clock_;
    std::unique_ptr<store::Store> store_;
    LoopGroup loops_;
    std::thread thread_;
};

TEST_F(EventLoopTest, FlushesWhatIsMarkedOnceAndInOrder) {
    std::vector<int> order;
    std::promise<void> flushed;
    std::vector<Output> outputs(3);
    for (int i = 0; i < 3; ++i) {
        outputs[static_cast<std::size_t>(i)].on_flush = [&, i] {
            order.push_back(i);
            if (i == 1) flushed.set_value();
        };
    }
    on_loop([&] {
        for (const std::size_t i : {2U, 0U, 1U}) loop().mark_dirty(outputs[i]);
        EXPECT_TRUE(order.empty()) << "flushed before the loop ran dry";
    });
    wait_for(flushed);
    on_loop([&] { EXPECT_EQ(order, (std::vector{2, 0, 1})); });
}

TEST_F(EventLoopTest, ServesOthersWhileItFlushesMany) {
    std::vector<Output> outputs(1'000);
    int flushed = 0;
    int flushed_when_served = 0;
    std::promise<void> done;
    for (Output& output : outputs) {
        output.on_flush = [&] {
            if (++flushed == 1) {
                boost::asio::post(loop().context(), [&] { flushed_when_served = flushed; });
            }
            if (flushed == 1'000) done.set_value();
        };
    }
    on_loop([&] {
        for (Output& output : outputs) loop().mark_dirty(output);
    });
    wait_for(done);
    on_loop([&] {
        EXPECT_GT(flushed_when_served, 1) << "a slice is more than one";
        EXPECT_LT(flushed_when_served, 500);
        for (const Output& output : outputs) EXPECT_EQ(output.flushes, 1);
    });
}

TEST_F(EventLoopTest, WhatIsLittleIsFlushedBeforeWhatIsMuch) {
    std::vector<Output> bulky(4);
    std::vector<Output> small(3);
    std::vector<const Output*> order;
    std::promise<void> done;
    const auto note = [&](Output& output) {
        output.on_flush = [&] {
            order.push_back(&output);
            if (order.size() == 7) done.set_value();
        };
    };
    for (Output& output : bulky) {
        output.bytes = std::size_t{1} << 20;
        note(output);
    }
    for (Output& output : small) note(output);
    on_loop([&] {
        for (Output& output : bulky) loop().mark_dirty(output);
        for (Output& output : small) loop().mark_dirty(output);
    });
    wait_for(done);
    on_loop([&] {
        EXPECT_EQ(order, (std::vector<const Output*>{&small[0], &small[1], &small[2], &bulky[0],
                                                     &bulky[1], &bulky[2], &bulky[3]}));
    });
}

TEST_F(EventLoopTest, OneThatIsMuchIsFlushedInEveryTurnHoweverLittleOthersHave) {
    // More of what is little than one turn flushes, for ever.
    std::vector<Output> small(200);
    int flushed = 0;
    bool over = false;
    for (Output& output : small) {
        output.on_flush = [&] {
            ++flushed;
            if (!over) loop().mark_dirty(output);
        };
    }
    Output bulky;
    bulky.bytes = std::size_t{1} << 20;
    int flushed_before = 0;
    std::promise<void> done;
    bulky.on_flush = [&] {
        flushed_before = flushed;
        over = true;
        done.set_value();
    };
    on_loop([&] {
        loop().mark_dirty(bulky);
        for (Output& output : small) loop().mark_dirty(output);
    });
    wait_for(done);
    finish();
    EXPECT_LT(flushed_before, 200);
}

TEST_F(EventLoopTest, WhatIsMuchLeavesTheTurnToOthersWhenItTakesLong) {
    std::vector<Output> bulky(8);
    int flushed = 0;
    int flushed_when_served = 0;
    std::promise<void> done;
    for (Output& output : bulky) {
        output.bytes = std::size_t{1} << 20;
        output.on_flush = [&] {
            if (++flushed == 1) {
                boost::asio::post(loop().context(), [&] { flushed_when_served = flushed; });
            }
            // As a socket that takes its time.
            const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(3);
            while (std::chrono::steady_clock::now() < until) {
            }
            if (flushed == 8) done.set_value();
        };
    }
    on_loop([&] {
        for (Output& output : bulky) loop().mark_dirty(output);
    });
    wait_for(done);
    on_loop([&] { EXPECT_EQ(flushed_when_served, 1); });
}

TEST_F(EventLoopTest, AMarkedOneMayGoAway) {
    Output first;
    Output second;
    Output bulky;
    Output last;
    bulky.bytes = std::size_t{1} << 20;
    last.bytes = std::size_t{1} << 20;
    std::promise<void> done;
    first.on_flush = [&] {
        loop().forget(second);
        loop().forget(bulky);
    };
    last.on_flush = [&] { done.set_value(); };
    on_loop([&] {
        loop().mark_dirty(bulky);
        loop().mark_dirty(first);
        loop().mark_dirty(second);
        loop().mark_dirty(last);
    });
    wait_for(done);
    on_loop([&] {
        EXPECT_EQ(first.flushes, 1);
        EXPECT_EQ(second.flushes, 0);
        EXPECT_EQ(bulky.flushes, 0);
        EXPECT_EQ(last.flushes, 1);
    });
}

TEST_F(EventLoopTest, FlushesEverythingBeforeItEnds) {
    std::vector<Output> outputs(1'000);
    for (std::size_t i = 0; i < outputs.size(); i += 2) outputs[i].bytes = std::size_t{1} << 20;
    on_loop([&] {
        for (Output& output : outputs) loop().mark_dirty(output);
        loop().stop();
    });
    finish();
    for (const Output& output : outputs) EXPECT_EQ(output.flushes, 1);
}

TEST_F(EventLoopTest, RunsWhatOtherThreadsPostInTheirOrder) {
    constexpr int kThreads = 4;
    constexpr int kEach = 500;
    std::vector<std::vector<int>> seen(kThreads);
    bool elsewhere = false;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < kEach; ++i) {
                loop().post([&, t, i] {
                    elsewhere = elsewhere || std::this_thread::get_id() != thread_.get_id();
                    seen[static_cast<std::size_t>(t)].push_back(i);
                });
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    on_loop([&] {
        EXPECT_FALSE(elsewhere);
        for (const auto& numbers : seen) {
            EXPECT_EQ(numbers.size(), std::size_t{kEach});
            EXPECT_TRUE(std::ranges::is_sorted(numbers));
        }
    });
}

TEST_F(EventLoopTest, SubmitsWhatHasGatheredInOnePieceAndCompletesItOnTheLoop) {
    const std::uint64_t commits_before = store_->stats().commits;
    std::vector<int> completed;
    std::promise<void> done;
    on_loop([&] {
        for (int i = 0; i < 100; ++i) {
            loop().submit(store::PutSetting{"number", static_cast<std::uint64_t>(i)},
                          [&, i](const store::WriteResult& result) {
                              EXPECT_TRUE(result);
                              EXPECT_EQ(std::this_thread::get_id(), thread_.get_id());
                              completed.push_back(i);
                              if (i == 99) done.set_value();
                          });
        }
    });
    wait_for(done);
    on_loop([&] {
        EXPECT_EQ(completed.size(), 100U);
        EXPECT_TRUE(std::ranges::is_sorted(completed));
    });
    EXPECT_EQ(store_->stats().commits, commits_before + 1);
}

TEST_F(EventLoopTest, HandsOverPartsOfALongTurnWhichAreCommittedTogether) {
    constexpr int kHandlers = 8;
    constexpr int kEach = 100;
    const std::uint64_t commits_before = store_->stats().commits;
    int completed = 0;
    std::uint64_t handed_over = 0;
    std::promise<void> done;
    on_loop([&] {
        for (int handler = 0; handler < kHandlers; ++handler) {
            boost::asio::post(loop().context(), [&, handler] {
                if (handler + 1 == kHandlers) handed_over = store_->stats().queue_depth;
                for (int i = 0; i < kEach; ++i) {
                    loop().submit(mark(), [&](const store::WriteResult& result) {
                        EXPECT_TRUE(result);
                        if (++completed == kHandlers * kEach) done.set_value();
                    });
                }
            });
        }
    });
    wait_for(done);
    on_loop([&] {
        EXPECT_GT(handed_over, 0U) << "nothing before the turn had ended";
        EXPECT_LT(handed_over, std::uint64_t{kHandlers * kEach});
    });
    EXPECT_EQ(store_->stats().commits, commits_before + 1);
    // The next turn's is committed without waiting for more.
    std::promise<void> another;
    on_loop([&] {
        loop().submit(mark(), [&](const store::WriteResult& result) {
            EXPECT_TRUE(result);
            another.set_value();
        });
    });
    wait_for(another);
}

TEST_F(EventLoopTest, HandsOverBeforeItDoesWhatElseThereIs) {
    std::uint64_t handed_over = 0;
    std::promise<void> done;
    on_loop([&] {
        loop().submit(mark(), [&](const store::WriteResult&) { done.set_value(); });
        // In the same turn. What has been handed over counts until the loop is done with it.
        loop().call_at(clock_.steady(), [&] { handed_over = store_->stats().queue_depth; });
    });
    wait_for(done);
    on_loop([&] { EXPECT_EQ(handed_over, 1U); });
}

TEST(LoopGroupTest, ABatchGoesOnlyToLoopsThatHaveSomethingToDoForIt) {
    const test::TempDir dir;
    core::ManualClock clock;
    const auto store = store::Store::open(
        {.directory = dir.path() / "data", .map_size = std::size_t{64} << 20}, clock);
    LoopGroup loops(2, *store, clock);
    // The loops do not run: who is given a batch keeps it.
    const auto is_kept = [&](store::WriteOp op, store::LoopIndex origin) {
        auto batch = std::make_shared<store::CommittedBatch>();
        batch->operations.push_back(
            store::Committed{std::move(op), store::WriteValue(store::Done{}), nullptr, origin});
        const std::weak_ptr<store::CommittedBatch> watch = batch;
        loops.on_committed(std::move(batch));
        return watch.use_count();
    };
    const core::AgentId alice = core::AgentId::parse("alice").value();
    EXPECT_EQ(is_kept(store::MarkRead{alice, {}}, 0), 1) << "its own loop";
    EXPECT_EQ(is_kept(store::MarkRead{alice, {}}, store::kNoLoop), 0);
    EXPECT_EQ(is_kept(store::PutSetting{"number", 1}, 0), 2) << "others might take note of it";
}

TEST_F(EventLoopTest, SaysWhenTheStoreHasRoomAgain) {
    std::promise<void> room;
    on_loop([&] { loop().on_room([&] { room.set_value(); }); });
    loops_.on_room();
    wait_for(room);
}

TEST_F(EventLoopTest, CallsAtATimeOfTheInjectedClock) {
    std::vector<int> called;
    on_loop([&] {
        const core::SteadyTime now = clock_.steady();
        loop().call_at(now + std::chrono::hours(2), [&] { called.push_back(2); });
        loop().call_at(now + std::chrono::hours(1), [&] { called.push_back(1); });
        const auto cancelled =
            loop().call_at(now + std::chrono::minutes(1), [&] { called.push_back(0); });
        EXPECT_TRUE(loop().cancel(cancelled));
        EXPECT_FALSE(loop().cancel(cancelled));
    });
    on_loop([&] { EXPECT_TRUE(called.empty()); });
    // Timers run at the end of a turn: some turns are enough, and too many are a failure.
    const auto wait_until_called = [&](std::size_t count) {
        bool done = false;
        for (int turn = 0; turn < 100'000 && !done; ++turn) {
            on_loop([&] { done = called.size() >= count; });
        }
    };
    clock_.advance(std::chrono::minutes(90));
    wait_until_called(1);
    on_loop([&] { EXPECT_EQ(called, std::vector{1}); });
    clock_.advance(std::chrono::hours(1));
    wait_until_called(2);
    on_loop([&] { EXPECT_EQ(called, (std::vector{1, 2})); });
}

TEST_F(EventLoopTest, CallsAtATimeWithoutAnythingElseToWakeIt) {
    const core::SystemClock clock;
    OutputBudget budget(std::size_t{1} << 20, 1);
    EventLoop idle(7, *store_, clock, budget.account(0));
    std::promise<void> done;
    idle.call_at(clock.steady() + core::Millis{30}, [&] {
        EXPECT_GE(clock.steady().time_since_epoch().count(), 0);
        idle.call_at(clock.steady() + core::Millis{20}, [&] { done.set_value(); });
    });
    std::thread thread([&] { idle.run(); });
    wait_for(done);
    idle.stop();
    thread.join();
}

TEST_F(EventLoopTest, GoesOnWhateverThrows) {
    const auto fail = [] { throw std::runtime_error("as this test wants it"); };
    Output broken;
    Output sound;
    int failures = 0;
    std::promise<void> flushed;
    broken.on_flush = fail;
    broken.on_fail = [&] { ++failures; };
    sound.on_flush = [&] { flushed.set_value(); };
    std::promise<void> ticked;
    bool once = false;
    bool timer_after = false;
    std::promise<void> handled;
    on_loop([&] {
        loop().mark_dirty(broken);
        loop().mark_dirty(sound);
        loop().on_tick(fail);
        loop().on_tick([&] {
            if (!std::exchange(once, true)) ticked.set_value();
        });
        loop().call_at(clock_.steady(), fail);
        loop().call_at(clock_.steady(), [&] { timer_after = true; });
        boost::asio::post(loop().context(), fail);
        boost::asio::post(loop().context(), [&] { handled.set_value(); });
    });
    loop().post(fail);
    loop().post([] { throw 42; });  // NOLINT(hicpp-exception-baseclass): that, too
    wait_for(flushed);
    wait_for(ticked);
    wait_for(handled);
    std::promise<void> completed;
    on_loop([&] {
        loop().submit(store::PutSetting{"one", 1},
                      [&](const store::WriteResult&) { throw std::bad_alloc(); });
        loop().submit(store::PutSetting{"two", 2},
                      [&](const store::WriteResult&) { completed.set_value(); });
    });
    wait_for(completed);
    on_loop([&] {
        EXPECT_EQ(failures, 1);
        EXPECT_TRUE(timer_after);
        EXPECT_GE(loop().faults(), 7U);
    });
}

TEST_F(EventLoopTest, ServesOthersWhileALargeBatchIsApplied) {
    constexpr int kSessions = 400;
    constexpr std::uint64_t kMessages = 200;
    std::vector<std::unique_ptr<test::RecordingSession>> sessions;
    for (int i = 0; i < kSessions; ++i) {
        sessions.push_back(std::make_unique<test::RecordingSession>("agent" + std::to_string(i)));
    }
    auto batch = std::make_shared<store::CommittedBatch>();
    for (std::uint64_t seq = 1; seq <= kMessages; ++seq) {
        auto message = std::make_shared<core::Message>(
            core::Message{.seq = core::Seq{seq},
                          .id = core::MessageId{seq},
                          .channel_seq = {},
                          .timestamp = core::Timestamp{1},
                          .draft = core::Draft{core::AgentId::parse("zoe").value(),
                                               core::ToEveryone{},
                                               "chat",
                                               {"{}"},
                                               std::nullopt}});
        batch->operations.push_back(
            store::Committed{.op = store::AppendMessage{message->draft, std::nullopt},
                             .result = store::WriteValue(store::Appended{message, false}),
                             .completion = {},
                             .origin = store::kNoLoop});
    }
    batch->head = core::Seq{kMessages};
    std::promise<void> served;
    std::size_t turns = 0;
    std::function<void()> look = [&] {
        ++turns;
        if (loop().registry().applied_head() == core::Seq{kMessages} &&
            !loop().registry().has_work()) {
            return served.set_value();
        }
        boost::asio::post(loop().context(), look);
    };
    on_loop([&] {
        for (const auto& session : sessions) loop().registry().add(*session, {});
        boost::asio::post(loop().context(), look);
    });
    loop().deliver(std::move(batch));
    wait_for(served);
    on_loop([&] {
        EXPECT_GT(turns, kSessions * kMessages / 8'000) << "others were held up";
        for (const auto& session : sessions) {
            EXPECT_EQ(session->outbox().frames(), kMessages);
            loop().registry().remove(*session);
        }
    });
}

TEST_F(EventLoopTest, ManyBatchesOfOneTurnTakeLittleMoreTimeThanOne) {
    constexpr int kBatches = 40;
    constexpr int kOperations = 100;
    int done = 0;
    int done_in_the_turn = 0;
    Output output;
    std::promise<void> flushed;
    std::promise<void> all_done;
    output.on_flush = [&] {
        done_in_the_turn = done;
        flushed.set_value();
    };
    const auto take_a_while = [&](const store::WriteResult&) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(20);
        while (std::chrono::steady_clock::now() < until) {
        }
        if (++done == kBatches * kOperations) all_done.set_value();
    };
    on_loop([&] {
        for (int i = 0; i < kBatches; ++i) {
            boost::asio::post(loop().context(), [&] {
                auto batch = std::make_shared<store::CommittedBatch>();
                for (int k = 0; k < kOperations; ++k) {
                    batch->operations.push_back(
                        store::Committed{.op = mark(),
                                         .result = store::WriteValue(store::Done{}),
                                         .completion = take_a_while,
                                         .origin = 0});
                }
                loop().deliver(std::move(batch));
            });
        }
        loop().mark_dirty(output);
    });
    wait_for(flushed);
    wait_for(all_done);
    // Two batches come to more than the 3 ms, which are looked at every 256 operations.
    EXPECT_LT(done_in_the_turn, kBatches * kOperations / 2);
}

TEST_F(EventLoopTest, ManyChangesOfOneTurnAreToldInSlices) {
    constexpr std::size_t kSessions = 600;
    std::vector<std::unique_ptr<test::RecordingSession>> sessions;
    for (std::size_t i = 0; i < kSessions; ++i) {
        sessions.push_back(std::make_unique<test::RecordingSession>("agent" + std::to_string(i)));
        sessions.back()->set_identity(
            {.agent = sessions.back()->identity()->agent, .session_id = i + 1, .presence = true});
    }
    const auto told = [&] {
        std::size_t frames = 0;
        for (const auto& session : sessions) frames += session->outbox().frames();
        return frames;
    };
    // What the other loops tell comes between the handlers of a turn.
    constexpr std::uint64_t kChanges = 100;
    std::uint64_t version = 0;
    Output output;
    std::size_t told_in_the_turn = 0;
    std::promise<void> done;
    output.on_flush = [&] {
        told_in_the_turn = told();
        done.set_value();
    };
    on_loop([&] {
        for (const auto& session : sessions) loop().registry().add(*session, {});
        for (std::uint64_t i = 0; i < kChanges; ++i) {
            boost::asio::post(loop().context(), [&] {
                loop().deliver(std::make_shared<const PresenceChange>(PresenceChange{
                    ++version, core::AgentId::parse("visitor" + std::to_string(version)).value(),
                    PresenceChange::Kind::joined, false, "joined;"}));
            });
        }
        loop().mark_dirty(output);
    });
    wait_for(done);
    EXPECT_LT(told_in_the_turn, 1'000U);
    on_loop([&] {
        while (loop().registry().presence().has_work()) {
            PresenceFeed::Slice slice{kSessions};
            loop().registry().presence().work(slice);
        }
        for (const auto& session : sessions) {
            EXPECT_EQ(session->outbox().bytes(), kChanges * 7);
            loop().registry().remove(*session);
        }
    });
}

TEST_F(EventLoopTest, Ticks) {
    std::promise<void> ticked;
    bool once = false;
    on_loop([&] {
        loop().on_tick([&] {
            if (!std::exchange(once, true)) ticked.set_value();
        });
    });
    wait_for(ticked);
}

}  // namespace
}  // namespace agentcom::delivery

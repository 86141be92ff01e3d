// The commit thread without memory. Every allocation of the program goes through here, and some of
// them fail on demand: those of one thread, from the n-th on.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <new>
#include <string>
#include <thread>

#include "store/store_fixture.hpp"

namespace {

/// How many allocations of this thread still succeed, and how many fail then.
struct Famine {
    int after = 0;
    int failures = 0;
};
thread_local Famine famine;

bool is_refused() noexcept {
    if (famine.failures == 0 || famine.after-- > 0) return false;
    famine.after = 0;
    --famine.failures;
    return true;
}

}  // namespace

// Not inlined: the compiler would take free for the wrong half of a pair.
[[gnu::noinline]] void* operator new(std::size_t size) {
    void* const made = is_refused() ? nullptr : std::malloc(size != 0 ? size : 1);
    if (made == nullptr) throw std::bad_alloc();
    return made;
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
    return is_refused() ? nullptr : std::malloc(size != 0 ? size : 1);
}
[[gnu::noinline]] void operator delete(void* made) noexcept { std::free(made); }
[[gnu::noinline]] void operator delete(void* made, std::size_t) noexcept { std::free(made); }

namespace agentcom::store {
namespace {

/// A clock that lets the thread starve which asks it next: that of a batch, when it begins.
class StarvingClock final : public core::Clock {
public:
    void starve(Famine next) {
        next_ = next;
        armed_ = true;
    }
    [[nodiscard]] core::Timestamp now() const noexcept override {
        famine = armed_.exchange(false) ? next_ : Famine{};
        return clock_.now();
    }
    [[nodiscard]] core::SteadyTime steady() const noexcept override { return clock_.steady(); }

private:
    core::ManualClock clock_;
    Famine next_;
    mutable std::atomic<bool> armed_{false};
};

class NoMemoryTest : public StoreTest {
protected:
    StarvingClock starving_clock_;

    /// What became of operations, without an allocation on the commit thread.
    struct Outcome {
        std::size_t done = 0;
        std::size_t refused = 0;
        bool otherwise = false;
    };
    /// Hands the operations over as one batch, for which the commit thread lacks memory.
    Outcome starve(Famine want, std::vector<WriteOp> ops) {
        // Completions run on that thread.
        std::promise<void> ready;
        store_->submit(Submission{MarkRead{agent("nobody"), {}},
                                  [&](const WriteResult&) {
                                      famine = want;
                                      ready.set_value();
                                  },
                                  kNoLoop});
        ready.get_future().wait();
        Outcome outcome;
        std::promise<void> over;
        std::vector<Submission> submissions;
        const std::size_t count = ops.size();
        for (WriteOp& op : ops) {
            submissions.push_back(Submission{std::move(op),
                                             [&, count](const WriteResult& result) {
                                                 famine = {};
                                                 if (result) {
                                                     ++outcome.done;
                                                 } else {
                                                     ++outcome.refused;
                                                     outcome.otherwise |= result.error().code !=
                                                                          core::ErrorCode::internal;
                                                 }
                                                 if (outcome.done + outcome.refused == count)
                                                     over.set_value();
                                             },
                                             kNoLoop});
        }
        store_->submit(std::move(submissions));
        over.get_future().wait();
        return outcome;
    }
};

TEST_F(NoMemoryTest, WhateverAllocationFailsIsAnsweredAndTheCommitThreadGoesOn) {
    commit_at_once();  // completions run on the thread that is to starve
    create_agent("bob");
    create_channel("ops");
    subscribe("bob", "ops");
    std::uint64_t stored = 0;
    std::size_t all_refused = 0;
    std::size_t one_refused = 0;
    for (int after = 0; after < 150; ++after) {
        for (const int failures : {1, 2, 20}) {
            AppendMessage keyed = publication("alice", "ops");
            keyed.idempotency_key = "a-key-of-more-bytes-than-a-string-has-within-itself-" +
                                    std::to_string(after) + '-' + std::to_string(failures);
            const Outcome outcome = starve(
                {after, failures}, {direct("alice", "bob"), std::move(keyed), direct("bob", "x")});
            EXPECT_FALSE(outcome.otherwise) << after;
            stored += outcome.done;
            all_refused += outcome.refused == 3 ? 1 : 0;
            one_refused += outcome.refused == 1 ? 1 : 0;
            ASSERT_EQ(store_->head(), core::Seq{stored}) << after << ", " << failures;
            ASSERT_EQ(store_->state(), StoreState::ok);
        }
    }
    EXPECT_GT(all_refused, 0U);
    EXPECT_GT(one_refused, 0U) << "one that lacks memory fails alone";
    EXPECT_EQ(append(direct("alice", "bob"))->seq, core::Seq{stored + 1});
    store_->stop();
    EXPECT_EQ(store_->stats().queue_depth, 0U);
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{stored + 1});
}

TEST_F(NoMemoryTest, WhatIsDeferredIsNeitherLostNorRefusedForIt) {
    create_agent("bob");
    store_.reset();
    options_.reads_that_wait = core::kUnbounded;
    store_ = Store::open(options_, starving_clock_);
    store_->start(nullptr);
    std::uint64_t stored = 0;
    for (int after = 0; after < 120; ++after) {
        for (const int failures : {1, 3, 20}) {
            append(direct("alice", "bob"));
            starving_clock_.starve({after, failures});
            // Its copy takes memory, too.
            const WriteResult result =
                store_->submit_and_wait(direct("alice", "bob", '"' + std::string(100, 'x') + '"'));
            stored += result ? 2 : 1;
            if (!result) {
                EXPECT_EQ(result.error().code, core::ErrorCode::internal);
            }
            ASSERT_EQ(store_->head(), core::Seq{stored}) << after << ", " << failures;
            ASSERT_EQ(store_->state(), StoreState::ok);
            ASSERT_TRUE(store_->find_message(core::Seq{stored}));
        }
    }
    store_ = nullptr;
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{stored});
}

TEST_F(NoMemoryTest, NothingOfABurstIsLostForIt) {
    constexpr std::size_t kParts = 3;
    create_agent("bob");
    store_.reset();
    options_.reads_that_wait = core::kUnbounded;
    options_.longest_wait_for_burst = std::chrono::hours(1);
    store_ = Store::open(options_, starving_clock_);
    store_->start(nullptr);
    std::uint64_t stored = 0;
    for (int after = 0; after < 150; ++after) {
        for (const int failures : {1, 3, 20}) {
            std::array<std::promise<WriteResult>, kParts> done;
            starving_clock_.starve({after, failures});
            {
                const Store::Burst burst(*store_);
                for (auto& each : done) {
                    store_->submit(Submission{
                        direct("alice", "bob", '"' + std::string(100, 'x') + '"'),
                        [&each](const WriteResult& result) { each.set_value(result); }, kNoLoop});
                    // So that some parts are taken up before the next is there.
                    std::this_thread::yield();
                }
            }
            for (auto& each : done) {
                const WriteResult result = each.get_future().get();
                if (result) {
                    ++stored;
                } else {
                    EXPECT_EQ(result.error().code, core::ErrorCode::internal);
                }
            }
            ASSERT_EQ(store_->head(), core::Seq{stored}) << after << ", " << failures;
            ASSERT_EQ(store_->state(), StoreState::ok);
        }
    }
    store_->stop();
    EXPECT_EQ(store_->stats().queue_depth, 0U);
    EXPECT_FALSE(store_->saturated());
    store_ = nullptr;
    reopen();
    EXPECT_EQ(store_->head(), core::Seq{stored});
}

}  // namespace
}  // namespace agentcom::store

#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/faults.hpp"
#include "agentcom/delivery/fifo.hpp"
#include "agentcom/delivery/loop_figures.hpp"
#include "agentcom/delivery/output_budget.hpp"
#include "agentcom/delivery/read_queue.hpp"
#include "agentcom/delivery/registry.hpp"
#include "agentcom/delivery/timers.hpp"
#include "agentcom/store/store.hpp"

namespace agentcom::delivery {

/// Something with output to write when the loop has no more ready work.
class Flushable {
public:
    virtual ~Flushable() = default;
    virtual void flush() = 0;
    /// Bytes that wait to be written: those with few of them do not wait for those with many.
    [[nodiscard]] virtual std::size_t pending() noexcept { return 0; }
    /// `flush` threw: whatever it is ends, at once.
    virtual void fail() noexcept {}
};

/// Something that was waiting and goes on.
class Resumable {
public:
    virtual ~Resumable() = default;
    virtual void resume() = 0;
};

/// One thread's event loop: an io_context, the registry of its sessions, timers, an inbox for what
/// other threads hand over. It turns: a bounded run of ready handlers, then the gathered write
/// operations to the store in one piece, then bounded slices of deliveries, presence, long polls,
/// reads and flushes. What a handler throws is counted and logged, and the loop goes on.
/// Members are for the loop's own thread unless they say otherwise.
class EventLoop {
public:
    EventLoop(store::LoopIndex index, store::Store& store, const core::Clock& clock,
              OutputAccount& output);
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    [[nodiscard]] store::LoopIndex index() const noexcept { return index_; }
    [[nodiscard]] boost::asio::io_context& context() noexcept { return context_; }
    [[nodiscard]] Registry& registry() noexcept { return registry_; }
    /// Where the outboxes of this loop's connections are counted.
    [[nodiscard]] OutputAccount& output() noexcept { return output_; }

    /// Reads of the store, which take turns.
    [[nodiscard]] ReadQueue& reads() noexcept { return reads_; }

    /// What is counted on this loop.
    [[nodiscard]] LoopFigures& figures() noexcept { return figures_; }
    /// The injected clock when the deliveries that are being done began, or a few of them ago.
    [[nodiscard]] core::SteadyTime delivery_time() const noexcept { return delivery_time_; }
    /// When it last turned, by the machine's clock; nothing: it has not begun to. Any thread. A
    /// loop without work turns about once a second.
    [[nodiscard]] std::optional<core::SteadyTime> last_turn() const noexcept;

    /// Whether its thread is, right now, in a wait of the system that only a device can end: a page
    /// or a read that has not come, a file system that is frozen. A system call or three. Any
    /// thread.
    [[nodiscard]] bool waits_for_disk() const;

    /// Runs until `stop`.
    void run();
    /// Any thread: lets `run` return after the handlers that are ready.
    void stop();

    /// Any thread: runs the function on the loop's thread. One wake-up for all that gathers.
    void post(std::function<void()> function);
    /// Any thread: hands over a committed batch; batches are applied in the order of the calls.
    void deliver(std::shared_ptr<store::CommittedBatch> batch);
    /// Any thread: hands over a change of who is online.
    void deliver(PresenceChangePtr change);

    /// Has it resumed among the ready handlers, after whoever calls has returned. Cheaper than a
    /// handler of the io_context, which asks the system for events before each of them.
    void resume_soon(std::shared_ptr<Resumable> waiting) { ready_.push_back(std::move(waiting)); }

    /// Gathers a write operation until the ready handlers have run. Its completion runs on this
    /// loop.
    void submit(store::WriteOp&& op, store::Completion completion);
    /// Calls flush() once when the loop runs dry.
    void mark_dirty(Flushable& flushable) { dirty_.push_back(&flushable); }
    /// A flushable that goes away while it is marked.
    void forget(Flushable& flushable);

    using TimerHandle = Timers::Handle;
    /// Calls the function once the injected clock has reached this time: within milliseconds by the
    /// machine's clock, at the loop's next turn after a clock of a test has been moved.
    TimerHandle call_at(core::SteadyTime at, std::function<void()> function);
    /// False when it has been called or was cancelled before.
    bool cancel(const TimerHandle& timer) { return timers_.cancel(timer); }
    /// Calls the function about once a (real) second on this loop for as long as it runs (reaper,
    /// time-outs).
    void on_tick(std::function<void()> function) { ticks_.push_back(std::move(function)); }

    /// Calls the function on this loop whenever the store was saturated and is not any more.
    void on_room(std::function<void()> function) { rooms_.push_back(std::move(function)); }
    /// Any thread: has the functions of `on_room` called.
    void announce_room();
    /// Exceptions that handlers of this loop have let out. Any thread.
    [[nodiscard]] std::uint64_t faults() noexcept { return registry_.faults().count(); }

private:
    using Item = std::variant<std::function<void()>, std::shared_ptr<store::CommittedBatch>,
                              PresenceChangePtr>;

    void put(Item item);
    void note_turn(core::SteadyTime now) noexcept {
        last_turn_.store(now.time_since_epoch().count(), std::memory_order_relaxed);
    }
    void turn();
    void wait_for_event();
    /// Resumes those that are ready by now, at most so many; how many those were.
    int resume_some(int most);
    void run_dry();
    void hand_over();
    /// Before the turn has ended.
    void hand_over_a_part();
    void run_slices();
    void begin_at_once();
    /// Returns how many of so many deliveries it did; all of them when there is time for no more.
    std::size_t deliver_some(std::size_t most, core::SteadyTime::duration longest);
    void wake_some();
    void flush_some();
    void flush_front_of(Fifo<Flushable*, 4096>& list);
    /// How many are marked.
    [[nodiscard]] std::size_t unflushed() const noexcept { return dirty_.size() + bulky_.size(); }
    void run_timers();
    [[nodiscard]] bool has_work() noexcept;
    [[nodiscard]] bool has_due_timer() const noexcept {
        return !timers_.empty() && timers_.nearest() <= clock_.steady();
    }
    void drain_inbox();
    void schedule_tick();
    void tick();
    void schedule_timers();
    template <class Function>
    void guard(std::string_view what, Function&& function) noexcept {
        registry_.faults().guard(what, std::forward<Function>(function));
    }

    store::LoopIndex index_;
    store::Store& store_;
    const core::Clock& clock_;
    OutputAccount& output_;
    boost::asio::io_context context_;
    Registry registry_;
    ReadQueue reads_{registry_.faults()};
    Timers timers_;
    Fifo<std::shared_ptr<Resumable>, 4096> ready_;
    Fifo<Flushable*, 4096> dirty_;  // in the order of marking; null: forgotten
    Fifo<Flushable*, 4096> bulky_;  // the same of those that were found to have much to write
    /// What this turn may still do as soon as it is handed over, however often that is.
    struct AtOnce {
        std::size_t deliveries = 0;
        core::SteadyTime::duration delivery_time{};
        PresenceFeed::Slice presence;
    };
    AtOnce at_once_;
    std::vector<store::Submission> submissions_;
    std::optional<store::Store::Burst> burst_;  // while this turn has handed over some of its own
    std::vector<std::function<void()>> ticks_;
    std::vector<std::function<void()>> rooms_;
    struct AsioTimers;
    std::unique_ptr<AsioTimers> asio_timers_;
    class Alarm;
    std::unique_ptr<Alarm> alarm_;
    std::optional<core::SteadyTime> armed_for_;  // what the timer of `timers_` waits for

    std::mutex inbox_mutex_;
    std::vector<Item> inbox_;                // guarded by inbox_mutex_
    std::atomic<bool> inbox_filled_{false};  // changed under inbox_mutex_
    std::atomic<bool> asleep_{false};        // the thread waits, or is about to
    std::atomic<bool> stopped_{false};

    std::atomic<core::SteadyTime::rep> last_turn_{0};
    std::atomic<int> thread_{0};  // as the system numbers it; 0: it does not run
    core::SteadyTime delivery_time_{};
    LoopFigures figures_;
};

/// All event loops of the hub. As the store's listener it hands every batch to every loop that has
/// something to do for it, so each loop sees all that concerns it in commit order.
class LoopGroup final : public store::CommitListener {
public:
    static constexpr std::size_t kDefaultOutputBytes = std::size_t{1} << 30;

    /// `output_bytes`: most unsent output of all connections together, see OutputBudget.
    LoopGroup(std::size_t count, store::Store& store, const core::Clock& clock,
              std::size_t output_bytes = kDefaultOutputBytes);
    LoopGroup(const LoopGroup&) = delete;
    LoopGroup& operator=(const LoopGroup&) = delete;
    ~LoopGroup() override;

    [[nodiscard]] std::size_t size() const noexcept { return loops_.size(); }
    [[nodiscard]] const OutputBudget& output() const noexcept { return output_; }
    [[nodiscard]] EventLoop& operator[](std::size_t index) noexcept { return *loops_[index]; }
    void on_committed(std::shared_ptr<store::CommittedBatch> batch) override;
    void on_room() override;
    /// Any thread: hands a change of who is online to every loop.
    void announce(const PresenceChangePtr& change);
    /// Any thread: runs the function on every loop.
    void post_all(const std::function<void(EventLoop&)>& function);

private:
    OutputBudget output_;  // outlives all that waits in the loops
    std::vector<std::unique_ptr<EventLoop>> loops_;
};

}  // namespace agentcom::delivery

#include "agentcom/delivery/event_loop.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "agentcom/core/memory.hpp"

namespace agentcom::delivery {

namespace {

/// Ready handlers that run before output is flushed. Enough to gather the frames of many reads into
/// one write, few enough that nobody's reply waits long behind them.
constexpr int kHandlersPerRound = 256;
/// Outboxes written in one round, a system call of 4-5 us each. A fan-out to thousands is written
/// in slices: others are served in between, and what is published meanwhile joins the frames that
/// wait.
constexpr std::size_t kFlushesPerRound = 64;
/// Those with more than this to write come after the others: an answer waits for no more than one
/// round of them. A round begins none after so long, but writes one in any case.
constexpr std::size_t kBulkyBytes = std::size_t{16} << 10;
constexpr core::Millis kBulkyTime{2};
/// Completions and pushes in one round: at most so many, and no more after so long. Few enough for
/// those who wait behind them, many enough for each flush to find more than one frame.
constexpr std::size_t kDeliveriesPerRound = 4'096;
constexpr std::size_t kDeliveriesPerLook = 256;
constexpr core::Millis kDeliveryTime{3};
/// Sessions that are told of presence in one round. Few while many outboxes wait to be written:
/// what happens meanwhile goes out with the rest.
constexpr std::size_t kPresencePerRound = 64;
constexpr std::size_t kPresenceWhenBusy = 8;
constexpr std::size_t kFirstPresenceRound = 256;
/// And bytes that they are given, which are copied, and written by the kernel, within a millisecond
/// or so.
constexpr std::size_t kPresenceBytesPerRound = std::size_t{256} << 10;
/// Long polls answered in one round, and no more after so long; each may read the store.
constexpr std::size_t kWakesPerRound = 32;
constexpr core::Millis kWakeTime{2};
/// Room for what a round usually hands to the store.
constexpr std::size_t kUsualSubmissions = 16;
/// And so many are handed over although the round goes on: it is worth waking the commit thread for
/// them, which applies them while the rest is being read.
constexpr std::size_t kSubmissionsAtOnce = 256;
constexpr std::size_t kTimersPerRound = 64;
constexpr std::chrono::seconds kTickInterval{1};
constexpr std::chrono::hours kLongestWait{1};

}  // namespace

struct EventLoop::AsioTimers {
    explicit AsioTimers(boost::asio::io_context& context) : tick(context), timers(context) {}
    boost::asio::steady_timer tick;
    boost::asio::steady_timer timers;
};

/// Rouses the loop's thread from waiting for events. A handler that is posted to an io_context does
/// so, too, but while it holds the lock that the thread needs next, so that the thread goes to
/// sleep a second time, for each commit that the loop has something to do for.
class EventLoop::Alarm {
public:
    explicit Alarm(boost::asio::io_context& context) : event_(context, make()) { listen(); }

    /// Any thread.
    void ring() noexcept {
        // It cannot be full: the loop takes it all at once.
        [[maybe_unused]] const int taken = ::eventfd_write(event_.native_handle(), 1);
    }

private:
    static int make() {
        const int descriptor = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        if (descriptor < 0) {
            throw std::system_error(errno, std::generic_category(), "make an eventfd");
        }
        return descriptor;
    }
    void listen() {
        event_.async_read_some(boost::asio::buffer(&count_, sizeof count_),
                               [this](const boost::system::error_code& error, std::size_t) {
                                   // One that no longer listened would leave its loop asleep.
                                   if (!error) core::when_memory_allows([this] { listen(); });
                               });
    }

    boost::asio::posix::stream_descriptor event_;
    ::eventfd_t count_ = 0;
};

EventLoop::EventLoop(store::LoopIndex index, store::Store& store, const core::Clock& clock,
                     OutputAccount& output)
    : index_(index),
      store_(store),
      clock_(clock),
      output_(output),
      context_(1),
      registry_(index, &output.budget()),
      asio_timers_(std::make_unique<AsioTimers>(context_)),
      alarm_(std::make_unique<Alarm>(context_)) {
    registry_.set_applied_head(store.head());
}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
    const auto keep_running = boost::asio::make_work_guard(context_);
    guard("tick", [&] { schedule_tick(); });
    thread_.store(::gettid(), std::memory_order_relaxed);
    note_turn(std::chrono::steady_clock::now());
    while (!stopped_.load(std::memory_order_acquire)) turn();
    // What was handed over before the end is done.
    begin_at_once();
    drain_inbox();
    while (registry_.has_work()) registry_.work(kDeliveriesPerRound);
    for (std::size_t left = unflushed() + 1; left > 0 && unflushed() > 0; --left) run_dry();
    thread_.store(0, std::memory_order_relaxed);
}

void EventLoop::turn() {
    reads_.begin_turn();
    if (!has_work()) wait_for_event();
    begin_at_once();
    for (int left = kHandlersPerRound; left > 0; --left) {
        if (inbox_filled_.load()) guard("inbox", [&] { drain_inbox(); });
        left -= resume_some(left - 1);
        std::size_t ran = 1;
        guard("handler", [&] { ran = context_.poll_one(); });
        if (submissions_.size() >= kSubmissionsAtOnce) hand_over_a_part();
        if (ran == 0 && ready_.empty() && !inbox_filled_.load()) break;
    }
    // Before what else there is to do: none of that takes as long as the disk.
    hand_over();
    burst_.reset();
    run_slices();
    run_dry();
}

void EventLoop::wait_for_event() {
    // Whoever fills the inbox rings when it sees this; what it filled before is seen here. Each
    // does its own first and then looks at the other's, so one of the two is seen.
    asleep_.store(true);
    guard("handler", [&] {
        if (!inbox_filled_.load() && !stopped_.load()) context_.run_one();
    });
    asleep_.store(false);
}

int EventLoop::resume_some(int most) {
    // Those that become ready meanwhile come after the next handler.
    const int count = static_cast<int>(std::min(ready_.size(), static_cast<std::size_t>(most)));
    for (int i = 0; i < count; ++i) {
        const std::shared_ptr<Resumable> next = std::move(ready_.front());
        ready_.pop_front();
        guard("resumption", [&] { next->resume(); });
    }
    return count;
}

bool EventLoop::has_work() noexcept {
    return inbox_filled_.load() || !ready_.empty() || unflushed() > 0 || !submissions_.empty() ||
           registry_.has_work() || registry_.presence().has_work() ||
           registry_.waiters().has_ready() || reads_.has_work() || has_due_timer();
}

void EventLoop::run_slices() {
    run_timers();
    deliver_some(kDeliveriesPerRound, kDeliveryTime);
    wake_some();
    if (reads_.has_work()) reads_.work();
    if (registry_.presence().has_work()) {
        guard("presence", [&] {
            PresenceFeed::Slice slice{
                unflushed() < kFlushesPerRound ? kPresencePerRound : kPresenceWhenBusy,
                kPresenceBytesPerRound};
            registry_.presence().work(slice);
        });
    }
}

void EventLoop::wake_some() {
    if (!registry_.waiters().has_ready()) return;
    const auto until = std::chrono::steady_clock::now() + kWakeTime;
    for (std::size_t left = kWakesPerRound; left > 0 && registry_.waiters().has_ready(); --left) {
        guard("long poll", [&] { registry_.waiters().work(1); });
        if (std::chrono::steady_clock::now() >= until) return;
    }
}

void EventLoop::begin_at_once() {
    at_once_ = {kDeliveriesPerRound,
                kDeliveryTime,
                {unflushed() < kFlushesPerRound ? kFirstPresenceRound : kPresenceWhenBusy,
                 kPresenceBytesPerRound}};
}

std::size_t EventLoop::deliver_some(std::size_t most, core::SteadyTime::duration longest) {
    const auto began = std::chrono::steady_clock::now();
    // Every turn comes here, and the time is known anyway.
    note_turn(began);
    const auto until = began + longest;
    std::size_t left = most;
    while (left > 0 && registry_.has_work()) {
        delivery_time_ = clock_.steady();
        std::size_t done = 0;
        if (!registry_.faults().guard(
                "delivery", [&] { done = registry_.work(std::min(left, kDeliveriesPerLook)); })) {
            return most;
        }
        left -= std::min(left, done);
        if (std::chrono::steady_clock::now() >= until) return most;
    }
    return most - left;
}

std::optional<core::SteadyTime> EventLoop::last_turn() const noexcept {
    const auto ticks = last_turn_.load(std::memory_order_relaxed);
    if (ticks == 0) return std::nullopt;
    return core::SteadyTime(core::SteadyTime::duration(ticks));
}

bool EventLoop::waits_for_disk() const {
    const int thread = thread_.load(std::memory_order_relaxed);
    if (thread == 0) return false;
    // "NUMBER (NAME) STATE ...", where the name may hold anything; D is a wait that no signal but
    // at most a deadly one ends, see proc(5).
    std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
    std::string line;
    std::getline(file, line);
    const std::size_t name_end = line.rfind(')');
    return name_end != std::string::npos && line.compare(name_end, 3, ") D") == 0;
}

void EventLoop::stop() {
    stopped_.store(true);
    alarm_->ring();
}

void EventLoop::post(std::function<void()> function) { put(std::move(function)); }
void EventLoop::deliver(std::shared_ptr<store::CommittedBatch> batch) { put(std::move(batch)); }
void EventLoop::deliver(PresenceChangePtr change) { put(std::move(change)); }

void EventLoop::put(Item item) {
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(std::move(item));
        if (inbox_filled_.exchange(true)) return;
    }
    if (asleep_.load()) alarm_->ring();
}

void EventLoop::drain_inbox() {
    std::vector<Item> items;
    {
        const std::lock_guard lock(inbox_mutex_);
        items.swap(inbox_);
        inbox_filled_.store(false);
    }
    // Small batches and changes are done before what was handed over after them. Of large ones, and
    // of many in one turn, the rest is done in slices.
    const auto tell = [&] {
        if (!registry_.presence().has_work()) return;
        guard("presence", [&] { registry_.presence().work(at_once_.presence); });
    };
    for (Item& item : items) {
        if (auto* change = std::get_if<PresenceChangePtr>(&item)) {
            if (registry_.presence().would_make_void(**change)) tell();
            guard("presence", [&] { registry_.presence().add(std::move(*change)); });
        } else if (auto* batch = std::get_if<std::shared_ptr<store::CommittedBatch>>(&item)) {
            guard("delivery", [&] {
                registry_.enqueue(std::move(*batch));
                const auto began = std::chrono::steady_clock::now();
                at_once_.deliveries -= deliver_some(at_once_.deliveries, at_once_.delivery_time);
                at_once_.delivery_time -= std::chrono::steady_clock::now() - began;
            });
        } else {
            tell();
            guard("posted function", std::get<std::function<void()>>(item));
        }
    }
    tell();
}

void EventLoop::submit(store::WriteOp&& op, store::Completion completion) {
    if (submissions_.empty()) submissions_.reserve(kUsualSubmissions);
    submissions_.push_back(store::Submission{std::move(op), std::move(completion), index_});
}

void EventLoop::announce_room() {
    post([this] {
        for (const auto& room : rooms_) guard("room in the store", room);
    });
}

void EventLoop::forget(Flushable& flushable) {
    for (auto* list : {&dirty_, &bulky_}) {
        std::ranges::replace(*list, &flushable, static_cast<Flushable*>(nullptr));
    }
}

void EventLoop::run_dry() {
    hand_over();
    flush_some();
}

void EventLoop::hand_over() {
    if (submissions_.empty()) return;
    guard("hand-over to the store", [&] { store_.submit(std::exchange(submissions_, {})); });
}

void EventLoop::hand_over_a_part() {
    if (!burst_) burst_.emplace(store_);
    hand_over();
}

void EventLoop::flush_some() {
    // A flush may end a session, which may mark or forget others: the lists are looked at anew.
    for (std::size_t left = kFlushesPerRound; left > 0 && !dirty_.empty();) {
        Flushable* flushable = dirty_.front();
        if (flushable != nullptr && flushable->pending() > kBulkyBytes) {
            // Without memory for that it comes with the others.
            if (registry_.faults().guard("flush", [&] { bulky_.push_back(flushable); })) {
                dirty_.pop_front();
                continue;
            }
        }
        flush_front_of(dirty_);
        --left;
    }
    if (bulky_.empty()) return;
    const auto until = std::chrono::steady_clock::now() + kBulkyTime;
    for (std::size_t left = kFlushesPerRound; left > 0 && !bulky_.empty(); --left) {
        flush_front_of(bulky_);
        if (std::chrono::steady_clock::now() >= until) return;
    }
}

void EventLoop::flush_front_of(Fifo<Flushable*, 4096>& list) {
    Flushable* flushable = list.front();
    list.pop_front();
    if (flushable == nullptr) return;
    if (!registry_.faults().guard("flush", [&] { flushable->flush(); })) flushable->fail();
}

EventLoop::TimerHandle EventLoop::call_at(core::SteadyTime at, std::function<void()> function) {
    const TimerHandle handle = timers_.add(at, std::move(function));
    schedule_timers();
    return handle;
}

void EventLoop::run_timers() {
    if (!has_due_timer()) return;
    const core::SteadyTime now = clock_.steady();
    for (std::size_t i = 0; i < kTimersPerRound; ++i) {
        const auto due = timers_.take_due(now);
        if (!due) break;
        guard("timer", *due);
    }
    guard("timer", [&] { schedule_timers(); });
}

void EventLoop::schedule_timers() {
    if (timers_.empty() || (armed_for_ && *armed_for_ <= timers_.nearest())) return;
    armed_for_ = timers_.nearest();
    const auto left =
        std::clamp<core::SteadyTime::duration>(*armed_for_ - clock_.steady(), {}, kLongestWait);
    asio_timers_->timers.expires_after(left);
    asio_timers_->timers.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        // The turn of this handler runs what is due. When the clock has not come as far, it waits
        // again.
        armed_for_.reset();
        if (!has_due_timer()) schedule_timers();
    });
}

void EventLoop::schedule_tick() {
    asio_timers_->tick.expires_after(kTickInterval);
    asio_timers_->tick.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        tick();
        schedule_tick();
    });
}

void EventLoop::tick() {
    guard("presence", [&] { registry_.presence().tick(); });
    for (const auto& each : ticks_) guard("tick", each);
}

LoopGroup::LoopGroup(std::size_t count, store::Store& store, const core::Clock& clock,
                     std::size_t output_bytes)
    : output_(output_bytes, count) {
    for (std::size_t i = 0; i < count; ++i) {
        loops_.push_back(std::make_unique<EventLoop>(static_cast<store::LoopIndex>(i), store, clock,
                                                     output_.account(i)));
    }
    output_.set_ask([this](std::size_t loop, unsigned lowest_class) {
        loops_[loop]->post([target = loops_[loop].get(), lowest_class] {
            target->output().call_in(lowest_class);
        });
    });
}

LoopGroup::~LoopGroup() = default;

void LoopGroup::on_committed(std::shared_ptr<store::CommittedBatch> batch) {
    // A loop that lacked a batch would tell its clients something else than the others. Of one that
    // nobody but its senders hears of, others would only be woken.
    bool for_all = false;
    std::uint64_t answering = 0;  // a bit for each loop; of more than 64, some share theirs
    for (const store::Committed& entry : batch->operations) {
        for_all = for_all || Registry::concerns_others(entry);
        if (entry.origin != store::kNoLoop) answering |= std::uint64_t{1} << entry.origin % 64;
    }
    const auto answers = [&](const EventLoop& loop) {
        return (answering >> loop.index() % 64 & 1) != 0;
    };
    const auto deliver_to = [&](EventLoop& loop) {
        core::when_memory_allows([&] { loop.deliver(batch); });
    };
    // Each is woken in turn, and may have to wait for the one before: first those with somebody who
    // waits for an answer, and may not go on without it.
    for (const auto& loop : loops_) {
        if (answers(*loop)) deliver_to(*loop);
    }
    if (!for_all) return;
    for (const auto& loop : loops_) {
        if (!answers(*loop)) deliver_to(*loop);
    }
}

void LoopGroup::on_room() {
    for (const auto& loop : loops_) loop->announce_room();
}

void LoopGroup::announce(const PresenceChangePtr& change) {
    for (const auto& loop : loops_) loop->deliver(change);
}

void LoopGroup::post_all(const std::function<void(EventLoop&)>& function) {
    for (const auto& loop : loops_) {
        loop->post([function, target = loop.get()] { function(*target); });
    }
}

}  // namespace agentcom::delivery

#include "agentcom/delivery/event_loop.hpp"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

namespace agentcom::delivery {

namespace {

/// Ready handlers that run before output is flushed. Enough to gather the frames of many reads into
/// one write, few enough that nobody's reply waits long behind them.
constexpr int kHandlersPerRound = 256;
/// Outboxes written in one round, a system call of 4-5 us each. A fan-out to thousands is written
/// in slices: others are served in between, and what is published meanwhile joins the frames that
/// wait.
constexpr std::size_t kFlushesPerRound = 64;
constexpr std::chrono::seconds kTickInterval{1};

}  // namespace

struct EventLoop::Timer {
    explicit Timer(boost::asio::io_context& context) : timer(context) {}
    boost::asio::steady_timer timer;
};

EventLoop::EventLoop(store::LoopIndex index, store::Store& store, OutputAccount& output)
    : index_(index),
      store_(store),
      output_(output),
      context_(1),
      registry_(&output.budget()),
      timer_(std::make_shared<Timer>(context_)) {
    registry_.set_applied_head(store.head());
}

EventLoop::~EventLoop() = default;

void EventLoop::run() {
    const auto keep_running = boost::asio::make_work_guard(context_);
    schedule_tick();
    while (!stopped_.load(std::memory_order_acquire)) {
        if (!has_output()) context_.run_one();
        for (int i = 0; i < kHandlersPerRound && context_.poll_one() > 0; ++i) {
        }
        run_dry();
    }
    drain_inbox();
    for (std::size_t left = dirty_.size() / kFlushesPerRound + 1; left > 0; --left) run_dry();
}

void EventLoop::stop() {
    stopped_.store(true, std::memory_order_release);
    boost::asio::post(context_, [] {});
}

void EventLoop::post(std::function<void()> function) {
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(Item{std::move(function), nullptr});
        if (std::exchange(wake_scheduled_, true)) return;
    }
    wake();
}

void EventLoop::deliver(std::shared_ptr<store::CommittedBatch> batch) {
    {
        const std::lock_guard lock(inbox_mutex_);
        inbox_.push_back(Item{nullptr, std::move(batch)});
        if (std::exchange(wake_scheduled_, true)) return;
    }
    wake();
}

void EventLoop::wake() {
    boost::asio::post(context_, [this] { drain_inbox(); });
}

void EventLoop::drain_inbox() {
    std::vector<Item> items;
    {
        const std::lock_guard lock(inbox_mutex_);
        items.swap(inbox_);
        wake_scheduled_ = false;
    }
    for (Item& item : items) {
        if (item.batch) {
            registry_.apply(*item.batch, index_);
        } else {
            item.function();
        }
    }
}

void EventLoop::submit(store::WriteOp op, store::Completion completion) {
    submissions_.push_back(store::Submission{std::move(op), std::move(completion), index_});
}

void EventLoop::announce_room() {
    post([this] {
        for (const auto& room : rooms_) room();
    });
}

void EventLoop::forget(Flushable& flushable) {
    std::ranges::replace(dirty_, &flushable, static_cast<Flushable*>(nullptr));
}

void EventLoop::run_dry() {
    if (!submissions_.empty()) store_.submit(std::exchange(submissions_, {}));
    // A flush may end a session, which may mark or forget others: the list is looked at anew.
    for (std::size_t i = 0; i < kFlushesPerRound && !dirty_.empty(); ++i) {
        Flushable* flushable = dirty_.front();
        dirty_.pop_front();
        if (flushable != nullptr) flushable->flush();
    }
}

void EventLoop::schedule_tick() {
    timer_->timer.expires_after(kTickInterval);
    timer_->timer.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        for (const auto& tick : ticks_) tick();
        schedule_tick();
    });
}

LoopGroup::LoopGroup(std::size_t count, store::Store& store, std::size_t output_bytes)
    : output_(output_bytes, count) {
    for (std::size_t i = 0; i < count; ++i) {
        loops_.push_back(std::make_unique<EventLoop>(static_cast<store::LoopIndex>(i), store,
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
    for (const auto& loop : loops_) loop->deliver(batch);
}

void LoopGroup::on_room() {
    for (const auto& loop : loops_) loop->announce_room();
}

void LoopGroup::post_all(const std::function<void(EventLoop&)>& function) {
    for (const auto& loop : loops_) {
        loop->post([function, target = loop.get()] { function(*target); });
    }
}

}  // namespace agentcom::delivery

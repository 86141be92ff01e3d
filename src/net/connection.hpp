#pragma once

#include <memory>
#include <string_view>

#include "agentcom/core/time.hpp"
#include "agentcom/delivery/event_loop.hpp"
#include "net/await.hpp"
#include "net/buffered_stream.hpp"
#include "net/handler_slot.hpp"
#include "net/shard.hpp"

namespace agentcom::net {

/// What HTTP and WebSocket sessions have in common: a stream, an outbox that is flushed when the
/// loop runs dry, and one place where their coroutine waits until something has changed. For one
/// event loop's thread; owned by the coroutine that serves it.
class Connection : public delivery::Flushable,
                   public delivery::Resumable,
                   public StreamOwner,
                   public std::enable_shared_from_this<Connection> {
public:
    Connection(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream,
               delivery::ConnectionKind kind);
    ~Connection() override;
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    /// Time-outs, about once a second.
    virtual void sweep(core::SteadyTime now) = 0;
    /// The hub is about to stop: end when what is in hand is done.
    virtual void begin_shutdown() = 0;
    void abort() {
        if (stream_) stream_->abort();
    }
    /// Lets the coroutine that waits in `changed` look again, soon.
    void notify();
    void resume() final;
    void drop_suspended() noexcept;

    void flush() final;
    [[nodiscard]] std::size_t pending() noexcept final { return output().bytes(); }
    void fail() noexcept final { abort(); }
    void on_input() override { notify(); }
    void on_output(core::Seq seq) override;

    /// Its place in the shard's list; the shard's business.
    std::size_t place = 0;

protected:
    [[nodiscard]] Shard& shard() const noexcept { return *shard_; }
    [[nodiscard]] const std::shared_ptr<Shard>& shared_shard() const noexcept { return shard_; }
    [[nodiscard]] delivery::EventLoop& loop() noexcept { return shard_->loop(); }
    [[nodiscard]] BufferedStream& stream() noexcept { return *stream_; }
    [[nodiscard]] const BufferedStream& stream() const noexcept { return *stream_; }
    [[nodiscard]] delivery::LoopFigures& figures() noexcept { return loop().figures(); }
    /// It did not take what it was sent, and is closed for it.
    void count_slow() noexcept { delivery::LoopFigures::of(figures().slow, kind_).add(); }
    [[nodiscard]] core::SteadyTime now() const noexcept { return shard_->clock().steady(); }

    /// Runs the session's coroutine, which owns the session, to its end; then unregisters it and
    /// closes its stream. An exception that leaves it is logged as the end of `what`, a literal.
    void run_to_end(Awaitable<void> coroutine, std::string_view what);
    /// Unregisters, once. Early, when others are to know before the connection has ended.
    void leave();

    /// Suspends the coroutine until `notify`. Conditions are checked before and after: it may be
    /// woken for another reason than the one it waits for.
    [[nodiscard]] Awaitable<void> changed() { return suspend(true); }
    /// As `changed`, for one to whom written output means nothing: each answer would wake it.
    [[nodiscard]] Awaitable<void> changed_but_output() { return suspend(false); }
    [[nodiscard]] bool is_waiting() const noexcept { return waiter_.waiting(); }

    /// After something was appended to the outbox: write it when the loop runs dry.
    void flush_soon();
    /// Whether output has been waiting for `limit` without a byte being taken, or some of it for
    /// longer than `Limits::write_timeout` however many are.
    [[nodiscard]] bool is_too_slow(core::SteadyTime now, core::Millis limit);

    /// Writes what is left and says goodbye; whoever calls has a deadline that aborts.
    [[nodiscard]] Awaitable<void> linger();
    /// Gives the stream to another session. This one may only end after that.
    std::shared_ptr<BufferedStream> detach_stream();

private:
    /// Nothing is to be delivered to it any more.
    virtual void unregister() {}
    void finish();
    [[nodiscard]] Awaitable<void> suspend(bool heeds_output);

    std::shared_ptr<Shard> shard_;
    std::shared_ptr<BufferedStream> stream_;
    const delivery::ConnectionKind kind_;
    HandlerSlot waiter_;
    core::SteadyTime output_progress_{};
    bool notified_ = false;
    bool heeds_output_ = true;  // whoever waits
    bool flush_marked_ = false;
    bool left_ = false;
    bool finished_ = false;
};

}  // namespace agentcom::net

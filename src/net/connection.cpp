#include "net/connection.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <utility>

namespace agentcom::net {

Connection::Connection(std::shared_ptr<Shard> shard, std::shared_ptr<BufferedStream> stream,
                       delivery::ConnectionKind kind)
    : shard_(std::move(shard)), stream_(std::move(stream)), kind_(kind) {
    stream_->set_owner(this);
    shard_->add(*this);
    delivery::LoopFigures::of(figures().open, kind_).add();
    delivery::LoopFigures::of(figures().opened, kind_).add();
}

Connection::~Connection() {
    shard_->remove(*this);
    delivery::LoopFigures::of(figures().open, kind_).subtract();
    if (stream_) stream_->set_owner(nullptr);
}

void Connection::run_to_end(Awaitable<void> coroutine, std::string_view what) {
    asio::co_spawn(
        stream_->executor(), std::move(coroutine),
        [self = shared_from_this(), what](const std::exception_ptr& failure) {
            self->leave();
            self->finish();
            if (!failure) return;
            try {
                std::rethrow_exception(failure);
            } catch (const std::exception& error) {
                if (const auto line = self->shard().log().exceptions.admit(self->now())) {
                    spdlog::error("{} ended unexpectedly: {}{}", what, error.what(), line->note());
                }
            }
        });
}

void Connection::leave() {
    if (!std::exchange(left_, true)) unregister();
}

void Connection::notify() {
    if (!waiter_.waiting() || std::exchange(notified_, true)) return;
    // Not here and now: whoever calls may be in the middle of a list this coroutine would change.
    loop().resume_soon(shared_from_this());
}

void Connection::resume() {
    notified_ = false;
    waiter_.resume();
}

void Connection::drop_suspended() noexcept { waiter_.drop(); }

Awaitable<void> Connection::suspend(bool heeds_output) {
    heeds_output_ = heeds_output;
    // No coroutine of its own around the one that Asio makes.
    return asio::async_initiate<const UseAwaitable&, void()>(
        [](auto handler, Connection* self) { self->waiter_.hold(std::move(handler)); },
        UseAwaitable{}, this);
}

void Connection::flush() {
    flush_marked_ = false;
    if (stream_) stream_->write_out();
}

void Connection::flush_soon() {
    if (finished_ || std::exchange(flush_marked_, true)) return;
    if (output_progress_ == core::SteadyTime{}) {
        output_progress_ = now();
        (void)output().is_overdue(output_progress_, shard_->limits().write_timeout);
    }
    loop().mark_dirty(*this);
}

void Connection::on_output(core::Seq) {
    output_progress_ = output().empty() ? core::SteadyTime{} : now();
    if (heeds_output_) notify();
}

bool Connection::is_too_slow(core::SteadyTime now, core::Millis limit) {
    if (output().is_overdue(now, shard_->limits().write_timeout)) return true;
    return !output().empty() && output_progress_ != core::SteadyTime{} &&
           now - output_progress_ >= limit;
}

Awaitable<void> Connection::linger() {
    while (!stream_->drained() && !stream_->broken()) co_await changed();
    stream_->shut_down_output();
    // Closing with unread input would reset the connection, and the other side might lose what was
    // just written: wait until it has closed, too.
    stream_->discard_input();
    while (!stream_->input_ended()) co_await changed();
    stream_->abort();
}

std::shared_ptr<BufferedStream> Connection::detach_stream() {
    stream_->set_owner(nullptr);
    return std::exchange(stream_, nullptr);
}

void Connection::finish() {
    finished_ = true;
    if (std::exchange(flush_marked_, false)) loop().forget(*this);
    if (stream_) stream_->abort();
}

}  // namespace agentcom::net

#pragma once

#include <chrono>
#include <cstdint>
#include <utility>

#include "agentcom/delivery/event_loop.hpp"
#include "agentcom/protocol/operations.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/router/router.hpp"

namespace agentcom::router {

/// Whom to answer. Counts the answer on the loop it is given on: by operation and outcome, and for
/// a write that was done how long it took.
class Answer {
public:
    Answer() = default;
    Answer(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as for what it holds
    Answer(Router::ReplyHandler handler, delivery::EventLoop& loop, protocol::Operation operation,
           core::SteadyTime asked_at)
        : handler_(std::move(handler)), loop_(&loop), asked_at_(asked_at), operation_(operation) {}

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(handler_); }

    void operator()(protocol::Reply&& reply) const {
        count(reply);
        handler_(std::move(reply));
    }

    /// As if it had been given; for what is answered otherwise.
    void count(const protocol::Reply& reply) const noexcept {
        delivery::LoopFigures& figures = loop_->figures();
        if (!reply) {
            const core::ErrorCode code = reply.error().code;
            figures.count(operation_, delivery::outcome_of(code));
            return figures.count_error(code);
        }
        figures.count(operation_, delivery::Outcome::ok);
        if (protocol::operation_info(operation_).policy.effect != protocol::Effect::write) return;
        // Completions are called from deliveries; what was answered without one waited for no
        // commit.
        const std::chrono::nanoseconds took = loop_->delivery_time() - asked_at_;
        if (took.count() < 0) return;
        figures.acknowledgement.observe(static_cast<std::uint64_t>(took.count()));
    }

private:
    Router::ReplyHandler handler_;
    delivery::EventLoop* loop_ = nullptr;
    core::SteadyTime asked_at_{};
    protocol::Operation operation_{};
};

}  // namespace agentcom::router

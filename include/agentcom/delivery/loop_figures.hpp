#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "agentcom/core/counter.hpp"
#include "agentcom/core/error.hpp"
#include "agentcom/protocol/operations.hpp"

namespace agentcom::delivery {

/// What became of a request, in classes few enough to be counted for every operation.
enum class Outcome : std::uint8_t {
    ok,
    invalid,      // the request is at fault
    denied,       // who asks may not
    limited,      // too much was asked
    unavailable,  // the hub cannot just now
    failed,       // a fault of the hub's
};
inline constexpr std::array<std::string_view, 6> kOutcomeNames = {
    "ok", "invalid", "denied", "limited", "unavailable", "failed"};
/// By the status that the error has over HTTP.
[[nodiscard]] Outcome outcome_of(core::ErrorCode code) noexcept;

enum class ConnectionKind : std::uint8_t { http, websocket, stream };
inline constexpr std::array<std::string_view, 3> kConnectionKindNames = {"http", "websocket",
                                                                         "stream"};

/// What one event loop counts. Its thread writes, any reads. Nobody else's numbers share its cache
/// lines.
struct alignas(64) LoopFigures {
    template <std::size_t kSize>
    using Counters = std::array<core::Counter, kSize>;
    using ByKind = Counters<kConnectionKindNames.size()>;

    /// Answers of the router.
    std::array<Counters<kOutcomeNames.size()>, protocol::kOperationCount> operations;
    /// Errors that were answered, whether the router was asked or not.
    Counters<core::kErrorCodeCount> errors;
    /// From when the router was given a write to when its answer was due, after the commit; in
    /// nanoseconds.
    core::Histogram<core::kLatencyBounds> acknowledgement;

    ByKind open;                 // connections
    ByKind opened;               // ever
    core::Counter wrong_tokens;  // that nobody holds
    ByKind slow;                 // that were closed because they did not take what they were sent
    /// Answers over HTTP by status, from 100 on.
    Counters<500> http_statuses;

    void count(protocol::Operation operation, Outcome outcome) noexcept {
        operations[static_cast<std::size_t>(operation)][static_cast<std::size_t>(outcome)].add();
    }
    void count_error(core::ErrorCode code) noexcept {
        errors[static_cast<std::size_t>(code)].add();
    }
    void count_status(std::uint16_t status) noexcept {
        const std::size_t place = std::size_t{status} - 100;
        if (place < http_statuses.size()) http_statuses[place].add();
    }
    [[nodiscard]] static core::Counter& of(ByKind& counters, ConnectionKind kind) noexcept {
        return counters[static_cast<std::size_t>(kind)];
    }
};

}  // namespace agentcom::delivery

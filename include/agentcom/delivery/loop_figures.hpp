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

/// What a request was for that reached no operation and named none.
enum class Elsewhere : std::uint8_t {
    none,       // an unknown path, a header that cannot be read, no place for the connection
    document,   // what the hub says of itself
    websocket,  // a handshake, or a frame
    mcp,
    hook,
};
inline constexpr std::array<std::string_view, 5> kElsewhereNames = {"none", "document", "websocket",
                                                                    "mcp", "hook"};

enum class ConnectionKind : std::uint8_t { http, websocket, stream };
inline constexpr std::array<std::string_view, 3> kConnectionKindNames = {"http", "websocket",
                                                                         "stream"};

/// What one event loop counts. Its thread writes, any reads. Nobody else's numbers share its cache
/// lines.
struct alignas(64) LoopFigures {
    template <std::size_t kSize>
    using Counters = std::array<core::Counter, kSize>;
    using ByKind = Counters<kConnectionKindNames.size()>;

    /// Answers of the router, and what was refused on the way to it.
    std::array<Counters<kOutcomeNames.size()>, protocol::kOperationCount> operations;
    /// Refusals only.
    std::array<Counters<kOutcomeNames.size()>, kElsewhereNames.size()> elsewhere;
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
    void count(Elsewhere where, Outcome outcome) noexcept {
        elsewhere[static_cast<std::size_t>(where)][static_cast<std::size_t>(outcome)].add();
    }
    /// What nobody else has counted: a request that was refused before the router was asked.
    /// `where`: the operation, or what else it was for.
    template <class Where>
    void count_refusal(Where where, core::ErrorCode code) noexcept {
        count(where, outcome_of(code));
        count_error(code);
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

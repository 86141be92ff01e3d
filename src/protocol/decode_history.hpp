#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "agentcom/core/result.hpp"
#include "agentcom/protocol/requests.hpp"
#include "protocol/field_specs.hpp"
#include "protocol/input.hpp"

/// What is asked about the past (history, threads, an agent's hours), from its fields.
namespace agentcom::protocol {

[[nodiscard]] core::result<Request> query_history(const Input& in);
[[nodiscard]] core::result<Request> list_waiting(const Input& in);
[[nodiscard]] core::result<Request> get_message(const Input& in);
[[nodiscard]] core::result<Request> get_thread_root(const Input& in);
[[nodiscard]] core::result<Request> analytics_hourly(const Input& in);
[[nodiscard]] core::result<Request> observe_agent(const Input& in);
[[nodiscard]] core::result<Request> observe_pairs(const Input& in);

/// A page of a thread, or of the replies to one message.
template <class Read>
core::result<Request> thread_page(const Input& in) {
    const auto limit = in.integer(kThreadLimit);
    if (!limit) return limit.error();
    const auto cursor = in.number(kSeqCursor);
    if (!cursor) return cursor.error();
    Read request{.message_id = in.argument(), .limit = std::nullopt, .cursor = core::Seq{*cursor}};
    if (*limit) request.limit = static_cast<std::uint64_t>(**limit);
    return Request(std::move(request));
}

}  // namespace agentcom::protocol

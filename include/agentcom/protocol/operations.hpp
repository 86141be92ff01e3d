#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/requests.hpp"
#include "agentcom/protocol/rights.hpp"

/// The one table of operations: what each needs, does and costs, and which fields spell it. Frames,
/// routes, rights, rates and descriptions are read from it; it is constant, so any thread may.
namespace agentcom::protocol {

/// Everything a caller may ask, by name. The order is that of the table.
enum class Operation : std::uint8_t {
    identify,
    ping,
    set_status,
    list_agents,
    health,
    send_message,
    publish,
    poll_mailbox,
    open_stream,
    get_unread,
    ack_mailbox,
    evict_mailboxes,
    list_channels,
    create_channel,
    get_channel,
    subscribe,
    unsubscribe,
    delete_channel,
    channel_history,
    list_subscriptions,
    query_history,
    get_thread,
    get_replies,
    get_thread_root,
    get_heartbeat_interval,
    put_heartbeat_interval,
    get_mailbox_retention,
    put_mailbox_retention,
    analytics_summary,
    analytics_agents,
    analytics_hourly,
    create_token,
    list_tokens,
    revoke_tokens,
    reset_hub,
    rotate_token,
    who_am_i,
    set_member,
    end_agent,
    get_agent,
    list_directory,
    set_profile,
    get_message,
    probe_live,
    probe_ready,
    get_metrics,
    reload_config,
};
inline constexpr std::size_t kOperationCount =
    static_cast<std::size_t>(Operation::reload_config) + 1;

/// What it does to the store, and so when it is answered.
enum class Effect : std::uint8_t {
    none,   // touches memory only: never waits for a commit
    read,   // may depend on what the same connection wrote before
    write,  // answered after its commit, refused while the hub stops
};

/// What bounds its answer.
enum class AnswerBound : std::uint8_t {
    fixed,  // a few kilobytes whatever is stored
    page,   // entries and bytes (limits.max_page_bytes); it is read when its caller's turn comes
};

/// What an operation needs and costs. `weight` is in units of the rate limits.work_per_second: 1 is
/// a ping; pages are charged for their bytes besides.
struct Policy {
    Right right = Right::holder;
    Effect effect = Effect::read;
    std::uint32_t weight = 1;
    AnswerBound answer = AnswerBound::fixed;
};

/// Names of fields that mean something somewhere; every other one is validated and ignored.
enum class Key : std::uint8_t {
    type,
    ref,
    to,
    message_type,
    payload,
    reply_to,
    idempotency_key,
    agent_id,
    token,
    name,
    status,
    capabilities,
    acks,
    presence,
    echo,
    channel,
    limit,
    since,
    before,
    cursor,
    wait,
    from,
    start_time,
    end_time,
    message_id,
    seq,
    description,
    role,
    heartbeat_interval_ms,
    mailbox_ttl_ms,
    expires_in,
    expires_at,
    grace,
    prefix,
    is_private,
    publishers,
    members,
    rights,
    capability,
};
inline constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::capability) + 1;
[[nodiscard]] std::string_view key_name(Key key) noexcept;

/// `any`: any JSON value. `time`: Unix milliseconds.
enum class FieldType : std::uint8_t { text, integer, flag, any, object, time };

/// A field of an operation: a member of its frame or body, a parameter of the query where it is
/// asked with GET, or the path's argument. A number below `least` is refused; one above `most`
/// counts as `most`, or is refused where it does not clamp. For texts `most` is in bytes.
struct FieldSpec {
    Key key;
    FieldType type = FieldType::text;
    bool required = false;
    std::int64_t least = 0;
    std::int64_t most = INT64_MAX;
    std::int64_t otherwise = 0;  // a number's default
    bool clamps = true;
};

struct OperationInfo {
    Operation id;
    std::string_view name;   // stable, for metrics and descriptions
    std::string_view frame;  // type of its frame; empty: HTTP only
    Policy policy;
    std::span<const FieldSpec> fields;
};

[[nodiscard]] std::span<const OperationInfo> operations() noexcept;
[[nodiscard]] const OperationInfo& operation_info(Operation operation) noexcept;
/// The row of the operation that this request asks for (the first one, where several share it).
[[nodiscard]] const OperationInfo& operation_info(const Request& request) noexcept;
/// Which operation this request asks for.
[[nodiscard]] Operation operation_of(const Request& request) noexcept;
[[nodiscard]] inline const Policy& policy_of(const Request& request) noexcept {
    return operation_info(request).policy;
}

}  // namespace agentcom::protocol

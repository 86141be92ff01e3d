#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agentcom/core/error.hpp"
#include "agentcom/protocol/requests.hpp"
#include "agentcom/protocol/rights.hpp"
#include "agentcom/protocol/shapes.hpp"

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
    observe,
    observe_agent,
    observe_pairs,
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
    get_hub_card,
    get_agent_card,
    probe_live,
    probe_ready,
    get_metrics,
    reload_config,
    log_in,
    get_session,
    log_out,
    list_waiting,
    disconnect_agent,
};
inline constexpr std::size_t kOperationCount =
    static_cast<std::size_t>(Operation::disconnect_agent) + 1;

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
    bool any_host = false;   // over HTTP: answered by whatever name the hub is asked
    bool unmetered = false;  // over HTTP: whoever shows no token may ask at any rate
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
    card,
    text,
    order,
    agent,
    until,
};
inline constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::until) + 1;
[[nodiscard]] std::string_view key_name(Key key) noexcept;

/// `any`: any JSON value. `time`: Unix milliseconds. `members`, `rights`: lists as of a channel.
enum class FieldType : std::uint8_t { text, integer, flag, any, object, time, members, rights };

/// Where a field stands.
enum class FieldPlace : std::uint8_t {
    member,     // of a frame or a body; with GET a parameter of the query
    path,       // the path's argument; a member of a frame
    path_only,  // the path's argument; frames know it by their connection
    query,      // a parameter of the query, whatever the verb
};

/// What a text must look like besides its length.
enum class TextForm : std::uint8_t {
    any,
    printable,       // no control characters
    agent_id,        // what a token may be issued for
    recipient,       // what may be written to before anybody holds a token for it
    channel,         // something is left of it when it is normalised
    key,             // printable and not empty
    token_prefix,    // the first digits of a token, as lists show them
    given_cursor,    // as an answer gave it, or nothing
    recalled_event,  // a number that an event carried, or nothing
};

/// A field of an operation. A number below `least` is refused; one above `most` counts as `most`,
/// or is refused where it does not clamp. For texts `most` is in bytes. Null counts as absent,
/// unless the field is required or may be any JSON value.
struct FieldSpec {
    Key key;
    FieldType type = FieldType::text;
    bool required = false;
    std::int64_t least = 0;
    std::int64_t most = INT64_MAX;
    std::int64_t otherwise = 0;  // a number's default; of a flag 1, 0, or less: it stays as it is
    bool clamps = true;
    FieldPlace place = FieldPlace::member;
    TextForm form = TextForm::any;
    std::string_view about{};                     // what it is, in a sentence
    std::span<const std::string_view> choices{};  // of a text: all there are
    std::string_view header{};                    // an HTTP header that counts before it
    std::optional<Key> instead_of{};              // the field beside which it may not stand
    bool required_in_body = false;                // over HTTP, though not in a frame
    bool profile = false;                         // bounded by limits.max_profile_bytes
    bool in_future = false;                       // a time that has not come yet

    /// Whether the path's argument over HTTP.
    [[nodiscard]] constexpr bool in_path() const noexcept {
        return place == FieldPlace::path || place == FieldPlace::path_only;
    }
    /// What it is called: in a frame `type` names the frame, so a message's type has another name.
    [[nodiscard]] std::string_view name(bool over_http) const noexcept {
        return over_http && key == Key::message_type ? "type" : key_name(key);
    }
};

struct OperationInfo {
    Operation id;
    std::string_view name;   // stable, for metrics and descriptions
    std::string_view frame;  // type of its frame; empty: HTTP only
    Policy policy;
    std::span<const FieldSpec> fields;
    std::string_view about{};           // what it does, in a sentence
    const Structure* answer = nullptr;  // over HTTP, JSON; null: a text, or it has frames only
    std::string_view media{};           // of a text
    const FrameShape* reply = nullptr;  // of its frame; null: it has none
    std::uint16_t success = 200;        // HTTP status
    /// What may go wrong besides what follows from the right, the effect and the fields.
    std::span<const core::ErrorCode> errors{};
};

[[nodiscard]] std::span<const OperationInfo> operations() noexcept;
[[nodiscard]] const OperationInfo& operation_info(Operation operation) noexcept;
/// The field of the operation that has this name over HTTP; null: there is none.
[[nodiscard]] const FieldSpec* field_of(Operation operation, std::string_view name) noexcept;
/// The row of the operation that this request asks for (the first one, where several share it).
[[nodiscard]] const OperationInfo& operation_info(const Request& request) noexcept;
/// Which operation this request asks for.
[[nodiscard]] Operation operation_of(const Request& request) noexcept;
[[nodiscard]] inline const Policy& policy_of(const Request& request) noexcept {
    return operation_info(request).policy;
}

}  // namespace agentcom::protocol

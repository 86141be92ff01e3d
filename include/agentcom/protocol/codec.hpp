#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agentcom/core/message.hpp"
#include "agentcom/core/pieces.hpp"
#include "agentcom/core/result.hpp"
#include "agentcom/protocol/operations.hpp"
#include "agentcom/protocol/replies.hpp"
#include "agentcom/protocol/requests.hpp"

/// Requests, replies and events to and from their JSON text. Pure functions, thread-safe, no
/// exceptions: whatever bytes come in, a request or an Error comes out. `protocol.md` is the
/// contract.
namespace agentcom::protocol {

/// Deepest nesting of arrays and objects that is accepted in anything a client sends.
inline constexpr std::size_t kMaxJsonDepth = 64;
/// Most bytes, as JSON text, of what a client tells its requests apart by, a frame's `ref` or the
/// id of JSON-RPC: it is kept for as long as a request waits, and repeated in what answers it.
inline constexpr std::size_t kMaxRefBytes = 256;

/// The text as a JSON string, quotes and escapes included.
[[nodiscard]] core::JsonText json_string(std::string_view text);

// ---- WebSocket ---------------------------------------------------------------------------------

/// A decoded client frame. `ref` is the frame's "ref" as JSON text (a string or a number), present
/// whenever the frame was a JSON object that had one, also when the request is an error.
struct Frame {
    std::optional<core::JsonText> ref;
    core::result<Request> request = core::Error(core::ErrorCode::internal);
};

/// One text frame. `identified` says whether the connection has identified itself: before that
/// everything except `identify` is not_identified (but broken JSON is invalid_json).
[[nodiscard]] Frame decode_frame(std::string_view text, bool identified);

/// Appends the reply frame, or the error frame, to `out`; nothing for a reply that has no frame
/// (Acked). `ref` is repeated when given.
void encode_frame(const Reply& reply, const std::optional<core::JsonText>& ref, core::Pieces& out);
/// The same in two steps, so that a shared reply's front is made once for all who asked: everything
/// up to the `ref`; the `ref` and the end. The reply must have a frame.
void encode_frame_front(const Reply& reply, core::Pieces& out);
void encode_frame_end(const std::optional<core::JsonText>& ref, core::Pieces& out);

// ---- Pushed frames -----------------------------------------------------------------------------

/// `message` or `channel_message`, with `seq` (the number to acknowledge).
void encode_push(const core::Message& message, std::string& out);
void encode_agent_joined(const AgentInfo& agent, std::string& out);
void encode_agent_left(const core::AgentId& agent, std::string& out);
void encode_status_changed(const AgentInfo& agent, std::string& out);
/// `agents`, pushed to a watcher that has fallen far behind: a stretch of those who are online,
/// sorted by id. `cursor` is the last id of the stretch when more frames follow, otherwise empty.
void encode_agents_snapshot(const std::vector<AgentInfo>& agents, std::string_view cursor,
                            std::string& out);
void encode_channel_agent_joined(const core::ChannelName& channel, const core::AgentId& agent,
                                 std::string& out);

// ---- Close codes -------------------------------------------------------------------------------

enum class CloseCode : std::uint16_t {
    normal = 1000,
    going_away = 1001,
    protocol_error = 1002,
    invalid_payload = 1007,
    frame_too_big = 1009,
    internal_error = 1011,
    replaced = 4000,
    token_revoked = 4001,
    identify_timeout = 4002,
    stale = 4003,
    slow_consumer = 4004,
    disconnected = 4005,
    rate_limited = 4008,
};
/// The reason text sent with a close code, for instance "slow_consumer".
[[nodiscard]] std::string_view close_reason(CloseCode code) noexcept;

// ---- Streams of events -------------------------------------------------------------------------

/// What a stream says of itself besides messages: how it began, and why it ends.
void encode_stream_opened(const StreamOpened& opened, std::string& out);
void encode_stream_closed(CloseCode code, std::string& out);

// ---- HTTP --------------------------------------------------------------------------------------

/// The parts of an HTTP request that carry its meaning; views are valid for the call.
struct HttpInput {
    Operation operation;
    std::string_view path_argument;  // percent-decoded, for routes with :id or :ch
    std::vector<std::pair<std::string, std::string>> query;  // percent-decoded, in order
    std::string_view body;  // raw JSON text, may be empty; not looked at where the query counts
    std::optional<std::string_view> idempotency_key;  // the header of that name
    std::optional<std::string_view> last_event_id{};  // the header Last-Event-ID
    std::string_view base_url{};  // where the hub was reached; empty: that was not said
};

/// Turns an HTTP request into the same Request a frame would give. Errors: invalid_json,
/// missing_field, invalid_field, invalid_encoding (of path or query) and the like.
[[nodiscard]] core::result<Request> decode_http(const HttpInput& input);

struct HttpOutput {
    std::uint16_t status = 200;
    core::Pieces body;
    std::optional<std::uint32_t> retry_after_s;  // for the Retry-After header
};
/// `writing_route`: a 401 on a writing route carries the "hint". A body that the reply has already
/// is taken out of it.
[[nodiscard]] HttpOutput encode_http(Reply&& reply, bool writing_route);
[[nodiscard]] HttpOutput encode_http(const Reply& reply, bool writing_route);

/// The token an ack body may carry beside its seq ({"seq":0,"token":"..."}), as in the original.
[[nodiscard]] std::optional<std::string> token_in_ack_body(std::string_view body);

}  // namespace agentcom::protocol

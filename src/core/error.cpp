#include "agentcom/core/error.hpp"

#include <array>

namespace agentcom::core {
namespace {

using enum ErrorCode;

constexpr bool kRetry = true;
constexpr bool kFinal = false;

// One row for each code, in the order of the enumeration: error_info relies on it and the tests
// check it.
constexpr std::array kCatalogue{
    ErrorInfo{invalid_json, "invalid_json", 400, kFinal,
              "the text is not one valid JSON value nested at most 64 deep"},
    ErrorInfo{invalid_encoding, "invalid_encoding", 400, kFinal, "the text is not valid UTF-8"},
    ErrorInfo{not_identified, "not_identified", 401, kFinal,
              "send an identify frame with agent_id and token first"},
    ErrorInfo{already_identified, "already_identified", 409, kFinal,
              "this connection has identified itself already; open another one to change agent"},
    ErrorInfo{identify_timeout, "identify_timeout", 408, kRetry,
              "no identify frame arrived in time; connect again"},
    ErrorInfo{invalid_token, "invalid_token", 401, kFinal,
              "the token is unknown or was revoked; ask an administrator for a new one"},
    ErrorInfo{token_agent_mismatch, "token_agent_mismatch", 403, kFinal,
              "the token belongs to another agent than agent_id names"},
    ErrorInfo{unknown_message_type, "unknown_message_type", 400, kFinal,
              "the frame's type is unknown or one of its required fields is missing"},
    ErrorInfo{missing_field, "missing_field", 400, kFinal, "a required field is missing"},
    ErrorInfo{invalid_field, "invalid_field", 400, kFinal,
              "a field or query parameter has a value that is not allowed there"},
    ErrorInfo{invalid_positive_integer, "invalid_positive_integer", 400, kFinal,
              "a field must be a whole number above zero"},
    ErrorInfo{invalid_agent_id, "invalid_agent_id", 400, kFinal,
              "an agent id has 1 to 128 characters of A-Z a-z 0-9 . _ - : @"},
    ErrorInfo{invalid_recipient, "invalid_recipient", 400, kFinal,
              "to must be an agent id, \"broadcast\", null or absent"},
    ErrorInfo{invalid_channel_name, "invalid_channel_name", 400, kFinal,
              "a channel name needs 1 to 64 characters of a-z 0-9 - _ after normalising"},
    ErrorInfo{invalid_payload, "invalid_payload", 400, kFinal,
              "the payload of a channel message must be a JSON object"},
    ErrorInfo{invalid_idempotency_key, "invalid_idempotency_key", 400, kFinal,
              "an idempotency key is a text of 1 to 128 bytes without control characters"},
    ErrorInfo{idempotency_conflict, "idempotency_conflict", 409, kFinal,
              "this idempotency key was used for another message; a new message needs a new key"},
    ErrorInfo{channel_not_found, "channel_not_found", 404, kFinal,
              "there is no such channel; create it with POST /api/channels"},
    ErrorInfo{channel_exists, "channel_exists", 409, kFinal,
              "a channel of this name exists already"},
    ErrorInfo{channel_limit, "channel_limit", 507, kRetry,
              "the hub holds as many channels as it may"},
    ErrorInfo{member_limit, "member_limit", 507, kFinal,
              "the channel has as many members as it may"},
    ErrorInfo{agent_ending, "agent_ending", 409, kRetry,
              "an agent of this name is being removed; try again shortly"},
    ErrorInfo{unauthorized, "unauthorized", 401, kFinal,
              "provide a valid token in the header Authorization: Bearer <token>"},
    ErrorInfo{forbidden, "forbidden", 403, kFinal, "this belongs to another agent"},
    ErrorInfo{forbidden_origin, "forbidden_origin", 403, kFinal,
              "a page of this origin may not use the hub; server.allowed_origins lists who may"},
    ErrorInfo{forbidden_host, "forbidden_host", 403, kFinal,
              "the hub does not go by this name; server.allowed_hosts lists its names"},
    ErrorInfo{session_changed, "session_changed", 409, kFinal,
              "this browser's session is another agent's meanwhile; load the page again"},
    ErrorInfo{admin_only, "admin_only", 403, kFinal, "only administrators may do this"},
    ErrorInfo{read_only, "read_only", 403, kFinal,
              "the token is an observer's: it reads everything and changes nothing"},
    ErrorInfo{not_found, "not_found", 404, kFinal, "there is nothing at this path"},
    ErrorInfo{method_not_allowed, "method_not_allowed", 405, kFinal,
              "the header Allow lists the methods this path offers"},
    ErrorInfo{bad_request, "bad_request", 400, kFinal, "the request is not well-formed HTTP"},
    ErrorInfo{upgrade_required, "upgrade_required", 426, kFinal,
              "this path speaks WebSocket; send an upgrade request"},
    ErrorInfo{body_too_large, "body_too_large", 413, kFinal,
              "the body is larger than the hub accepts"},
    ErrorInfo{
        payload_too_large, "payload_too_large", 413, kFinal,
        "a message with this payload would not fit into one frame; send less, or a reference"},
    ErrorInfo{header_too_large, "header_too_large", 431, kFinal,
              "the header is larger than the hub accepts"},
    ErrorInfo{unsupported_media_type, "unsupported_media_type", 415, kFinal,
              "send the body as application/json"},
    ErrorInfo{request_timeout, "request_timeout", 408, kRetry,
              "the request did not arrive completely in time"},
    ErrorInfo{expectation_failed, "expectation_failed", 417, kFinal,
              "of the header Expect only 100-continue is understood"},
    ErrorInfo{rate_limited, "rate_limited", 429, kRetry,
              "too many requests; slow down and try again shortly"},
    ErrorInfo{reset_cooldown, "reset_cooldown", 409, kRetry,
              "the hub was reset a moment ago; wait before the next reset"},
    ErrorInfo{invalid_configuration, "invalid_configuration", 409, kFinal,
              "the configuration cannot be used, and everything stays as it was"},
    ErrorInfo{unknown_recipient_limit, "unknown_recipient_limit", 507, kRetry,
              "too many mailboxes wait for agents that hold no token; check the recipient's name"},
    ErrorInfo{subscription_limit, "subscription_limit", 507, kRetry,
              "this agent or channel holds as many subscriptions as it may"},
    ErrorInfo{binary_not_supported, "binary_not_supported", 415, kFinal,
              "send text frames with JSON; binary frames are not understood"},
    ErrorInfo{too_many_connections, "too_many_connections", 503, kRetry,
              "the hub serves as many connections as it may; try again later"},
    ErrorInfo{overloaded, "overloaded", 503, kRetry,
              "the hub has more work than it can take; try again shortly"},
    ErrorInfo{shutting_down, "shutting_down", 503, kRetry,
              "the hub is stopping; try again when it is back"},
    ErrorInfo{storage_full, "storage_full", 507, kRetry,
              "the disk or the store is full; nothing was stored, try again later"},
    ErrorInfo{storage_failed, "storage_failed", 503, kRetry,
              "the store cannot write safely; nothing is promised, see /health"},
    ErrorInfo{internal, "internal", 500, kRetry, "the hub made a mistake; its log says more"},
};

}  // namespace

const ErrorInfo& error_info(ErrorCode code) noexcept {
    const auto row = static_cast<std::size_t>(code);
    return row < kCatalogue.size() ? kCatalogue[row] : kCatalogue.back();
}

std::span<const ErrorInfo> error_catalogue() noexcept { return kCatalogue; }

std::string Error::wire_name() const {
    if (!field.empty()) {
        if (code == missing_field) return "missing required field: " + field;
        if (code == invalid_positive_integer) {
            return "missing or invalid field: " + field + " (positive integer)";
        }
    }
    return std::string(error_info(code).name);
}

std::string_view Error::explanation() const noexcept {
    return message.empty() ? error_info(code).description : std::string_view(message);
}

}  // namespace agentcom::core

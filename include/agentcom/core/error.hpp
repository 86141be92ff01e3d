#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace agentcom::core {

/// Every error a client can meet. The numbers are internal; the wire names in `error_info` are the
/// stable part. Add a code here and its row in error.cpp: a test walks the whole catalogue.
enum class ErrorCode : std::uint8_t {
    invalid_json,
    invalid_encoding,
    not_identified,
    already_identified,
    identify_timeout,
    invalid_token,
    token_agent_mismatch,
    unknown_message_type,
    missing_field,
    invalid_field,
    invalid_positive_integer,
    invalid_agent_id,
    invalid_recipient,
    invalid_channel_name,
    invalid_payload,
    invalid_idempotency_key,
    idempotency_conflict,
    channel_not_found,
    channel_exists,
    channel_limit,
    member_limit,
    agent_ending,
    unauthorized,
    forbidden,
    forbidden_origin,
    forbidden_host,
    session_changed,
    admin_only,
    read_only,
    not_found,
    method_not_allowed,
    bad_request,
    upgrade_required,
    body_too_large,
    payload_too_large,
    header_too_large,
    unsupported_media_type,
    request_timeout,
    expectation_failed,
    rate_limited,
    reset_cooldown,
    invalid_configuration,
    unknown_recipient_limit,
    subscription_limit,
    binary_not_supported,
    too_many_connections,
    overloaded,
    shutting_down,
    storage_full,
    storage_failed,
    internal,
};

inline constexpr std::size_t kErrorCodeCount = static_cast<std::size_t>(ErrorCode::internal) + 1;

/// How a code looks from outside. `retry` says whether the same request may succeed later.
struct ErrorInfo {
    ErrorCode code;
    std::string_view name;  // wire name, stable
    std::uint16_t http_status;
    bool retry;
    std::string_view description;  // one sentence for people; becomes the default "message"
};

/// The row of one code; every code has one.
[[nodiscard]] const ErrorInfo& error_info(ErrorCode code) noexcept;
/// All rows, in the order of the enumeration.
[[nodiscard]] std::span<const ErrorInfo> error_catalogue() noexcept;

/// An error on the data path: a code, the field it concerns (if any) and what to do about it.
/// `message` is shown to clients; it never contains a token or a payload.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string field;
    std::string message;

    Error() = default;
    Error(ErrorCode c) : code(c) {}  // NOLINT(google-explicit-constructor): `return ErrorCode::x;`
    Error(ErrorCode c, std::string f, std::string m = {})
        : code(c), field(std::move(f)), message(std::move(m)) {}

    /// What stands in the "error" key: the wire name, or for the codes that the original hub
    /// phrased with the field inside ("missing required field: payload") that phrase.
    [[nodiscard]] std::string wire_name() const;
    /// `message`, or the catalogue's description when there is none.
    [[nodiscard]] std::string_view explanation() const noexcept;
};

}  // namespace agentcom::core

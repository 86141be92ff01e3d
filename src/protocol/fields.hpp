#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/message.hpp"
#include "agentcom/core/result.hpp"
#include "protocol/json_scanner.hpp"

namespace agentcom::protocol {

/// Keys that mean something in some frame or body. Everything else is validated and ignored.
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
    seq,
    description,
    role,
    heartbeat_interval_ms,
    mailbox_ttl_ms,
};
inline constexpr std::size_t kKeyCount = static_cast<std::size_t>(Key::mailbox_ttl_ms) + 1;
[[nodiscard]] std::string_view key_name(Key key) noexcept;

/// The members of one JSON object that are known keys. Views point into the scanned text.
class Fields {
public:
    enum class Shape : std::uint8_t { object, other, invalid };
    /// Scans the text; `other` is valid JSON that is no object. The last of equal keys counts.
    [[nodiscard]] Shape scan(std::string_view text);

    [[nodiscard]] const JsonValue* find(Key key) const noexcept {
        const JsonValue& value = values_[static_cast<std::size_t>(key)];
        return value.raw.empty() ? nullptr : &value;
    }
    /// Null when missing or the literal null.
    [[nodiscard]] const JsonValue* find_non_null(Key key) const noexcept {
        const JsonValue* value = find(key);
        return value != nullptr && value->kind == JsonKind::null ? nullptr : value;
    }

private:
    std::array<JsonValue, kKeyCount> values_{};
};

[[nodiscard]] inline std::string text_of(const JsonValue& value) {
    return decode_json_string(value.raw, value.escaped);
}
/// The value of a number written as a plain integer; nothing for fractions, exponents, other kinds.
/// Integers outside the range of int64 come as its nearest end.
[[nodiscard]] std::optional<std::int64_t> integer_of(const JsonValue& value) noexcept;

/// Rules that frames and bodies share. `wrong_type` is the code for a field of the wrong type,
/// which differs between the transports.
struct FieldRules {
    core::ErrorCode wrong_type;

    [[nodiscard]] core::Error wrong(Key key, std::string_view expected) const;
    [[nodiscard]] core::result<std::string> message_type(const Fields& fields, Key key) const;
    [[nodiscard]] core::result<std::optional<std::string>> reply_to(const Fields& fields) const;
    [[nodiscard]] core::result<std::optional<std::string>> idempotency_key(
        const Fields& fields) const;
    [[nodiscard]] core::result<core::Destination> destination(const Fields& fields) const;
    /// Missing, null and false become {}.
    [[nodiscard]] core::JsonText payload(const Fields& fields) const;
    /// As `payload`, but it must be an object.
    [[nodiscard]] core::result<core::JsonText> channel_payload(const Fields& fields) const;
};

/// Checks an idempotency key: 1-128 bytes, no control characters.
[[nodiscard]] core::result<std::string> check_idempotency_key(std::string key);

}  // namespace agentcom::protocol

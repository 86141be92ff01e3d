#include "protocol/decode_admin.hpp"

#include <optional>
#include <string>
#include <utility>

#include "agentcom/core/utf8.hpp"
#include "protocol/field_specs.hpp"

namespace agentcom::protocol {
namespace {

using core::ErrorCode;

core::result<Expiry> expiry(const Input& in) {
    const auto seconds = in.integer(kExpiresIn);
    if (!seconds) return seconds.error();
    const auto at = in.integer(kExpiresAt);
    if (!at) return at.error();
    if (*seconds && *at) return in.wrong(Key::expires_at, "left out when there is expires_in");
    Expiry found;
    if (*seconds) found.in = core::Millis(**seconds * 1'000);
    if (*at) found.at = core::Timestamp{**at};
    return found;
}

core::result<std::optional<std::string>> token_name(const Input& in) {
    auto name = in.text(kTokenName);
    if (name && *name && core::has_control_characters(**name)) {
        return in.wrong(Key::name, "free of control characters");
    }
    return name;
}

}  // namespace

core::result<core::AgentId> issued_agent(std::string_view text) {
    auto agent = core::AgentId::parse_issued(text);
    if (!agent) return core::Error(ErrorCode::invalid_agent_id, "agent_id");
    return agent;
}

core::result<Request> create_token(const Input& in) {
    const JsonValue* value = in.find(Key::agent_id);
    if (value == nullptr) return in.missing(Key::agent_id);
    if (value->kind != JsonKind::string) {
        return core::Error(ErrorCode::invalid_agent_id, "agent_id");
    }
    auto agent = issued_agent(text_of(*value));
    if (!agent) return agent.error();
    core::Role role = core::Role::agent;
    if (const JsonValue* given = in.find_non_null(Key::role)) {
        const std::string name = given->kind == JsonKind::string ? text_of(*given) : "";
        const auto known = core::parse_role(name);
        if (!known) return in.wrong(Key::role, R"("agent", "admin" or "observer")");
        role = *known;
    }
    auto name = token_name(in);
    if (!name) return name.error();
    auto ends = expiry(in);
    if (!ends) return ends.error();
    return Request(CreateToken{std::move(*agent), role, std::move(*name).value_or(""), *ends});
}

core::result<Request> rotate_token(const Input& in) {
    auto agent = issued_agent(in.argument());
    if (!agent) return core::Error(ErrorCode::not_found, {}, "there is no such agent");
    const auto grace = in.number(kGrace);
    if (!grace) return grace.error();
    auto name = token_name(in);
    if (!name) return name.error();
    auto ends = expiry(in);
    if (!ends) return ends.error();
    return Request(RotateToken{std::move(*agent),
                               core::Millis(static_cast<std::int64_t>(*grace) * 1'000),
                               std::move(*name), *ends});
}

/// The digits as they are or as lists show them. One that was meant to name a token must never
/// come to mean all of them.
core::result<Request> revoke_tokens(const Input& in) {
    auto prefix = in.parameter_text(Key::prefix);
    if (!prefix) return Request(RevokeTokens{in.argument()});
    if (prefix->ends_with("...")) prefix->resize(prefix->size() - 3);
    const bool digits = prefix->find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!digits || prefix->size() != core::kTokenPrefixDigits) {
        return in.wrong(Key::prefix, "the first 8 digits of the token");
    }
    return Request(RevokeTokens{in.argument(), std::move(*prefix)});
}

core::result<Request> list_tokens(const Input& in) {
    auto wanted = in.list_range();
    if (!wanted) return wanted.error();
    auto agent = in.text(kAgentFilter);
    if (!agent) return agent.error();
    return Request(ListTokens{std::move(*wanted), std::move(*agent)});
}

core::result<Request> disconnect_agent(const Input& in) {
    return Request(DisconnectAgent{in.argument()});
}

core::result<Request> end_agent(const Input& in) { return Request(EndAgent{in.argument()}); }

core::result<Request> put_setting(const Input& in, Setting setting) {
    const Key key =
        setting == Setting::mailbox_ttl_ms ? Key::mailbox_ttl_ms : Key::heartbeat_interval_ms;
    const JsonValue* value = in.find(key);
    const auto number = value == nullptr ? std::nullopt : integer_of(*value);
    if (!number || *number <= 0) {
        return core::Error(ErrorCode::invalid_positive_integer, std::string(key_name(key)));
    }
    return Request(PutSetting{setting, static_cast<std::uint64_t>(*number)});
}

}  // namespace agentcom::protocol

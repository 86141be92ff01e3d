#pragma once

#include <string_view>

#include "agentcom/core/result.hpp"
#include "agentcom/protocol/requests.hpp"
#include "protocol/input.hpp"

/// What administrators ask about tokens, agents and settings, from its fields.
namespace agentcom::protocol {

/// An id that an administrator may have issued. Error invalid_agent_id.
[[nodiscard]] core::result<core::AgentId> issued_agent(std::string_view text);

[[nodiscard]] core::result<Request> create_token(const Input& in);
[[nodiscard]] core::result<Request> rotate_token(const Input& in);
[[nodiscard]] core::result<Request> revoke_tokens(const Input& in);
[[nodiscard]] core::result<Request> list_tokens(const Input& in);
[[nodiscard]] core::result<Request> disconnect_agent(const Input& in);
[[nodiscard]] core::result<Request> end_agent(const Input& in);

[[nodiscard]] core::result<Request> put_setting(const Input& in, Setting setting);
template <Setting kSetting>
[[nodiscard]] core::result<Request> get_setting(const Input&) {
    return Request(GetSetting{kSetting});
}
template <Setting kSetting>
[[nodiscard]] core::result<Request> put_setting(const Input& in) {
    return put_setting(in, kSetting);
}

}  // namespace agentcom::protocol

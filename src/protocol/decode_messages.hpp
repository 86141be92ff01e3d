#pragma once

#include "agentcom/core/result.hpp"
#include "agentcom/protocol/requests.hpp"
#include "protocol/input.hpp"

/// What agents ask of their connections, of each other, of messages and mailboxes, from its fields.
namespace agentcom::protocol {

[[nodiscard]] core::result<Request> identify(const Input& in);
[[nodiscard]] core::result<Request> set_status(const Input& in);
[[nodiscard]] core::result<Request> set_profile(const Input& in);
[[nodiscard]] core::result<Request> send_message(const Input& in);
[[nodiscard]] core::result<Request> publish(const Input& in);
[[nodiscard]] core::result<Request> poll_mailbox(const Input& in);
[[nodiscard]] core::result<Request> open_stream(const Input& in);
[[nodiscard]] core::result<Request> get_unread(const Input& in);
[[nodiscard]] core::result<Request> ack(const Input& in);
[[nodiscard]] core::result<Request> get_agent(const Input& in);
[[nodiscard]] core::result<Request> list_directory(const Input& in);
[[nodiscard]] core::result<Request> get_hub_card(const Input& in);
[[nodiscard]] core::result<Request> get_agent_card(const Input& in);

}  // namespace agentcom::protocol

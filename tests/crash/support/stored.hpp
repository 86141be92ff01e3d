#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/socket_client.hpp"

namespace agentcom::test {

/// All that a hub has stored, read through its own interface by an administrator.
class Stored {
public:
    Stored(std::uint16_t port, const std::string& admin_token);

    /// Every message, in the order of seq.
    [[nodiscard]] const std::vector<nlohmann::json>& messages() const noexcept { return messages_; }
    [[nodiscard]] std::vector<nlohmann::json> of_sender(const std::string& agent) const;
    /// Every message is whole, the order is strict, and a channel is numbered without a gap and has
    /// the same messages in its own history.
    void verify(const std::vector<std::string>& channels) const;
    /// The messages that answer this one are those that its thread shows.
    void verify_thread(const std::string& root) const;

private:
    std::uint16_t port_;
    std::string admin_token_;
    std::vector<nlohmann::json> messages_;
};

/// All pages of an agent's mailbox, acknowledging nothing.
[[nodiscard]] std::vector<nlohmann::json> read_mailbox(HttpClient& http, const std::string& agent);

}  // namespace agentcom::test

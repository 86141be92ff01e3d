#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/hub_fixture.hpp"
#include "support/mcp_client.hpp"

namespace agentcom::test {

inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

/// A hub with alice and bob, each with a client.
class Mcp : public ::testing::Test {
protected:
    /// So much time passes, after which clients that were idle must connect again.
    void pass(core::Millis time) {
        hub_.pass(time);
        alice_ = McpClient(hub_.port(), alice_token_);
        bob_ = McpClient(hub_.port(), bob_token_);
    }

    Hub hub_{};
    std::string alice_token_ = hub_.create_token("alice");
    std::string bob_token_ = hub_.create_token("bob");
    McpClient alice_{hub_.port(), alice_token_};
    McpClient bob_{hub_.port(), bob_token_};
};

}  // namespace agentcom::test

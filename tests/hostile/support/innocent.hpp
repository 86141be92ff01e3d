#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "support/bystander.hpp"
#include "support/latencies.hpp"
#include "support/socket_client.hpp"

namespace agentcom::test {

/// An agent that does nothing wrong: it is connected, pings every few milliseconds, and counts the
/// messages that are pushed to it.
class Innocent {
public:
    Innocent(std::uint16_t port, const std::string& agent, const std::string& token);

    struct Figures {
        Latencies pings;
        std::size_t messages = 0;
        std::string trouble;  // empty unless its connection failed
    };
    [[nodiscard]] Figures figures() const;
    /// Returns once it has had so many more answers. False when it is in trouble or patience runs
    /// out.
    [[nodiscard]] bool wait_for_pings(std::size_t more);
    /// The same for messages, counted from the beginning.
    [[nodiscard]] bool wait_for_messages(std::size_t count);

private:
    void ping();

    WsClient client_;
    std::atomic<std::size_t> messages_{0};
    std::optional<Bystander> pings_;  // begins when it is connected, and ends before that does
};

/// An agent that sends a small message to others all the time, over HTTP, and expects each to be
/// taken.
class Courier {
public:
    Courier(std::uint16_t port, std::string token, std::vector<std::string> recipients);

    struct Figures {
        Latencies sends;
        std::size_t sent_to_each = 0;
        std::string trouble;
    };
    /// Ends it.
    [[nodiscard]] Figures stop();

private:
    void send_to_each();

    HttpClient client_;
    const std::vector<std::string> recipients_;
    std::atomic<std::size_t> sent_to_each_{0};
    Bystander sends_;
};

}  // namespace agentcom::test

#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/latencies.hpp"
#include "support/socket_client.hpp"

namespace agentcom::test {

/// An agent that does nothing wrong: it is connected, pings every few milliseconds, and counts the
/// messages that are pushed to it.
class Innocent {
public:
    Innocent(std::uint16_t port, const std::string& agent, const std::string& token);
    ~Innocent();
    Innocent(const Innocent&) = delete;
    Innocent& operator=(const Innocent&) = delete;

    struct Figures {
        Latencies pings;
        std::size_t messages = 0;
        std::string trouble;  // empty unless its connection failed
    };
    [[nodiscard]] Figures figures() const;
    /// Returns once it has had so many more answers, or trouble. False when patience runs out.
    [[nodiscard]] bool wait_for_pings(std::size_t more);
    /// The same for messages, counted from the beginning.
    [[nodiscard]] bool wait_for_messages(std::size_t count);

private:
    void run();
    void ping();

    WsClient client_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Figures figures_;
    bool ended_ = false;
    std::thread thread_;
};

/// An agent that sends a small message to others all the time, over HTTP, and expects each to be
/// taken.
class Courier {
public:
    Courier(std::uint16_t port, std::string token, std::vector<std::string> recipients);
    ~Courier();
    Courier(const Courier&) = delete;
    Courier& operator=(const Courier&) = delete;

    struct Figures {
        Latencies sends;
        std::size_t sent_to_each = 0;
        std::string trouble;
    };
    /// Ends it.
    [[nodiscard]] Figures stop();

private:
    void run();

    HttpClient client_;
    const std::vector<std::string> recipients_;
    std::mutex mutex_;
    std::condition_variable ending_;
    Figures figures_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace agentcom::test

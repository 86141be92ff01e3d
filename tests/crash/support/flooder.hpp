#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "crash/support/stored.hpp"
#include "support/socket_client.hpp"

namespace agentcom::test {

/// An agent that sends over a WebSocket as fast as the hub reads, and listens to the answers.
/// Message n has n in its payload.
class Flooder {
public:
    /// What each message has as its payload, at least.
    static constexpr std::size_t kPayloadBytes = 8'000;

    Flooder(std::uint16_t port, std::string agent, const std::string& token, std::string to);
    ~Flooder();
    Flooder(const Flooder&) = delete;
    Flooder& operator=(const Flooder&) = delete;

    /// Returns once so many are acknowledged. False when it is in trouble or patience runs out.
    [[nodiscard]] bool wait_for_acknowledged(std::size_t count);
    [[nodiscard]] std::size_t acknowledged();
    /// Sends no more, and returns when everything that was sent is answered. What it was told is in
    /// `verify`.
    void finish();
    /// After `finish`: all was acknowledged and is there, once, in order, and nothing else.
    void verify(const Stored& stored) const;

private:
    void write();
    void read();
    void note(const std::string& trouble);

    const std::string agent_;
    const std::string to_;
    WsClient client_;  // its sending side belongs to one thread, its receiving side to the other
    std::atomic<std::size_t> sent_{0};
    std::atomic<bool> floods_{true};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<std::string> ids_;  // of what was acknowledged, in order
    std::string trouble_;           // empty: none
    bool all_sent_ = false;
    std::thread writer_;
    std::thread reader_;
};

}  // namespace agentcom::test

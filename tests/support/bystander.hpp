#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "support/latencies.hpp"
#include "support/socket_client.hpp"

namespace agentcom::test {

/// A client that has nothing to do with what others suffer: it asks for the same thing at a fixed
/// interval, in a thread of its own, and notes how long the answers take.
class Bystander {
public:
    /// `ask` asks once and returns when the answer is there; it throws when that is not what it
    /// should be.
    Bystander(std::string name, std::chrono::milliseconds interval, std::function<void()> ask);
    ~Bystander();
    Bystander(const Bystander&) = delete;
    Bystander& operator=(const Bystander&) = delete;

    struct Figures {
        Latencies answers;
        std::string trouble;  // what `ask` threw, which ended it; empty: nothing
    };
    [[nodiscard]] Figures figures() const;
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Returns once it has had so many more answers. False when it is in trouble or patience runs
    /// out.
    [[nodiscard]] bool wait_for(std::size_t more, std::chrono::seconds patience = kPatience);
    /// Returns once this holds after an answer; else as `wait_for`.
    [[nodiscard]] bool wait_until(const std::function<bool()>& holds,
                                  std::chrono::seconds patience);
    void end();
    /// Ends it; then it prints and judges: no trouble, and no answer took longer than `longest`,
    /// half of them no longer than `usual`, in milliseconds.
    void judge(double usual, double longest);

private:
    void run();

    const std::string name_;
    const std::chrono::milliseconds interval_;
    const std::function<void()> ask_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Figures figures_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace agentcom::test

#include "hostile/support/innocent.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace agentcom::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPingInterval{5};
constexpr std::chrono::milliseconds kSendInterval{50};
/// For what an attack may hold up for long when the hub has no defence.
constexpr std::chrono::seconds kLongPatience{120};

double ms_since(Clock::time_point began) {
    return std::chrono::duration<double, std::milli>(Clock::now() - began).count();
}

double ms(std::chrono::milliseconds interval) { return static_cast<double>(interval.count()); }

}  // namespace

Innocent::Innocent(std::uint16_t port, const std::string& agent, const std::string& token)
    : client_(port) {
    client_.identify(agent, token, {{"presence", false}, {"echo", false}});
    thread_ = std::thread([this] { run(); });
}

Innocent::~Innocent() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

Innocent::Figures Innocent::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

bool Innocent::wait_for_pings(std::size_t more) {
    std::unique_lock lock(mutex_);
    const std::size_t enough = figures_.pings.count() + more;
    return changed_.wait_for(lock, kLongPatience, [&] {
        return figures_.pings.count() >= enough || !figures_.trouble.empty();
    });
}

bool Innocent::wait_for_messages(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kLongPatience, [&] {
        return figures_.messages >= count || !figures_.trouble.empty();
    });
}

void Innocent::run() {
    try {
        for (auto due = Clock::now();; due = std::max(due + kPingInterval, Clock::now())) {
            std::unique_lock lock(mutex_);
            if (changed_.wait_until(lock, due, [this] { return ended_; })) return;
            lock.unlock();
            ping();
        }
    } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        figures_.trouble = error.what();
    }
    changed_.notify_all();
}

void Innocent::ping() {
    std::size_t messages = 0;
    const auto began = Clock::now();
    client_.send({{"type", "ping"}});
    for (std::string type; type != "pong";) {
        type = client_.receive().value("type", "");
        if (type == "message") ++messages;
    }
    const double took = ms_since(began);
    {
        const std::lock_guard lock(mutex_);
        figures_.pings.record(took, ms(kPingInterval));
        figures_.messages += messages;
    }
    changed_.notify_all();
}

Courier::Courier(std::uint16_t port, std::string token, std::vector<std::string> recipients)
    : client_(port, std::move(token)),
      recipients_(std::move(recipients)),
      thread_([this] { run(); }) {}

Courier::~Courier() { (void)stop(); }

Courier::Figures Courier::stop() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    ending_.notify_all();
    if (thread_.joinable()) thread_.join();
    return figures_;
}

void Courier::run() {
    try {
        for (auto due = Clock::now();; due = std::max(due + kSendInterval, Clock::now())) {
            std::unique_lock lock(mutex_);
            if (ending_.wait_until(lock, due, [this] { return ended_; })) return;
            lock.unlock();
            const auto began = Clock::now();
            for (const std::string& recipient : recipients_) {
                const auto answer = client_.post(
                    "/api/message", {{"to", recipient}, {"payload", {{"text", "still there?"}}}});
                if (answer.status != 200) {
                    figures_.trouble = std::to_string(answer.status) + " " + answer.body;
                    return;
                }
            }
            figures_.sends.record(ms_since(began), ms(kSendInterval));
            ++figures_.sent_to_each;
        }
    } catch (const std::exception& error) {
        figures_.trouble = error.what();
    }
}

}  // namespace agentcom::test

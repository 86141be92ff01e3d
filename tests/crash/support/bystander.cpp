#include "crash/support/bystander.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

#include "support/socket_client.hpp"

namespace agentcom::test {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

Bystander::Bystander(std::string name, std::chrono::milliseconds interval,
                     std::function<void()> ask)
    : name_(std::move(name)),
      interval_(interval),
      ask_(std::move(ask)),
      thread_([this] { run(); }) {}

Bystander::~Bystander() { end(); }

bool Bystander::wait_for(std::size_t more) {
    std::unique_lock lock(mutex_);
    const std::size_t enough = latencies_.count() + more;
    return changed_.wait_for(lock, kPatience, [&] {
        return latencies_.count() >= enough || !trouble_.empty();
    }) && trouble_.empty();
}

void Bystander::judge(double usual, double longest) {
    end();
    std::printf("[ figures  ] %-10s %5zu answers, p50 %7.1f ms, longest %7.1f ms\n", name_.c_str(),
                latencies_.count(), latencies_.percentile(0.5), latencies_.max());
    EXPECT_EQ(trouble_, "") << name_;
    EXPECT_GT(latencies_.count(), 0U) << name_;
    EXPECT_LT(latencies_.percentile(0.5), usual) << name_;
    EXPECT_LT(latencies_.max(), longest) << name_;
}

void Bystander::run() {
    try {
        for (auto due = Clock::now();; due = std::max(due + interval_, Clock::now())) {
            std::unique_lock lock(mutex_);
            if (changed_.wait_until(lock, due, [this] { return ended_; })) return;
            lock.unlock();
            const auto began = Clock::now();
            ask_();
            const std::chrono::duration<double, std::milli> took = Clock::now() - began;
            lock.lock();
            latencies_.record(took.count(), static_cast<double>(interval_.count()));
            lock.unlock();
            changed_.notify_all();
        }
    } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        trouble_ = error.what();
    }
    changed_.notify_all();
}

void Bystander::end() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace agentcom::test

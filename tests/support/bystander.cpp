#include "support/bystander.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <utility>

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

Bystander::Figures Bystander::figures() const {
    const std::lock_guard lock(mutex_);
    return figures_;
}

bool Bystander::wait_for(std::size_t more, std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    const std::size_t enough = figures_.answers.count() + more;
    lock.unlock();
    return wait_until([&] { return figures_.answers.count() >= enough; }, patience);
}

bool Bystander::wait_until(const std::function<bool()>& holds, std::chrono::seconds patience) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, patience, [&] {
        return holds() || !figures_.trouble.empty();
    }) && figures_.trouble.empty();
}

void Bystander::judge(double usual, double longest) {
    end();
    const Latencies& answers = figures_.answers;
    std::printf("[ figures  ] %-10s %5zu answers, p50 %7.1f ms, longest %7.1f ms\n", name_.c_str(),
                answers.count(), answers.percentile(0.5), answers.max());
    EXPECT_EQ(figures_.trouble, "") << name_;
    EXPECT_GT(answers.count(), 0U) << name_;
    EXPECT_LT(answers.percentile(0.5), usual) << name_;
    EXPECT_LT(answers.max(), longest) << name_;
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
            figures_.answers.record(took.count(), static_cast<double>(interval_.count()));
            lock.unlock();
            changed_.notify_all();
        }
    } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        figures_.trouble = error.what();
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

#include "support/memory_watch.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

namespace agentcom::test {
namespace {

constexpr std::chrono::milliseconds kInterval{5};

}  // namespace

MemoryWatch::MemoryWatch(pid_t pid) : pid_(pid), thread_([this] { run(); }) {}

MemoryWatch::~MemoryWatch() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    ending_.notify_all();
    thread_.join();
}

std::size_t MemoryWatch::now() const {
    static constexpr std::string_view kField = "RssAnon:";
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(kField)) return std::stoul(line.substr(kField.size())) << 10;
    }
    return 0;
}

void MemoryWatch::run() {
    std::unique_lock lock(mutex_);
    while (!ended_) {
        peak_.store(std::max(peak_.load(), now()));
        ending_.wait_for(lock, kInterval);
    }
}

}  // namespace agentcom::test

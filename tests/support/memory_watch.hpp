#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace agentcom::test {

/// Anonymous memory of a process, looked at every few milliseconds while the object lives.
class MemoryWatch {
public:
    explicit MemoryWatch(pid_t pid);
    ~MemoryWatch();
    MemoryWatch(const MemoryWatch&) = delete;
    MemoryWatch& operator=(const MemoryWatch&) = delete;

    /// Bytes. 0 when the process is gone.
    [[nodiscard]] std::size_t now() const;
    [[nodiscard]] std::size_t peak() const noexcept { return peak_.load(); }

private:
    void run();

    const pid_t pid_;
    std::atomic<std::size_t> peak_{0};
    std::mutex mutex_;
    std::condition_variable ending_;
    bool ended_ = false;
    std::thread thread_;
};

}  // namespace agentcom::test

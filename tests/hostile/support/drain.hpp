#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <thread>

namespace agentcom::test {

/// Reads everything from many connections and forgets it, on a thread of its own, as many ordinary
/// clients would. The descriptors stay their owners', who do not read them meanwhile.
class Drain {
public:
    Drain();
    ~Drain();
    Drain(const Drain&) = delete;
    Drain& operator=(const Drain&) = delete;

    void add(int descriptor) const;
    /// Bytes so far.
    [[nodiscard]] std::size_t bytes() const;
    /// Connections that have ended.
    [[nodiscard]] std::size_t ended() const;
    /// Returns once so many bytes have come, or nothing more for as long as tests wait (false).
    [[nodiscard]] bool wait_for_bytes(std::size_t bytes);
    /// The same for connections that have ended.
    [[nodiscard]] bool wait_for_ends(std::size_t connections);

private:
    void run();

    int epoll_ = -1;
    int wake_ = -1;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t bytes_ = 0;
    std::size_t ended_ = 0;
    std::thread thread_;
};

}  // namespace agentcom::test

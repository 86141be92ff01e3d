#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace agentcom::test {

/// A way to the hub on which it is seen what is asked for: so a test knows that a process waits at
/// the hub, which says so to nobody. Carries bytes both ways for as long as both ends are open; the
/// hub behind it may be restarted at its port.
class Doorway {
public:
    explicit Doorway(std::uint16_t hub_port);
    ~Doorway();
    Doorway(const Doorway&) = delete;
    Doorway& operator=(const Doorway&) = delete;

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    /// How many bytes have gone to the hub.
    [[nodiscard]] std::size_t passed() const;
    /// Waits until this has gone to the hub behind so many bytes. Throws when patience runs out.
    void await(const std::string& part, std::size_t behind);

private:
    struct OtherEnd {
        int descriptor;
        bool is_hub;
    };
    void run();
    void accept_one();
    /// False at the end of either side.
    bool carry(int from, const OtherEnd& to);

    const std::uint16_t hub_port_;
    std::uint16_t port_ = 0;
    int listener_ = -1;
    int stop_ = -1;
    std::map<int, OtherEnd> ends_;
    mutable std::mutex mutex_;
    std::condition_variable asked_;
    std::string requests_;  // all that went to the hub
    std::thread thread_;
};

}  // namespace agentcom::test

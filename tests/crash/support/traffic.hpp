#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crash/support/party.hpp"

namespace agentcom::test {

/// Mixed traffic of every operation by several clients, the same for the same seed as far as the
/// hub's answers are; and the book of what they were told.
class Traffic {
public:
    /// Makes tokens, channels and subscriptions. Throws std::runtime_error when the hub dies.
    Traffic(std::uint64_t seed, std::uint16_t port, std::string admin_token);
    ~Traffic();
    Traffic(const Traffic&) = delete;
    Traffic& operator=(const Traffic&) = delete;

    /// Opens all connections anew. What had no answer is sent again by `run`.
    void connect(std::uint16_t port);
    /// Until so many answers have come. False when the hub died first.
    bool run(std::size_t answers);
    /// Takes what the hub had said before it died.
    void drain();
    /// Waits for the answers to everything that was sent; the hub is alive. Whoever a reset cuts
    /// off waits for nothing more.
    void finish();
    /// Compares everything with what the hub at this port has.
    void verify(std::uint16_t port);

    [[nodiscard]] std::size_t acknowledged_messages() const;
    [[nodiscard]] const Tally& tally() const noexcept { return tally_; }
    /// For tests that want the hub in one piece: no reset of it.
    void without_resets();

private:
    struct Cast;
    /// A reset has ended this connection, or the hub has died: false then.
    bool reconnect(Party& party);

    Random random_;
    std::string admin_token_;
    Tally tally_;
    std::unique_ptr<Cast> cast_;
    std::uint16_t port_ = 0;
};

/// The settings under which nothing expires while the traffic runs.
[[nodiscard]] std::vector<std::string> roomy_settings();

}  // namespace agentcom::test

#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "support/socket_client.hpp"

namespace agentcom::test {

/// One masked text frame, whole.
[[nodiscard]] std::string text_frame(std::string_view payload);
[[nodiscard]] std::string json_frame(const nlohmann::json& value);
/// A text frame of which only the header and the first `sent` bytes are there.
[[nodiscard]] std::string unfinished_frame(std::size_t announced, std::size_t sent);
/// An HTTP request without a body.
[[nodiscard]] std::string get_request(std::string_view path, std::string_view token);
[[nodiscard]] std::string post_request(std::string_view path, std::string_view token,
                                       std::string_view body);

/// A connection that need not play by the rules: writes as long as the hub takes it, reads only
/// when told. Never waits longer than it is told to, and does not mind being closed.
class Attacker {
public:
    /// `receive_buffer`: bytes the kernel keeps for it unread; 0: the system's default.
    explicit Attacker(std::uint16_t port, int receive_buffer = 0);
    ~Attacker();
    Attacker(Attacker&& other) noexcept;
    Attacker& operator=(Attacker&&) = delete;

    /// Writes, and returns how much was taken: all, unless the hub closed the connection or took
    /// nothing for as long as `patience`.
    std::size_t send(std::string_view bytes, std::chrono::milliseconds patience = kPatience);
    /// Reads until `text` has come, which may be in what came before. False when the connection
    /// ended or patience ran out first.
    bool read_until(std::string_view text) { return read_until({text}).has_value(); }
    /// The same for whichever of them comes first, which is returned.
    std::optional<std::string_view> read_until(std::initializer_list<std::string_view> texts);
    /// Reads so many bytes and forgets them. False as above.
    bool discard(std::size_t bytes);
    /// Reads and forgets until the hub closes. False when patience runs out first.
    bool read_to_end();
    [[nodiscard]] bool ended() const noexcept { return ended_; }
    [[nodiscard]] int descriptor() const noexcept { return fd_; }
    /// What `read_until` has read and not yet handed on.
    [[nodiscard]] const std::string& unread() const noexcept { return buffer_; }

    /// The upgrade to WebSocket, and perhaps `identify` with these options. False when refused.
    bool upgrade();
    bool identify(const std::string& agent, const std::string& token,
                  nlohmann::json options = {{"presence", false}, {"echo", false}});

private:
    /// Reads what there is, waiting for it if need be. Empty: as above.
    std::string read_some();

    int fd_ = -1;
    bool ended_ = false;
    std::string buffer_;
};

}  // namespace agentcom::test

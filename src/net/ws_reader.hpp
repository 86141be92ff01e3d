#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "agentcom/core/utf8_stream.hpp"
#include "agentcom/protocol/codec.hpp"

namespace agentcom::net {

/// Takes one client's WebSocket frames out of the bytes as they come (RFC 6455, sections 5 to 8),
/// joins the fragments of messages, and is strict: every rule for what a client sends is looked at
/// as soon as the bytes that break it have come, so of a frame that is refused no payload is kept.
/// What it keeps is bounded by the limit on one message. For one thread.
class WsReader {
public:
    enum class Event : std::uint8_t { none, text, binary, ping, pong, close, broken };

    /// In bytes, all fragments together; a frame that passes it is refused by its header.
    explicit WsReader(std::uint64_t max_message_bytes) : max_message_(max_message_bytes) {}
    /// For frames whose header has not come yet.
    void limit(std::uint64_t max_message_bytes) noexcept { max_message_ = max_message_bytes; }

    /// Consumes input up to the end of the next message or control frame, which is then the event;
    /// returns how much. Nothing is consumed while an event stands.
    std::size_t take(std::string_view input);
    [[nodiscard]] Event event() const noexcept { return event_; }
    /// Of a message: its text. Of a control frame: what came in it. Until `next`.
    [[nodiscard]] std::string_view payload() const noexcept;
    /// Of a close frame: its code; 0 when it has none.
    [[nodiscard]] std::uint16_t close_code() const noexcept { return close_code_; }
    /// Why what came is broken: protocol_error, invalid_payload or frame_too_big.
    [[nodiscard]] protocol::CloseCode failure() const noexcept { return failure_; }
    /// The event has been dealt with. After `close` or `broken` there is nothing more to take.
    void next() noexcept;

    /// From now on messages are of no use to anybody: they are passed over, of whatever size.
    void pass_over_messages() noexcept;
    /// Bytes of an incomplete message.
    [[nodiscard]] std::size_t held() const noexcept { return message_.size(); }

private:
    enum class Opcode : std::uint8_t {
        continuation = 0x0,
        text = 0x1,
        binary = 0x2,
        close = 0x8,
        ping = 0x9,
        pong = 0xA,
    };
    static constexpr std::size_t kMostInControl = 125;
    static constexpr std::size_t kMostInHeader = 14;

    std::size_t take_header(std::string_view input);
    std::size_t take_payload(std::string_view input);
    /// Looks at the first two bytes, and says how long the header is.
    void begin_header();
    void end_header();
    void end_frame();
    void read_close();
    void fail(protocol::CloseCode why) noexcept;
    void unmask(char* data, std::size_t size) noexcept;
    [[nodiscard]] bool is_control() const noexcept { return opcode_ >= Opcode::close; }

    std::uint64_t max_message_;
    std::uint64_t left_ = 0;  // of the current frame's payload
    std::string message_;
    core::Utf8Stream text_;  // of the message so far
    std::array<char, kMostInControl> control_;
    std::array<unsigned char, kMostInHeader> header_;
    std::array<char, 4> mask_;
    std::uint8_t masked_ = 0;       // bytes of the current frame that have been unmasked, modulo 4
    std::uint8_t header_size_ = 0;  // bytes of the header that have come
    std::uint8_t header_needs_ = 2;
    std::uint8_t control_size_ = 0;
    Opcode opcode_ = Opcode::continuation;  // of the current frame
    bool final_ = false;                    // so is the current frame
    bool in_payload_ = false;
    Event message_kind_ = Event::none;  // of the message whose fragments are coming
    bool passing_over_ = false;
    Event event_ = Event::none;
    std::uint16_t close_code_ = 0;
    protocol::CloseCode failure_ = protocol::CloseCode::protocol_error;
};

/// Whether a peer may send this code in a close frame (RFC 6455, 7.4, and the codes registered
/// since).
[[nodiscard]] bool is_close_code_of_peer(std::uint16_t code) noexcept;

}  // namespace agentcom::net

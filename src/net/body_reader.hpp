#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agentcom/core/error.hpp"

namespace agentcom::net {

/// Takes one HTTP body (RFC 9112, 6 and 7.1) out of the bytes as they come, and keeps nothing else:
/// every byte is consumed at once, in whatever state, so nothing is left to pile up before it.
/// Extensions and trailers are passed over and count against a limit of their own.
class BodyReader {
public:
    enum class Framing : std::uint8_t { length, chunked };

    /// A request without a body: complete from the start.
    BodyReader() = default;
    /// `length` matters for Framing::length only.
    BodyReader(Framing framing, std::uint64_t length, std::uint64_t max_framing_bytes);

    /// More than this is refused (body_too_large), at once when the length says so beforehand.
    void limit(std::uint64_t max_body_bytes);
    /// From now on the body is passed over: its end still matters, its bytes do not.
    void discard() noexcept { discarding_ = true; }

    /// Consumes what belongs to the body; how much. What follows a complete body, or an error, is
    /// left alone.
    std::size_t take(std::string_view input);

    [[nodiscard]] bool complete() const noexcept { return state_ == State::complete; }
    [[nodiscard]] std::optional<core::ErrorCode> error() const noexcept { return error_; }
    [[nodiscard]] const std::string& body() const noexcept { return body_; }
    /// Memory that the body takes now; it is not reserved before its bytes have come.
    [[nodiscard]] std::size_t held() const noexcept { return body_.capacity(); }

private:
    enum class State : std::uint8_t {
        complete,
        data,           // `left_` bytes of the body or of a chunk
        size,           // digits of a chunk's size
        size_blank,     // blanks, which may only stand before its extension
        extension,      // the rest of that line
        size_end,       // its line feed
        data_end,       // the CR after a chunk
        data_end_feed,  // and its line feed
        trailer_start,  // of each line
        trailer_name,   // up to its colon
        trailer,        // the rest of a trailer's line
        trailer_end,    // its line feed
        last_feed,      // the very last one
    };

    std::size_t take_data(std::string_view input);
    void take_framing(char c);
    void end_of_size();
    void spend_framing();
    void expect_feed(char c, State then);
    void fail(core::ErrorCode code) noexcept { error_ = code; }

    std::string body_;
    std::uint64_t left_ = 0;  // of the body, or of the chunk
    std::uint64_t max_body_ = UINT64_MAX;
    std::uint64_t total_ = 0;  // of all chunks so far
    std::uint64_t max_framing_ = 0;
    std::uint64_t framing_ = 0;  // bytes of extensions and trailers so far
    std::uint8_t digits_ = 0;    // of the size being read
    bool chunked_ = false;
    bool discarding_ = false;
    State state_ = State::complete;
    std::optional<core::ErrorCode> error_;
};

}  // namespace agentcom::net

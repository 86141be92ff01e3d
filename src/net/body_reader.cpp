#include "net/body_reader.hpp"

#include <algorithm>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::uint8_t kMaxSizeDigits = 16;  // of 64 bits

/// What may not stand in an extension or the value of a trailer; a CR ends it.
bool is_stray_control(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < ' ' && c != '\t' && c != '\r') || byte == 0x7f;
}

}  // namespace

BodyReader::BodyReader(Framing framing, std::uint64_t length, std::uint64_t max_framing_bytes)
    : max_framing_(max_framing_bytes) {
    if (framing == Framing::length && length > 0) {
        left_ = length;
        total_ = length;
        state_ = State::data;
    } else if (framing == Framing::chunked) {
        chunked_ = true;
        state_ = State::size;
    }
}

void BodyReader::limit(std::uint64_t max_body_bytes) {
    max_body_ = max_body_bytes;
    if (total_ > max_body_) fail(core::ErrorCode::body_too_large);
}

std::size_t BodyReader::take(std::string_view input) {
    std::size_t used = 0;
    while (used < input.size() && !complete() && !error_) {
        if (state_ == State::data) {
            used += take_data(input.substr(used));
        } else {
            take_framing(input[used++]);
        }
    }
    return used;
}

std::size_t BodyReader::take_data(std::string_view input) {
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    if (!discarding_) {
        const std::size_t needed = body_.size() + bytes;
        if (needed > body_.capacity()) {
            // Doubled, so that growing stays cheap, but never past what the body can become.
            const std::uint64_t most = chunked_ ? max_body_ : body_.size() + left_;
            body_.reserve(
                std::max<std::size_t>(needed, static_cast<std::size_t>(std::min<std::uint64_t>(
                                                  most, 2 * std::uint64_t{body_.size()}))));
        }
        body_.append(input.substr(0, bytes));
    }
    left_ -= bytes;
    if (left_ == 0) state_ = chunked_ ? State::data_end : State::complete;
    return bytes;
}

void BodyReader::take_framing(char c) {
    switch (state_) {
        case State::size:
            if (const int digit = hex_digit(c); digit >= 0) {
                if (++digits_ > kMaxSizeDigits) return fail(core::ErrorCode::bad_request);
                left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
                return;
            }
            if (digits_ == 0) return fail(core::ErrorCode::bad_request);
            if (c == '\r') {
                state_ = State::size_end;
                return;
            }
            state_ = State::size_blank;
            [[fallthrough]];
        case State::size_blank:
            // A second number, say, might be taken for the size by somebody else, and so might
            // blanks that belong to nothing.
            if (c == ';') {
                state_ = State::extension;
            } else if (c != ' ' && c != '\t') {
                return fail(core::ErrorCode::bad_request);
            }
            return spend_framing();
        case State::extension:
            if (is_stray_control(c)) return fail(core::ErrorCode::bad_request);
            if (c == '\r') state_ = State::size_end;
            return spend_framing();
        case State::size_end:
            if (c != '\n') return fail(core::ErrorCode::bad_request);
            return end_of_size();
        case State::data_end:
            if (c != '\r') return fail(core::ErrorCode::bad_request);
            state_ = State::data_end_feed;
            return;
        case State::data_end_feed:
            return expect_feed(c, State::size);
        case State::trailer_start:
            if (c == '\r') {
                state_ = State::last_feed;
                return;
            }
            // A line that is no field might be taken for the next request by somebody else.
            if (!is_token_character(c)) return fail(core::ErrorCode::bad_request);
            state_ = State::trailer_name;
            return spend_framing();
        case State::trailer_name:
            if (c == ':') {
                state_ = State::trailer;
            } else if (!is_token_character(c)) {
                return fail(core::ErrorCode::bad_request);
            }
            return spend_framing();
        case State::trailer:
            if (is_stray_control(c)) return fail(core::ErrorCode::bad_request);
            if (c == '\r') state_ = State::trailer_end;
            return spend_framing();
        case State::trailer_end:
            return expect_feed(c, State::trailer_start);
        case State::last_feed:
            return expect_feed(c, State::complete);
        case State::complete:
        case State::data:
            return;
    }
}

void BodyReader::end_of_size() {
    digits_ = 0;
    if (left_ == 0) {
        state_ = State::trailer_start;
    } else if (left_ > max_body_ - std::min(total_, max_body_)) {
        fail(core::ErrorCode::body_too_large);
    } else {
        total_ += left_;
        state_ = State::data;
    }
}

void BodyReader::spend_framing() {
    if (++framing_ > max_framing_) fail(core::ErrorCode::header_too_large);
}

void BodyReader::expect_feed(char c, State then) {
    if (c != '\n') return fail(core::ErrorCode::bad_request);
    state_ = then;
}

}  // namespace agentcom::net

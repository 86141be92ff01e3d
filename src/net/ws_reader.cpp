#include "net/ws_reader.hpp"

#include <algorithm>
#include <cstring>

#include "agentcom/core/utf8.hpp"

namespace agentcom::net {

namespace {

/// What is kept for the next message; most fit, and an idle connection has no more.
constexpr std::size_t kKeptBuffer = 1'024;

}  // namespace

bool is_close_code_of_peer(std::uint16_t code) noexcept {
    if (code >= 3000) return code < 5000;
    // 1004 has no meaning, and 1005, 1006 and 1015 say that there was no close frame.
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

std::size_t WsReader::take(std::string_view input) {
    std::size_t taken = 0;
    while (taken < input.size() && event_ == Event::none) {
        const std::string_view rest = input.substr(taken);
        taken += in_payload_ ? take_payload(rest) : take_header(rest);
    }
    return taken;
}

std::size_t WsReader::take_header(std::string_view input) {
    const std::size_t size = std::min<std::size_t>(input.size(), header_needs_ - header_size_);
    std::memcpy(header_.data() + header_size_, input.data(), size);
    header_size_ = static_cast<std::uint8_t>(header_size_ + size);
    if (header_size_ < header_needs_) return size;
    if (header_needs_ == 2) {
        begin_header();
    } else {
        end_header();
    }
    return size;
}

void WsReader::begin_header() {
    constexpr unsigned kFinal = 0x80;
    constexpr unsigned kReserved = 0x70;
    constexpr unsigned kMasked = 0x80;
    const unsigned first = header_[0];
    const unsigned second = header_[1];
    const unsigned opcode = first & 0x0FU;
    const unsigned length = second & 0x7FU;
    final_ = (first & kFinal) != 0;
    opcode_ = static_cast<Opcode>(opcode);
    // No extension has been agreed on, so nothing is reserved for one; a client masks what it
    // sends.
    bool well = (first & kReserved) == 0 && (second & kMasked) != 0;
    if (is_control()) {
        well = well && opcode <= static_cast<unsigned>(Opcode::pong) && final_ &&
               length <= kMostInControl;
    } else {
        const bool goes_on = opcode_ == Opcode::continuation;
        well = well && opcode <= static_cast<unsigned>(Opcode::binary) &&
               goes_on == (message_kind_ != Event::none);
    }
    if (!well) return fail(protocol::CloseCode::protocol_error);
    const unsigned extended = length == 127 ? 8 : length == 126 ? 2 : 0;
    header_needs_ = static_cast<std::uint8_t>(2 + extended + mask_.size());
}

void WsReader::end_header() {
    const std::size_t extended = header_needs_ - 2 - mask_.size();
    left_ = extended == 0 ? header_[1] & 0x7FU : 0;
    for (std::size_t i = 0; i < extended; ++i) left_ = (left_ << 8) | header_[2 + i];
    const bool shortest =
        extended == 0 || (extended == 2 ? left_ >= 126 : left_ > 0xFFFF && left_ >> 63 == 0);
    if (!shortest) return fail(protocol::CloseCode::protocol_error);
    std::memcpy(mask_.data(), header_.data() + 2 + extended, mask_.size());
    masked_ = 0;
    header_size_ = 0;
    header_needs_ = 2;
    if (is_control()) {
        control_size_ = 0;
    } else {
        if (!passing_over_ &&
            left_ > max_message_ - std::min<std::uint64_t>(max_message_, held())) {
            return fail(protocol::CloseCode::frame_too_big);
        }
        if (opcode_ == Opcode::text) message_kind_ = Event::text;
        if (opcode_ == Opcode::binary) message_kind_ = Event::binary;
    }
    in_payload_ = left_ > 0;
    if (!in_payload_) end_frame();
}

std::size_t WsReader::take_payload(std::string_view input) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
    left_ -= size;
    if (is_control()) {
        std::memcpy(control_.data() + control_size_, input.data(), size);
        unmask(control_.data() + control_size_, size);
        control_size_ = static_cast<std::uint8_t>(control_size_ + size);
    } else if (!passing_over_) {
        const std::size_t before = message_.size();
        message_.append(input.substr(0, size));
        unmask(message_.data() + before, size);
        if (message_kind_ == Event::text &&
            !text_.take(std::string_view(message_).substr(before))) {
            fail(protocol::CloseCode::invalid_payload);
            return size;
        }
    }
    in_payload_ = left_ > 0;
    if (!in_payload_) end_frame();
    return size;
}

void WsReader::end_frame() {
    switch (opcode_) {
        case Opcode::ping:
            event_ = Event::ping;
            return;
        case Opcode::pong:
            event_ = Event::pong;
            return;
        case Opcode::close:
            return read_close();
        case Opcode::continuation:
        case Opcode::text:
        case Opcode::binary:
            break;
    }
    if (!final_) return;
    if (!passing_over_) {
        if (message_kind_ == Event::text && !text_.complete()) {
            return fail(protocol::CloseCode::invalid_payload);
        }
        event_ = message_kind_;
    }
    message_kind_ = Event::none;
}

void WsReader::read_close() {
    close_code_ = 0;
    if (control_size_ == 1) return fail(protocol::CloseCode::protocol_error);
    if (control_size_ >= 2) {
        const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(control_[i]); };
        close_code_ = static_cast<std::uint16_t>((byte(0) << 8) | byte(1));
        if (!is_close_code_of_peer(close_code_)) return fail(protocol::CloseCode::protocol_error);
        if (!core::is_valid_utf8(
                {control_.data() + 2, static_cast<std::size_t>(control_size_) - 2})) {
            return fail(protocol::CloseCode::invalid_payload);
        }
    }
    event_ = Event::close;
}

void WsReader::fail(protocol::CloseCode why) noexcept {
    failure_ = why;
    event_ = Event::broken;
    std::string().swap(message_);
}

std::string_view WsReader::payload() const noexcept {
    if (event_ == Event::text || event_ == Event::binary) return message_;
    return {control_.data(), control_size_};
}

void WsReader::next() noexcept {
    if (event_ == Event::text || event_ == Event::binary) {
        message_.clear();
        if (message_.capacity() > kKeptBuffer) std::string().swap(message_);
        text_ = {};
    }
    if (event_ != Event::close && event_ != Event::broken) event_ = Event::none;
}

void WsReader::pass_over_messages() noexcept {
    passing_over_ = true;
    std::string().swap(message_);
}

void WsReader::unmask(char* data, std::size_t size) noexcept {
    std::array<char, 8> key{};
    for (std::size_t i = 0; i < key.size(); ++i) key[i] = mask_[(masked_ + i) % mask_.size()];
    std::uint64_t word_key = 0;
    std::memcpy(&word_key, key.data(), sizeof word_key);
    std::size_t at = 0;
    for (; size - at >= sizeof word_key; at += sizeof word_key) {
        std::uint64_t word = 0;
        std::memcpy(&word, data + at, sizeof word);
        word ^= word_key;
        std::memcpy(data + at, &word, sizeof word);
    }
    for (std::size_t i = 0; at + i < size; ++i) {
        data[at + i] = static_cast<char>(data[at + i] ^ key[i]);
    }
    masked_ = static_cast<std::uint8_t>((masked_ + size) % mask_.size());
}

}  // namespace agentcom::net

#include "net/ws_handshake.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <stdexcept>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSha1Bytes = 20;

bool is_base64(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
}

std::string accept_value(std::string_view key) {
    const std::string text = std::string(key) + std::string(kMagic);
    std::array<unsigned char, kSha1Bytes> digest{};
    if (EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr) != 1) {
        throw std::runtime_error("there is no SHA-1 for the WebSocket handshake");
    }
    std::array<unsigned char, 4 * ((kSha1Bytes + 2) / 3) + 1> encoded{};
    const int size =
        EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(digest.size()));
    return {encoded.begin(), encoded.begin() + size};
}

}  // namespace

bool is_websocket_key(std::string_view text) noexcept {
    constexpr std::size_t kDigits = 22;  // of 16 bytes
    // The last one stands for two bits of the sixteenth byte.
    constexpr std::string_view kLastDigits = "AQgw";
    return text.size() == kDigits + 2 && text.ends_with("==") &&
           std::all_of(text.begin(), text.begin() + kDigits, is_base64) &&
           kLastDigits.find(text[kDigits - 1]) != std::string_view::npos;
}

std::string websocket_answer(std::string_view key, core::Timestamp now) {
    std::string out =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: ";
    out += accept_value(key);
    out += "\r\n";
    append_server_lines(out, now);
    out += "\r\n";
    return out;
}

}  // namespace agentcom::net

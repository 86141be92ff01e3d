#include "agentcom/core/token.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>

namespace agentcom::core {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kTokenDigits = 2 * kTokenBytes;

void fill_random(std::span<std::uint8_t> bytes) {
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
        throw std::runtime_error("the operating system gives no random numbers");
    }
}

constexpr std::array<std::string_view, 3> kRoleNames{"agent", "admin", "observer"};

}  // namespace

std::string_view role_name(Role role) noexcept {
    return kRoleNames[static_cast<std::size_t>(role)];
}

std::optional<Role> parse_role(std::string_view name) noexcept {
    const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), name);
    if (found == kRoleNames.end()) return std::nullopt;
    return static_cast<Role>(found - kRoleNames.begin());
}

Token Token::generate() {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::array<std::uint8_t, kTokenBytes> bytes{};
    fill_random(bytes);
    std::string hex;
    hex.reserve(kTokenDigits);
    for (const std::uint8_t byte : bytes) {
        hex.push_back(kDigits[byte >> 4]);
        hex.push_back(kDigits[byte & 0xF]);
    }
    return Token(std::move(hex));
}

std::optional<Token> Token::parse(std::string_view text) {
    const auto is_hex_digit = [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    };
    if (text.size() != kTokenDigits || !std::all_of(text.begin(), text.end(), is_hex_digit)) {
        return std::nullopt;
    }
    return Token(std::string(text));
}

std::string trim_token(std::string_view text) {
    static constexpr std::string_view kAround = " \t\r\n";
    const std::size_t first = text.find_first_not_of(kAround);
    if (first == std::string_view::npos) return {};
    return std::string(text.substr(first, text.find_last_not_of(kAround) - first + 1));
}

TokenDigest Token::digest() const {
    // Every HTTP request comes here. Looking the algorithm up and making a context would take
    // longer than the hashing; both live as long as OpenSSL and the thread.
    static const EVP_MD* const kSha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    thread_local const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(
        EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    TokenDigest digest{};
    if (kSha256 == nullptr || context == nullptr ||
        EVP_DigestInit_ex(context.get(), kSha256, nullptr) != 1 ||
        EVP_DigestUpdate(context.get(), hex_.data(), hex_.size()) != 1 ||
        EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
        throw std::runtime_error("OpenSSL cannot compute SHA-256");
    }
    return digest;
}

std::uint64_t random_u64() {
    std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
    fill_random(bytes);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

}  // namespace agentcom::core

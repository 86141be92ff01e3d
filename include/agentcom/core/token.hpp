#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentcom::core {

/// What a token lets its agent do: send and read, administer besides, or only read (everything).
enum class Role : std::uint8_t { agent = 0, admin = 1, observer = 2 };
/// "agent", "admin", "observer".
[[nodiscard]] std::string_view role_name(Role role) noexcept;
[[nodiscard]] std::optional<Role> parse_role(std::string_view name) noexcept;

/// Longest name that an administrator may give a token, in bytes.
inline constexpr std::size_t kMaxTokenNameBytes = 128;
/// Digits that tell tokens apart in lists.
inline constexpr std::size_t kTokenPrefixDigits = 8;

/// What is stored of a token: its SHA-256. Compared as a store key, never shown.
using TokenDigest = std::array<std::uint8_t, 32>;

/// A secret of 32 random bytes, written as 64 lower-case hexadecimal digits. Has no print operator
/// on purpose: it is shown once, to the administrator who creates it, through `reveal`.
class Token {
public:
    /// A fresh token from the operating system's generator. Throws std::runtime_error without one.
    [[nodiscard]] static Token generate();
    /// Nothing unless the text is exactly 64 lower-case hexadecimal digits.
    [[nodiscard]] static std::optional<Token> parse(std::string_view text);

    [[nodiscard]] const std::string& reveal() const noexcept { return hex_; }
    /// The first eight digits, which token lists show so that people can tell tokens apart.
    [[nodiscard]] std::string prefix() const { return hex_.substr(0, kTokenPrefixDigits); }
    [[nodiscard]] TokenDigest digest() const;

private:
    explicit Token(std::string hex) : hex_(std::move(hex)) {}
    std::string hex_;
};

/// Without the blanks and line ends around it, which come along when a token is kept in a file, a
/// secret or a variable.
[[nodiscard]] std::string trim_token(std::string_view text);

/// 16 lower-case hexadecimal digits from the operating system's generator (session ids, epochs).
[[nodiscard]] std::uint64_t random_u64();

}  // namespace agentcom::core

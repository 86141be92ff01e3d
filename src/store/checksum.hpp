#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Checksums of stored values (XXH3, 64 bits). DO NOT CHANGE: they are on disk. They find what a
/// disk or a stray write has done to a value, or a value that lies under another key or in another
/// table; they are no protection against somebody who wants to forge one.
///
/// A sealed value has the highest bit of its first byte set and the checksum behind its last. Older
/// programs wrote values without; those are taken as they are.
namespace agentcom::store {

inline constexpr std::size_t kChecksumBytes = sizeof(std::uint64_t);
inline constexpr std::uint8_t kSealed = 0x80;

/// What the checksums of a table's values begin with.
[[nodiscard]] std::uint64_t table_seed(std::string_view table) noexcept;

/// Of all bytes of the value, which must have one at least.
[[nodiscard]] std::uint64_t checksum(std::uint64_t seed, std::string_view key,
                                     std::string_view value) noexcept;

/// Puts the sealed value into `out`.
void seal(std::string& out, std::uint64_t seed, std::string_view key, std::string_view value);

/// The value without its checksum; its first byte still says that it was sealed. Throws
/// DamagedStore, also at a sealed value whose first byte has been changed to that of an older one.
[[nodiscard]] std::string_view unseal(std::uint64_t seed, std::string_view key,
                                      std::string_view stored);
[[nodiscard]] bool is_sealed(std::string_view value) noexcept;

}  // namespace agentcom::store

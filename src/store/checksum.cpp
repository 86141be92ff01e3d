#include "store/checksum.hpp"

// Everything from the header: a function or two are not worth a library to ship.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

#include "store/bytes.hpp"

namespace agentcom::store {
namespace {

// The first byte counts by itself, so that of a value that looks unsealed it can be said whether
// another first byte would make it a sealed one. Odd, so that no two bytes count the same.
constexpr std::uint64_t kWeight = 0x9e3779b97f4a7c15;

constexpr std::uint64_t inverse(std::uint64_t odd) {
    std::uint64_t found = odd;
    for (int i = 0; i < 6; ++i) found *= 2 - odd * found;  // each doubles the bits that are right
    return found;
}
static_assert(kWeight * inverse(kWeight) == 1);

std::uint64_t checksum_of_rest(std::uint64_t seed, std::string_view key, std::string_view value) {
    const std::string_view rest = value.substr(1);
    return XXH3_64bits_withSeed(rest.data(), rest.size(),
                                XXH3_64bits_withSeed(key.data(), key.size(), seed));
}

std::uint64_t stored_checksum(std::string_view stored) noexcept {
    std::uint64_t value = 0;
    std::memcpy(&value, stored.data() + stored.size() - sizeof value, sizeof value);
    return value;
}

}  // namespace

std::uint64_t table_seed(std::string_view table) noexcept {
    return XXH3_64bits(table.data(), table.size());
}

std::uint64_t checksum(std::uint64_t seed, std::string_view key, std::string_view value) noexcept {
    return checksum_of_rest(seed, key, value) + kWeight * static_cast<std::uint8_t>(value.front());
}

void seal(std::string& out, std::uint64_t seed, std::string_view key, std::string_view value) {
    out.assign(value);
    if (out.empty()) out.push_back('\0');
    out.front() = static_cast<char>(static_cast<std::uint8_t>(out.front()) | kSealed);
    append_fixed(out, checksum(seed, key, out));
}

bool is_sealed(std::string_view value) noexcept {
    return !value.empty() && (static_cast<std::uint8_t>(value.front()) & kSealed) != 0;
}

std::string_view unseal(std::uint64_t seed, std::string_view key, std::string_view stored) {
    const bool has_room = stored.size() > kChecksumBytes;
    const std::string_view value =
        has_room ? stored.substr(0, stored.size() - kChecksumBytes) : stored;
    if (is_sealed(stored)) {
        if (!has_room || checksum(seed, key, value) != stored_checksum(stored)) {
            throw DamagedStore("a stored value does not match its checksum");
        }
        return value;
    }
    if (has_room) {
        const std::uint64_t first =
            (stored_checksum(stored) - checksum_of_rest(seed, key, value)) * inverse(kWeight);
        if (first >= kSealed && first <= 0xff) {
            throw DamagedStore("a stored value does not begin as its checksum says");
        }
    }
    return stored;
}

}  // namespace agentcom::store

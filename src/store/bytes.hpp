#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

/// Reading and writing of stored bytes. Integers in values are little-endian, in keys big-endian
/// (so that the order of keys is the order of numbers).
namespace agentcom::store {

static_assert(std::endian::native == std::endian::little, "values are copied as they are");

/// What is stored cannot be understood: the files are damaged.
class DamagedStore : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

inline std::uint64_t to_big_endian(std::uint64_t value) noexcept {
    return __builtin_bswap64(value);
}

inline void append_be64(std::string& out, std::uint64_t value) {
    const std::uint64_t swapped = to_big_endian(value);
    out.append(reinterpret_cast<const char*>(&swapped), sizeof swapped);
}

/// The big-endian number at the start of `bytes`, which must have eight.
inline std::uint64_t read_be64(std::string_view bytes) {
    if (bytes.size() < sizeof(std::uint64_t)) throw DamagedStore("a stored key is too short");
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof value);
    return to_big_endian(value);
}

template <class Integer>
void append_fixed(std::string& out, Integer value) {
    out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Seven bits a byte, least significant first; the high bit says that more follows.
inline void append_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(value | 0x80));
        value >>= 7;
    }
    out.push_back(static_cast<char>(value));
}

/// Text of at most 255 bytes behind a byte with its length.
inline void append_short_text(std::string& out, std::string_view text) {
    if (text.size() > 255) throw std::logic_error("text too long for a short text field");
    out.push_back(static_cast<char>(text.size()));
    out.append(text);
}

/// Two lower-case hexadecimal digits for each byte.
[[nodiscard]] inline std::string to_hex(std::string_view bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * bytes.size());
    for (const char byte : bytes) {
        const auto value = static_cast<unsigned char>(byte);
        text.push_back(kDigits[value >> 4U]);
        text.push_back(kDigits[value & 0xfU]);
    }
    return text;
}

/// Walks through a value; throws DamagedStore instead of reading past its end.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) noexcept : rest_(bytes) {}

    template <class Integer>
    Integer fixed() {
        Integer value{};
        std::memcpy(&value, take(sizeof value).data(), sizeof value);
        return value;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const auto byte = fixed<std::uint8_t>();
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if ((byte & 0x80) == 0) return value;
        }
        throw DamagedStore("a stored number has no end");
    }
    std::string_view short_text() { return take(fixed<std::uint8_t>()); }
    std::string_view take(std::size_t size) {
        if (size > rest_.size()) throw DamagedStore("a stored record ends too early");
        const std::string_view taken = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return taken;
    }
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
    [[nodiscard]] bool empty() const noexcept { return rest_.empty(); }

private:
    std::string_view rest_;
};

}  // namespace agentcom::store

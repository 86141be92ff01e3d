#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace agentcom::core {

/// Highest sequence number: 44 bits, so that a MessageId can carry it beside 20 bits of epoch and
/// every JSON client (2^53) can hold it. At 100,000 messages a second it lasts more than five
/// years.
inline constexpr std::uint64_t kMaxSeq = (std::uint64_t{1} << 44) - 1;

/// Place of a message in the log: grows by one with every message, from 1; 0 means "before the
/// first".
struct Seq {
    std::uint64_t value = 0;
    [[nodiscard]] Seq next() const noexcept { return Seq{value + 1}; }
    auto operator<=>(const Seq&) const = default;
};

/// Place of a message within its channel, from 1; 0 means "before the first". Not a Seq.
struct ChannelSeq {
    std::uint64_t value = 0;
    [[nodiscard]] ChannelSeq next() const noexcept { return ChannelSeq{value + 1}; }
    auto operator<=>(const ChannelSeq&) const = default;
};

/// Identity of a store, made with it. A position is only meaningful together with its epoch.
struct Epoch {
    std::uint64_t value = 0;
    /// 16 lower-case hexadecimal digits.
    [[nodiscard]] std::string str() const;
    auto operator<=>(const Epoch&) const = default;
};

/// A message's public name: 16 lower-case hexadecimal digits that carry 20 bits of the epoch and
/// the sequence number, so ids are unique across re-created stores, grow with time, and need no
/// index of their own.
struct MessageId {
    std::uint64_t value = 0;
    [[nodiscard]] static MessageId make(Epoch epoch, Seq seq) noexcept {
        return MessageId{(epoch.value << 44) | seq.value};
    }
    /// Nothing when the text is not an id of the store with this epoch.
    [[nodiscard]] static std::optional<Seq> seq_of(std::string_view text, Epoch epoch) noexcept;
    [[nodiscard]] std::string str() const;
    [[nodiscard]] std::array<char, 16> digits() const noexcept;
    /// Appends the 16 digits to `out`.
    void append_to(std::string& out) const;
    auto operator<=>(const MessageId&) const = default;
};

}  // namespace agentcom::core

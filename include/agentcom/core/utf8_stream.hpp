#pragma once

#include <cstdint>
#include <string_view>

namespace agentcom::core {

/// Looks at UTF-8 (RFC 3629, strictly) that comes in pieces, which may end within a character. For
/// one thread.
class Utf8Stream {
public:
    /// False from the first byte on that nothing can follow to make it right.
    [[nodiscard]] bool take(std::string_view piece) noexcept;
    /// Whether the text may end here.
    [[nodiscard]] bool complete() const noexcept { return more_ == 0; }

private:
    std::uint8_t more_ = 0;  // bytes of the current character that are still to come
    std::uint8_t low_ = 0;   // what the next of them may be
    std::uint8_t high_ = 0;
};

}  // namespace agentcom::core

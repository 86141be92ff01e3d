#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace agentcom::store {

/// Finds a text in payloads, the case of ASCII letters aside. A payload is JSON text as it was
/// sent, so that a text with quotes, backslashes or control characters stands there with escapes:
/// it is found either way.
class TextSearch {
public:
    explicit TextSearch(std::string_view wanted);

    [[nodiscard]] bool is_in(std::string_view payload) const noexcept;
    /// About what one search of this payload costs, in steps of a budget.
    [[nodiscard]] static std::uint64_t cost(std::string_view payload) noexcept;

private:
    std::string plain_;    // in lower case
    std::string escaped_;  // the same within a JSON string; empty: it is no other
};

}  // namespace agentcom::store

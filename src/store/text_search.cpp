#include "store/text_search.hpp"

#include <algorithm>

#include "agentcom/core/json_string.hpp"

namespace agentcom::store {
namespace {

constexpr std::uint64_t kBytesOfStep = 32;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }
char upper(char c) noexcept { return c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c; }

bool contains(std::string_view text, std::string_view wanted) noexcept {
    if (wanted.empty()) return true;
    const char first = wanted.front();
    const char other = upper(first);
    while (text.size() >= wanted.size()) {
        const auto candidates = text.substr(0, text.size() - wanted.size() + 1);
        const auto found = std::ranges::find_if(
            candidates, [first, other](char c) { return c == first || c == other; });
        if (found == candidates.end()) return false;
        text.remove_prefix(static_cast<std::size_t>(found - candidates.begin()));
        if (std::ranges::equal(text.substr(0, wanted.size()), wanted, {}, lower)) return true;
        text.remove_prefix(1);
    }
    return false;
}

}  // namespace

TextSearch::TextSearch(std::string_view wanted) : plain_(wanted) {
    std::ranges::transform(plain_, plain_.begin(), lower);
    core::append_json_string(escaped_, plain_);
    escaped_ = escaped_.substr(1, escaped_.size() - 2);  // without its quotes
    if (escaped_ == plain_) escaped_.clear();
}

bool TextSearch::is_in(std::string_view payload) const noexcept {
    return contains(payload, plain_) || (!escaped_.empty() && contains(payload, escaped_));
}

std::uint64_t TextSearch::cost(std::string_view payload) noexcept {
    return payload.size() / kBytesOfStep;
}

}  // namespace agentcom::store

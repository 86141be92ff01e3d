#include "net/text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "agentcom/core/version.hpp"

namespace agentcom::net {

namespace {

/// RFC 9110, 5.6.2.
constexpr std::array<bool, 256> kTokenCharacters = [] {
    std::array<bool, 256> allowed{};
    for (char c = '0'; c <= '9'; ++c) allowed[static_cast<unsigned char>(c)] = true;
    for (char c = 'A'; c <= 'Z'; ++c) allowed[static_cast<unsigned char>(c)] = true;
    for (char c = 'a'; c <= 'z'; ++c) allowed[static_cast<unsigned char>(c)] = true;
    for (const char c : std::string_view("!#$%&'*+-.^_`|~")) {
        allowed[static_cast<unsigned char>(c)] = true;
    }
    return allowed;
}();

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

std::string_view trim(std::string_view text) noexcept {
    constexpr std::string_view kBlank = " \t";
    const auto first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return text.substr(text.size());
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

std::string to_lower(std::string_view text) {
    std::string out(text);
    lower_in_place(out);
    return out;
}

void lower_in_place(std::span<char> text) noexcept {
    std::ranges::transform(text, text.begin(), lower);
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    return std::ranges::equal(a, b, {}, lower, lower);
}

bool is_token_character(char c) noexcept { return kTokenCharacters[static_cast<unsigned char>(c)]; }

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_token_character);
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string_view http_date(core::Timestamp now) {
    struct Cached {
        std::time_t second = -1;
        std::array<char, 32> text{};
        std::size_t size = 0;
    };
    static thread_local Cached cached;
    const auto second = static_cast<std::time_t>(now.ms / 1000);
    if (second != cached.second) {
        // Not strftime, whose names depend on the locale.
        constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        std::tm parts{};
        ::gmtime_r(&second, &parts);
        const int size = std::snprintf(
            cached.text.data(), cached.text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
            kDays.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
            kMonths.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900, parts.tm_hour,
            parts.tm_min, parts.tm_sec);
        cached.size = std::min(static_cast<std::size_t>(std::max(size, 0)), cached.text.size() - 1);
        cached.second = second;
    }
    return {cached.text.data(), cached.size};
}

void append_server_lines(std::string& out, core::Timestamp now) {
    out += "Server: agentcom/";
    out += core::kVersion;
    out += "\r\nDate: ";
    out += http_date(now);
    out += "\r\n";
}

}  // namespace agentcom::net

#include "net/target.hpp"

#include <algorithm>

namespace agentcom::net {

namespace {

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

/// The byte that an escape at `at` stands for.
std::optional<char> escape_at(std::string_view text, std::size_t at) noexcept {
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]);
    const int low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

std::string decode_query_part(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto escaped = text[i] == '%' ? escape_at(text, i) : std::nullopt;
        if (escaped) {
            out.push_back(*escaped);
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

/// Drops the scheme and the host of the absolute form, which proxies use.
std::string_view without_origin(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!text.starts_with(scheme)) continue;
        const auto path = text.find_first_of("/?", scheme.size());
        return path == std::string_view::npos ? std::string_view() : text.substr(path);
    }
    return text;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out.push_back(text[i]);
            continue;
        }
        const auto escaped = escape_at(text, i);
        if (!escaped) return std::nullopt;
        out.push_back(*escaped);
        i += 2;
    }
    return out;
}

Target parse_target(std::string_view text) {
    text = without_origin(text);
    Target target;
    if (const auto mark = text.find('?'); mark != std::string_view::npos) {
        target.query = text.substr(mark + 1);
        text = text.substr(0, mark);
    }
    while (!text.empty()) {
        const auto slash = std::min(text.find('/'), text.size());
        if (slash > 0) target.segments.push_back(text.substr(0, slash));
        text.remove_prefix(std::min(slash + 1, text.size()));
    }
    return target;
}

std::vector<std::pair<std::string, std::string>> parse_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> pairs;
    while (!query.empty()) {
        const auto end = std::min(query.find('&'), query.size());
        const std::string_view part = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        if (part.empty()) continue;
        const auto equals = std::min(part.find('='), part.size());
        const auto value = part.substr(std::min(equals + 1, part.size()));
        pairs.emplace_back(decode_query_part(part.substr(0, equals)), decode_query_part(value));
    }
    return pairs;
}

}  // namespace agentcom::net

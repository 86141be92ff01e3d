#include "net/target.hpp"

#include <algorithm>
#include <iterator>
#include <span>

#include "net/authority.hpp"
#include "net/text.hpp"

namespace agentcom::net {

namespace {

/// No route has more.
constexpr std::size_t kUsualSegments = 6;

/// The byte that an escape at `at` stands for.
std::optional<char> escape_at(std::string_view text, std::size_t at) noexcept {
    if (at + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[at + 1]);
    const int low = hex_digit(text[at + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

std::string decode_query_part(std::string_view text) {
    if (text.find_first_of("%+") == std::string_view::npos) return std::string(text);
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

/// The scheme, with "://", of the absolute form, which proxies use; empty in any other form.
std::string_view scheme_of(std::string_view text) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (equal_ignoring_case(text.substr(0, scheme.size()), scheme)) {
            return text.substr(0, scheme.size());
        }
    }
    return {};
}

/// Splits `host:port/path?query` behind the authority.
std::size_t end_of_authority(std::string_view text) {
    return std::min(text.find_first_of("/?"), text.size());
}

/// Drops the scheme and the host of the absolute form.
std::string_view without_origin(std::string_view text) {
    const std::string_view scheme = scheme_of(text);
    if (scheme.empty()) return text;
    text.remove_prefix(scheme.size());
    return text.substr(end_of_authority(text));
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text) {
    if (text.find('%') == std::string_view::npos) return std::string(text);
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

std::optional<TargetForm> target_form(std::string_view verb, std::string_view text) {
    if (verb == "CONNECT") {
        const auto authority = Authority::parse(text);
        return authority && authority->port ? std::optional(TargetForm{text}) : std::nullopt;
    }
    if (text.starts_with('/')) return TargetForm{};
    if (text == "*") return verb == "OPTIONS" ? std::optional(TargetForm{}) : std::nullopt;
    const std::string_view scheme = scheme_of(text);
    if (scheme.empty()) return std::nullopt;
    text.remove_prefix(scheme.size());
    const std::string_view authority = text.substr(0, end_of_authority(text));
    return Authority::parse(authority) ? std::optional(TargetForm{authority}) : std::nullopt;
}

Target parse_target(std::string_view text) {
    text = without_origin(text);
    Target target;
    if (const auto mark = text.find('?'); mark != std::string_view::npos) {
        target.query = text.substr(mark + 1);
        text = text.substr(0, mark);
    }
    target.slash_at_end = text.ends_with('/');
    target.segments.reserve(kUsualSegments);
    while (!text.empty()) {
        const auto slash = std::min(text.find('/'), text.size());
        if (slash > 0) target.segments.push_back(text.substr(0, slash));
        text.remove_prefix(std::min(slash + 1, text.size()));
    }
    return target;
}

void remove_base(std::vector<std::string_view>& segments, std::string_view base) {
    if (base.empty()) return;
    const std::vector<std::string_view> prefix = parse_target(base).segments;
    if (prefix.size() > segments.size() ||
        !std::ranges::equal(prefix, std::span(segments).first(prefix.size())))
        return;
    segments.erase(segments.begin(), segments.begin() + std::ssize(prefix));
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

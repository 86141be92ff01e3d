#include "net/cookie.hpp"

#include <algorithm>
#include <chrono>

#include "net/text.hpp"

namespace agentcom::net {

namespace {

constexpr std::size_t kEpochDigits = 8;  // enough to tell the hubs of one host apart

std::string cookie(std::string_view value, std::int64_t seconds, const CookiePlace& place) {
    std::string line(place.name);
    line.append("=").append(value).append("; Path=");
    line.append(place.base_path.empty() ? std::string_view("/") : place.base_path);
    // No script reads it, and no page of another site has it sent.
    line.append("; HttpOnly; SameSite=Strict; Max-Age=").append(std::to_string(seconds));
    if (place.https) line.append("; Secure");
    return line;
}

}  // namespace

std::string session_cookie_name(core::Epoch epoch) {
    return "agentcom_session_" + epoch.str().substr(0, kEpochDigits);
}

std::optional<std::string_view> session_cookie(std::string_view header,
                                               std::string_view name) noexcept {
    while (!header.empty()) {
        const auto end = std::min(header.find(';'), header.size());
        const std::string_view pair = trim(header.substr(0, end));
        header.remove_prefix(std::min(end + 1, header.size()));
        if (!pair.starts_with(name)) continue;
        const std::string_view rest = pair.substr(name.size());
        if (rest.starts_with('=')) return rest.substr(1);
    }
    return std::nullopt;
}

std::string begin_session(std::string_view value, core::Millis lasts, const CookiePlace& place) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(lasts).count();
    return cookie(value, std::max<std::int64_t>(seconds, 0), place);
}

std::string end_session(const CookiePlace& place) { return cookie("", 0, place); }

}  // namespace agentcom::net

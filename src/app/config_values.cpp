#include "app/config_values.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <span>

namespace agentcom::app {
namespace {

struct Unit {
    std::string_view name;
    std::uint64_t factor;
};
// Largest first, so that showing picks the largest that divides.
constexpr std::array<Unit, 5> kDurationUnits{
    {{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 5> kByteUnits{{{"TiB", std::uint64_t{1} << 40},
                                          {"GiB", std::uint64_t{1} << 30},
                                          {"MiB", std::uint64_t{1} << 20},
                                          {"KiB", std::uint64_t{1} << 10},
                                          {"B", 1}}};

std::optional<std::uint64_t> parse_with_unit(std::string_view text, std::span<const Unit> units) {
    const std::size_t digits = text.find_first_not_of("0123456789");
    const auto number = parse_count(text.substr(0, digits));
    if (!number || digits == std::string_view::npos) {
        return number;
    }
    std::string_view name = text.substr(digits);
    name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
    for (const Unit& unit : units) {
        if (unit.name == name) {
            // TOML integers are signed, so nothing above that can be written or shown again.
            const auto most =
                static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / unit.factor;
            return *number <= most ? std::optional(*number * unit.factor) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::string show_with_unit(std::uint64_t value, std::span<const Unit> units) {
    for (const Unit& unit : units) {
        if (value != 0 && value % unit.factor == 0) {
            return '"' + std::to_string(value / unit.factor) + std::string(unit.name) + '"';
        }
    }
    return std::to_string(value);
}

}  // namespace

std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (text.empty() || error != std::errc{} || stop != end ||
        value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return std::nullopt;
    }
    return value;
}

std::optional<core::Millis> parse_duration(std::string_view text) {
    const auto value = parse_with_unit(text, kDurationUnits);
    return value ? std::optional(core::Millis(static_cast<std::int64_t>(*value))) : std::nullopt;
}

std::string show_duration(core::Millis value) {
    return show_with_unit(static_cast<std::uint64_t>(value.count()), kDurationUnits);
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    return parse_with_unit(text, kByteUnits);
}

std::string show_bytes(std::uint64_t value) { return show_with_unit(value, kByteUnits); }

std::string join_list(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : ", ") + text;
    return all;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t comma = text.find(',');
        const std::string_view part = text.substr(0, comma);
        const std::size_t first = part.find_first_not_of(" \t");
        if (first != std::string_view::npos) {
            const std::size_t last = part.find_last_not_of(" \t");
            parts.emplace_back(part.substr(first, last - first + 1));
        }
        if (comma == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(comma + 1);
    }
}

}  // namespace agentcom::app
